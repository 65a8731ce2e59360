"""The crisis cell's board: the bulletins in force, their effect by site, the progress of telling.

Also the changes of tomorrow against today.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Count, F, Q

from appointments.access import sites_of
from appointments.bulletins.queries import visible
from appointments.decisions.effective_orders import outcome_alone, said_of
from appointments.decisions.keeping import decided_by_day
from appointments.decisions.rulings import Clauses, clauses_of
from appointments.doctors.queries import AHEAD
from appointments.feeds.importing.refused_rows import RefusedCount, count_refused
from appointments.models import (
    CALLED_OFF,
    Appointment,
    Basis,
    Bulletin,
    BulletinState,
    KeptBy,
    Outcome,
    Service,
)
from appointments.rules import Facts
from appointments.schedule.filters import NO_OUTCOME
from notifications.telling.progress import Progress, holding_untrue, progress
from staff import clock
from staff.access import Capability, scope_of
from staff.clock import BRUSSELS
from staff.models import Site, Unit, User

AS_PLANNED = ""
STARTS, ENDS, RELEASE, DEADLINE = "starts", "ends", "release", "deadline"
ONE_DAY = dt.timedelta(days=1)
OUTCOMES = (*(str(outcome) for outcome in Outcome), NO_OUTCOME)
HEAT_LEVELS = 4


@dataclass(frozen=True)
class Order:
    """What holds where: an outcome, or ``AS_PLANNED``.

    ``has_exceptions``: something else holds for a unit there, or for a protected group.
    """

    outcome: str = AS_PLANNED
    has_exceptions: bool = False


class Orders:
    """The orders of some bulletins in force, the one approved last at the end."""

    def __init__(self, in_force: Sequence[Bulletin]) -> None:
        self._in_force = in_force
        self._clauses: dict[int, Clauses] = {
            bulletin.pk: clauses_of(bulletin) for bulletin in in_force
        }
        self._units = _units_by_site(self._clauses.values())

    def ruling(self, day: dt.date) -> Bulletin | None:
        """Return the bulletin that rules a day: the one approved last."""
        ruling = [one for one in self._in_force if one.first_day <= day <= one.last_day]
        return ruling[-1] if ruling else None

    def on(self, day: dt.date, service: str, site: str) -> Order:
        """Return the order for patients whom no clause names by unit or protected group."""
        bulletin = self.ruling(day)
        if bulletin is None:
            return Order()
        clauses = self._clauses[bulletin.pk]
        said, *of_units = (
            said_of(clauses, Facts(service, site, unit, day), outcome_alone)
            for unit in ("", *self._units.get(site, ()))
        )
        return Order(
            outcome=said.effect.outcome if said.effect else AS_PLANNED,
            has_exceptions=bool(said.exempt) or any(one != said for one in of_units),
        )

    def days_of(self, bulletin: Bulletin, since: dt.date) -> tuple[dt.date, ...]:
        """Return the days from one on that a bulletin really rules."""
        days = clock.days_between(max(bulletin.first_day, since), bulletin.last_day)
        return tuple(day for day in days if self.ruling(day) is bulletin)


def _units_by_site(bulletins: Iterable[Clauses]) -> dict[str, list[str]]:
    """Return by site the units that clauses name (a query, where any is named)."""
    named = {unit for clauses in bulletins for clause in clauses for unit in clause.units}
    units: dict[str, list[str]] = {}
    if named:
        found = Unit.objects.filter(code__in=named).values_list("site__code", "code")
        for site, unit in found.order_by("code"):
            units.setdefault(site, []).append(unit)
    return units


@dataclass(frozen=True)
class OrderChange:
    """A service of which tomorrow's order differs from today's, at sites where it does alike.

    ``sites`` come with tomorrow's appointments.
    """

    service: Service
    today: Order
    tomorrow: Order
    sites: tuple[tuple[Site, int], ...]


@dataclass(frozen=True)
class BulletinEvent:
    """A moment at which something changes by itself.

    ``kind``: a bulletin ``starts`` or ``ends`` ruling, its SMS leave (``release``), or doctors
    may keep no longer (``deadline``).
    """

    moment: dt.datetime
    kind: str
    bulletin: Bulletin


@dataclass(frozen=True)
class Tomorrow:
    """All that the board says of tomorrow.

    ``is_ordered``: something is ordered for at least one of tomorrow's appointments.
    """

    day: dt.date
    changes: list[OrderChange]
    is_ordered: bool
    events: list[BulletinEvent]


def tomorrow_of(
    in_force: Sequence[Bulletin],
    numbers: Mapping[tuple[str, int], int],
    sites: Iterable[Site],
    now: dt.datetime,
) -> Tomorrow:
    """Return what changes; asks nothing of the database.

    Args:
        in_force: bulletins with their clauses, the one approved last at the end.
        numbers: tomorrow's appointments by service and site id; where there are none, nothing
            changes for anybody.
        sites: in the order of the page.
        now: the hospital's moment.
    """
    today = now.astimezone(BRUSSELS).date()
    orders = Orders(in_force)
    changes, is_ordered = _changes(orders, numbers, list(sites), today)
    return Tomorrow(
        day=today + dt.timedelta(days=1),
        changes=changes,
        is_ordered=is_ordered,
        events=sorted(
            _events(orders, in_force, now), key=lambda event: (event.moment, event.bulletin.pk)
        ),
    )


def _changes(
    orders: Orders, numbers: Mapping[tuple[str, int], int], sites: list[Site], today: dt.date
) -> tuple[list[OrderChange], bool]:
    """Return the changes, and whether anything is ordered for tomorrow's appointments."""
    found: dict[tuple[Service, Order, Order], list[tuple[Site, int]]] = {}
    is_ordered = False
    for service in Service:
        for site in sites:
            if number := numbers.get((service, site.pk), 0):
                now, then = (
                    orders.on(today + dt.timedelta(days=n), service, site.code) for n in (0, 1)
                )
                is_ordered = is_ordered or then != Order()
                if now != then:
                    found.setdefault((service, now, then), []).append((site, number))
    return [OrderChange(*change, tuple(at)) for change, at in found.items()], is_ordered


def _events(orders: Orders, in_force: Sequence[Bulletin], now: dt.datetime) -> set[BulletinEvent]:
    today = now.astimezone(BRUSSELS).date()
    tomorrow, after = (today + dt.timedelta(days=n) for n in (1, 2))
    events = set()
    for bulletin in in_force:
        days = orders.days_of(bulletin, today)
        moments = {(RELEASE, bulletin.leaves_at)} if days else set()
        moments |= {
            (DEADLINE, clause.keep_until)
            for clause in bulletin.clauses.all()
            if days and clause.keep_until and clause.kept_by != KeptBy.NOBODY
        }
        if today in days and tomorrow not in days:
            moments.add((ENDS, clock.midnight(tomorrow)))
        if tomorrow in days and today not in days:
            moments.add((STARTS, clock.midnight(tomorrow)))
        if tomorrow in days and after not in days:
            moments.add((ENDS, clock.midnight(after)))
        events |= {
            BulletinEvent(moment, kind, bulletin)
            for kind, moment in moments
            if now < moment <= clock.midnight(after)
        }
    return events


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

    def bar(self, whole: int) -> list[tuple[str, int, int]]:
        """Return outcome, start and length of each segment of a bar of which 1000 is the whole.

        Edges are rounded, not lengths, so that segments always meet.

        Args:
            whole: how many fill the bar, so that bars beside each other compare.
        """
        segments, before = [], 0
        for outcome, number in self.parts:
            start, end = (edge * 1000 // whole for edge in (before, before + number))
            segments.append((outcome, start, end - start))
            before += number
        return segments


@dataclass(frozen=True)
class BoardCell:
    """A service at a site; ``heat`` from 0 (nothing) to HEAT_LEVELS (as many as anywhere).

    ``order`` is what the bulletin in force orders there; None where that is not the question.
    """

    site: Site
    tally: Tally
    heat: int
    order: Order | None = None


@dataclass(frozen=True)
class BoardRow:
    """A service at all sites."""

    service: Service
    cells: list[BoardCell]
    total: Tally


@dataclass(frozen=True)
class BoardDay:
    """A day of the chooser, and the bulletin that rules it; ``busiest``: the most of any day."""

    day: dt.date
    tally: Tally
    bulletin: Bulletin | None
    busiest: int

    @property
    def bar(self) -> list[tuple[str, int, int]]:
        """The segments of the day's bar; 1000 is the busiest day."""
        return self.tally.bar(self.busiest)


@dataclass(frozen=True)
class Board:
    """All that the board shows; operations and kept ones over the days ahead, to ``last_day``.

    ``ruled_days`` are the days that each bulletin in force really rules, from today on.
    ``untrue`` are the patients who still believe a message of ours that no longer holds;
    ``standing_decisions`` what persons cancelled on days that no bulletin rules.
    """

    day: dt.date
    days: list[BoardDay]
    sites: list[Site]
    rows: list[BoardRow]
    site_totals: list[BoardCell]
    total: Tally
    bulletin: Bulletin | None
    in_force: list[Bulletin]
    ruled_days: list[tuple[Bulletin, tuple[dt.date, ...]]]
    tomorrow: Tomorrow
    drafts: list[Bulletin]
    operations_awaiting: int
    consultations_kept: int
    last_day: dt.date
    refused: RefusedCount
    progress: Progress
    untrue: int
    standing_decisions: int

    @property
    def is_empty(self) -> bool:
        """Whether no appointment of the days ahead is known: then nothing can be said of them."""
        return not any(day.tally.total for day in self.days)

    @property
    def is_as_planned(self) -> bool:
        """Whether, without a bulletin, everything takes place and no patient believes otherwise."""
        decided = (Outcome.CANCELLED, Outcome.UNDER_REVIEW)
        others = any(day.tally.counts[outcome] for day in self.days for outcome in decided)
        return not (others or self.standing_decisions or self.untrue)


def board(user: User, *, day: dt.date | None = None) -> Board:
    """Return the board of the sites that a user watches, in eleven queries.

    Rows that a load refused are counted for the whole group: of some, no site can be read.

    Args:
        user: who looks.
        day: whose grid; None for the first day ruled by a bulletin, else tomorrow.
    """
    today = clock.today()
    bulletins = _bulletins(user, today)
    in_force = [one for one in bulletins if one.state == BulletinState.IN_FORCE]
    orders = Orders(in_force)
    counts, day = _opened(user, in_force, orders, today, day)
    sites = list(sites_of(scope_of(user, Capability.SEE_BOARD)))
    by_day: dict[dt.date, Tally] = {}
    for count in counts:
        by_day.setdefault(count.day, Tally()).add(count.outcome, count.number, count.kept)
    ahead = [count for count in counts if today <= count.day < today + AHEAD]
    on_day = [count for count in counts if count.day == day]
    ruled_days = [(one, orders.days_of(one, today)) for one in in_force]
    standing = decided_by_day(
        *(today, today + AHEAD - ONE_DAY),
        outcomes=[Outcome.CANCELLED],
        scope=scope_of(user, Capability.SEE_BOARD),
    )
    return Board(
        day=day,
        days=_days(by_day, orders, today),
        sites=sites,
        rows=_rows(on_day, sites, orders, day),
        site_totals=_cells(on_day, sites),
        total=by_day.get(day, Tally()),
        bulletin=orders.ruling(day),
        in_force=in_force,
        ruled_days=ruled_days,
        tomorrow=tomorrow_of(in_force, _on(counts, today + ONE_DAY), sites, clock.now()),
        drafts=[one for one in bulletins if one.state == BulletinState.DRAFT],
        operations_awaiting=sum(
            count.number
            for count in ahead
            if count.service == Service.SURGERY and count.outcome == Outcome.UNDER_REVIEW
        ),
        consultations_kept=sum(
            count.kept for count in ahead if count.service == Service.CONSULTATION
        ),
        last_day=today + AHEAD - ONE_DAY,
        refused=count_refused({day for _, days in ruled_days for day in days}),
        progress=progress(user),
        untrue=holding_untrue(user),
        standing_decisions=sum(
            number for day, number in standing.items() if orders.ruling(day) is None
        ),
    )


def _opened(
    user: User, in_force: list[Bulletin], orders: Orders, today: dt.date, asked: dt.date | None
) -> tuple[list["_Count"], dt.date]:
    """Return the counts, and the day asked for; else the busiest day that a bulletin rules.

    Of equal days the first; without a ruled day, tomorrow.
    """
    first = min((max(one.first_day, today) for one in in_force), default=today + ONE_DAY)
    counts = _counts(user, today, asked or first)
    if asked:
        return counts, asked
    weights = Counter({first: 0})
    for count in counts:
        if orders.ruling(count.day):
            weights[count.day] += count.number
    return counts, min(weights, key=lambda day: (-weights[day], day))


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
    window = Q(day__gte=today, day__lt=today + AHEAD)
    if not today <= day < today + AHEAD:  # a range alone is what an index answers best
        window |= Q(day=day)
    scope = scope_of(user, Capability.SEE_BOARD)
    kept = Q(outcome=Outcome.MAINTAINED, outcome_basis=Basis.PERSON)
    lines = (
        Appointment.objects.filter(window, scope.units())
        .exclude(status__in=CALLED_OFF)
        .order_by()
        .values("day", "service", "outcome", site_id=F("unit__site_id"))
        .annotate(number=Count("pk"), kept=Count("pk", filter=kept))
    )
    return [_Count(**(line | {"outcome": line["outcome"] or NO_OUTCOME})) for line in lines]


def _bulletins(user: User, today: dt.date) -> list[Bulletin]:
    """Return drafts and bulletins in force of today or later, the last approved at the end.

    Drafts only for those who may open them.
    """
    return list(
        visible(user)
        .filter(state__in=[BulletinState.DRAFT, BulletinState.IN_FORCE], last_day__gte=today)
        .order_by("approved_at", "id")
        .prefetch_related("clauses")
    )


def _on(counts: list[_Count], day: dt.date) -> Counter[tuple[str, int]]:
    """Return the appointments of a day by service and site."""
    places: Counter[tuple[str, int]] = Counter()
    for count in counts:
        if count.day == day:
            places[count.service, count.site_id] += count.number
    return places


def _days(by_day: dict[dt.date, Tally], orders: Orders, today: dt.date) -> list[BoardDay]:
    """Return the days that have appointments, and all days of the coming week."""
    week = {today + dt.timedelta(days=number) for number in range(7)}
    busiest = max((tally.total for tally in by_day.values()), default=0)
    return [
        BoardDay(day, by_day.get(day, Tally()), orders.ruling(day), busiest)
        for day in sorted(week | by_day.keys())
    ]


def _cells(counts: list[_Count], sites: list[Site], hottest: int = 0) -> list[BoardCell]:
    tallies = {site.pk: Tally() for site in sites}
    for count in counts:
        tallies[count.site_id].add(count.outcome, count.number, count.kept)
    return [
        # Rounded up, so that one person is never invisible.
        BoardCell(site, tally, -(-tally.total * HEAT_LEVELS // hottest) if hottest else 0)
        for site, tally in ((site, tallies[site.pk]) for site in sites)
    ]


def _rows(counts: list[_Count], sites: list[Site], orders: Orders, day: dt.date) -> list[BoardRow]:
    hottest = max(_on(counts, day).values(), default=0)
    rows = []
    for service in Service:
        of_service = [count for count in counts if count.service == service]
        if of_service:
            total = Tally()
            for count in of_service:
                total.add(count.outcome, count.number, count.kept)
            cells = [
                replace(cell, order=orders.on(day, service, cell.site.code))
                for cell in _cells(of_service, sites, hottest)
            ]
            rows.append(BoardRow(service, cells, total))
    return rows
