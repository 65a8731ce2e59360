"""What happened on the day: what stands, for any number of appointments."""

import datetime as dt
from collections.abc import Collection

from django.db.models import QuerySet

from appointments.models import Attendance


def standing_attendance(appointment_ids: Collection[int], day: dt.date) -> dict[int, Attendance]:
    """Return what was noted last of each appointment on a day; those without are absent."""
    rows = _noted(appointment_ids).filter(day=day)
    return {row.appointment_id: row for row in rows}


def standing_by_day(appointment_ids: Collection[int]) -> dict[tuple[int, dt.date], Attendance]:
    """Return what was noted last of each appointment on each of its days."""
    return {(row.appointment_id, row.day): row for row in _noted(appointment_ids)}


def _noted(appointment_ids: Collection[int]) -> QuerySet[Attendance]:
    """All notes with who made them, the last of a day after the others."""
    rows = Attendance.objects.filter(appointment__in=appointment_ids)
    return rows.select_related("noted_by").order_by("version")
