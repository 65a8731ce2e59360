"""CSV with comma, semicolon, tab or bar; UTF-8, Windows-1252, or UTF-16 as Excel's text.

The file is never in memory: one pass tells the encoding, another reads the rows.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from appointments.feeds.files import headings, moments
from appointments.feeds.files.headings import Headings
from appointments.feeds.files.limits import LONGEST_LINE
from appointments.feeds.files.tables import Broken, Row, ScheduleFile, find_table
from appointments.feeds.files.values import UNREADABLE
from staff.errors import Refusal
from staff.sentences import gettext_stored as _

DELIMITERS = (";", ",", "\t", "|")
_BLOCK = 1 << 18
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What no text holds; a lone one is damage, many are another kind of file. Tabs, line ends and the
# end-of-file mark of DOS are none of them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f]")
_LINE_END = re.compile("\r\n|\r|\n")
_LONE_CONTROLS = 10
_BEGINNING = 4096


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
                    raise _not_text()
                # A mark inside begins a file that was joined to another.
                line = line.lstrip("\ufeff")
                yield line.replace("\x00", UNREADABLE) if line.strip("\x00\x1a\r\n") else "\n"


def open_file(path: Path) -> ScheduleFile:
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
        while block := file.read(_BLOCK):
            text = decoder.decode(block, final=len(block) < _BLOCK)
            written = text.rstrip("\x00")  # copies of tapes and of old disks are padded
            controls += len(_CONTROL.findall(written))
            characters += len(written)
            lines += text.count("\n") or text.count("\r")
            if not text.isascii():
                found = text.count(UNREADABLE)
                damaged += found
                accents += len(text) - len(text.encode("ascii", "ignore")) - found
    if controls > max(_LONE_CONTROLS, characters // 100):
        raise _not_text()
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
    """Yield each row with the line on which it begins; broken ones for quotes gone astray.

    A quote that is not closed swallows the lines that follow, and so do two stray ones with whole
    rows between them. Those lines are given back and read again, so that one slip costs one row.
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


def _not_text() -> Refusal:
    return Refusal(
        _("Ceci n'est pas un fichier de texte : exportez l'agenda en CSV (UTF-8) ou en XLSX.")
    )
