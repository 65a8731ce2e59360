"""The theatres of a day, and whether anything changed in them since somebody opened the page."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from appointments.models import Appointment, Decision, Opinion
from appointments.queries.operations import AWAITING
from staff.models import User


@dataclass(frozen=True)
class Theatre:
    """How many operations a theatre has on a day, and how many of them wait for a ruling."""

    unit_id: int
    name: str
    site: str
    total: int
    awaiting: int

    @property
    def ruled(self) -> int:
        """How many are decided."""
        return self.total - self.awaiting


def theatres_of(operations: QuerySet[Appointment], day: dt.date) -> list[Theatre]:
    """Return the theatres in which somebody is operated on a day (one query)."""
    rows = (
        operations.filter(day=day)
        .order_by("unit__site__name", "unit__name", "unit_id")
        .values_list("unit_id", "unit__name", "unit__site__name")
        .annotate(total=Count("pk"), awaiting=Count("pk", filter=AWAITING))
    )
    return [Theatre(*row) for row in rows]


def mark_of(operations: QuerySet[Appointment], day: dt.date, user: User) -> str:
    """Return what changes when somebody else speaks, rules or loads (three queries).

    What the reader does themselves is before their eyes already.
    """
    todays = operations.filter(day=day).order_by().values("pk")
    opinions = Opinion.objects.filter(appointment__in=todays).exclude(given_by=user)
    decisions = Decision.objects.filter(
        Q(decided_by__isnull=True) | ~Q(decided_by=user), appointment__in=todays
    )
    return f"{todays.count()}-{opinions.count()}-{decisions.count()}"
