"""The rosters of a day as their screen lists them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.access import in_units
from appointments.models import Appointment, Roster, RosterState
from appointments.paper.content import RosterContent
from appointments.paper.queries import roster_contents
from staff import clock
from staff.access import Capability, scope_of
from staff.models import Unit, User
from staff.sentences import Stored

# How far ahead the next day with appointments is looked for.
HORIZON = dt.timedelta(days=31)
FRIDAY = 5
NOON = 12


@dataclass(frozen=True)
class UnitRoster:
    """One unit's line: what would be printed now, and what was printed last (None: nothing)."""

    content: RosterContent
    latest: Roster | None

    @property
    def is_plan_changed(self) -> bool:
        """Whether the sheet on the ward no longer says what holds."""
        return self.latest is not None and self.latest.plan_digest != self.content.plan_digest

    @property
    def is_telling_changed(self) -> bool:
        """Whether only the column of who was told has moved on."""
        return (
            self.latest is not None
            and not self.is_plan_changed
            and self.latest.content_digest != self.content.content_digest
        )

    @property
    def can_issue(self) -> bool:
        """Whether asking would bring something: a first or newer sheet, or a second try."""
        if self.latest is None or self.latest.state == RosterState.FAILED:
            return True
        is_changed = self.is_plan_changed or self.is_telling_changed
        return is_changed and self.latest.state == RosterState.READY


@dataclass(frozen=True)
class RosterDay:
    """All rosters of a day that a person may print, by site."""

    day: dt.date
    sites: list[tuple[str, list[UnitRoster]]]

    @property
    def units(self) -> list[UnitRoster]:
        """Every line, site after site."""
        return [unit for _site, units in self.sites for unit in units]

    @property
    def asked(self) -> int:
        """How many units have a version, whatever became of it."""
        return sum(unit.latest is not None for unit in self.units)

    @property
    def waiting(self) -> int:
        """How many are still to be drawn."""
        return sum(
            unit.latest is not None and unit.latest.state == RosterState.WAITING
            for unit in self.units
        )

    @property
    def drawn(self) -> int:
        """How many are done, well or badly."""
        return self.asked - self.waiting

    @property
    def failures(self) -> list[Stored]:
        """Why some have no PDF, each reason once."""
        messages = (
            unit.latest.message
            for unit in self.units
            if unit.latest and unit.latest.state == RosterState.FAILED
        )
        return list(dict.fromkeys(messages))


def roster_day(user: User, day: dt.date) -> RosterDay:
    """Return the units that ``user`` may print on a day: with appointments, or printed before."""
    unit_ids = list(printable_units(user).filter(_has_paper(day)).values_list("id", flat=True))
    latest = latest_rosters(unit_ids, day)
    sites: dict[str, list[UnitRoster]] = {}
    for unit_id, content in roster_contents(unit_ids=unit_ids, day=day).items():
        sites.setdefault(content.site, []).append(UnitRoster(content, latest.get(unit_id)))
    return RosterDay(day=day, sites=list(sites.items()))


def printable_units(user: User) -> QuerySet[Unit]:
    """Return the units whose rosters a person may print."""
    scope = scope_of(user, Capability.PRINT_ROSTERS)
    if scope.everywhere:
        return Unit.objects.all()
    return Unit.objects.filter(Q(site__in=scope.site_ids) | Q(id__in=scope.unit_ids))


def units_with_paper(day: dt.date) -> QuerySet[Unit]:
    """Return every unit with appointments on a day or a roster printed for it (for commands)."""
    return Unit.objects.filter(_has_paper(day))


def latest_rosters(unit_ids: Iterable[int], day: dt.date) -> dict[int, Roster]:
    """Return the highest version of each unit's roster for a day; units without are absent."""
    rosters = Roster.objects.filter(unit__in=unit_ids, day=day).order_by("version")
    return {roster.unit_id: roster for roster in rosters}


def opening_day(user: User) -> dt.date:
    """Return the day on which the sheets open: until noon today, if anybody is expected.

    The next one is printed in the afternoon, and read in the morning.
    """
    now = clock.now()
    if now.hour < NOON and printable_units(user).filter(_has_paper(now.date())).exists():
        return now.date()
    return next_roster_day(user)


def next_roster_day(user: User) -> dt.date:
    """Return the next weekday on which units of ``user`` expect somebody; else tomorrow."""
    mine = Appointment.objects.filter(scope_of(user, Capability.PRINT_ROSTERS).units())
    # Few are postponed: the index of those is read, and not that of the units.
    first = _first(mine, "day"), _first(in_units(printable_units(user)), "postponed_to")
    return min(filter(None, first), default=clock.today() + dt.timedelta(days=1))


def _first(rows: QuerySet[Appointment], day: str) -> dt.date | None:
    """Return the first weekday ahead that is written in a column."""
    today = clock.today()
    ahead = {"gt": today, "lte": today + HORIZON, "iso_week_day__lte": FRIDAY}
    rows = rows.filter(**{f"{day}__{bound}": value for bound, value in ahead.items()})
    return rows.order_by(day).values_list(day, flat=True).first()


def _has_paper(day: dt.date) -> Q:
    mine = OuterRef("pk")
    return (
        Q(Exists(Appointment.objects.filter(unit=mine, day=day)))
        | Q(Exists(Appointment.objects.filter(unit=mine, postponed_to=day)))
        | Q(Exists(Roster.objects.filter(unit=mine, day=day)))
    )
