"""The crisis cell's board: what is in force, what it does where, how far the telling is."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F, Q

from appointments.models import (
    Appointment,
    Basis,
    Bulletin,
    BulletinState,
    Outcome,
    Service,
)
from appointments.queries.bulletins import visible
from appointments.queries.schedule import CALLED_OFF, sites_of
from notifications.queries.progress import Progress, progress
from staff import clock
from staff.access import Capability, scope_of
from staff.models import Site, User

DAYS_AHEAD = 14
UNDECIDED = "none"  # as in the addresses of the schedule
OUTCOMES = (*(str(outcome) for outcome in Outcome), UNDECIDED)
HEAT_LEVELS = 4


@dataclass
class Tally:
    """Appointments by outcome; ``kept`` are those that a person maintained."""

    counts: Counter[str] = field(default_factory=Counter)
    kept: int = 0

    def add(self, outcome: str, number: int, kept: int) -> None:
        """Add appointments of one outcome."""
        self.counts[outcome] += number
        self.kept += kept

    @property
    def total(self) -> int:
        """All appointments."""
        return self.counts.total()

    @property
    def parts(self) -> list[tuple[str, int]]:
        """The outcomes that occur, with their numbers, in a fixed order."""
        return [(outcome, self.counts[outcome]) for outcome in OUTCOMES if self.counts[outcome]]

    @property
    def main(self) -> str:
        """The most frequent outcome; empty for no appointments at all."""
        return max(self.parts, key=lambda part: part[1])[0] if self.parts else ""

    @property
    def bar(self) -> list[tuple[str, int, int]]:
        """Outcome, start and length of each segment of a bar that is 1000 long."""
        segments, start = [], 0
        for outcome, number in self.parts:
            length = number * 1000 // self.total
            segments.append((outcome, start, length))
            start += length
        return segments


@dataclass(frozen=True)
class Cell:
    """A service at a site; ``heat`` from 0 (nothing) to HEAT_LEVELS (as many as anywhere)."""

    site: Site
    tally: Tally
    heat: int


@dataclass(frozen=True)
class Row:
    """A service at all sites."""

    service: Service
    cells: list[Cell]
    total: Tally


@dataclass(frozen=True)
class Day:
    """A day of the chooser, and the bulletin that rules it."""

    day: dt.date
    tally: Tally
    bulletin: Bulletin | None


@dataclass(frozen=True)
class Board:
    """All that the board shows; operations and kept ones over the days ahead."""

    day: dt.date
    days: list[Day]
    sites: list[Site]
    rows: list[Row]
    site_totals: list[Cell]
    total: Tally
    bulletin: Bulletin | None
    in_force: list[Bulletin]
    drafts: list[Bulletin]
    operations_awaiting: int
    consultations_kept: int
    progress: Progress


def board(user: User, *, day: dt.date | None = None) -> Board:
    """Return the board of the sites that a user watches, in six queries.

    Args:
        user: who looks.
        day: whose grid; None for the first day ruled by a bulletin, else tomorrow.
    """
    today = clock.today()
    bulletins = _bulletins(user, today)
    in_force = [one for one in bulletins if one.state == BulletinState.IN_FORCE]
    ruled = [max(one.first_day, today) for one in in_force]
    day = day or min(ruled, default=today + dt.timedelta(days=1))
    counts = _counts(user, today, day)
    sites = list(sites_of(scope_of(user, Capability.SEE_BOARD)))
    by_day: dict[dt.date, Tally] = {}
    for count in counts:
        by_day.setdefault(count.day, Tally()).add(count.outcome, count.number, count.kept)
    ahead = [count for count in counts if count.day >= today]
    on_day = [count for count in counts if count.day == day]
    return Board(
        day=day,
        days=[Day(one, by_day[one], _ruling(in_force, one)) for one in sorted(by_day)],
        sites=sites,
        rows=_rows(on_day, sites),
        site_totals=_cells(on_day, sites),
        total=by_day.get(day, Tally()),
        bulletin=_ruling(in_force, day),
        in_force=in_force,
        drafts=[one for one in bulletins if one.state == BulletinState.DRAFT],
        operations_awaiting=sum(
            count.number
            for count in ahead
            if count.service == Service.SURGERY and count.outcome == Outcome.UNDER_REVIEW
        ),
        consultations_kept=sum(
            count.kept for count in ahead if count.service == Service.CONSULTATION
        ),
        progress=progress(user),
    )


@dataclass(frozen=True)
class _Count:
    """One line of the grouped query."""

    day: dt.date
    site_id: int
    service: str
    outcome: str
    number: int
    kept: int


def _counts(user: User, today: dt.date, day: dt.date) -> list[_Count]:
    """Return the counts of the days ahead and of one more day, in one grouped query.

    What the source itself called off is left out, whatever is decided.
    """
    window = Q(day__gte=today, day__lt=today + dt.timedelta(days=DAYS_AHEAD)) | Q(day=day)
    scope = scope_of(user, Capability.SEE_BOARD)
    kept = Q(outcome=Outcome.MAINTAINED, outcome_basis=Basis.PERSON)
    lines = (
        Appointment.objects.filter(window, scope.units())
        .exclude(status__in=CALLED_OFF)
        .order_by()
        .values("day", "service", "outcome", site_id=F("unit__site_id"))
        .annotate(number=Count("pk"), kept=Count("pk", filter=kept))
    )
    return [_Count(**(line | {"outcome": line["outcome"] or UNDECIDED})) for line in lines]


def _bulletins(user: User, today: dt.date) -> list[Bulletin]:
    """Return drafts and bulletins in force that still rule a day, the last approved at the end.

    Drafts only for those who may open them.
    """
    return list(
        visible(user)
        .filter(state__in=[BulletinState.DRAFT, BulletinState.IN_FORCE], last_day__gte=today)
        .order_by("approved_at", "id")
    )


def _ruling(in_force: Iterable[Bulletin], day: dt.date) -> Bulletin | None:
    """Return the bulletin that rules a day: the one approved last."""
    ruling = [one for one in in_force if one.first_day <= day <= one.last_day]
    return ruling[-1] if ruling else None


def _cells(counts: list[_Count], sites: list[Site], hottest: int = 0) -> list[Cell]:
    tallies = {site.pk: Tally() for site in sites}
    for count in counts:
        tallies[count.site_id].add(count.outcome, count.number, count.kept)
    return [Cell(site, tallies[site.pk], _heat(tallies[site.pk].total, hottest)) for site in sites]


def _rows(counts: list[_Count], sites: list[Site]) -> list[Row]:
    places: Counter[tuple[str, int]] = Counter()
    for count in counts:
        places[count.service, count.site_id] += count.number
    hottest = max(places.values(), default=0)
    rows = []
    for service in Service:
        of_service = [count for count in counts if count.service == service]
        if of_service:
            total = Tally()
            for count in of_service:
                total.add(count.outcome, count.number, count.kept)
            rows.append(Row(service, _cells(of_service, sites, hottest), total))
    return rows


def _heat(number: int, hottest: int) -> int:
    """Return the level of a number, rounded up, so that one person is never invisible."""
    return -(-number * HEAT_LEVELS // hottest) if hottest else 0
