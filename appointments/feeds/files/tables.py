"""What every kind of file comes down to: headings, then rows that become records."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from appointments.feeds.files import headings
from appointments.feeds.files.date_order import DateOrder
from appointments.feeds.files.headings import Headings
from appointments.feeds.files.limits import MOST_ROWS
from appointments.feeds.files.rows import SHOWN, RowReader, shown
from appointments.feeds.files.values import INVISIBLE
from appointments.feeds.records import Readable, RowFault, ScheduleRecord, SheetRead
from staff.errors import Refusal
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

Row = tuple[int, Sequence[Any]]


class NoRows(Refusal):
    """The headings fit, but nothing stands below them."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that the file itself breaks: its cells as far as they can be told, and why."""

    line: int
    cells: Sequence[str]
    why: Stored


@dataclass
class Table:
    """The one table of a text file, or one sheet of a workbook.

    Attributes:
        headings: which column is which.
        rows: the rows after the headings, each with its line.
        rows_expected: about how many follow, for a progress bar.
        sheet: name of the sheet; empty for a text file.
        width: most cells that a row has when nothing slipped; None where cells cannot slip.
        titles: the lines above the headings, which may say when the export was made.
    """

    headings: Headings
    rows: Iterator[Row | Broken]
    rows_expected: int
    sheet: str = ""
    width: int | None = None
    titles: tuple[str, ...] = ()

    def entries(self, dates: DateOrder) -> Iterator[ScheduleRecord | RowFault | None]:
        """Yield the record of each row, preceded by its faults; None ends each row.

        A second line of headings holds for what follows it: exports of several units are often
        pasted under one another, and their columns need not be in one order.
        """
        known: Headings | None = self.headings
        width = self.width
        for row in self.rows:
            line, cells = (row.line, row.cells) if isinstance(row, Broken) else row
            if all(is_blank(cell) for cell in cells):
                continue
            if (known or self.headings).are_repeated(cells):
                try:
                    known = headings.read(line, cells)
                    width = width and max(known.width, len(cells))
                except Refusal as refusal:
                    known = None
                    yield RowFault(line, "", "", refusal.sentence, sheet=self.sheet)
                    yield None
                continue
            if known is None:
                why = _("La ligne de titres qui précède ne convient pas : corrigez-la.")
                written = " ".join(filter(None, map(shown, cells)))
                row_read = Readable(name=written[:SHOWN])
                yield RowFault(line, "", "", why, sheet=self.sheet, row=row_read, written=written)
                yield None
                continue
            reader = RowReader(known, line, cells)
            record = None
            if isinstance(row, Broken):
                reader.refuse(row.why)
            else:
                dates.see(known, line, cells)
                record = reader.record(width=width)
            faults = [replace(fault, sheet=self.sheet) for fault in reader.faults]
            if record is None:
                row_read = reader.readable()
                faults = [replace(fault, row=row_read) for fault in faults]
            yield from faults
            if record is not None:
                yield replace(record, sheet=self.sheet) if self.sheet else record
            yield None


@dataclass
class ScheduleFile:
    """An opened schedule file.

    Attributes:
        tables: one for a text file; for a workbook, one for each sheet that is read.
        sheets: every sheet of a workbook, read or left out; empty for a text file. The rows are
            counted while they are read.
    """

    tables: Sequence[Table]
    sheets: list[SheetRead] = field(default_factory=list)

    @property
    def headings(self) -> Headings:
        """Which column is which, in the first table."""
        return self.tables[0].headings

    @property
    def unused(self) -> tuple[str, ...]:
        """Headings that mean nothing to us, as the file writes them."""
        found = chain.from_iterable(table.headings.unused for table in self.tables)
        return tuple(dict.fromkeys(found))

    @property
    def titles(self) -> tuple[str, ...]:
        """The lines above the headings."""
        return tuple(chain.from_iterable(table.titles for table in self.tables))

    @property
    def rows_expected(self) -> int:
        """About how many rows follow, for a progress bar."""
        return sum(table.rows_expected for table in self.tables)

    def entries(self) -> Iterator[ScheduleRecord | RowFault]:
        """Yield the record of each row, preceded by its faults; blank rows are passed over.

        Raises:
            Refusal: the file turns out too large, or writes its dates in another order. That is
                known at its end only: what was yielded must not stay.
        """
        dates = DateOrder()
        sheets = {sheet.name: sheet for sheet in self.sheets}
        count = 0
        for table in self.tables:
            for entry in table.entries(dates):
                if entry is not None:
                    yield entry
                    continue
                count += 1
                if count > MOST_ROWS:
                    raise _too_many_rows()
                if table.sheet:
                    sheets[table.sheet].rows += 1
        dates.refuse_another()


def find_table(
    rows: Iterable[Row | Broken], *, rows_expected: int, sheet: str = "", may_slip: bool = False
) -> Table:
    """Find the headings among the first rows, and give the rest.

    Args:
        rows: every row of the table, from its first line.
        rows_expected: about how many there are.
        sheet: name of the sheet; empty for a text file.
        may_slip: whether a separator inside a text can shift the cells behind it.

    Raises:
        Refusal: no usable headings.
        NoRows: nothing below them.
    """
    coming = iter(rows)
    first = list(islice(coming, headings.SEARCHED_LINES + 1))
    found = headings.find([row for row in first if not isinstance(row, Broken)])
    rest = [row for row in first if _line(row) > found.line]
    if not rest:
        raise NoRows(_("Le fichier ne contient que des titres : aucun rendez-vous à charger."))
    rest += islice(coming, headings.SEARCHED_LINES)
    return Table(
        found,
        _limited(chain(rest, coming)),
        max(rows_expected - found.line, 1),
        sheet,
        _usual_width(found, rest) if may_slip else None,
        tuple(
            " ".join(str(cell) for cell in row[1] if not is_blank(cell))
            for row in first
            if not isinstance(row, Broken) and row[0] < found.line
        ),
    )


def is_blank(cell: object) -> bool:
    """Whether a cell shows nothing: empty, spaces, or what a file system pads a file with."""
    if not isinstance(cell, str):
        return cell is None
    return not cell.strip() or not INVISIBLE.sub("", cell).strip(_PADDING)


_PADDING = " \t\r\n\x00\x1a\xa0\ufffd"


def _usual_width(found: Headings, rows: Sequence[Row | Broken]) -> int:
    """Return how many cells most rows have, or the headings when these have more.

    A row with more than that has a separator in one of its texts, be its last cells empty.
    """
    lengths = [len(row[1]) for row in rows if not isinstance(row, Broken)]
    (usual, _count), *_others = Counter(lengths).most_common(1) or [(0, 0)]
    return max(usual, found.width)


def _line(row: Row | Broken) -> int:
    return row.line if isinstance(row, Broken) else row[0]


def _limited(rows: Iterator[Row | Broken]) -> Iterator[Row | Broken]:
    """Yield rows until there are far too many, blank ones included."""
    for count, row in enumerate(rows, start=1):
        if count > MOST_ROWS:
            raise _too_many_rows()
        yield row


def _too_many_rows() -> Refusal:
    return Refusal(
        _("Plus de %(limit)s lignes : exportez moins de jours à la fois.") % {"limit": MOST_ROWS}
    )
