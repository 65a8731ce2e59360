"""Lists of appointments, as far as the reader may see them."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from appointments.models import Appointment, Bulletin
from patients.models import Patient
from patients.queries import is_meant
from patients.search_text import SearchText
from staff import clock
from staff.access import AccessScope, Capability, scope_of
from staff.lookups import Unindexed, numbers_of
from staff.models import Site, Unit, User

COUNTED_AT_MOST = 2000  # a larger count helps nobody and costs a scan


def schedule_for(user: User) -> QuerySet[Appointment]:
    """Return the appointments of the places where the user sees the schedule."""
    scope = scope_of(user, Capability.SEE_SCHEDULE)
    rows = Appointment.objects.all() if scope.everywhere else in_units(units_of(scope))
    return rows.select_related("patient", "unit__site", "practitioner")


def in_units(units: QuerySet[Unit]) -> QuerySet[Appointment]:
    """Return the appointments of some units, to be narrowed to a day, a patient or the future."""
    rows = Appointment.objects.alias(place=Unindexed("unit_id"))
    return rows.filter(place__in=units.order_by().values("pk"))


def sites_of(scope: AccessScope) -> QuerySet[Site]:
    """Return the sites where the scope holds, wholly or in a unit."""
    if scope.everywhere:
        return Site.objects.all()
    return Site.objects.filter(Q(pk__in=scope.site_ids) | Q(units__in=scope.unit_ids)).distinct()


def units_of(scope: AccessScope) -> QuerySet[Unit]:
    """Return the units inside the scope, with their sites."""
    units = Unit.objects.select_related("site")
    if scope.everywhere:
        return units
    return units.filter(Q(site__in=scope.site_ids) | Q(pk__in=scope.unit_ids))


def of_patients_that_day(rows: QuerySet[Appointment], search: SearchText) -> QuerySet[Appointment]:
    """Narrow what a day bounds to all the patients that somebody searches."""
    patient = Patient.objects.filter(is_meant(search), pk=OuterRef("patient"))
    return rows.filter(Exists(patient)) if search else rows


def expected_on(rows: QuerySet[Appointment], day: dt.date) -> QuerySet[Appointment]:
    """Narrow to what is planned for a day, and what a person postponed to it."""
    arms = rows.filter(day=day), rows.filter(postponed_to=day)
    return Appointment.objects.filter(pk__in=numbers_of(*arms))


def from_today(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Narrow to today and later."""
    return rows.filter(starts_at__gte=clock.midnight(clock.today()))


def before(rows: QuerySet[Appointment], day: dt.date) -> QuerySet[Appointment]:
    """Narrow to what begins before a local day."""
    return rows.filter(starts_at__lt=clock.midnight(day))


def ruled_until(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Narrow to the days that a bulletin ever ruled (one query).

    On later ones nothing is decided by a clause or a person, and there are years of them to read
    through: a decision stands in no index.
    """
    last = Bulletin.objects.aggregate(last=Max("last_day"))["last"]
    return before(rows, last + dt.timedelta(days=1)) if last else rows


def on_day(rows: QuerySet[Appointment], day: dt.date) -> QuerySet[Appointment]:
    """Narrow to a local day.

    By the bounds of the moment and not by the ``day`` column: the index that finds the day is
    then also the one that puts it in order, so that a page reads its own rows only.
    """
    next_day = day + dt.timedelta(days=1)
    return rows.filter(starts_at__gte=clock.midnight(day), starts_at__lt=clock.midnight(next_day))


@dataclass(frozen=True)
class Counted:
    """How many rows there are; ``is_more`` when counting stopped at ``number``."""

    number: int
    is_more: bool


def counted(rows: QuerySet[Appointment]) -> Counted:
    """Count rows up to ``COUNTED_AT_MOST``."""
    number = rows.order_by().values("pk")[: COUNTED_AT_MOST + 1].count()
    return Counted(min(number, COUNTED_AT_MOST), number > COUNTED_AT_MOST)
