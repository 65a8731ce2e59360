"""Clauses as a grid that people fill in, and back: rows are services, columns are sites.

Pure. ``to_clauses(to_grid(clauses))`` rules every appointment as ``clauses`` did (a property
test holds it). What a grid cannot show (units, groups, more days apart than ``MOST_LAYERS``, or two
answers for one cell) stays a refinement below it. Order matters only between clauses of the same
shape, hence a cell that a refinement speaks of stays empty: a clause that stood after it must not
overtake it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from appointments.bulletins.cells import (
    EVERY,
    MOST_LAYERS,
    ROWS,
    Grid,
    GridRow,
    Layer,
    RowSettings,
    may_stand_in_cell,
    rows_to_start,
    settings_to_start,
)
from appointments.bulletins.days_apart import CellOrder, Named, folded, orders, to_name
from appointments.rules import ClauseTerms
from appointments.vocabulary import Ruling

__all__ = [
    "EVERY",
    "ROWS",
    "Grid",
    "Layer",
    "GridRow",
    "RowSettings",
    "may_stand_in_cell",
    "settings_to_start",
    "to_clauses",
    "to_grid",
    "unreachable",
]
Place = tuple[dt.date | None, str, str]
"""A cell of one day, or with None of the whole window."""
Filled = dict[dt.date | None, dict[str, GridRow]]
_WINDOW = None


def to_grid(clauses: Iterable[ClauseTerms], sites: Sequence[str]) -> Grid:
    """Return the clauses as a grid over these site codes."""
    reading = _Reading(tuple(clauses), frozenset({EVERY, *sites}))
    while True:
        grid = reading.grid()
        # A cell of all sites that would have to name some says more than its clause did.
        outranked = {layer.day for layer in grid.layers if to_name(layer, grid)}
        if not outranked:
            return folded(grid)
        reading = replace(
            reading,
            apart=reading.apart
            | {
                clause
                for clause in reading.clauses
                if not clause.sites and outranked.intersection(clause.days)
            },
        )


def to_clauses(grid: Grid) -> tuple[ClauseTerms, ...]:
    """Return the clauses of a grid: its cells, those of days apart, then the refinements.

    Services that say the same share a clause, and so do days.
    """
    days: dict[ClauseTerms, list[dt.date]] = {}
    for layer in grid.layers:
        for clause in _of_rows(layer.rows, to_name(layer, grid)):
            days.setdefault(clause, []).append(layer.day)
    of_days = [replace(clause, days=tuple(those)) for clause, those in days.items()]
    return (*_of_rows(grid.rows, {}), *of_days, *grid.refinements)


def unreachable(clauses: Sequence[ClauseTerms]) -> list[int]:
    """Return the indexes of clauses that never rule, since one before them says it all."""
    return [
        index
        for index, clause in enumerate(clauses)
        if any(_overshadows(earlier, clause) for earlier in clauses[:index])
    ]


@dataclass(frozen=True)
class _Reading:
    """Clauses on their way into a grid; those of ``apart`` stay refinements."""

    clauses: tuple[ClauseTerms, ...]
    columns: frozenset[str]
    apart: frozenset[ClauseTerms] = frozenset()

    def grid(self) -> Grid:
        """Return each clause in its cells, or below them."""
        filled: Filled = {_WINDOW: {}}
        taken: set[Place] = set()
        refinements = []
        for clause in self.clauses:
            places = _places(clause)
            if places and not places & taken and self._fits(clause, places, filled):
                _fill(filled, clause, places)
            else:
                refinements.append(clause)
            taken |= places
        window = tuple(filled[_WINDOW].get(name) or _empty(name) for name in ROWS)
        days = sorted(day for day in filled if day is not None)
        layers = tuple(Layer(day, _of_day(filled[day], window)) for day in days)
        return Grid(window, tuple(refinements), layers)

    def _fits(self, clause: ClauseTerms, places: set[Place], filled: Filled) -> bool:
        return (
            clause not in self.apart
            and self.columns.issuperset(site for _day, _service, site in places)
            and len({*clause.days, *filled} - {_WINDOW}) <= MOST_LAYERS
            and all(may_stand_in_cell(service, clause.ruling) for _day, service, _site in places)
            and all(
                row is None or row.settings == _settings(clause)
                for row in (filled.get(day, {}).get(service) for day, service, _site in places)
            )
        )


def _places(clause: ClauseTerms) -> set[Place]:
    """Return the cells that a clause fills; none when it says more than a cell can."""
    if clause.units or clause.groups:
        return set()
    return set(
        product(clause.days or (_WINDOW,), clause.services or (EVERY,), clause.sites or (EVERY,))
    )


def _fill(filled: Filled, clause: ClauseTerms, places: set[Place]) -> None:
    for day, service, site in places:
        rows = filled.setdefault(day, {})
        rows.setdefault(service, GridRow(service, _settings(clause))).rulings[site] = clause.ruling


def _empty(service: str) -> GridRow:
    return GridRow(service, settings_to_start(service))


def _of_day(rows: Mapping[str, GridRow], window: Sequence[GridRow]) -> tuple[GridRow, ...]:
    return tuple(rows.get(row.service) or row for row in rows_to_start(window))


def _of_rows(rows: Sequence[GridRow], named: Named) -> list[ClauseTerms]:
    """Return the clauses of one layer, still without its day."""
    said: dict[tuple[bool, ClauseTerms], list[str]] = {}
    for row in rows:
        services = [row.service] if row.service != EVERY else []
        for clause in _of_row(row, orders([row], named)):
            said.setdefault((bool(services), clause), []).extend(services)
    return [replace(clause, services=tuple(names)) for (_some, clause), names in said.items()]


def _of_row(row: GridRow, said: Iterable[CellOrder]) -> Iterator[ClauseTerms]:
    """Yield the clauses of one row, still without its service; all sites come first."""
    at: dict[str, set[str]] = {}
    for order in said:
        if not order.sites:
            yield _clause(row, order.ruling, ())
        at.setdefault(order.ruling, set()).update(order.sites)
    for ruling in Ruling:
        if sites := at.get(ruling):
            yield _clause(row, ruling, tuple(sorted(sites)))


def _clause(row: GridRow, ruling: str, sites: tuple[str, ...]) -> ClauseTerms:
    return ClauseTerms(
        ruling=ruling,
        tell=row.settings.tell,
        channel=row.settings.channel,
        kept_by=row.settings.kept_by,
        keep_until=row.settings.keep_until,
        sites=sites,
    )


def _settings(clause: ClauseTerms) -> RowSettings:
    return RowSettings(clause.tell, clause.channel, clause.kept_by, clause.keep_until)


def _overshadows(earlier: ClauseTerms, later: ClauseTerms) -> bool:
    """Whether both have the same shape and the earlier selects all that the later does."""
    return all(
        bool(wide) == bool(narrow) and set(narrow) <= set(wide)
        for wide, narrow in (
            (earlier.services, later.services),
            (earlier.sites, later.sites),
            (earlier.units, later.units),
            (earlier.days, later.days),
            (earlier.groups, later.groups),
        )
    )
