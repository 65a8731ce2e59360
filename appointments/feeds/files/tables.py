"""What every kind of file comes down to: headings, then rows that become records."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from appointments.feeds.files import headings, moments
from appointments.feeds.files.headings import Headings
from appointments.feeds.files.limits import MOST_ROWS
from appointments.feeds.files.rows import SHOWN, RowReader, shown
from appointments.feeds.files.values import INVISIBLE
from appointments.feeds.records import Readable, RowFault, ScheduleRecord, SheetRead
from staff.errors import Refusal
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

_AGENDA, _BIRTH = "agenda", "birth"
_KINDS = {"starts_at": _AGENDA, "date": _AGENDA, "ends_at": _AGENDA, "birth_date": _BIRTH}
_ENOUGH = 3  # so many texts and dates of a spreadsheet show that it swapped day and month
_MONTHS = 12
Row = tuple[int, Sequence[Any]]
_PADDING = " \t\r\n\x00\x1a\xa0\ufffd"


@dataclass
class _Seen:
    """What the dates of one kind have shown.

    Attributes:
        ours, other: how many exist only with the day, or only with the month, before the other.
        ambiguous: how many could be either.
        half_days: how many write AM or PM beside an ambiguous date.
        late, early: dates kept by a spreadsheet, after the 12th of a month or not.
        example: line, heading and text of the first that proves another order, or may be.
    """

    ours: int = 0
    other: int = 0
    ambiguous: int = 0
    half_days: int = 0
    late: int = 0
    early: int = 0
    example: tuple[int, str, str] = (0, "", "")


class DateOrder:
    """Watches the dates of a file and refuses the whole of it when it is month-first.

    05/13/2022 exists only month-first. In such a file 05/06/2022 would be read as June instead of
    May: so the whole file is refused. A file that writes both orders has typing errors, and only
    those rows are refused.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: dict[str, _Seen] = defaultdict(_Seen)

    def see(self, headings: Headings, line: int, cells: Sequence[Any]) -> None:
        """Take in the dates of one row."""
        for key, kind in _KINDS.items():
            for place in headings.places.get(key, ()):
                if place < len(cells):
                    self._see(self._seen[kind], cells[place], line, headings.titles[place])

    @staticmethod
    def _see(seen: _Seen, cell: object, line: int, title: str) -> None:
        if isinstance(cell, dt.date):
            seen.late += cell.day > _MONTHS
            seen.early += cell.day <= _MONTHS
            return
        order = moments.order_shown(cell)
        is_ambiguous = not order and moments.is_ambiguous(cell)
        seen.ours += order > 0
        seen.other += order < 0
        seen.ambiguous += is_ambiguous
        has_half_day = is_ambiguous and moments.has_half_day(cell)
        seen.half_days += has_half_day
        is_first_proof = order < 0 and seen.other == 1
        if is_first_proof or (has_half_day and seen.half_days == 1) or not seen.example[0]:
            seen.example = (line, title, str(cell).strip()[:40])

    def refuse_another(self) -> None:
        """Refuse a file whose dates are in another order than ours.

        Raises:
            Refusal: it proves another order, and nothing in it proves ours.
        """
        agenda, birth = self._seen[_AGENDA], self._seen[_BIRTH]
        if agenda.other and not agenda.ours and not agenda.late:
            raise _month_first(agenda)
        # One birth date that exists only month-first is a slip where the agenda is day-first.
        is_slip = birth.other == 1 and agenda.ours
        if birth.other and not birth.ours and not birth.late and not is_slip:
            raise _month_first(birth)
        if agenda.half_days and not agenda.ours and not agenda.late:
            raise Refusal(
                _(
                    "Avec AM ou PM, %(value)s (ligne %(line)s, %(column)s) peut être écrit "
                    "mois/jour ou jour/mois. Rien n'est lu : exportez les dates en "
                    "jour/mois/année et les heures de 0 à 24."
                )
                % _named(agenda)
            )
        for seen in (agenda, birth):
            # Excel in another language keeps 16/05 as text and turns 05/06 into the 6th of May.
            if min(seen.ours, seen.early) >= _ENOUGH and not (seen.late or seen.ambiguous):
                raise Refusal(
                    _(
                        "Excel a sans doute inversé jour et mois : les dates après le 12 (comme "
                        "%(value)s, ligne %(line)s, %(column)s) sont du texte, les autres ne le "
                        "sont pas. Rien n'est lu : refaites l'export, sans l'ouvrir dans Excel."
                    )
                    % _named(seen)
                )


def _named(seen: _Seen) -> dict[str, object]:
    line, column, value = seen.example
    return {"line": line, "column": column, "value": value}


def _month_first(seen: _Seen) -> Refusal:
    return Refusal(
        _(
            "Ce fichier écrit le mois avant le jour : %(value)s (ligne %(line)s, %(column)s) "
            "n'existe pas autrement. Rien n'est lu, car d'autres dates changeraient de mois : "
            "exportez les dates en jour/mois/année ou année-mois-jour."
        )
        % _named(seen)
    )


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
    rest = [row for row in first if (row.line if isinstance(row, Broken) else row[0]) > found.line]
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


def _usual_width(found: Headings, rows: Sequence[Row | Broken]) -> int:
    """Return how many cells most rows have, or the headings when these have more.

    A row with more than that has a separator in one of its texts, be its last cells empty.
    """
    lengths = [len(row[1]) for row in rows if not isinstance(row, Broken)]
    (usual, _count), *_others = Counter(lengths).most_common(1) or [(0, 0)]
    return max(usual, found.width)


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
