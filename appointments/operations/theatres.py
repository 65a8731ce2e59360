"""The theatres of a day, and on which days a Belgian hospital does not operate as planned.

Legal holidays: the ten of the law of 4 January 1974 and the royal decree of 18 April 1974
(article 1).
"""

import datetime as dt
import enum
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.models import Appointment, Decision, Opinion, Outcome, Service, Status
from appointments.operations.queries import AWAITING
from staff.models import User


class DayOff(enum.Enum):
    """Why a day is no working day."""

    NEW_YEAR = "new_year"
    EASTER_MONDAY = "easter_monday"
    LABOUR_DAY = "labour_day"
    ASCENSION = "ascension"
    WHIT_MONDAY = "whit_monday"
    NATIONAL_DAY = "national_day"
    ASSUMPTION = "assumption"
    ALL_SAINTS = "all_saints"
    ARMISTICE = "armistice"
    CHRISTMAS = "christmas"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_FIXED = {
    (1, 1): DayOff.NEW_YEAR,
    (5, 1): DayOff.LABOUR_DAY,
    (7, 21): DayOff.NATIONAL_DAY,
    (8, 15): DayOff.ASSUMPTION,
    (11, 1): DayOff.ALL_SAINTS,
    (11, 11): DayOff.ARMISTICE,
    (12, 25): DayOff.CHRISTMAS,
}
# Days after Easter Sunday. Easter and Whit Sunday are Sundays anyway.
_AFTER_EASTER = {1: DayOff.EASTER_MONDAY, 39: DayOff.ASCENSION, 50: DayOff.WHIT_MONDAY}
_WEEKEND = {5: DayOff.SATURDAY, 6: DayOff.SUNDAY}


def easter(year: int) -> dt.date:
    """Return Easter Sunday of a year of the Gregorian calendar.

    Source: the anonymous algorithm of "Nature", 20 April 1876, as in J. Meeus, "Astronomical
    Algorithms", chapter 8.
    """
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon + 15) % 30
    quads, years = divmod(of_century, 4)
    weekday = (32 + 2 * rest + 2 * quads - epact - years) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return dt.date(year, month, day + 1)


def day_off(day: dt.date) -> DayOff | None:
    """Return why a day is no working day in Belgium, None of a working day.

    A holiday at a weekend is named as the holiday; the day that an employer gives instead is
    each hospital's own and not known here.
    """
    holiday = _FIXED.get((day.month, day.day)) or _AFTER_EASTER.get((day - easter(day.year)).days)
    return holiday or _WEEKEND.get(day.weekday())


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
