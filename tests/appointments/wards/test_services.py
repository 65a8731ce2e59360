"""Arrivals are noted once, by whoever was first, and nothing noted is ever changed."""

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, Attendance
from appointments.wards import services as attending
from appointments.wards.queries import notes_by_day
from appointments.wards.services import AttendanceMark
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent
from tests.appointments.operations.builders import postponed
from tests.appointments.wards.noting import note, words
from tests.builders import BRUSSELS, MONDAY, a_site, a_unit, a_user, an_appointment, at
from tests.together import together
from tests.triggers import put_back_triggers_against_emptying

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday_noon")]
NOON = at("2022-05-16 12:00")
NEXT_WEEK = dt.date(2022, 5, 24)
THEN = at("2022-05-24 10:00")


@pytest.fixture
def clerk():
    return a_user("secretariat", "ward_clerk")


class TestOneTick:
    def test_it_is_noted_with_who_and_when(self, clerk):
        row = note(an_appointment(), clerk)
        assert (row.version, row.what, row.noted_by) == (1, "arrived", clerk)
        assert row.happened_at == row.noted_at == NOON
        assert not row.from_paper

    def test_the_source_keeps_its_word(self, clerk):
        appointment = an_appointment()
        before = Appointment.objects.filter(pk=appointment.pk).values().get()
        note(appointment, clerk)
        assert Appointment.objects.filter(pk=appointment.pk).values().get() == before

    def test_it_is_on_the_trail(self, clerk):
        appointment = an_appointment()
        note(appointment, clerk)
        event = AuditEvent.objects.get(action="attendance.noted")
        assert (event.object_id, event.detail["what"]) == (str(appointment.pk), "arrived")

    def test_the_same_word_twice_is_noted_once(self, clerk):
        appointment = an_appointment()
        first, second = note(appointment, clerk), note(appointment, clerk)
        assert first == second
        assert words(appointment) == ["arrived"]
        assert AuditEvent.objects.filter(action="attendance.noted").count() == 1

    def test_a_mistake_is_taken_back_by_a_row_of_its_own(self, clerk):
        appointment = an_appointment()
        note(appointment, clerk, "absent")
        note(appointment, clerk, "cleared", 1)
        assert words(appointment) == ["absent", "cleared"]
        assert notes_by_day([appointment.pk])[appointment.pk, MONDAY][-1].what == "cleared"

    def test_whoever_comes_second_is_told_who_was_faster(self, clerk):
        appointment = an_appointment()
        note(appointment, a_user("infirmiere", "nurse"), "absent")
        with pytest.raises(Refusal, match="infirmiere vient de noter « pas venu »"):
            note(appointment, clerk)
        assert words(appointment) == ["absent"]

    def test_an_unknown_word_is_refused(self, clerk):
        with pytest.raises(Refusal, match="ce qui s'est passé"):
            note(an_appointment(), clerk, "gone")

    @pytest.mark.parametrize("place", ["site", "unit"])
    def test_another_place_is_not_theirs_to_note(self, place):
        elsewhere = {"site": a_site("virton")} if place == "site" else {"unit": a_unit("arlon-x")}
        with pytest.raises(AccessRefused):
            note(an_appointment(), a_user("ailleurs", "ward_clerk", **elsewhere))

    def test_other_roles_note_nothing(self):
        with pytest.raises(AccessRefused):
            note(an_appointment(), a_user("docteur", "doctor"))

    def test_a_day_to_come_cannot_be_ticked(self, clerk):
        with pytest.raises(Refusal, match="mardi 17 mai 2022"):
            note(an_appointment(starts="2022-05-17 09:00"), clerk)

    def test_a_day_that_is_past_wants_the_hour(self, clerk):
        yesterday = an_appointment(starts="2022-05-15 09:00")
        with pytest.raises(Refusal, match="avec l'heure") as refused:
            note(yesterday, clerk)
        assert refused.value.field == "arrived_at"
        row = note(yesterday, clerk, happened_at=at("2022-05-15 09:04"), from_paper=True)
        assert (row.happened_at, row.noted_at) == (at("2022-05-15 09:04"), NOON)

    def test_who_saw_a_row_may_mend_its_hour(self, clerk):
        appointment = an_appointment()
        note(appointment, clerk)
        row = note(appointment, clerk, version=1, happened_at=at("2022-05-16 09:05"))
        assert (row.version, row.happened_at) == (2, at("2022-05-16 09:05"))


class TestTheHourThatHappensTwice:
    @pytest.mark.parametrize("fold", [0, 1])
    def test_a_tick_is_on_the_trail_and_a_second_one_changes_nothing(self, clerk, fold):
        now = dt.datetime(2022, 10, 30, 2, 30, tzinfo=BRUSSELS, fold=fold)
        appointment = an_appointment(starts="2022-10-30 08:00")
        with time_machine.travel(now.timestamp(), tick=False):
            row = note(appointment, clerk, happened_at=now)
            again = note(appointment, clerk, version=1, happened_at=now)
        assert row.happened_at == row.noted_at == now.astimezone(dt.UTC)
        assert again == row
        assert AuditEvent.objects.filter(action="attendance.noted").count() == 1


class TestASheet:
    def test_what_can_be_noted_is_and_the_rest_says_why(self, clerk):
        good, early, other = an_appointment(), an_appointment(), an_appointment()
        note(other, a_user("infirmiere", "nurse"), "absent")
        noted = attending.note_many(
            seen=[
                AttendanceMark(other.pk, "done", 0, at("2022-05-16 09:00")),
                AttendanceMark(early.pk, "done", 0, at("2022-05-16 15:00"), "encre rouge"),
                AttendanceMark(good.pk, "done", 0, at("2022-05-16 09:20"), "en fauteuil"),
                AttendanceMark(999_999, "done", 0, at("2022-05-16 09:20")),
            ],
            by=clerk,
        )
        assert list(noted.standing) == [good.pk]
        assert "infirmiere" in str(noted.faults[other.pk])
        assert "15:00 n'est pas encore passé" in str(noted.faults[early.pk])
        assert set(noted.faults) == {other.pk, early.pk, 999_999}
        row = Attendance.objects.get(appointment=good)
        assert (row.from_paper, row.remark) == (True, "en fauteuil")

    def test_a_sheet_is_one_event_of_the_trail(self, clerk):
        rows = [an_appointment() for _ in range(3)]
        seen = [AttendanceMark(row.pk, "absent", 0) for row in rows]
        attending.note_many(seen=seen, by=clerk)
        event = AuditEvent.objects.get(action="attendance.noted")
        assert len(event.detail["rows"]) == 3

    def test_the_same_sheet_twice_changes_nothing(self, clerk):
        seen = [AttendanceMark(an_appointment().pk, "done", 0, at("2022-05-16 09:20"), "vu")]
        attending.note_many(seen=seen, by=clerk)
        again = attending.note_many(seen=seen, by=clerk)
        assert not again.faults
        assert Attendance.objects.count() == 1

    def test_a_longer_sheet_asks_no_more_of_the_database(self, clerk):
        def entering(number: int) -> int:
            seen = [AttendanceMark(an_appointment().pk, "absent", 0) for _ in range(number)]
            with CaptureQueriesContext(connection) as queries:
                attending.note_many(seen=seen, by=clerk)
            return len(queries)

        entering(1)
        assert entering(2) == entering(20)


class TestTheDatabase:
    def test_a_row_is_never_changed(self, clerk):
        note(an_appointment(), clerk)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Attendance.objects.update(what="done")

    def test_a_row_is_never_deleted(self, clerk):
        note(an_appointment(), clerk)
        put_back_triggers_against_emptying()
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM appointments_attendance")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"what": "gone"},
            {"happened_at": at("2022-05-16 12:01")},
            {"version": 1},
            {"day": None},
        ],
    )
    def test_it_refuses_what_cannot_be(self, clerk, wrong):
        appointment = an_appointment()
        note(appointment, clerk)
        row = {
            "appointment": appointment,
            "day": MONDAY,
            "version": 2,
            "what": "done",
            "happened_at": NOON,
            "noted_at": NOON,
            "noted_by": clerk,
        }
        with pytest.raises(IntegrityError), transaction.atomic():
            Attendance.objects.create(**row | wrong)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_noted_and_the_other_told():
    appointment = an_appointment()
    first, second = a_user("anne", "ward_clerk"), a_user("luc", "nurse")
    results = together(
        lambda: note(appointment, first, "arrived"), lambda: note(appointment, second, "absent")
    )
    (refused,) = [one for one in results if isinstance(one, Exception)]
    assert isinstance(refused, Refusal)
    assert "vient de noter" in str(refused)
    assert len(words(appointment)) == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_sheets_at_once_one_row_is_noted_whole_and_nothing_of_the_other():
    appointment = an_appointment(starts="2022-05-16 08:00")
    first, second = a_user("anne", "ward_clerk"), a_user("luc", "nurse")
    came = [
        AttendanceMark(appointment.pk, "arrived", 0, at("2022-05-16 08:05")),
        AttendanceMark(appointment.pk, "done", 0, at("2022-05-16 08:30")),
    ]
    absent = [AttendanceMark(appointment.pk, "absent", 0)]
    results = together(
        lambda: attending.note_many(seen=came, by=first),
        lambda: attending.note_many(seen=absent, by=second),
    )
    assert sorted(len(one.faults) for one in results) == [0, 1]
    assert words(appointment) in (["arrived", "done"], ["absent"])


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_on_the_new_day_one_is_noted_and_the_other_told():
    operation = postponed(to=NEXT_WEEK)
    first, second = a_user("anne", "ward_clerk"), a_user("luc", "nurse")
    note(operation, first)  # on Monday, which is no business of next week's
    with time_machine.travel(THEN, tick=False):
        results = together(
            lambda: note(operation, first, "arrived", day=NEXT_WEEK),
            lambda: note(operation, second, "absent", day=NEXT_WEEK),
        )
    (refused,) = [one for one in results if isinstance(one, Exception)]
    assert isinstance(refused, Refusal)
    assert "vient de noter" in str(refused)
    assert operation.attendances.filter(day=NEXT_WEEK).count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_sheets_in_opposite_order_do_not_wait_for_each_other_crosswise():
    pks = [an_appointment().pk for _ in range(20)]
    first, second = a_user("anne", "ward_clerk"), a_user("luc", "nurse")
    results = together(
        *(
            lambda by=by, order=order: attending.note_many(
                seen=[AttendanceMark(pk, "absent", 0) for pk in order], by=by
            )
            for by, order in ((first, pks), (second, pks[::-1]))
        )
    )
    assert not any(isinstance(one, Exception) for one in results)
    assert Attendance.objects.count() == 20
