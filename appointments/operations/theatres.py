"""The theatres of a day, and whether anything changed in them since somebody opened the page."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment, Decision, Opinion, Outcome, Service, Status
from appointments.operations.belgian_calendar import DayOff, day_off
from appointments.operations.queries import AWAITING
from staff.models import User

WHY_OFF = {
    DayOff.NEW_YEAR: _("Nouvel An"),
    DayOff.EASTER_MONDAY: _("lundi de Pâques"),
    DayOff.LABOUR_DAY: _("fête du Travail"),
    DayOff.ASCENSION: _("Ascension"),
    DayOff.WHIT_MONDAY: _("lundi de Pentecôte"),
    DayOff.NATIONAL_DAY: _("fête nationale"),
    DayOff.ASSUMPTION: _("Assomption"),
    DayOff.ALL_SAINTS: _("Toussaint"),
    DayOff.ARMISTICE: _("Armistice"),
    DayOff.CHRISTMAS: _("Noël"),
    DayOff.SATURDAY: _("samedi"),
    DayOff.SUNDAY: _("dimanche"),
}


@dataclass(frozen=True)
class NewDay:
    """What a theatre has on a day to which an operation may be postponed.

    ``planned`` are those of the day itself that are not cancelled, ``postponed`` those that were
    given the day instead of theirs; ``why_off`` says why it is no working day.
    """

    day: dt.date
    planned: int
    postponed: int
    why_off: str = ""


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


def new_day_of(operation: Appointment, day: dt.date) -> NewDay:
    """Return what the theatre of an operation has on another day, without it (one query)."""
    others = Appointment.objects.filter(unit=operation.unit_id, service=Service.SURGERY)
    others = others.exclude(status__in=[Status.CANCELLED, Status.ENTERED_IN_ERROR])
    found = others.exclude(pk=operation.pk).aggregate(
        planned=Count("pk", filter=Q(day=day) & ~Q(outcome=Outcome.CANCELLED)),
        postponed=Count("pk", filter=Q(postponed_to=day)),
    )
    off = day_off(day)
    return NewDay(day, **found, why_off=str(WHY_OFF[off]) if off else "")


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
