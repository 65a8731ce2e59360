"""The day of a unit as wards and reception see it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from django.db.models import F, OuterRef, QuerySet, Subquery

from appointments.access import expected_on, of_patients_that_day, units_of
from appointments.models import CALLED_OFF, Appointment, Attendance, Attended, Decision, Outcome
from appointments.paper.content import AttendanceCounts, RosterRow, WardDay, WardLine, counted
from appointments.paper.queries import roster_contents
from patients.search_text import SearchText
from staff.access import Capability, scope_of
from staff.models import Unit, User

VISIT_ENDS = (Attended.DONE, Attended.LEFT)  # an arrival before them still holds


def notes_by_day(
    appointment_ids: Collection[int],
) -> dict[tuple[int, dt.date], list[Attendance]]:
    """Return all that was noted of each appointment on each of its days, the last at the end.

    One query, with who noted it; where nothing was noted nothing is returned.
    """
    notes: dict[tuple[int, dt.date], list[Attendance]] = defaultdict(list)
    rows = Attendance.objects.filter(appointment__in=appointment_ids)
    for row in rows.select_related("noted_by").order_by("version"):
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


@dataclass(frozen=True)
class UnitDay:
    """One line of the list of units: how its day stands."""

    unit: Unit
    counts: AttendanceCounts


def units_for(user: User) -> QuerySet[Unit]:
    """Return the units in which a person notes what happens."""
    return units_of(scope_of(user, Capability.RECORD_ARRIVALS))


def appointments_for(user: User) -> QuerySet[Appointment]:
    """Return the appointments of which a person notes what happens."""
    return Appointment.objects.filter(scope_of(user, Capability.RECORD_ARRIVALS).units())


def ward_days(
    *, unit_ids: Collection[int], day: dt.date, search: SearchText | None = None
) -> list[WardDay]:
    """Return the day of each unit, in the order of site and unit; with what was postponed to it.

    A fixed number of queries, whatever the number of units and rows. Asks for nobody's rights:
    the caller narrows ``unit_ids``.

    Args:
        search: only the lines of these patients; units without any are left out.
    """
    todays = expected_on(Appointment.objects.filter(unit__in=unit_ids), day)
    found = of_patients_that_day(todays, search) if search else todays
    ids = set(found.values_list("pk", flat=True))
    notes, kept_by = notes_by_day(ids), _kept_by(unit_ids, day)
    days = [
        WardDay(
            content,
            tuple(
                _line(row, notes.get((pk, day), []), kept_by.get(pk, ""))
                for row in content.rows
                if (pk := row.appointment_id) in ids
            ),
        )
        for content in roster_contents(unit_ids=unit_ids, day=day).values()
    ]
    return [one for one in days if one.lines or not search]


def _line(row: RosterRow, notes: Sequence[Attendance], kept_by: str) -> WardLine:
    """Return one appointment with what was noted of it, the last at the end."""
    latest = notes[-1] if notes else None
    arrival = next((one for one in holding(notes)[:-1]), None)
    return WardLine(row, latest, arrival, kept_by)


def found_units(user: User, day: dt.date, search: SearchText) -> set[int]:
    """Return the units of a person's scope that expect one of the patients searched for."""
    rows = of_patients_that_day(expected_on(appointments_for(user), day), search)
    return set(rows.values_list("unit", flat=True))


def unit_days(user: User, day: dt.date) -> list[UnitDay]:
    """Return how the day stands in each unit of a person's scope that has appointments."""
    noted = Attendance.objects.filter(appointment=OuterRef("pk"), day=day).order_by("-version")
    rows = expected_on(appointments_for(user), day).values_list(
        "unit", "day", "status", "outcome", Subquery(noted.values("what")[:1])
    )
    by_unit: dict[int, list[tuple[bool, str]]] = defaultdict(list)
    for unit_id, planned, status, outcome, what in rows:
        is_cancelled = outcome == Outcome.CANCELLED and planned == day
        holds = "" if what in (None, Attended.CLEARED) else what
        by_unit[unit_id].append((is_cancelled or status in CALLED_OFF, holds))
    units = units_for(user).filter(pk__in=by_unit).order_by("site__name", "name")
    return [UnitDay(unit, counted(by_unit[unit.pk])) for unit in units]


def _kept_by(unit_ids: Collection[int], day: dt.date) -> dict[int, str]:
    """Return who may still keep each cancelled appointment, unless a person decided about it."""
    standing = Decision.objects.filter(
        appointment__unit__in=unit_ids,
        appointment__day=day,
        outcome=Outcome.CANCELLED,
        version=F("appointment__decision_version"),
        clause__isnull=False,
    )
    return dict(standing.values_list("appointment", "clause__kept_by"))
