"""The unit's day: each appointment that holds is counted once, whatever its length."""

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.paper.content import AttendanceCounts, WardDay
from appointments.paper.words import card_of, cards_of
from appointments.wards import services as attending
from appointments.wards.queries import found_units, unit_days, ward_days
from patients import search_text
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.appointments.operations.builders import an_operation, postponed
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

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday_noon")]
NEXT_WEEK = dt.date(2022, 5, 24)


@pytest.fixture
def clerk():
    return a_user("secretariat", "ward_clerk")


def note(appointment, by, what: str, version: int = 0):
    attending.note(appointment_id=appointment.pk, by=by, what=what, expected_version=version)


def the_day(**more) -> WardDay:
    (day,) = ward_days(unit_ids=[a_unit().pk], day=MONDAY, **more)
    return day


def looked_for(text: str) -> search_text.SearchText:
    return search_text.read(text, today=MONDAY)


def test_each_appointment_that_holds_is_counted_once(clerk):
    for what in ("arrived", "done", "absent", "left"):
        note(an_appointment(), clerk, what)
    an_appointment()
    mistaken = an_appointment()
    note(mistaken, clerk, "absent")
    note(mistaken, clerk, "cleared", 1)
    an_appointment(status="cancelled")
    counts = the_day().counts
    assert counts == AttendanceCounts(expected=2, arrived=1, done=1, absent=1, left=1, called_off=1)
    assert counts.total == 6


def test_who_stands_there_in_spite_of_the_cancellation_is_counted_apart(clerk):
    there = an_appointment(status="cancelled")
    note(there, clerk, "arrived")
    assert the_day().counts == AttendanceCounts(despite=1)
    assert the_day().lines[0].stands_there


def test_the_list_of_units_counts_as_their_pages_do(clerk):
    note(an_appointment(), clerk, "done")
    note(an_appointment(status="cancelled"), clerk, "arrived")
    an_appointment()
    mistaken = an_appointment()
    note(mistaken, clerk, "absent")
    note(mistaken, clerk, "cleared", 1)
    in_force()
    (unit,) = unit_days(clerk, MONDAY)
    assert unit.counts == the_day().counts


def test_the_list_of_units_ends_at_the_scope():
    an_appointment()
    an_appointment(unit=a_unit("virton-radio", site="virton"))
    clerk = a_user("virton", "ward_clerk", site=a_site("virton"))
    assert [one.unit.code for one in unit_days(clerk, MONDAY)] == ["virton-radio"]


def test_a_patient_is_found_by_name_in_the_units_of_the_scope(clerk):
    an_appointment(patient=a_patient(family_name="Dupont"))
    an_appointment(patient=a_patient(family_name="Thiry"))
    other = an_appointment(
        patient=a_patient(family_name="Dupont"), unit=a_unit("virton-radio", site="virton")
    )
    assert found_units(clerk, MONDAY, looked_for("dupont")) == {a_unit().pk, other.unit_id}
    day = the_day(search=looked_for("dupont"))
    assert [line.row.family_name for line in day.lines] == ["Dupont"]
    assert ward_days(unit_ids=[a_unit().pk], day=MONDAY, search=looked_for("inconnu")) == []


def queries_of(action) -> int:
    with CaptureQueriesContext(connection) as queries:
        action()
    return len(queries)


def test_the_number_of_queries_grows_with_nothing(clerk):
    def fill(number: int) -> None:
        for _ in range(number):
            note(an_appointment(), clerk, "arrived")

    fill(1)
    few = queries_of(the_day), queries_of(lambda: unit_days(clerk, MONDAY))
    fill(9)
    an_appointment(unit=a_unit("arlon-ortho"))
    assert (queries_of(the_day), queries_of(lambda: unit_days(clerk, MONDAY))) == few


class TestWhatWasPostponed:
    """On its planned day it is called off, on the new one it is expected like any other."""

    def day_of(self, operation, day: dt.date) -> WardDay:
        (found,) = ward_days(unit_ids=[operation.unit_id], day=day)
        return found

    def counts(self, clerk, operation, day: dt.date) -> AttendanceCounts:
        """Return how the day stands, which the list of units says too."""
        counts = self.day_of(operation, day).counts
        assert [one.counts for one in unit_days(clerk, day)] == [counts]
        return counts

    def test_it_is_expected_on_its_new_day_and_called_off_on_the_planned_one(self, clerk):
        operation = postponed(to=NEXT_WEEK)
        assert self.counts(clerk, operation, MONDAY) == AttendanceCounts(called_off=1)
        assert self.counts(clerk, operation, NEXT_WEEK) == AttendanceCounts(expected=1)
        (old,) = self.day_of(operation, MONDAY).lines
        (new,) = self.day_of(operation, NEXT_WEEK).lines
        assert (old.is_called_off, new.is_called_off) == (True, False)

    def test_a_unit_that_expects_nobody_else_is_listed_that_day_and_no_other(self, clerk):
        postponed(to=NEXT_WEEK)
        listed = {
            day: [one.unit.code for one in unit_days(clerk, day)]
            for day in (NEXT_WEEK, NEXT_WEEK + dt.timedelta(days=1))
        }
        assert list(listed.values()) == [["arlon-bloc"], []]

    def test_it_ends_at_the_scope_like_the_others(self):
        postponed(to=NEXT_WEEK)
        for where in ({"site": a_site("virton")}, {"unit": a_unit()}):
            elsewhere = a_user(f"pas {len(where)} {where}", "ward_clerk", **where)
            assert unit_days(elsewhere, NEXT_WEEK) == []

    def test_what_was_noted_on_one_day_is_not_of_the_other(self, clerk):
        operation = postponed(to=NEXT_WEEK)
        note(operation, clerk, "arrived")
        with time_machine.travel(at("2022-05-24 10:00"), tick=False):
            assert self.counts(clerk, operation, NEXT_WEEK) == AttendanceCounts(expected=1)
            attending.note(
                appointment_id=operation.pk,
                by=clerk,
                what="done",
                expected_version=0,
                day=NEXT_WEEK,
            )
        assert self.counts(clerk, operation, MONDAY) == AttendanceCounts(despite=1)
        assert self.counts(clerk, operation, NEXT_WEEK) == AttendanceCounts(done=1)

    def test_what_the_source_struck_is_not_expected_on_the_new_day_either(self, clerk):
        operation = postponed(to=NEXT_WEEK, status="cancelled")
        assert self.counts(clerk, operation, NEXT_WEEK) == AttendanceCounts(called_off=1)

    def test_the_patient_is_found_on_both_days_and_no_other(self, clerk):
        operation = postponed(to=NEXT_WEEK, patient=a_patient(family_name="Dupont"))
        found = [
            found_units(clerk, day, looked_for("dupont"))
            for day in (MONDAY, NEXT_WEEK, NEXT_WEEK + dt.timedelta(days=1))
        ]
        assert found == [{operation.unit_id}, {operation.unit_id}, set()]
        (day,) = ward_days(unit_ids=[operation.unit_id], day=NEXT_WEEK, search=looked_for("dupont"))
        assert [line.row.family_name for line in day.lines] == ["Dupont"]

    def test_the_planned_day_says_the_new_one_and_whether_the_patient_knows_it(self, clerk):
        operation = postponed(to=NEXT_WEEK)
        (card,) = cards_of(self.day_of(operation, MONDAY))
        assert card.words.decision == "reporté au mar 24/05/2022"
        assert card.whom == "Voyez direction, qui l'a décidé."
        row = vars(card.line.row) | {"told": "told", "told_word": "cancelled"}
        heard = card_of(type(card.line)(type(card.line.row)(**row)), MONDAY).heard
        assert heard == "Ce patient sait qu'il ne devait pas venir, mais a entendu « annulé »."

    def test_no_more_queries_for_more_of_them(self, clerk):
        def asked() -> tuple[int, int]:
            unit = a_unit("arlon-bloc").pk
            return (
                queries_of(lambda: ward_days(unit_ids=[unit], day=NEXT_WEEK)),
                queries_of(lambda: unit_days(clerk, NEXT_WEEK)),
            )

        postponed(to=NEXT_WEEK)
        asked()  # where the clerk works is remembered
        few = asked()
        for number in range(5):
            postponed(to=NEXT_WEEK)
            postponed(f"arlon-{number}", to=NEXT_WEEK)
            an_operation(starts="2022-05-24 09:00")
        assert asked() == few


class TestWhoShouldNotCome:
    """What reception reads of a cancelled patient: what they heard, whom to see."""

    @pytest.fixture
    def bulletin(self):
        doctor = a_practitioner("dr-1")
        unit = a_unit("arlon-bloc", kind="operating_theatre")
        made = {
            "consultation": an_appointment(practitioner=doctor),
            "radiology": an_appointment(service="radiology"),
            "surgery": an_appointment(service="surgery", unit=unit),
        }
        with time_machine.travel(SATURDAY_NOON, tick=False):
            in_force()
        return made

    def card(self, appointment):
        (day,) = ward_days(unit_ids=[appointment.unit_id], day=MONDAY)
        return next(
            card for card in cards_of(day) if card.line.row.appointment_id == appointment.pk
        )

    def test_the_doctor_who_may_keep_is_named(self, bulletin):
        card = self.card(bulletin["consultation"])
        assert card.whom.startswith("Voyez le Dr DR-1")
        assert card.heard == "Ce patient n'a pas encore été prévenu."

    def test_where_nobody_may_keep_it_is_the_crisis_cell(self, bulletin):
        assert "cellule de crise" in self.card(bulletin["radiology"]).whom

    def test_what_is_under_review_is_awaited(self, bulletin):
        card = self.card(bulletin["surgery"])
        assert (card.heard, card.whom) == ("", "")

    def test_what_the_agenda_cancelled_is_said_to_be_its_word(self):
        assert "C'est l'agenda" in self.card(an_appointment(status="cancelled")).whom

    def test_who_heard_something_else_is_said_to_know_nothing(self, bulletin):
        line = self.card(bulletin["radiology"]).line
        row = vars(line.row) | {"told": "told", "told_word": "maintained"}
        card = card_of(type(line)(type(line.row)(**row)), MONDAY + dt.timedelta())
        assert "a entendu « maintenu »" in card.heard
