"""What both kinds of file come down to: headings, then rows that become records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from django.utils.translation import gettext as _

from appointments.feeds import headings
from appointments.feeds.headings import Headings
from appointments.feeds.limits import MOST_ROWS
from appointments.feeds.records import RowFault, ScheduleRecord
from appointments.feeds.rows import RowReader
from staff.errors import Refusal

Row = tuple[int, Sequence[Any]]


@dataclass
class ScheduleFile:
    """An opened schedule file.

    Attributes:
        headings: which column is which.
        rows_expected: about how many rows follow, for a progress bar.
        rows: the rows after the headings, each with its line; a fault where the file itself is
            broken at that place.
    """

    headings: Headings
    rows_expected: int
    rows: Iterator[Row | RowFault]

    def entries(self) -> Iterator[ScheduleRecord | RowFault]:
        """Yield the record of each row, preceded by its faults; blank rows are passed over.

        Raises:
            Refusal: the file turns out too large.
        """
        for row in self.rows:
            if isinstance(row, RowFault):
                yield row
                continue
            line, cells = row
            if all(_is_blank(cell) for cell in cells):
                continue
            reader = RowReader(self.headings, line, cells)
            record = reader.record()
            if record is None:
                read = reader.readable()
                yield from (replace(fault, row=read) for fault in reader.faults)
            else:
                yield from reader.faults
                yield record


def schedule_file(rows: Iterator[Row | RowFault], *, rows_expected: int) -> ScheduleFile:
    """Find the headings among the first rows, and give the rest.

    Args:
        rows: every row of the file, from its first line.
        rows_expected: about how many there are.

    Raises:
        Refusal: no usable headings, or nothing below them.
    """
    first = list(islice(rows, headings.SEARCHED_LINES + 1))
    found = headings.find([row for row in first if not isinstance(row, RowFault)])
    rest = [
        row for row in first if (row.line if isinstance(row, RowFault) else row[0]) > found.line
    ]
    if not rest:
        raise Refusal(_("Le fichier ne contient que des titres : aucun rendez-vous à charger."))
    expected = max(rows_expected - found.line, 1)
    return ScheduleFile(found, expected, _counted(chain(rest, rows)))


def _is_blank(cell: object) -> bool:
    return isinstance(cell, str) and not cell.strip()


def _counted(rows: Iterator[Row | RowFault]) -> Iterator[Row | RowFault]:
    for count, row in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise Refusal(
                _("Plus de %(limit)s lignes : exportez moins de jours à la fois.")
                % {"limit": MOST_ROWS}
            )
        yield row
