"""Clauses as a grid that people fill in, and back: rows are services, columns are sites.

Pure. ``to_clauses(to_grid(clauses))`` rules every appointment as ``clauses`` did (a property
test holds it). What a grid cannot show (units, groups, more days apart than ``MOST_LAYERS``, or two
answers for one cell) stays a refinement below it. Order matters only between clauses of the same
shape, hence a cell that a refinement speaks of stays empty: a clause that stood after it must not
overtake it.

A clause that names a site stands above one that names a day (docs/adr/0005). On the screen it is
the other way round: a day apart stands above the whole window. So where the window speaks of a
site, a cell "all sites" of the day also names that site; without this, "Saturday: all cancelled"
would leave a site working that the week maintains. The cells stay what people filled in:
``folded`` takes the named sites back out.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple

from appointments.rules import ClauseTerms
from appointments.vocabulary import KeptBy, Ruling, Service, Tell
from notifications.vocabulary import Channel

EVERY = ""  # the row of all services, the column of all sites
ROWS = (EVERY, *map(str, Service))
MOST_LAYERS = 14
"""How many days may have a layer of their own: two weeks, as one still oversees them."""
Cell = tuple[str, str]
Named = Mapping[str, frozenset[str]]
"""By service, the sites that the cell of all sites has to name."""
Place = tuple[dt.date | None, str, str]
"""A cell of one day, or with None of the whole window."""
_WINDOW = None


@dataclass(frozen=True)
class RowSettings:
    """The settings of a row: who is told over which channel, and who may keep until when."""

    tell: str = Tell.CANCELLED
    channel: str = Channel.SMS
    kept_by: str = KeptBy.NOBODY
    keep_until: dt.datetime | None = None


# Other defaults: operations are told by phone, and the Medical Director rules on them.
_STARTS = {
    Service.SURGERY: RowSettings(Tell.BOTH, Channel.PHONE, KeptBy.MEDICAL_DIRECTOR),
}


def settings_to_start(service: str) -> RowSettings:
    """Return the settings of a row before anybody changes them."""
    return _STARTS.get(Service(service), RowSettings()) if service else RowSettings()


@dataclass(frozen=True)
class GridRow:
    """One service; ``rulings`` by site code, a missing one leaves the cell open."""

    service: str
    settings: RowSettings = RowSettings()
    rulings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One day apart: its cells outrank the whole window's; empty cells follow the window."""

    day: dt.date
    rows: tuple[GridRow, ...]


@dataclass(frozen=True)
class Grid:
    """All rows in the order of ``ROWS``, the days apart, and the clauses that no cell can say."""

    rows: tuple[GridRow, ...]
    refinements: tuple[ClauseTerms, ...] = ()
    layers: tuple[Layer, ...] = ()


def may_stand_in_cell(service: str, ruling: str) -> bool:
    """Whether a cell offers the ruling: an emergency is always maintained."""
    return service != Service.EMERGENCY or ruling == Ruling.MAINTAIN


def rows_to_start(rows: Iterable[GridRow]) -> tuple[GridRow, ...]:
    """Return empty rows of a day apart; each starts with the settings of the whole window's."""
    return tuple(GridRow(row.service, row.settings) for row in rows)


def read_off(grid: Grid, service: str, site: str, day: dt.date) -> GridRow | None:
    """Return the row whose cell rules a place on a day, as people read it off the screen.

    A day apart comes first; in each layer the site's column before the one of all sites, and in
    a column the service's row before the one of all services. ``clauses`` say the same (a
    property test holds it), refinements aside. The answer holds that one cell alone.
    """
    layers = [layer.rows for layer in grid.layers if layer.day == day]
    for rows in (*layers, grid.rows):
        by_service = {row.service: row for row in rows}
        for column, name in ((site, service), (site, EVERY), (EVERY, service), (EVERY, EVERY)):
            row = by_service.get(name)
            if row and column in row.rulings:
                return GridRow(name, row.settings, {column: row.rulings[column]})
    return None


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


Filled = dict[dt.date | None, dict[str, GridRow]]


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
        window = tuple(
            filled[_WINDOW].get(name) or GridRow(name, settings_to_start(name)) for name in ROWS
        )
        layers = tuple(
            Layer(day, tuple(filled[day].get(row.service) or row for row in rows_to_start(window)))
            for day in sorted(day for day in filled if day is not None)
        )
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
