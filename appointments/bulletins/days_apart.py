"""What a day apart means in clauses: more than its cells, where a site would outrank the day.

Pure. A clause that names a site stands above one that names a day (docs/adr/0005). On the screen
it is the other way round: a day apart stands above the whole window. So where the window speaks of
a site, a cell "all sites" of the day also names that site; without this, "Saturday: all cancelled"
would leave a site working that the week maintains.

The cells stay what people filled in: ``folded`` takes the named sites back out.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from appointments.bulletins.cells import EVERY, ROWS, Grid, GridRow, Layer
from appointments.rules import ClauseTerms

Named = Mapping[str, frozenset[str]]
"""By service, the sites that the cell of all sites has to name."""


class CellOrder(NamedTuple):
    """What a cell orders, once for all sites or for those that it names."""

    row: GridRow
    column: str
    ruling: str
    sites: tuple[str, ...]


def orders(rows: Sequence[GridRow], named: Named) -> Iterator[CellOrder]:
    """Yield what each cell orders; a cell of all sites twice where it has to name some."""
    for row in rows:
        for column, ruling in row.rulings.items():
            yield CellOrder(row, column, ruling, () if column == EVERY else (column,))
            if column == EVERY and named.get(row.service):
                yield CellOrder(row, column, ruling, tuple(sorted(named[row.service])))


def to_name(layer: Layer, grid: Grid) -> Named:
    """Return the sites that a layer's cells of all sites must name, to stand above the window.

    Refinements that could be cells count with the cells: those without a day with the window,
    those of the day with the layer, whose cell of all sites they narrow.
    """
    of_window = _sites_of(grid.rows, grid.refinements, day=None)
    of_day = _sites_of(layer.rows, grid.refinements, day=layer.day)
    filled = {row.service for row in layer.rows if EVERY in row.rulings}
    taken = of_day[EVERY]
    # The row of all services first: where it names a site, it would outrank "all sites" of a
    # service, which then has to name that site too.
    spoken = frozenset().union(*of_window.values()) if EVERY in filled else frozenset()
    named = {EVERY: spoken - taken}
    for service in filled - {EVERY}:
        above = of_window[service] | of_window[EVERY] | named[EVERY]
        named[service] = above - of_day[service] - taken
    return {service: sites for service, sites in named.items() if sites}


def _sites_of(
    rows: Sequence[GridRow], refinements: Sequence[ClauseTerms], *, day: dt.date | None
) -> Named:
    """Return by service the sites that cells name, or refinements that could be cells."""
    found = dict.fromkeys(ROWS, frozenset[str]())
    for row in rows:
        found[row.service] |= _sites(row)
    for clause in refinements:
        is_of_day = day in clause.days if clause.days else day is None
        if is_of_day and not clause.units and not clause.groups:
            for service in clause.services or (EVERY,):
                found[service] |= set(clause.sites)
    return found


def folded(grid: Grid) -> Grid:
    """Return the grid without cells that a day's cell of all sites says anyway."""
    return replace(grid, layers=tuple(_folded(layer, grid) for layer in grid.layers))


def _folded(layer: Layer, grid: Grid) -> Layer:
    # The row of all services comes first, and is folded first: its sites bear on the others.
    for place, row in enumerate(layer.rows):
        for site in sorted(_sites(row)):
            if row.rulings.get(EVERY) != row.rulings[site]:
                continue
            without = _without(layer, place, site)
            if _said(without, grid) == _said(layer, grid):
                layer = without
    return layer


def _without(layer: Layer, place: int, site: str) -> Layer:
    rows = list(layer.rows)
    rulings = {one: ruling for one, ruling in rows[place].rulings.items() if one != site}
    rows[place] = replace(rows[place], rulings=rulings)
    return replace(layer, rows=tuple(rows))


def _said(layer: Layer, grid: Grid) -> set[tuple[str, str, str]]:
    """Return every service, site and ruling that the layer names; ``EVERY`` for all sites."""
    return {
        (order.row.service, site, order.ruling)
        for order in orders(layer.rows, to_name(layer, grid))
        for site in order.sites or (EVERY,)
    }


def _sites(row: GridRow) -> frozenset[str]:
    return frozenset(row.rulings) - {EVERY}
