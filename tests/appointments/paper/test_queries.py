"""What is read for a sheet."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.access import expected_on
from appointments.models import Appointment, Decision, Feed
from appointments.paper.queries import (
    next_roster_day,
    opening_day,
    roster_contents,
    roster_day,
    units_with_paper,
)
from appointments.wards.queries import appointments_for
from notifications.models import Notice, NoticeItem
from patients.models import PatientIdentifier
from tests.appointments.bulletins.builders import in_force
from tests.appointments.operations.builders import postponed
from tests.builders import (
    MONDAY,
    a_patient,
    a_practitioner,
    a_site,
    a_unit,
    a_user,
    an_appointment,
    at,
)

pytestmark = pytest.mark.django_db


def the_only_row(appointment):
    """Return the appointment as its unit's sheet shows it."""
    contents = roster_contents(unit_ids=[appointment.unit_id], day=appointment.day)
    (row,) = contents[appointment.unit_id].rows
    return row


def decide(appointment, outcome: str, **fields) -> None:
    """Let a person decide, the way the services write it."""
    appointment.decision_version += 1
    appointment.outcome, appointment.outcome_basis = outcome, "person"
    appointment.save()
    Decision.objects.create(
        appointment=appointment,
        version=appointment.decision_version,
        day=appointment.day,
        outcome=outcome,
        basis="person",
        decided_at=at("2022-05-14 17:00"),
        **fields,
    )


def a_notice(appointment, version: int, word: str, **fields) -> Notice:
    """Return a notice about one appointment."""
    notice = Notice.objects.create(
        patient=appointment.patient,
        day=appointment.day,
        version=version,
        site=appointment.unit.site,
        first_at=appointment.starts_at,
        created_at=at("2022-05-14 12:00"),
        **fields,
    )
    NoticeItem.objects.create(
        notice=notice,
        subject_id=appointment.pk,
        starts_at=appointment.starts_at,
        site=appointment.unit.site,
        word=word,
    )
    return notice


TOLD = {
    "state": "told",
    "handed_over_at": at("2022-05-14 18:00"),
    "settled_at": at("2022-05-14 18:01"),
}


def test_a_row_holds_what_the_ward_needs():
    patient = a_patient(family_name="Thiry", landline="+3263223344", mobile="")
    PatientIdentifier.objects.create(patient=patient, system="essai", value="D77")
    appointment = an_appointment(
        patient=patient, practitioner=a_practitioner("lambert"), act="Holter"
    )
    row = the_only_row(appointment)
    assert (row.family_name, row.record_number, row.phones) == (
        "Thiry",
        "D77",
        (("+3263223344", ""),),
    )
    assert (row.act, row.practitioner, row.outcome, row.told) == ("Holter", "Dr LAMBERT", "", "")
    assert row.starts_at.isoformat() == "2022-05-16T09:10:00+02:00"


def test_the_record_number_is_that_of_the_source_that_planned_it():
    patient = a_patient()
    for system, value in [("autre", "X1"), ("essai", "D1"), ("zzz", "Z1")]:
        PatientIdentifier.objects.create(patient=patient, system=system, value=value)
    assert the_only_row(an_appointment(patient=patient)).record_number == "D1"


def test_a_ruling_names_its_bulletin_and_clause():
    appointment = an_appointment()
    bulletin = in_force()
    row = the_only_row(appointment)
    assert (row.outcome, row.basis, row.bulletin, row.clause) == (
        "cancelled",
        "clause",
        bulletin.pk,
        1,
    )


def test_only_the_decision_that_stands_is_shown_with_the_name_of_who_took_it():
    appointment = an_appointment()
    lea = a_user("lea")
    lea.first_name, lea.last_name = "Léa", "Thiry"
    lea.save()
    decide(appointment, "cancelled", decided_by=a_user("autre"))
    decide(appointment, "maintained", decided_by=lea)
    row = the_only_row(appointment)
    assert (row.outcome, row.basis, row.decided_by) == ("maintained", "person", "Léa THIRY")


def test_the_newest_notice_that_stands_says_whether_the_patient_knows():
    appointment = an_appointment()
    a_notice(appointment, 1, "cancelled", **TOLD)
    a_notice(appointment, 2, "maintained", state="withdrawn", settled_at=at("2022-05-14 19:00"))
    row = the_only_row(appointment)
    assert (row.told, row.told_word) == ("told", "cancelled")
    a_notice(appointment, 3, "maintained")
    assert the_only_row(appointment).told == "open"


def test_a_notice_about_another_day_says_nothing_about_this_one():
    appointment = an_appointment()
    notice = a_notice(appointment, 1, "cancelled", **TOLD)
    Notice.objects.filter(pk=notice.pk).update(day=MONDAY - dt.timedelta(days=7))
    assert the_only_row(appointment).told == ""


def test_other_days_and_units_stay_off_the_sheet():
    mine = an_appointment()
    an_appointment(starts="2022-05-17 09:00")
    an_appointment(unit=a_unit("arlon-autre"))
    assert the_only_row(mine).appointment_id == mine.pk


def test_each_feed_behind_a_sheet_states_its_age(time_machine):
    time_machine.move_to(at("2022-05-16 11:30"))
    silent = Feed.objects.create(name="bloc", heard_at=at("2022-05-14 03:00"))
    an_appointment()
    an_appointment(feed=silent)
    unit = a_unit()
    feeds = roster_contents(unit_ids=[unit.pk], day=MONDAY)[unit.pk].feeds
    assert [(age.feed, age.silence, age.is_old) for age in feeds] == [
        ("bloc", dt.timedelta(hours=56, minutes=30), True),
        ("essai", dt.timedelta(hours=2, minutes=20), False),
    ]


def test_the_number_of_queries_grows_neither_with_units_nor_with_rows(django_assert_num_queries):
    def fill(unit_code: str, rows: int) -> None:
        for _ in range(rows):
            appointment = an_appointment(unit=a_unit(unit_code), practitioner=a_practitioner())
            a_notice(appointment, 1, "cancelled")
            decide(appointment, "cancelled", decided_by=user)

    user = a_user("secretaire", "ward_clerk")
    fill("arlon-u0", 1)
    ids = [a_unit("arlon-u0").pk]
    with django_assert_num_queries(7):  # the mark of the trail is one, telephones another
        roster_contents(unit_ids=ids, day=MONDAY)
    for number in range(1, 6):
        fill(f"arlon-u{number}", 4)
    ids = [a_unit(f"arlon-u{number}").pk for number in range(6)]
    with django_assert_num_queries(7):  # the mark of the trail is one, telephones another
        contents = roster_contents(unit_ids=ids, day=MONDAY)
    assert sum(len(content.rows) for content in contents.values()) == 21
    with django_assert_num_queries(10):  # and roles, units, latest versions
        roster_day(user, MONDAY)


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ({}, ["Arlon u1", "Arlon u2", "Virton u3"]),
        ({"site": "arlon"}, ["Arlon u1", "Arlon u2"]),
        ({"unit": "u3"}, ["Virton u3"]),
        ({"site": "bastogne"}, []),
    ],
)
def test_the_day_lists_only_the_units_of_the_scope_by_site(place, seen):
    for unit, site in [("u2", "arlon"), ("u1", "arlon"), ("u3", "virton")]:
        an_appointment(unit=a_unit(unit, site=site))
    a_unit("vide", site="arlon")
    where = {"site": a_site(place["site"])} if "site" in place else {}
    where |= {"unit": a_unit(place["unit"])} if "unit" in place else {}
    day = roster_day(a_user("lecteur", "ward_clerk", **where), MONDAY)
    assert [f"{site} {line.content.unit}" for site, units in day.sites for line in units] == seen


@pytest.mark.parametrize("role", ["doctor", "call_agent", "auditor", "feed_operator"])
def test_roles_that_print_nothing_have_no_units(role):
    an_appointment()
    assert roster_day(a_user("lecteur", role), MONDAY).units == []


def test_the_first_day_shown_is_the_next_weekday_with_appointments_of_the_scope(time_machine):
    time_machine.move_to(at("2022-05-13 10:00"))
    an_appointment(starts="2022-05-14 09:00")  # a Saturday
    an_appointment(starts="2022-05-16 09:00", unit=a_unit("virton-u", site="virton"))
    an_appointment(starts="2022-05-18 09:00")
    everywhere = a_user("partout", "crisis_cell")
    arlon = a_user("arlon", "ward_clerk", site=a_site("arlon"))
    bastogne = a_user("bastogne", "ward_clerk", site=a_site("bastogne"))
    assert next_roster_day(everywhere) == dt.date(2022, 5, 16)
    assert next_roster_day(arlon) == dt.date(2022, 5, 18)
    assert next_roster_day(bastogne) == dt.date(2022, 5, 14)


@pytest.mark.parametrize(
    ("hour", "opens_on"), [("06:30", 16), ("11:59", 16), ("12:00", 17), ("18:00", 17)]
)
def test_the_sheets_open_on_today_until_noon(hour, opens_on, time_machine):
    time_machine.move_to(at(f"2022-05-16 {hour}"))
    an_appointment(starts="2022-05-16 09:00")
    an_appointment(starts="2022-05-17 09:00")
    assert opening_day(a_user("partout", "ward_clerk")) == dt.date(2022, 5, opens_on)


def test_in_the_morning_of_a_day_without_anybody_they_open_on_the_next(time_machine):
    time_machine.move_to(at("2022-05-14 08:00"))
    an_appointment(starts="2022-05-16 09:00")
    an_appointment(starts="2022-05-14 09:00", unit=a_unit("virton-u", site="virton"))
    arlon = a_user("arlon", "ward_clerk", site=a_site("arlon"))
    assert opening_day(arlon) == dt.date(2022, 5, 16)


def test_a_unit_has_paper_on_a_day_to_which_one_operation_was_postponed():
    operation = postponed(to=dt.date(2022, 5, 24))
    [unit] = roster_day(a_user("partout", "ward_clerk"), operation.postponed_to).units
    assert unit.content.unit_id == operation.unit_id
    assert list(units_with_paper(operation.postponed_to)) == [operation.unit]


@pytest.mark.parametrize(("to", "first"), [(24, 24), (21, 26)])
def test_the_next_day_may_be_one_to_which_an_operation_was_postponed(to, first, time_machine):
    time_machine.move_to(at("2022-05-17 12:00"))
    postponed(to=dt.date(2022, 5, to))
    an_appointment(starts="2022-05-26 09:00")
    assert next_roster_day(a_user("partout", "ward_clerk")) == dt.date(2022, 5, first)


@pytest.mark.sqlite
def test_a_day_is_found_by_its_two_indexes_and_no_table_is_read_through():
    unit = a_unit()
    people = (
        a_user("partout", "ward_clerk"),
        a_user("du site", "ward_clerk", site=unit.site),
        a_user("de l'unité", "ward_clerk", unit=unit),
    )
    for rows in (Appointment.objects.filter(unit__in=[1, 2]), *map(appointments_for, people)):
        plan = expected_on(rows, MONDAY).explain()
        assert re.search(r"INDEX appointment_(day_unit|unit_day) \(.*day=\?", plan), plan
        assert "INDEX appointment_postponed (postponed_to=?" in plan
        assert "SCAN" not in plan, plan
    for user in people:
        with CaptureQueriesContext(connection) as queries:
            next_roster_day(user)
        assert "appointment_postponed (postponed_to>?" in plan_of(queries[-1]["sql"])


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return " ".join(row[3] for row in cursor.fetchall())
