"""What a day apart means in clauses: more than its cells, where a site would outrank the day.

Pure. A clause that names a site stands above one that names a day (docs/adr/0005). On the screen
it is the other way round: a day apart stands above the whole window. So where the window speaks of
a site, a cell "all sites" of the day also names that site; without this, "Saturday: all cancelled"
would leave a site working that the week maintains.

The cells stay what people filled in: ``folded`` takes the named sites back out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from appointments.bulletin_cells import EVERY, Grid, Layer, Row

Named = Mapping[str, frozenset[str]]
"""By service, the sites that the cell of all sites has to name."""


class Order(NamedTuple):
    """What a cell orders, once for all sites or for those that it names."""

    row: Row
    column: str
    ruling: str
    sites: tuple[str, ...]


def orders(rows: Sequence[Row], named: Named) -> Iterator[Order]:
    """Yield what each cell orders; a cell of all sites twice where it has to name some."""
    for row in rows:
        for column, ruling in row.rulings.items():
            yield Order(row, column, ruling, () if column == EVERY else (column,))
            if column == EVERY and named.get(row.service):
                yield Order(row, column, ruling, tuple(sorted(named[row.service])))


def to_name(layer: Layer, window: Sequence[Row]) -> Named:
    """Return the sites that a layer's cells of all sites must name, to stand above the window.

    Args:
        layer: the day apart.
        window: the rows of all days.
    """
    of_window = {row.service: _sites(row) for row in window}
    of_day = {row.service: _sites(row) for row in layer.rows}
    filled = {row.service for row in layer.rows if EVERY in row.rulings}
    taken = of_day.get(EVERY, frozenset())
    # The row of all services first: where it names a site, it would outrank "all sites" of a
    # service, which then has to name that site too.
    spoken = frozenset().union(*of_window.values()) if EVERY in filled else frozenset()
    named = {EVERY: spoken - taken}
    for service in filled - {EVERY}:
        above = of_window.get(service, frozenset()) | of_window.get(EVERY, frozenset())
        named[service] = (above | named[EVERY]) - of_day[service] - taken
    return {service: sites for service, sites in named.items() if sites}


def folded(grid: Grid) -> Grid:
    """Return the grid without cells that a day's cell of all sites says anyway."""
    layers = tuple(_folded(layer, grid.rows) for layer in grid.layers)
    return replace(grid, layers=layers)


def _folded(layer: Layer, window: Sequence[Row]) -> Layer:
    # ``Service`` comes after ``EVERY`` in the rows: so the row of all services is folded first.
    for place, row in enumerate(layer.rows):
        for site in sorted(_sites(row)):
            if row.rulings.get(EVERY) != row.rulings[site]:
                continue
            without = _without(layer, place, site)
            if _said(without, window) == _said(layer, window):
                layer = without
    return layer


def _without(layer: Layer, place: int, site: str) -> Layer:
    rows = list(layer.rows)
    rulings = {one: ruling for one, ruling in rows[place].rulings.items() if one != site}
    rows[place] = replace(rows[place], rulings=rulings)
    return replace(layer, rows=tuple(rows))


def _said(layer: Layer, window: Sequence[Row]) -> set[tuple[str, str, str]]:
    """Return every service, site and ruling that the layer names; ``EVERY`` for all sites."""
    return {
        (order.row.service, site, order.ruling)
        for order in orders(layer.rows, to_name(layer, window))
        for site in order.sites or (EVERY,)
    }


def _sites(row: Row) -> frozenset[str]:
    return frozenset(row.rulings) - {EVERY}
