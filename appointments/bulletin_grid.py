"""Clauses as a grid that people fill in, and back: rows are services, columns are sites.

Pure. ``to_clauses(to_grid(clauses))`` rules every appointment as ``clauses`` did (a property
test holds it). What a grid cannot show (units, days, groups, or two answers for one cell) stays
a refinement below it. Order matters only between clauses of the same shape, hence a cell that a
refinement speaks of stays empty: a clause that stood after it must not overtake it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from appointments.services.clause_drafts import ClauseDraft
from appointments.vocabulary import Channel, KeptBy, Ruling, Service, Tell

EVERY = ""  # the row of all services, the column of all sites
ROWS = (EVERY, *map(str, Service))
Cell = tuple[str, str]


@dataclass(frozen=True)
class RowSettings:
    """What holds for all cells of a row: who is told over what, who may keep until when."""

    tell: str = Tell.CANCELLED
    channel: str = Channel.SMS
    kept_by: str = KeptBy.NOBODY
    keep_until: dt.datetime | None = None


# Where a row starts otherwise: each patient of an operation is told by a person, and one rules.
_STARTS = {
    Service.SURGERY: RowSettings(Tell.BOTH, Channel.PHONE, KeptBy.MEDICAL_DIRECTOR),
}


def settings_to_start(service: str) -> RowSettings:
    """Return the settings of a row before anybody changes them."""
    return _STARTS.get(Service(service), RowSettings()) if service else RowSettings()


@dataclass(frozen=True)
class Row:
    """One service; ``rulings`` by site code, a missing one leaves the cell open."""

    service: str
    settings: RowSettings = RowSettings()
    rulings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """All rows in the order of ``ROWS``, and the clauses that no cell can say."""

    rows: tuple[Row, ...]
    refinements: tuple[ClauseDraft, ...] = ()


def may_stand_in_cell(service: str, ruling: str) -> bool:
    """Whether a cell offers the ruling: emergency is never cancelled nor put in doubt."""
    return service != Service.EMERGENCY or ruling == Ruling.MAINTAIN


def to_grid(clauses: Iterable[ClauseDraft], sites: Sequence[str]) -> Grid:
    """Return the clauses as a grid over these site codes."""
    rows: dict[str, Row] = {}
    taken: set[Cell] = set()
    refinements = []
    for clause in clauses:
        cells = _cells(clause)
        if cells and _fits(clause, cells, rows, taken, sites):
            for service, site in cells:
                row = rows.setdefault(service, Row(service, _settings(clause)))
                row.rulings[site] = clause.ruling
        else:
            refinements.append(clause)
        taken |= cells
    return Grid(tuple(rows.get(service) or _empty(service) for service in ROWS), tuple(refinements))


def to_clauses(grid: Grid) -> tuple[ClauseDraft, ...]:
    """Return the clauses of a grid: its cells, services that say the same joined, then the rest."""
    said: dict[tuple[bool, ClauseDraft], list[str]] = {}
    for row in grid.rows:
        services = [row.service] if row.service != EVERY else []
        for clause in _row_clauses(row):
            said.setdefault((bool(services), clause), []).extend(services)
    cells = [replace(clause, services=tuple(names)) for (_some, clause), names in said.items()]
    return (*cells, *grid.refinements)


def unreachable(clauses: Sequence[ClauseDraft]) -> list[int]:
    """Return the indexes of clauses that never rule, since one before them says it all."""
    return [
        index
        for index, clause in enumerate(clauses)
        if any(_overshadows(earlier, clause) for earlier in clauses[:index])
    ]


def _empty(service: str) -> Row:
    return Row(service, settings_to_start(service))


def _row_clauses(row: Row) -> list[ClauseDraft]:
    """Return the clauses of one row, still without its service."""
    clauses = []
    if EVERY in row.rulings:
        clauses.append(_clause(row, row.rulings[EVERY], ()))
    for ruling in Ruling:
        sites = sorted(s for s, answer in row.rulings.items() if s != EVERY and answer == ruling)
        if sites:
            clauses.append(_clause(row, ruling, tuple(sites)))
    return clauses


def _clause(row: Row, ruling: str, sites: tuple[str, ...]) -> ClauseDraft:
    return ClauseDraft(
        ruling=ruling,
        tell=row.settings.tell,
        channel=row.settings.channel,
        kept_by=row.settings.kept_by,
        keep_until=row.settings.keep_until,
        sites=sites,
    )


def _cells(clause: ClauseDraft) -> set[Cell]:
    """Return the cells that a clause fills; none when it says more than a cell can."""
    if clause.units or clause.days or clause.groups:
        return set()
    return set(product(clause.services or (EVERY,), clause.sites or (EVERY,)))


def _fits(
    clause: ClauseDraft,
    cells: set[Cell],
    rows: dict[str, Row],
    taken: set[Cell],
    sites: Sequence[str],
) -> bool:
    return (
        not cells & taken
        and {site for _service, site in cells} <= {EVERY, *sites}
        and all(may_stand_in_cell(service, clause.ruling) for service, _site in cells)
        and all(
            service not in rows or rows[service].settings == _settings(clause)
            for service, _site in cells
        )
    )


def _settings(clause: ClauseDraft) -> RowSettings:
    return RowSettings(clause.tell, clause.channel, clause.kept_by, clause.keep_until)


def _overshadows(earlier: ClauseDraft, later: ClauseDraft) -> bool:
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
