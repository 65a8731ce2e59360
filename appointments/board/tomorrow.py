"""What the bulletins in force order on a day, and what changes tomorrow against today."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from appointments.decisions.clauses import Clauses, clauses_of
from appointments.decisions.effective_orders import outcome_alone, said_of
from appointments.models import Bulletin, KeptBy, Service
from appointments.rules import Facts
from staff import clock
from staff.clock import BRUSSELS
from staff.models import Site, Unit

AS_PLANNED = ""


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
        """Return what holds for whoever no clause names by unit or protected group."""
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


STARTS, ENDS, RELEASE, DEADLINE = "starts", "ends", "release", "deadline"


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
    turns: list[OrderChange]
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
    turns, is_ordered = _turns(orders, numbers, list(sites), today)
    return Tomorrow(
        day=today + dt.timedelta(days=1),
        turns=turns,
        is_ordered=is_ordered,
        events=sorted(
            _events(orders, in_force, now), key=lambda event: (event.moment, event.bulletin.pk)
        ),
    )


def _turns(
    orders: Orders, numbers: Mapping[tuple[str, int], int], sites: list[Site], today: dt.date
) -> tuple[list[OrderChange], bool]:
    """Return the turns, and whether anything is ordered for tomorrow's appointments."""
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
    return [OrderChange(*turn, tuple(at)) for turn, at in found.items()], is_ordered


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
