"""What a file is complete for, and what has therefore disappeared. Pure: no Django.

A file is complete for a unit and a day only when somebody declared it, or the source's setting
says so. What is known there, is not named and was not refused in this file has disappeared from
the source: it is flagged with its name, still ruled on and told, and never deleted.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from appointments.vocabulary import Extent

# A row further than this from the others is a slip of the pen or a check-up next year: the days
# between are not days that the file speaks of.
FAR_OFF = dt.timedelta(days=7)
# More disappeared than this on a site and day, and more than that share of it, asks first.
MOST_UNASKED = 5
LARGEST_SHARE = 0.10

_BETWEEN = re.compile(r"""[\s;,|"']+""")

SiteDay = tuple[str, dt.date]


@dataclass(frozen=True)
class Declared:
    """What somebody says that a file is complete for.

    Attributes:
        extent: which units.
        unit_ids: those of ``Extent.CHOSEN``, which the file need not name.
        first_day, last_day: between which days, both included; None for the days of the file.
    """

    extent: Extent = Extent.NOTHING
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    unit_ids: frozenset[int] = frozenset()


NOTHING = Declared()


@dataclass(frozen=True)
class Area:
    """Units and days for which a file is complete; no ``unit_ids`` and ``site_ids``: all."""

    first_day: dt.date
    last_day: dt.date
    unit_ids: frozenset[int] | None = None
    site_ids: frozenset[int] | None = None

    def covers(self, *, unit_id: int, site_id: int, day: dt.date) -> bool:
        """Whether the file should name what takes place there and then."""
        return (
            self.first_day <= day <= self.last_day
            and (self.unit_ids is None or unit_id in self.unit_ids)
            and (self.site_ids is None or site_id in self.site_ids)
        )


@dataclass
class Coverage:
    """What a file speaks of.

    Attributes:
        lines: number at the source → the line that was taken.
        refused: numbers on rows that could not be taken.
        words: of the refused rows without a number, what stands between their separators.
        rows_by_day: how many rows were taken for each day.
        sites: unit id → site id, of the units named.
    """

    lines: dict[str, object] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    rows_by_day: Counter[dt.date] = field(default_factory=Counter)
    sites: dict[int, int] = field(default_factory=dict)

    def take(
        self, source_id: str, line: object, *, day: dt.date, unit_id: int, site_id: int
    ) -> None:
        """Note a row that was taken."""
        self.lines[source_id] = line
        self.rows_by_day[day] += 1
        self.sites[unit_id] = site_id

    def refuse(self, source_id: str, written: str = "") -> None:
        """Note a row that was not taken; without a number, as it is written."""
        if source_id:
            self.refused.add(source_id)
        else:
            self.words.update(_BETWEEN.split(written))

    def mentions(self, source_id: str) -> bool:
        """Whether the file names an appointment, be it on a row that could not be taken."""
        return source_id in self.lines or source_id in self.refused or source_id in self.words


def span_of(rows_by_day: Mapping[dt.date, int]) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day that a file speaks of; None for a file without rows.

    Days more than ``FAR_OFF`` from the next one stand apart: the group with the most rows counts,
    the earliest of those with as many.
    """
    groups: list[list[dt.date]] = []
    for day in sorted(rows_by_day):
        if groups and day - groups[-1][-1] <= FAR_OFF:
            groups[-1].append(day)
        else:
            groups.append([day])
    if not groups:
        return None
    densest = max(groups, key=lambda days: sum(rows_by_day[day] for day in days))
    return densest[0], densest[-1]


def area_of(declared: Declared, coverage: Coverage) -> Area | None:
    """Return where a file is complete, or None where it is not."""
    span = span_of(coverage.rows_by_day)
    is_chosen = declared.extent is Extent.CHOSEN
    if is_chosen and declared.first_day and declared.last_day:
        span = declared.first_day, declared.last_day  # also of a unit in which nothing is planned
    if declared.extent is Extent.NOTHING or span is None:
        return None
    first_day, last_day = declared.first_day or span[0], declared.last_day or span[1]
    units: frozenset[int] | None = None
    sites: frozenset[int] | None = None
    if is_chosen:
        units = declared.unit_ids
    elif declared.extent is Extent.UNITS:
        units = frozenset(coverage.sites)
    elif declared.extent is Extent.SITES:
        sites = frozenset(coverage.sites.values())
    return Area(first_day, last_day, units, sites)


def proposed(coverage: Coverage, *, planned_units: Mapping[int, int]) -> Extent:
    """Return what to propose that a file is complete for.

    Args:
        coverage: what the file names.
        planned_units: unit id → site id, of those where the source is known to plan something in
            the days of the file.

    Returns:
        the sites that it names, where it names every unit of theirs in which something is
        planned; else nothing: one unit's list is not the whole, and of a source or days of which
        nothing is known nobody can tell what the whole is.
    """
    sites = set(coverage.sites.values())
    expected = {unit for unit, site in planned_units.items() if site in sites}
    is_whole = bool(expected) and expected <= coverage.sites.keys()
    return Extent.SITES if is_whole else Extent.NOTHING


def too_many(
    disappeared: Iterable[SiteDay], known: Mapping[SiteDay, int]
) -> dict[SiteDay, tuple[int, int]]:
    """Return the sites and days of which so much disappeared that somebody must say yes.

    Args:
        disappeared: site and day of each appointment that disappeared.
        known: how many are known for each site and day, the disappeared among them.

    Returns:
        site and day → how many disappeared, of how many.
    """
    return {
        place: (number, known[place])
        for place, number in Counter(disappeared).items()
        if number > MOST_UNASKED and number > LARGEST_SHARE * known[place]
    }


def speaks_for_all(
    planned: Collection[tuple[str, int, int, dt.date]], coverage: Coverage, area: Area | None
) -> bool:
    """Whether a file says something of everything the source plans soon: only then is it as young.

    Args:
        planned: number at the source, unit id, site id and day of each.
        coverage: what the file names.
        area: where the file is complete.
    """
    return all(
        (area is not None and area.covers(unit_id=unit_id, site_id=site_id, day=day))
        or coverage.mentions(source_id)
        for source_id, unit_id, site_id, day in planned
    )
