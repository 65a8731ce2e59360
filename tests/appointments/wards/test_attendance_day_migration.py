"""What was noted before notes had a day of their own is of the planned day, as it stood."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from appointments.models import Attendance
from tests.appointments.migrating import an_appointment_then, made
from tests.builders import MONDAY, at
from tests.migrating import an_empty_database, migrate

BEFORE = ("appointments", "0010_seldom_appointments")
AFTER = ("appointments", "0011_attendance_day")
TUESDAY = dt.date(2022, 5, 17)


@pytest.fixture
def before(db):
    """Return the models before, in a database of its own."""
    with an_empty_database():
        yield migrate(BEFORE)


def noted_before(models, appointment: int, by: int, version: int, what: str, **fields):
    """Write a note as it was written then."""
    models.get_model("appointments", "Attendance").objects.create(
        appointment_id=appointment,
        version=version,
        what=what,
        noted_by_id=by,
        **{"happened_at": at("2022-05-16 09:05"), "noted_at": at("2022-05-16 09:06")} | fields,
    )


def test_every_note_gets_the_planned_day_and_the_table_stays_append_only(before):
    clerk = made(before, "staff", "User", username="secretariat")
    monday = an_appointment_then(before)
    tuesday = an_appointment_then(before, "2022-05-17 09:00")
    noted_before(before, monday, clerk, 1, "arrived")
    noted_before(before, monday, clerk, 2, "cleared", noted_at=at("2022-05-18 10:00"))
    # Noted on Monday, and moved by the source since.
    noted_before(before, tuesday, clerk, 1, "arrived")
    migrate(AFTER)
    rows = Attendance.objects.order_by("pk").values_list("appointment", "day", "version", "what")
    assert list(rows) == [
        (monday, MONDAY, 1, "arrived"),
        (monday, MONDAY, 2, "cleared"),
        (tuesday, TUESDAY, 1, "arrived"),
    ]
    for statement in (
        "UPDATE appointments_attendance SET what = 'done'",
        "DELETE FROM appointments_attendance",
    ):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_from_then_on_each_day_has_versions_of_its_own(before):
    clerk = made(before, "staff", "User", username="secretariat")
    monday = an_appointment_then(before)
    noted_before(before, monday, clerk, 1, "arrived")
    notes = migrate(AFTER).get_model("appointments", "Attendance").objects
    note = {"appointment_id": monday, "version": 1, "what": "done", "noted_by_id": clerk}
    note |= {"happened_at": at("2022-05-17 09:00"), "noted_at": at("2022-05-17 09:00")}
    notes.create(day=TUESDAY, **note)
    for day in (TUESDAY, MONDAY, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            notes.create(day=day, **note)
