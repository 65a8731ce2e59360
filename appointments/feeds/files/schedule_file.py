"""A schedule file: opened whatever it is, CSV or XLSX, as tables of headings and rows.

The kind is told by the content, never by the name: files are renamed more often than converted.
What is neither kind is refused. A text file is never in memory: one pass tells the encoding,
another reads the rows. It is CSV with comma, semicolon, tab or bar; UTF-8, Windows-1252, or UTF-16
as Excel's text. A workbook has a table for each sheet (``workbook.py``).
"""

import codecs
import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any

from appointments.feeds.files import headings, moments, workbook
from appointments.feeds.files.headings import Headings
from appointments.feeds.files.limits import LARGEST_FILE, LONGEST_LINE, MOST_ROWS
from appointments.feeds.files.rows import SHOWN, DateOrder, RowReader, shown
from appointments.feeds.files.values import INVISIBLE, UNREADABLE
from appointments.feeds.records import Readable, RowFault, ScheduleRecord, SheetRead
from staff.errors import Refusal
from staff.sentences import Stored, joined
from staff.sentences import gettext_stored as _

FORMATS = ("auto", "csv", "xlsx")
_ZIP, _OLE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF"

_NOT_TEXT = _("Ceci n'est pas un fichier de texte : exportez l'agenda en CSV (UTF-8) ou en XLSX.")
# How web pages begin that agendas export as .xls, and Excel's XML of 2003; behind marks and spaces.
_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff|[\s\x00])*<\x00?(?:[?!]|/?\x00?(?:html|head|body|table|meta|div|style"
    rb"|h\x00?t\x00?m\x00?l|w|MIME))|MIME-Version:",
    re.IGNORECASE,
)
DELIMITERS = (";", ",", "\t", "|")
_TEXT_BLOCK = 1 << 18
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Characters that no text has; a few are damage, many mean another kind of file. Tabs, line ends and
# the end-of-file mark of DOS are allowed.
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")
_LINE_END = re.compile("\r\n|\r|\n")
_LONE_CONTROLS = 10
_BEGINNING = 4096
_MOST_NAMED = 5  # sheets in one sentence
Row = tuple[int, Sequence[Any]]
_PADDING = " \t\r\n\x00\x1a\xa0\ufffd"


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


def open_schedule(path: Path, *, file_format: str = "auto") -> ScheduleFile:
    """Open a file and find its headings.

    Args:
        path: the file; its name is not looked at.
        file_format: ``auto``, ``csv`` or ``xlsx``; the last two refuse the other kind.

    Raises:
        Refusal: it cannot be read at all: absent, empty, too large, of another kind, encrypted,
            or without the headings it must have.
    """
    found = _kind(path)
    if file_format not in {"auto", found}:
        raise Refusal(
            _("Ce fichier est au format %(found)s, pas %(asked)s.")
            % {"found": found.upper(), "asked": file_format.upper()}
        )
    return _open_workbook(path) if found == "xlsx" else _open_text(path)


def _kind(path: Path) -> str:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            beginning = file.read(1024)
    except OSError as error:
        raise Refusal(
            _("Fichier introuvable ou illisible : vérifiez le chemin et les droits de lecture.")
        ) from error
    if size == 0:
        raise Refusal(_("Le fichier est vide (0 octet) : refaites l'export."))
    if size > LARGEST_FILE:
        raise Refusal(
            _("Le fichier dépasse %(limit)s Mo : exportez moins de jours à la fois.")
            % {"limit": LARGEST_FILE // 1024 // 1024}
        )
    if beginning.startswith(_OLE):
        raise Refusal(
            _(
                "Ancien fichier Excel (.xls) ou fichier protégé par un mot de passe : "
                "enregistrez-le au format .xlsx sans mot de passe."
            )
        )
    if beginning.startswith(_PDF):
        raise Refusal(_("Ceci est un PDF : exportez l'agenda en CSV ou en XLSX."))
    if _WEB_PAGE.match(beginning):
        raise Refusal(
            _(
                "Ceci est une page web ou du XML enregistré sous un nom d'Excel : ouvrez-le dans "
                "Excel ou LibreOffice et enregistrez-le au format .xlsx, ou exportez en CSV."
            )
        )
    return "xlsx" if beginning.startswith(_ZIP) else "csv"


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

    A row with more than that has a separator in one of its texts, even if its
    last cells are empty.
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


@dataclass(frozen=True)
class _Text:
    """How the bytes of a file become lines."""

    path: Path
    encoding: str
    lines: int

    def __iter__(self) -> Iterator[str]:
        # Bytes that are no text are marked, and the rows that hold them refused one by one.
        with (
            self.path.open("rb") as binary,
            TextIOWrapper(binary, self.encoding, errors="replace", newline="") as stream,
        ):
            while line := stream.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise Refusal(_NOT_TEXT)
                # A mark inside begins a file that was joined to another.
                line = line.lstrip("\ufeff")
                yield line.replace("\x00", UNREADABLE) if line.strip("\x00\x1a\r\n") else "\n"


def _open_text(path: Path) -> ScheduleFile:
    """Open a text file.

    Raises:
        Refusal: it is not text, or has no usable headings.
    """
    text = _examine(path)
    delimiter = max(DELIMITERS, key=lambda candidate: _fitness(text, candidate))
    found = find_table(_rows(text, delimiter), rows_expected=text.lines).headings
    rows = _rows(text, delimiter, found)
    return ScheduleFile([find_table(rows, rows_expected=text.lines, may_slip=True)])


def _examine(path: Path) -> _Text:
    """Tell the encoding and count the lines.

    A file that is not quite UTF-8 (one damaged byte among many accents) stays UTF-8: read as
    Windows-1252 every name in it would be garbled, unseen.
    """
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    marked = next((name for bom, name in _BOMS if beginning.startswith(bom)), "")
    marked = marked or _utf_16_without_mark(beginning)
    accents = damaged = lines = controls = characters = 0
    decoder = codecs.getincrementaldecoder(marked or "utf-8")(errors="replace")
    with path.open("rb") as file:
        while block := file.read(_TEXT_BLOCK):
            text = decoder.decode(block, final=len(block) < _TEXT_BLOCK)
            written = text.rstrip("\x00")  # copies of tapes and of old disks are padded
            controls += len(_CONTROL.findall(written))
            characters += len(written)
            lines += text.count("\n") or text.count("\r")
            if not text.isascii():
                found = text.count(UNREADABLE)
                damaged += found
                accents += len(text) - len(text.encode("ascii", "ignore")) - found
    if controls > max(_LONE_CONTROLS, characters // 100):
        raise Refusal(_NOT_TEXT)
    encoding = marked or ("utf-8" if damaged <= accents else "cp1252")
    return _Text(path, encoding, max(lines, 1))


def _utf_16_without_mark(beginning: bytes) -> str:
    """Return the encoding of UTF-16 that does not say so: every other byte is zero."""
    half = len(beginning) // 2
    high, low = beginning[1::2].count(0), beginning[::2].count(0)
    for name, zeros, others in (("utf-16-le", high, low), ("utf-16-be", low, high)):
        if half > 1 and zeros > half * 3 // 4 and others < half // 4:
            return name
    return ""


def _fitness(text: _Text, delimiter: str) -> int:
    """Return how many of our columns the first lines name, split by a delimiter."""
    first = islice(_rows(text, delimiter), headings.SEARCHED_LINES)
    return max((headings.known(row[1]) for row in first if not isinstance(row, Broken)), default=0)


def _rows(text: _Text, delimiter: str, found: Headings | None = None) -> Iterator[Row | Broken]:
    """Yield each row with the line on which it begins; broken ones for misplaced quotes.

    A quote that is not closed swallows the lines that follow, and so do two stray ones with whole
    rows between them. Those lines are given back and read again, so that one error costs one row.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            why = _("Guillemet mal placé ou jamais refermé : corrigez ou enlevez-le.")
        else:
            if not (found and lines.has_swallowed(cells, delimiter, found)):
                yield line, cells
                continue
            why = _(
                "Un guillemet de cette ligne en avale d'autres : enlevez-le. Les lignes suivantes "
                "sont lues."
            )
        yield Broken(line, lines.give_back().rstrip("\r\n").split(delimiter), why)


class _Lines:
    """Lines of a text that can be given back, all but the first of a row."""

    def __init__(self, text: Iterable[str]) -> None:
        self._coming = iter(text)
        self._returned: deque[str] = deque()
        self._row: list[str] = []
        self._read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._coming)
        self._row.append(line)
        self._read += 1
        return line

    def begin_row(self) -> int:
        """Forget the lines of the row before; return the number of the line that comes."""
        self._row = []
        return self._read + 1

    def has_swallowed(self, cells: list[str], delimiter: str, found: Headings) -> bool:
        """Whether a text of this row holds lines that are rows of their own."""
        if len(self._row) == 1:
            return False
        coming = iter(self._row[1:])
        for cell in cells:
            inside = list(islice(coming, len(_LINE_END.findall(cell))))
            is_torn = delimiter in cell or len(cells) > found.width
            if is_torn and any(_is_row(line.split(delimiter), found) for line in inside):
                return True
        return False

    def give_back(self) -> str:
        """Let the lines that follow the first of this row come again; return the first."""
        first, *others = self._row
        self._returned.extendleft(reversed(others))
        self._read -= len(others)
        return first


def _is_row(cells: list[str], found: Headings) -> bool:
    """Whether cells stand where a row of this file has them: a number, and a date."""
    at = found.places["source_id"][0]
    if at >= len(cells) or not cells[at].strip(' "'):
        return False
    places = [found.places[key][0] for key in ("starts_at", "date") if key in found.places]
    return any(moments.has_date(cells[at].strip(' "')) for at in places if at < len(cells))


def _open_workbook(path: Path) -> ScheduleFile:
    """Open every visible sheet whose headings fit.

    Raises:
        Refusal: damaged, not XLSX, too large, protected, empty, or no sheet has usable headings.
    """
    rows_file, sheets = workbook.read_sheets(path.resolve())
    tables: list[Table] = []
    read: list[SheetRead] = []
    refusals: dict[str, Refusal] = {}
    for sheet in sheets:
        about = SheetRead(sheet["name"])
        if sheet["is_hidden"]:
            about.left_out = _("feuille masquée : si elle contient des rendez-vous, affichez-la.")
        elif sheet["rows"]:
            try:
                rows = workbook.sheet_rows(rows_file, sheet["start"], sheet["end"])
                tables.append(find_table(rows, rows_expected=sheet["rows"], sheet=about.name))
            except NoRows as refusal:  # the sheet of a day without appointments
                refusals[about.name] = refusal
            except Refusal as refusal:
                about.left_out = refusal.sentence
                refusals[about.name] = refusal
        else:
            continue
        read.append(about)
    if not tables:
        raise _nothing_read(read, refusals)
    return ScheduleFile(tables, read)


def _nothing_read(sheets: list[SheetRead], refusals: dict[str, Refusal]) -> Refusal:
    if len(refusals) == 1:
        return next(iter(refusals.values()))
    if refusals:
        reason = _("« %(name)s » : %(why)s")
        reasons = [
            reason % {"name": one.name, "why": one.left_out or refusals[one.name].sentence}
            for one in sheets[:_MOST_NAMED]
        ]
        more = ["…"] if len(sheets) > _MOST_NAMED else []
        why = _("Aucune feuille ne convient. %(reasons)s")
        return Refusal(why % {"reasons": joined([*reasons, *more])})
    if sheets:
        names = ", ".join(sheet.name for sheet in sheets)
        return Refusal(
            _("Toutes les feuilles sont masquées (%(names)s) : affichez celle de l'agenda.")
            % {"names": names[:160]}
        )
    return Refusal(_("Le classeur est vide : refaites l'export."))
