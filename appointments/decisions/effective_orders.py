"""What a bulletin orders in effect: the answers of ``rules.decide``, gathered into statements.

Pure. Clauses overrule each other: "all activities of Bertrix: maintained" stands above
"consultations: cancelled". Read one by one, they say two things about the consultations of
Bertrix. A statement is made from the answers instead: it says one thing about each appointment that
it concerns, and names its exceptions. Statements that overlap say the same.

An emergency goes on whatever a bulletin says: it is left out, unless nearly all else goes on too.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations, product
from typing import Any, NamedTuple

from appointments.rules import ClauseTerms, Facts, Verdict, decide, specificity, told_over
from appointments.vocabulary import Basis, KeptBy, Outcome, Service
from notifications.vocabulary import Channel

RULED = tuple(str(service) for service in Service if service != Service.EMERGENCY)
"""The services that a bulletin can rule otherwise."""
MOST_LEFT_OUT = 3
"""How many services, sites or days are named as what "all" leaves out; of more, the others are."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What holds: the outcome, how its patient is told (None: not), who may keep until when."""

    outcome: Outcome
    told: Channel | None = None
    kept_by: KeptBy = KeptBy.NOBODY
    keep_until: dt.datetime | None = None


AS_EVER = Effect(Outcome.MAINTAINED)
"""What holds for emergencies anyway."""


@dataclass(frozen=True, slots=True)
class Exempt:
    """What holds otherwise for patients of one of the ``groups`` who are in none of ``without``."""

    groups: tuple[str, ...]
    effect: Effect
    without: tuple[str, ...] = ()

    def means(self, groups: frozenset[str]) -> bool:
        """Whether a patient with these groups is meant."""
        return bool(groups.intersection(self.groups)) and not groups.intersection(self.without)


@dataclass(frozen=True, slots=True)
class OrderInEffect:
    """What holds for everybody but the exempt; without an ``effect`` for the exempt alone."""

    effect: Effect | None = None
    exempt: tuple[Exempt, ...] = ()

    def to(self, groups: frozenset[str]) -> Effect | None:
        """Return what holds for a patient with these groups."""
        return next((one.effect for one in self.exempt if one.means(groups)), self.effect)

    @property
    def effects(self) -> list[Effect]:
        """All that is said."""
        return [
            *([self.effect] if self.effect else []),
            *(exempt.effect for exempt in self.exempt),
        ]


class Place(NamedTuple):
    """A unit that a clause names, or without a ``unit`` what else a site has."""

    site: str
    unit: str = ""


@dataclass(frozen=True)
class World:
    """Where and when a bulletin could order something.

    Attributes:
        sites: all site codes, in their order.
        days: the days that it rules, in their order.
        site_of: unit code → site code.
    """

    sites: tuple[str, ...]
    days: tuple[dt.date, ...]
    site_of: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """One thing that holds for each of these services, places and days.

    ``apart`` are the units, of the sites that are meant, for which it does not.
    """

    services: tuple[str, ...]
    places: tuple[Place, ...]
    days: tuple[dt.date, ...]
    said: OrderInEffect
    apart: tuple[str, ...] = ()


Reading = Callable[[Verdict, str], Effect]
Cell = tuple[str, Place, tuple[dt.date, ...]]
"""A service, a place, and days that are ruled alike."""
Axes = tuple[tuple[str, ...], tuple[Place, ...], tuple[tuple[dt.date, ...], ...]]


def outcome_alone(verdict: Verdict, _service: str) -> Effect:
    """Read what the public may know of a verdict."""
    return Effect(verdict.outcome)


def whole_order(verdict: Verdict, service: str) -> Effect:
    """Read all that a verdict orders, as the rules of telling and keeping take it."""
    clause, outcome = verdict.clause, verdict.outcome
    if outcome == Outcome.MAINTAINED:
        return Effect(outcome, _told(clause, service, outcome, Basis.CLAUSE))
    if outcome == Outcome.UNDER_REVIEW:
        told = _told(clause, service, Outcome.CANCELLED, Basis.PERSON)
    else:
        told = _told(clause, service, outcome, Basis.CLAUSE)
    kept_by = KeptBy.MEDICAL_DIRECTOR if service == Service.SURGERY else KeptBy(clause.kept_by)
    until = clause.keep_until if kept_by != KeptBy.NOBODY else None
    return Effect(outcome, told, kept_by, until)


def _told(clause: ClauseTerms, service: str, outcome: Outcome, basis: Basis) -> Channel | None:
    telling = told_over(clause=clause, service=service, outcome=outcome, basis=basis)
    return telling.channel if telling else None


def statements(clauses: Sequence[ClauseTerms], world: World, reading: Reading) -> list[Statement]:
    """Return what the clauses order in effect, the services in their order.

    Args:
        clauses: of one bulletin.
        world: where and when.
        reading: ``outcome_alone`` or ``whole_order``.
    """
    return _gathered(_cells(clauses, clauses, world, reading), _places(clauses, world))


def compared(
    old: Sequence[ClauseTerms], new: Sequence[ClauseTerms], world: World
) -> tuple[list[Statement], list[Statement]]:
    """Return what the new clauses order otherwise: what holds no more, and what holds instead."""
    both = (*old, *new)
    places = _places(both, world)
    before = _cells(old, both, world, whole_order)
    after = _cells(new, both, world, whole_order)
    return (
        _gathered({one: said for one, said in before.items() if after.get(one) != said}, places),
        _gathered({one: said for one, said in after.items() if before.get(one) != said}, places),
    )


def said_of(clauses: Sequence[ClauseTerms], facts: Facts, reading: Reading) -> OrderInEffect:
    """Return what holds at one service, place and day, with the groups for whom it does not."""
    verdict = decide(facts, clauses)
    effect = reading(verdict, facts.service) if verdict else None
    return OrderInEffect(effect, tuple(_exempt(clauses, facts, effect, reading)))


def _exempt(
    clauses: Sequence[ClauseTerms], facts: Facts, effect: Effect | None, reading: Reading
) -> Iterator[Exempt]:
    """Yield the groups that are ruled otherwise.

    A patient of several groups is ruled by the strongest of their clauses. A weaker clause rules
    the patients without the groups of a stronger one that says something else.
    """
    ranked = []
    for group in sorted({group for clause in clauses for group in clause.groups}):
        verdict = decide(
            Facts(facts.service, facts.site, facts.unit, facts.day, frozenset({group})), clauses
        )
        if verdict and verdict.clause.groups:
            clause = verdict.clause
            rank = (specificity(clause), -clause.position)
            ranked.append((rank, group, reading(verdict, facts.service)))
    ranked.sort(key=lambda one: one[0], reverse=True)
    merged: dict[tuple[Effect, tuple[str, ...]], list[str]] = {}
    for index, (_rank, group, own) in enumerate(ranked):
        stronger = tuple(sorted(other for _r, other, says in ranked[:index] if says != own))
        if own != effect:
            merged.setdefault((own, stronger), []).append(group)
    for (own, stronger), groups in merged.items():
        yield Exempt(tuple(sorted(groups)), own, stronger)


def _cells(
    clauses: Sequence[ClauseTerms], naming: Sequence[ClauseTerms], world: World, reading: Reading
) -> dict[Cell, OrderInEffect]:
    """Return what holds in each cell; where nothing is ordered there is none.

    Args:
        clauses: what orders.
        naming: the clauses whose units and days have cells of their own.
        world: where and when.
        reading: what is read of a verdict.
    """
    cells = {}
    for service, place, days in product(RULED, _places(naming, world), _days(naming, world)):
        said = said_of(clauses, Facts(service, place.site, place.unit, days[0]), reading)
        if said != OrderInEffect():
            cells[service, place, days] = said
    return cells


def _places(clauses: Sequence[ClauseTerms], world: World) -> list[Place]:
    named = {unit for clause in clauses for unit in clause.units}
    units = sorted(Place(world.site_of.get(unit, ""), unit) for unit in named)
    return [
        *(
            place
            for site in world.sites or ("",)
            for place in (Place(site), *(unit for unit in units if unit.site == site))
        ),
        *(place for place in units if place.site not in world.sites),
    ]


def _days(clauses: Sequence[ClauseTerms], world: World) -> list[tuple[dt.date, ...]]:
    """Return the days; those that no clause names come together."""
    named = {day for clause in clauses for day in clause.days}
    others = tuple(day for day in world.days if day not in named)
    alone: list[tuple[dt.date, ...]] = [(day,) for day in world.days if day in named]
    return sorted([*alone, others]) if others else alone


def _gathered(cells: Mapping[Cell, OrderInEffect], places: Sequence[Place]) -> list[Statement]:
    """Return statements that say what the cells do, and nothing else; ``places``: all there are."""
    axes_of_all = tuple(tuple(dict.fromkeys(cell[axis] for cell in cells)) for axis in range(3))
    numbers: dict[OrderInEffect, int] = {}
    said_in = {cell: numbers.setdefault(said, len(numbers)) for cell, said in cells.items()}
    uncovered, found = set(cells), []
    for cell, said in cells.items():
        if cell in uncovered:
            grown = (_grown(said_in, axes_of_all, cell, order) for order in permutations(range(3)))
            axes = max(grown, key=lambda axes: len(uncovered.intersection(product(*axes))))
            found.append((axes, said))
            uncovered.difference_update(product(*axes))
    return [one for axes, said in found for one in _stated(axes, said, places)]


def _grown(
    said_in: Mapping[Cell, int],
    all_axes: tuple[tuple[Any, ...], ...],
    start: Cell,
    order: Sequence[int],
) -> Axes:
    """Return the services, places and days around a cell that say the same, axis after axis."""
    axes: list[tuple[Any, ...]] = [(value,) for value in start]
    for axis in order:
        axes[axis] = tuple(
            value
            for value in all_axes[axis]
            if all(
                said_in.get(cell) == said_in[start]
                for cell in product(*axes[:axis], (value,), *axes[axis + 1 :])
            )
        )
    return axes[0], axes[1], axes[2]


def _stated(axes: Axes, said: OrderInEffect, all_places: Sequence[Place]) -> Iterator[Statement]:
    """Yield the statement of a box; units of a site that is not in it get one of their own."""
    services, places, alike = axes
    days = tuple(sorted(day for days in alike for day in days))
    nearly_all = len(RULED) - len(services) <= MOST_LEFT_OUT
    if nearly_all and all(effect == AS_EVER for effect in said.effects):
        services = (*services, str(Service.EMERGENCY))
    sites = {place.site for place in places if not place.unit}
    whole = tuple(place for place in places if place.site in sites)
    apart = tuple(place.unit for place in all_places if place.site in sites and place not in places)
    if whole:
        yield Statement(services, whole, days, said, apart)
    if others := tuple(place for place in places if place.site not in sites):
        yield Statement(services, others, days, said)
