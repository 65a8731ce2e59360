"""CSV with comma, semicolon or tab; UTF-8 (BOM or not), Windows-1252, or Excel's UTF-16 text.

The file is never in memory: one pass tells the encoding, another reads the rows.
"""

import codecs
import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from appointments.feeds import headings
from appointments.feeds.limits import LONGEST_LINE
from appointments.feeds.records import RowFault
from appointments.feeds.rows import shown
from appointments.feeds.tables import Row, ScheduleFile, schedule_file
from appointments.feeds.values import UNREADABLE
from staff.errors import Refusal

DELIMITERS = (";", ",", "\t")
_BLOCK = 1 << 18
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
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
                    raise _not_text()
                yield line


def open_file(path: Path) -> ScheduleFile:
    """Open a text file.

    Raises:
        Refusal: it is not text, or has no usable headings.
    """
    text = _examine(path)
    delimiter = max(DELIMITERS, key=lambda candidate: _fitness(text, candidate))
    return schedule_file(_rows(text, delimiter), rows_expected=text.lines)


def _examine(path: Path) -> _Text:
    """Tell the encoding and count the lines.

    A file that is not quite UTF-8 (one damaged byte among many accents) stays UTF-8: read as
    Windows-1252 every name in it would be garbled, unseen.
    """
    with path.open("rb") as file:
        beginning = file.read(4)
    marked = next((name for bom, name in _BOMS if beginning.startswith(bom)), "")
    accents = damaged = lines = 0
    decoder = codecs.getincrementaldecoder(marked or "utf-8")(errors="replace")
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            text = decoder.decode(block, final=len(block) < _BLOCK)
            if "\x00" in text:
                raise _not_text()
            lines += text.count("\n") or text.count("\r")
            if not text.isascii():
                found = text.count(UNREADABLE)
                damaged += found
                accents += len(text) - len(text.encode("ascii", "ignore")) - found
    encoding = marked or ("utf-8" if damaged <= accents else "cp1252")
    return _Text(path, encoding, max(lines, 1))


def _fitness(text: _Text, delimiter: str) -> int:
    """Return how many of our columns the first lines name, split by a delimiter."""
    first = islice(_rows(text, delimiter), headings.SEARCHED_LINES)
    return max(
        (headings.known(row[1]) for row in first if not isinstance(row, RowFault)), default=0
    )


def _rows(text: _Text, delimiter: str) -> Iterator[Row | RowFault]:
    """Yield each row with the line on which it begins; a fault for a quote that is not closed.

    Such a quote swallows the lines that follow; they are given back and read again, so that one
    slip costs one row.
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
            written = lines.give_back()
            yield RowFault(
                line,
                "",
                shown(written)[:80],
                _("Guillemet mal placé ou jamais refermé : corrigez ou enlevez-le."),
            )
        else:
            yield line, cells


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

    def give_back(self) -> str:
        """Let the lines that follow the first of this row come again; return the first."""
        first, *others = self._row
        self._returned.extendleft(reversed(others))
        self._read -= len(others)
        return first


def _not_text() -> Refusal:
    return Refusal(
        _("Ceci n'est pas un fichier de texte : exportez l'agenda en CSV (UTF-8) ou en XLSX.")
    )
