"""What the crisis cell fills in: a grid of services and sites, for all days and for single ones.

Pure, and only the shapes. ``bulletin_layers`` says what a day of its own means, ``bulletin_grid``
turns it all into clauses and back.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from appointments.rules import ClauseTerms
from appointments.vocabulary import KeptBy, Ruling, Service, Tell
from notifications.vocabulary import Channel

EVERY = ""  # the row of all services, the column of all sites
ROWS = (EVERY, *map(str, Service))
MOST_LAYERS = 14
"""How many days may have a layer of their own: two weeks, as one still oversees them."""
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
class GridRow:
    """One service; ``rulings`` by site code, a missing one leaves the cell open."""

    service: str
    settings: RowSettings = RowSettings()
    rulings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One day apart: what its cells say stands above the whole window's, the others follow it."""

    day: dt.date
    rows: tuple[GridRow, ...]


@dataclass(frozen=True)
class Grid:
    """All rows in the order of ``ROWS``, the days apart, and the clauses that no cell can say."""

    rows: tuple[GridRow, ...]
    refinements: tuple[ClauseTerms, ...] = ()
    layers: tuple[Layer, ...] = ()


def may_stand_in_cell(service: str, ruling: str) -> bool:
    """Whether a cell offers the ruling: emergency is never cancelled nor put in doubt."""
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
