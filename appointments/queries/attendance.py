"""What happened on the day: what stands, for any number of appointments."""

from collections.abc import Collection

from appointments.models import Attendance


def standing_attendance(appointment_ids: Collection[int]) -> dict[int, Attendance]:
    """Return what was noted last of each appointment, with who did; those without are absent."""
    rows = (
        Attendance.objects.filter(appointment__in=appointment_ids)
        .select_related("noted_by")
        .order_by("version")
    )
    return {row.appointment_id: row for row in rows}
