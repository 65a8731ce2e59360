"""An operation without a ruling is loud from the evening before, where somebody answers for it."""

import pytest
import time_machine
from django.urls import reverse

from appointments.models import Appointment
from appointments.operations import services as operations
from appointments.operations.queries import Overdue, overdue
from staff.models import Role, User
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.builders import MONDAY, a_site, a_unit, a_user, an_appointment, at
from tests.pages import HTMX, signed_in

pytestmark = pytest.mark.django_db
BEFORE, AFTER = at("2022-05-15 17:59"), at("2022-05-15 18:01")
BANNER = "sans décision du Directeur médical"


@pytest.fixture
def operation() -> Appointment:
    """Return an operation of Monday at Arlon that waits for a ruling."""
    made = an_appointment(service="surgery", unit=a_unit("arlon-bloc", kind="operating_theatre"))
    with time_machine.travel(SATURDAY_NOON, tick=False):
        in_force()
    return made


@pytest.fixture(autouse=True)
def sunday_evening():
    """Freeze the minute after the hour by which operations are ruled on."""
    with time_machine.travel(AFTER, tick=False) as clock:
        yield clock


def director(**place) -> User:
    return a_user("directeur", Role.MEDICAL_DIRECTOR, **place)


def page_of(user: User, name: str = "operations", **query: str) -> str:
    client = signed_in(user)
    return client.get(reverse(name), query).content.decode()


def test_from_the_hour_on_it_is_counted_with_its_day(operation, sunday_evening):
    user = director()
    assert overdue(user) == Overdue(1, MONDAY)
    sunday_evening.move_to(BEFORE)
    assert overdue(user) is None


def test_the_page_says_so_on_top_at_the_day_and_at_the_operation(operation):
    page = page_of(director(), day="2022-05-16")
    assert f"1 opération reste {BANNER} : lundi 16 mai." in page
    assert 'href="/operations/?day=2022-05-16"' in page
    assert "sans décision, en retard" in page
    assert "Décision en retard" in page


def test_before_the_hour_nothing_is_loud(operation, sunday_evening):
    user = director()
    sunday_evening.move_to(BEFORE)
    page = page_of(user, day="2022-05-16")
    assert BANNER not in page
    assert "en retard" not in page


def test_what_has_begun_without_a_ruling_says_so(operation, sunday_evening):
    user = director()
    sunday_evening.move_to(at("2022-05-16 09:11"))
    page = page_of(user, day="2022-05-16")
    assert "n'a jamais été décidée" in page.replace("&#x27;", "'")
    assert BANNER in page


@pytest.mark.parametrize("role", Role.values)
def test_those_who_rule_or_watch_are_told_on_every_page(operation, role):
    told = role in {Role.MEDICAL_DIRECTOR, Role.CRISIS_CELL, Role.AUDITOR}
    assert (BANNER in page_of(a_user("anne", role), "bulletins")) == told


def test_who_answers_for_another_site_is_not_told(operation):
    assert overdue(director(site=a_site("virton"))) is None


def test_who_speaks_here_and_directs_elsewhere_is_not_told(operation):
    user = director(site=a_site("virton"))
    user.role_assignments.create(role=Role.NURSE, site=a_site("arlon"))
    assert overdue(user) is None


def test_the_banner_goes_with_the_ruling_also_from_the_page_that_is_open(operation):
    user = director()
    client = signed_in(user)
    answer = client.post(
        reverse("rule_operation", args=[operation.pk]),
        {"outcome": "cancelled"},
        headers=HTMX,
    )
    assert '<div id="overdue" hx-swap-oob="true">' in answer.content.decode()
    assert BANNER not in answer.content.decode()
    assert BANNER not in page_of(user)


def test_two_days_are_one_sentence_with_the_first_of_them(operation):
    an_appointment(service="surgery", unit=operation.unit, starts="2022-05-15 20:00")
    with time_machine.travel(SATURDAY_NOON, tick=False):
        in_force(first_day=at("2022-05-15 00:00").date(), last_day=MONDAY)
    assert f"2 opérations restent {BANNER}, à partir du dimanche 15 mai." in page_of(
        director(), day="2022-05-16"
    )


def test_what_the_source_called_off_waits_for_nobody(operation):
    Appointment.objects.update(status="cancelled")
    assert overdue(director()) is None


def test_it_costs_one_query_and_none_to_whoever_answers_for_no_operation(
    operation, django_assert_num_queries
):
    for number in range(3):
        made = an_appointment(service="surgery", unit=operation.unit)
        assert made.pk, number
    user, nurse = director(), a_user("infirmier", Role.NURSE)
    for one, queries in ((user, 2), (nurse, 1)):  # the roles, and the count
        with django_assert_num_queries(queries):
            overdue(one)


def test_ruling_leaves_nothing_overdue(operation):
    user = director()
    operations.rule(appointment_id=operation.pk, by=user, outcome="maintained")
    assert overdue(user) is None
