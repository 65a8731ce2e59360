"""What is noted of appointments, for tests."""

from typing import Any

from appointments.models import Appointment, Attendance
from appointments.wards import services as attending
from staff.models import User


def words(appointment: Appointment) -> list[str]:
    """Return all that was noted of an appointment, in order."""
    return list(appointment.attendances.order_by("version").values_list("what", flat=True))


def note(
    appointment: Appointment, by: User, what: str = "arrived", version: int = 0, **more: Any
) -> Attendance:
    """Note something of an appointment."""
    return attending.note(
        appointment_id=appointment.pk, by=by, what=what, expected_version=version, **more
    )
