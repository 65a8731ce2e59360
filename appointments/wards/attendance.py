"""What happened on the day: what stands, for any number of appointments."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import dropwhile

from django.db.models import QuerySet

from appointments.models import Attendance, Attended

VISIT_ENDS = (Attended.DONE, Attended.LEFT)  # whoever arrived before them has still arrived


def notes_of_day(appointment_ids: Collection[int], day: dt.date) -> dict[int, list[Attendance]]:
    """Return all that was noted of each appointment on a day, the last at the end (one query).

    Those of which nothing was noted are absent.
    """
    notes: dict[int, list[Attendance]] = defaultdict(list)
    for row in _noted(appointment_ids).filter(day=day):
        notes[row.appointment_id].append(row)
    return dict(notes)


def notes_by_day(
    appointment_ids: Collection[int],
) -> dict[tuple[int, dt.date], list[Attendance]]:
    """Return all that was noted of each appointment on each of its days, the last at the end."""
    notes: dict[tuple[int, dt.date], list[Attendance]] = defaultdict(list)
    for row in _noted(appointment_ids):
        notes[row.appointment_id, row.day].append(row)
    return notes


def holding(notes: Sequence[Attendance]) -> list[Attendance]:
    """Return what holds of the notes of one day: the last, after the arrival that it follows.

    Nothing once a mistake was taken back.
    """
    if not notes or notes[-1].what == Attended.CLEARED:
        return []
    last = notes[-1]
    before = dropwhile(lambda row: row.what in VISIT_ENDS, reversed(notes))
    arrival = next(before, None) if last.what in VISIT_ENDS else None
    return [arrival, last] if arrival and arrival.what == Attended.ARRIVED else [last]


def _noted(appointment_ids: Collection[int]) -> QuerySet[Attendance]:
    """All notes with who made them, the last of a day after the others."""
    rows = Attendance.objects.filter(appointment__in=appointment_ids)
    return rows.select_related("noted_by").order_by("version")
