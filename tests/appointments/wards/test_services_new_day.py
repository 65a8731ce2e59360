"""What was postponed is noted on its new day, and on the planned one if the patient came then."""

import datetime as dt

import pytest
import time_machine

from appointments.models import Appointment, Attendance
from appointments.wards import services as attending
from appointments.wards.queries import notes_by_day
from appointments.wards.services import AttendanceMark
from staff.errors import Refusal
from staff.models import AuditEvent
from tests.appointments.operations.builders import postponed
from tests.appointments.wards.noting import note
from tests.builders import MONDAY, a_user, an_appointment, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday_noon")]
NEXT_WEEK = dt.date(2022, 5, 24)
THEN = at("2022-05-24 10:00")


@pytest.fixture
def clerk():
    return a_user("secretariat", "ward_clerk")


class TestWhatWasPostponed:
    @pytest.fixture
    def operation(self) -> Appointment:
        """Return an operation of Monday, postponed to next week."""
        return postponed(to=NEXT_WEEK)

    def chain(self, operation: Appointment, day: dt.date) -> list[tuple]:
        rows = operation.attendances.filter(day=day).order_by("version")
        return list(rows.values_list("version", "what"))

    def test_each_of_its_days_has_notes_of_its_own(self, clerk, operation):
        note(operation, clerk)
        note(operation, clerk, "left", 1)
        with time_machine.travel(THEN, tick=False):
            row = note(operation, clerk, day=NEXT_WEEK)
            note(operation, clerk, "done", 1, day=NEXT_WEEK)
        assert (row.version, row.day, row.happened_at) == (1, NEXT_WEEK, THEN)
        assert self.chain(operation, MONDAY) == [(1, "arrived"), (2, "left")]
        assert self.chain(operation, NEXT_WEEK) == [(1, "arrived"), (2, "done")]
        assert notes_by_day([operation.pk])[operation.pk, MONDAY][-1].what == "left"
        assert notes_by_day([operation.pk])[operation.pk, NEXT_WEEK][-1].what == "done"

    def test_without_a_day_the_planned_one_is_meant(self, clerk, operation):
        assert note(operation, clerk).day == MONDAY

    def test_a_day_on_which_nobody_expects_the_patient_is_refused(self, clerk, operation):
        other = an_appointment()
        for appointment, day in ((operation, dt.date(2022, 5, 25)), (other, NEXT_WEEK)):
            with pytest.raises(Refusal, match="n'est pas attendu le m"):
                note(appointment, clerk, day=day)
        assert not Attendance.objects.exists()

    def test_its_new_day_is_not_ticked_before_it_comes(self, clerk, operation):
        with pytest.raises(Refusal, match="mardi 24 mai 2022 : notez-le ce jour-là"):
            note(operation, clerk, day=NEXT_WEEK)

    def test_an_hour_of_the_planned_day_is_none_of_the_new_one(self, clerk, operation):
        with (
            time_machine.travel(THEN, tick=False),
            pytest.raises(Refusal, match="n'est pas le jour du rendez-vous, le mardi 24 mai"),
        ):
            note(operation, clerk, day=NEXT_WEEK, happened_at=at("2022-05-16 09:10"))

    def test_who_did_not_come_was_missed_at_the_planned_hour_of_the_new_day(self, clerk, operation):
        with time_machine.travel(at("2022-05-25 08:00"), tick=False):
            row = note(operation, clerk, "absent", day=NEXT_WEEK, from_paper=True)
        assert row.happened_at == at("2022-05-24 09:10")

    def test_the_trail_says_of_which_day(self, clerk, operation):
        with time_machine.travel(THEN, tick=False):
            note(operation, clerk, day=NEXT_WEEK)
            seen = [AttendanceMark(operation.pk, "done", 1, day=NEXT_WEEK)]
            attending.note_many(seen=seen, by=clerk)
        tick, sheet = AuditEvent.objects.filter(action="attendance.noted").order_by("sequence")
        assert tick.detail["day"] == "2022-05-24"
        assert sheet.detail["rows"][0][:3] == [operation.pk, "2022-05-24", "done"]

    def test_whoever_comes_second_on_the_new_day_is_told_who_was_faster(self, clerk, operation):
        note(operation, clerk, "absent")
        with time_machine.travel(THEN, tick=False):
            note(operation, a_user("infirmiere", "nurse"), "absent", day=NEXT_WEEK)
            with pytest.raises(Refusal, match="infirmiere vient de noter « pas venu »"):
                note(operation, clerk, day=NEXT_WEEK)
