"""The crisis cell's board counts what the schedule lists, in a fixed number of queries."""

import datetime as dt
import html
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments.board.queries import HEAT_LEVELS, board
from appointments.models import Appointment, Bulletin
from staff.models import Role
from tests.builders import MONDAY, a_site, a_unit, a_user, an_appointment, at

pytestmark = pytest.mark.django_db
SATURDAY = dt.date(2022, 5, 14)


@pytest.fixture(autouse=True)
def saturday_morning():
    with time_machine.travel(at("2022-05-14 10:00"), tick=False):
        yield


@pytest.fixture
def watcher():
    return a_user("crise", Role.CRISIS_CELL)


def decided(outcome: str, *, basis: str = "clause", **fields) -> Appointment:
    return an_appointment(outcome=outcome, outcome_basis=basis, decision_version=1, **fields)


def a_bulletin(first: dt.date = MONDAY, last: dt.date = MONDAY, *, state="in_force") -> Bulletin:
    author = a_user(f"redacteur{Bulletin.objects.count()}")
    approval = {
        "ready_by": author,
        "ready_at": at("2022-05-14 09:15"),
        "approved_by": a_user(f"approbateur{Bulletin.objects.count()}"),
    }
    return Bulletin.objects.create(
        title=f"Bulletin du {first:%d/%m}",
        state=state,
        first_day=first,
        last_day=last,
        release_at=at("2022-05-15 18:00"),
        drafted_by=author,
        drafted_at=at("2022-05-14 09:00"),
        **({} if state == "draft" else approval | {"approved_at": at("2022-05-14 09:30")}),
    )


def numbers(shown) -> dict[tuple[str, str], dict[str, int]]:
    """Return the counts of each cell that has any, by service and site."""
    return {
        (str(row.service), cell.site.code): dict(cell.tally.parts)
        for row in shown.rows
        for cell in row.cells
        if cell.tally.total
    }


def test_the_grid_counts_each_outcome_at_each_site(watcher):
    decided("cancelled")
    decided("cancelled")
    decided("maintained", basis="person")
    an_appointment()
    decided("under_review", service="surgery", unit=a_unit("virton-bloc", site="virton"))
    shown = board(watcher, day=MONDAY)
    assert numbers(shown) == {
        ("consultation", "arlon"): {"cancelled": 2, "maintained": 1, "none": 1},
        ("surgery", "virton"): {"under_review": 1},
    }
    assert shown.total.total == 5
    assert [cell.tally.total for cell in shown.site_totals] == [4, 1]


def test_other_days_are_not_in_the_grid(watcher):
    an_appointment(starts="2022-05-17 09:00")
    assert board(watcher, day=MONDAY).rows == []


def test_the_coming_week_and_the_days_that_have_appointments_can_be_chosen(watcher):
    for start in ("2022-05-13 09:00", "2022-05-16 09:00", "2022-05-26 09:00", "2022-07-01 09:00"):
        an_appointment(starts=start)
    shown = board(watcher).days
    week = [SATURDAY + dt.timedelta(days=number) for number in range(7)]
    assert [one.day for one in shown] == [*week, dt.date(2022, 5, 26)]
    assert [one.day for one in shown if one.tally.total] == [MONDAY, dt.date(2022, 5, 26)]
    assert shown[0].bar == []


def test_a_day_asked_for_is_shown_even_if_it_is_past(watcher):
    an_appointment(starts="2022-05-13 09:00")
    shown = board(watcher, day=dt.date(2022, 5, 13))
    assert numbers(shown) == {("consultation", "arlon"): {"none": 1}}


def test_what_the_source_cancelled_itself_is_not_counted(watcher):
    an_appointment(status="cancelled")
    an_appointment(status="entered-in-error")
    assert board(watcher, day=MONDAY).total.total == 0


def test_without_a_bulletin_the_board_opens_on_tomorrow(watcher):
    assert board(watcher).day == SATURDAY + dt.timedelta(days=1)


def test_the_board_opens_on_the_first_day_that_a_bulletin_rules(watcher):
    a_bulletin()
    shown = board(watcher)
    assert shown.day == MONDAY
    assert shown.bulletin == shown.in_force[0]


def test_the_board_opens_on_the_heaviest_day_that_a_bulletin_rules(watcher):
    a_bulletin(MONDAY, dt.date(2022, 5, 18))
    for day in ("16", "17", "17", "19", "19", "19"):
        an_appointment(starts=f"2022-05-{day} 09:00")
    assert board(watcher).day == dt.date(2022, 5, 17)
    assert board(watcher, day=MONDAY).day == MONDAY


def test_what_the_source_called_off_weighs_nothing(watcher):
    a_bulletin(MONDAY, dt.date(2022, 5, 18))
    an_appointment(starts="2022-05-16 09:00")
    for _ in range(2):
        an_appointment(starts="2022-05-17 09:00", status="cancelled")
    assert board(watcher).day == MONDAY


def test_a_bulletin_that_already_rules_opens_the_board_on_today(watcher):
    a_bulletin(dt.date(2022, 5, 10), MONDAY)
    assert board(watcher).day == SATURDAY


def test_the_bulletin_approved_last_rules_a_day(watcher):
    a_bulletin()
    newer = a_bulletin()
    Bulletin.objects.filter(pk=newer.pk).update(approved_at=at("2022-05-14 09:45"))
    assert board(watcher).bulletin == newer


def test_past_and_withdrawn_bulletins_are_not_in_force(watcher):
    a_bulletin(dt.date(2022, 5, 10), dt.date(2022, 5, 12))
    a_bulletin(state="superseded")
    shown = board(watcher)
    assert (shown.in_force, shown.bulletin) == ([], None)


def test_a_draft_waits_for_a_second_person(watcher):
    draft = a_bulletin(state="draft")
    shown = board(watcher)
    assert (shown.drafts, shown.in_force) == ([draft], [])


def test_operations_to_rule_on_and_consultations_kept_are_counted_over_the_days_ahead(watcher):
    decided("under_review", service="surgery")
    decided("under_review", service="surgery", starts="2022-05-18 08:00")
    decided("under_review", service="surgery", starts="2022-05-13 08:00")
    decided("maintained", basis="person")
    decided("maintained", basis="clause")
    shown = board(watcher, day=MONDAY)
    assert (shown.operations_awaiting, shown.consultations_kept) == (2, 1)


def test_only_the_sites_of_the_reader_are_counted():
    arlon, virton = a_site("arlon"), a_unit("virton-cardio", site="virton")
    an_appointment()
    an_appointment(unit=virton)
    shown = board(a_user("crise-arlon", Role.CRISIS_CELL, site=arlon), day=MONDAY)
    assert [site.code for site in shown.sites] == ["arlon"]
    assert shown.total.total == 1


def test_the_fullest_cell_is_the_hottest_and_one_person_is_never_invisible(watcher):
    for _ in range(9):
        an_appointment()
    an_appointment(unit=a_unit("virton-cardio", site="virton"))
    (row,) = board(watcher, day=MONDAY).rows
    assert [cell.heat for cell in row.cells] == [HEAT_LEVELS, 1]


def test_a_bar_is_never_longer_than_itself(watcher):
    for outcome in ("cancelled", "maintained", "under_review"):
        decided(outcome)
    segments = board(watcher, day=MONDAY).total.bar(3)
    assert [start for _, start, _ in segments] == [0, 333, 666]
    assert sum(length for _, _, length in segments) <= 1000


def test_bars_are_measured_by_the_busiest_day(watcher):
    for start in ("2022-05-16 09:00", "2022-05-16 10:00", "2022-05-17 09:00"):
        decided("cancelled", starts=start)
    bars = {one.day: one.bar for one in board(watcher).days if one.tally.total}
    assert bars == {
        MONDAY: [("cancelled", 0, 1000)],
        MONDAY + dt.timedelta(days=1): [("cancelled", 0, 500)],
    }


def test_a_day_says_its_numbers_also_without_its_bar(client: Client, watcher):
    decided("cancelled")
    decided("cancelled")
    decided("maintained")
    client.force_login(watcher, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("board")).content.decode()
    monday = page.partition('id="day-2022-05-16"')[2].partition("</a>")[0]
    assert "2 annulés," in monday
    assert "1 maintenu," in monday


def test_the_number_of_queries_does_not_grow(watcher, django_assert_num_queries):
    def look() -> None:
        board(type(watcher).objects.get(pk=watcher.pk))

    an_appointment()
    a_bulletin()
    # the user and their roles, counts, bulletins and their clauses, sites, refused rows, untrue
    # messages, standing decisions, progress in four
    with django_assert_num_queries(13):
        look()
    for number in range(8):
        decided("cancelled", unit=a_unit(f"unit-{number}", site=f"site-{number}"))
        a_bulletin()
    with django_assert_num_queries(13):
        look()


def test_the_page_links_each_number_to_the_list_behind_it(client: Client, watcher):
    decided("cancelled")
    client.force_login(watcher, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("board"), {"day": "2022-05-16"}).content.decode()
    link = "?day=2022-05-16&amp;site=arlon&amp;service=consultation"
    link += "&amp;outcome=cancelled&amp;status=planned"
    assert f'href="{reverse("schedule")}{link}"' in page


def test_the_number_in_a_cell_is_the_number_of_rows_behind_its_link(client: Client, watcher):
    decided("cancelled")
    decided("cancelled")
    decided("cancelled", status="cancelled")
    client.force_login(watcher, backend="django.contrib.auth.backends.ModelBackend")
    shown = board(watcher, day=MONDAY)
    page = client.get(reverse("board"), {"day": "2022-05-16"}).content.decode()
    link = re.search(r'href="([^"]*outcome=cancelled[^"]*)"', page)[1]
    listed = client.get(html.unescape(link))
    assert len(listed.context["page"].items) == shown.total.counts["cancelled"]


def test_the_live_fragment_brings_status_days_and_grid_without_the_frame(client: Client, watcher):
    decided("cancelled")
    client.force_login(watcher, backend="django.contrib.auth.backends.ModelBackend")
    part = client.get(reverse("board_live"), {"day": "2022-05-16"}).content.decode()
    assert "<html" not in part
    assert 'id="board-grid" hx-swap-oob="innerHTML"' in part
    assert 'id="board-days" hx-swap-oob="innerHTML"' in part
    assert 'id="board-curve" hx-swap-oob="innerHTML"' in part


@pytest.mark.parametrize("day", ["2022-02-31", "demain", ""])
def test_a_day_that_does_not_exist_counts_as_none(client: Client, watcher, day):
    client.force_login(watcher, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("board"), {"day": day}).context["board"].day == dt.date(2022, 5, 15)


def test_only_those_who_hold_sending_get_the_switch(client: Client, watcher):
    for user, sees in ((watcher, True), (a_user("audit", Role.AUDITOR), False)):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get(reverse("board")).content.decode()
        assert (reverse("sending_pause") in page) is sees
