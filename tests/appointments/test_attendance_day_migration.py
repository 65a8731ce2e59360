"""What was noted before notes had a day of their own is of the planned day, as it stood."""

import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from appointments.models import Appointment, Attendance
from staff.models import User
from tests.builders import MONDAY, a_user, an_appointment, at

BEFORE, AFTER = (
    ("appointments", name) for name in ("0010_seldom_appointments", "0011_attendance_day")
)
TUESDAY = dt.date(2022, 5, 17)


def migrate(to: tuple[str, str]):
    """Bring the database to a migration; return its models."""
    executor = MigrationExecutor(connection)
    executor.migrate([to])
    return executor.loader.project_state([to]).apps


@pytest.fixture
def before(transactional_db):
    """Return the models before; afterwards the database is as the other tests need it."""
    yield migrate(BEFORE)
    migrate(AFTER)
    if connection.vendor == "sqlite":  # see tests/triggers.py
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER appointments_attendance_no_delete")


def noted_before(models, appointment: Appointment, by: User, version: int, what: str, **fields):
    """Write a note as it was written then."""
    models.get_model("appointments", "Attendance").objects.create(
        appointment_id=appointment.pk,
        version=version,
        what=what,
        noted_by_id=by.pk,
        **{"happened_at": at("2022-05-16 09:05"), "noted_at": at("2022-05-16 09:06")} | fields,
    )


def test_every_note_gets_the_planned_day_and_the_table_stays_append_only(before):
    clerk = a_user("secretariat", "ward_clerk")
    monday, tuesday = an_appointment(), an_appointment(starts="2022-05-17 09:00")
    noted_before(before, monday, clerk, 1, "arrived")
    noted_before(before, monday, clerk, 2, "cleared", noted_at=at("2022-05-18 10:00"))
    # Noted on Monday, and moved by the source since.
    noted_before(before, tuesday, clerk, 1, "arrived")
    migrate(AFTER)
    rows = Attendance.objects.order_by("pk").values_list("appointment", "day", "version", "what")
    assert list(rows) == [
        (monday.pk, MONDAY, 1, "arrived"),
        (monday.pk, MONDAY, 2, "cleared"),
        (tuesday.pk, TUESDAY, 1, "arrived"),
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
    clerk, monday = a_user("secretariat", "ward_clerk"), an_appointment()
    noted_before(before, monday, clerk, 1, "arrived")
    migrate(AFTER)
    note = {"appointment": monday, "version": 1, "what": "done", "noted_by": clerk}
    note |= {"happened_at": at("2022-05-17 09:00"), "noted_at": at("2022-05-17 09:00")}
    Attendance.objects.create(day=TUESDAY, **note)
    for day in (TUESDAY, MONDAY, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Attendance.objects.create(day=day, **note)
