"""Who may still keep patients and has not looked."""

import pytest
from django.urls import reverse

from appointments.decisions import keeping
from appointments.doctors.queries import waiting_doctors
from appointments.rules import ClauseTerms
from staff.models import Delegation, Role, User
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, in_force
from tests.builders import a_practitioner, a_site, a_unit, a_user, an_appointment, at
from tests.pages import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
LATER = at("2022-05-14 13:00")


@pytest.fixture
def watcher() -> User:
    return a_user("crise", Role.CRISIS_CELL)


def names(user: User) -> list[str]:
    return [one.practitioner.code for one in waiting_doctors(user)]


def look(user: User) -> None:
    client = signed_in(user)
    assert client.get(reverse("doctor_day")).status_code == 200


def test_it_says_how_many_patients_until_when_and_who_must_be_called(watcher) -> None:
    seen = a_practitioner("p1", user=a_user("docteur", Role.DOCTOR))
    for _ in range(2):
        an_appointment(practitioner=seen)
    an_appointment(practitioner=seen, service="radiology")
    an_appointment(practitioner=a_practitioner("p2"), starts="2022-05-16 08:00")
    an_appointment(practitioner=None)
    in_force()
    found = {one.practitioner.code: one for one in waiting_doctors(watcher)}
    assert {code: one.patients for code, one in found.items()} == {"p1": 2, "p2": 1}
    assert found["p1"].keep_until == RELEASE
    assert found["p1"].decided_at == SATURDAY_NOON
    assert {code: one.has_access for code, one in found.items()} == {"p1": True, "p2": False}


def test_who_looked_is_gone_until_more_is_cancelled(watcher, saturday_noon) -> None:
    doctor = a_user("docteur", Role.DOCTOR)
    an_appointment(practitioner=a_practitioner("p1", user=doctor))
    in_force()
    assert names(watcher) == ["p1"]
    saturday_noon.move_to(LATER)
    look(doctor)
    assert names(watcher) == []
    saturday_noon.move_to(at("2022-05-14 14:00"))
    an_appointment(practitioner=a_practitioner("p1"))
    in_force()
    assert names(watcher) == ["p1"]


def test_a_delegate_may_look_and_counts_as_access(watcher, saturday_noon) -> None:
    practitioner = a_practitioner("p1")
    delegate = a_user("delegue", Role.DOCTOR)
    lent = Delegation.objects.create(
        practitioner=practitioner, delegate=delegate, given_at=SATURDAY_NOON
    )
    an_appointment(practitioner=practitioner)
    in_force()
    assert [one.has_access for one in waiting_doctors(watcher)] == [True]
    saturday_noon.move_to(LATER)
    look(delegate)
    assert names(watcher) == []
    Delegation.objects.filter(pk=lent.pk).update(revoked_at=LATER)
    an_appointment(practitioner=a_practitioner("p2"))
    in_force()
    assert [one.has_access for one in waiting_doctors(watcher)] == [False]


def test_what_cannot_be_kept_any_more_waits_for_nobody(watcher, saturday_noon) -> None:
    doctor = a_user("docteur", Role.DOCTOR)
    kept = an_appointment(practitioner=a_practitioner("p1", user=doctor))
    an_appointment(practitioner=a_practitioner("p2"), service="radiology")
    an_appointment(practitioner=a_practitioner("p3"), status="fulfilled")
    an_appointment(practitioner=a_practitioner("p4"))
    in_force()
    keeping.keep(appointment_id=kept.pk, by=doctor)
    assert names(watcher) == ["p4"]
    saturday_noon.move_to(at("2022-05-15 18:01"))
    assert names(watcher) == []


def test_without_a_deadline_the_appointment_itself_is_one(watcher, saturday_noon) -> None:
    early = an_appointment(practitioner=a_practitioner("p1"), starts="2022-05-16 08:00")
    an_appointment(practitioner=a_practitioner("p1"), starts="2022-05-16 15:00")
    in_force(ClauseTerms("cancel", "cancelled", kept_by="doctor"))
    assert [one.keep_until for one in waiting_doctors(watcher)] == [early.starts_at]
    saturday_noon.move_to(at("2022-05-16 09:00"))
    assert [one.patients for one in waiting_doctors(watcher)] == [1]


def test_operations_are_not_their_surgeons_to_keep(watcher) -> None:
    """Whatever the clause says: the Medical Director rules on them."""
    surgeon = a_practitioner("p1")
    an_appointment(practitioner=surgeon, service="surgery")
    an_appointment(practitioner=surgeon)
    an_appointment(practitioner=a_practitioner("p2"), service="surgery")
    in_force(ClauseTerms("cancel", "cancelled", kept_by="doctor", keep_until=RELEASE))
    assert [(one.practitioner.code, one.patients) for one in waiting_doctors(watcher)] == [
        ("p1", 1)
    ]


def test_of_several_clauses_the_first_deadline_counts(watcher) -> None:
    doctor = a_practitioner("p1")
    an_appointment(practitioner=doctor)
    an_appointment(practitioner=doctor, service="dialysis")
    in_force(
        ClauseTerms("cancel", "cancelled", kept_by="doctor", keep_until=RELEASE),
        ClauseTerms(
            "cancel", "cancelled", kept_by="doctor", keep_until=LATER, services=("dialysis",)
        ),
    )
    [found] = waiting_doctors(watcher)
    assert (found.patients, found.keep_until) == (2, LATER)


def test_only_the_sites_that_are_watched_count() -> None:
    an_appointment(practitioner=a_practitioner("p1"))
    an_appointment(practitioner=a_practitioner("p2"), unit=a_unit("v", site="virton"))
    in_force()
    local = a_user("local", Role.CRISIS_CELL, site=a_site("virton"))
    assert names(local) == ["p2"]


def test_two_queries_whoever_waits(watcher, django_assert_num_queries) -> None:
    for number in range(3):
        an_appointment(practitioner=a_practitioner(f"p{number}"))
    in_force()
    user = User.objects.get(pk=watcher.pk)
    with django_assert_num_queries(3):  # one for the roles
        assert len(waiting_doctors(user)) == 3


def test_the_tile_leads_to_the_list_of_as_many(watcher) -> None:
    for number in range(3):
        an_appointment(practitioner=a_practitioner(f"p{number}"))
    in_force()
    client = signed_in(watcher)
    board = client.get(reverse("board"))
    page = client.get(reverse("waiting_doctors"))
    assert f'<a href="{reverse("waiting_doctors")}" id="tile-doctors">3</a>' in (
        board.content.decode()
    )
    assert len(page.context["doctors"]) == 3
    for words in ("Dr P0", "1 j 6 h", "dimanche 15 mai 18:00", "Sans accès, à appeler"):
        assert words in page.content.decode()
    link = f"{reverse('schedule')}?practitioner=p0&outcome=cancelled&basis=clause&status=planned"
    assert len(client.get(link).context["page"].items) == 1
