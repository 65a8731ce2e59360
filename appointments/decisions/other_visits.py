"""Where else a patient is expected around the day of an appointment.

Whoever decides about one visit should know of the others: when, at which site, and what holds.
Not what for: that is between the patient and the colleague.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from appointments.models import Appointment, Status
from staff import clock

DAYS_AROUND = 7
MOST_SHOWN = 3


@dataclass(frozen=True)
class OtherVisits:
    """A patient's other visits: the nearest few, in order of time, and how many more."""

    shown: tuple[Appointment, ...] = ()
    more: int = 0


NO_OTHERS = OtherVisits()


def other_visits(appointments: Collection[Appointment]) -> dict[int, OtherVisits]:
    """Return, by appointment, the patient's other booked visits around its day (one query)."""
    if not appointments:
        return {}
    around = dt.timedelta(days=DAYS_AROUND)
    days = [one.day for one in appointments]
    booked = Appointment.objects.filter(
        patient__in={one.patient_id for one in appointments},
        day__range=(max(min(days) - around, clock.today()), max(days) + around),
        status=Status.BOOKED,
    )
    by_patient: dict[int, list[Appointment]] = defaultdict(list)
    for visit in booked.select_related("unit__site").order_by("starts_at", "id"):
        by_patient[visit.patient_id].append(visit)
    return {one.pk: _around(one, by_patient[one.patient_id]) for one in appointments}


def _around(appointment: Appointment, visits: list[Appointment]) -> OtherVisits:
    near = [
        one
        for one in visits
        if one.pk != appointment.pk and abs((one.day - appointment.day).days) <= DAYS_AROUND
    ]
    nearest = sorted(near, key=lambda one: abs(one.starts_at - appointment.starts_at))[:MOST_SHOWN]
    shown = tuple(sorted(nearest, key=lambda one: (one.starts_at, one.pk)))
    return OtherVisits(shown, len(near) - len(shown))
