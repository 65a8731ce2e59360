"""Open a schedule file whatever it is, CSV or XLSX, and refuse what is neither.

The kind is told by the content, never by the name: files are renamed more often than converted.
A text file is never in memory: one pass tells the encoding, another reads the rows. It is CSV with
comma, semicolon, tab or bar; UTF-8, Windows-1252, or UTF-16 as Excel's text.

A workbook is opened by a process of its own (``workbook_child.py``): it may ask for all memory, or
never end. Limits of memory and processor time follow the size of the file, and the rows come back
in a temporary file without a name.
"""

import codecs
import csv
import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any

from appointments.feeds.files import headings, moments, workbook_child
from appointments.feeds.files.headings import Headings
from appointments.feeds.files.limits import (
    LARGEST_FILE,
    LARGEST_SHARED_STRINGS,
    LARGEST_UNPACKED,
    LONGEST_LINE,
    MOST_CELLS,
    MOST_ROWS,
    MOST_ROWS_BYTES,
)
from appointments.feeds.files.tables import Broken, NoRows, Row, ScheduleFile, Table, find_table
from appointments.feeds.files.values import UNREADABLE, Uncomputed
from appointments.feeds.records import SheetRead
from staff.errors import Refusal
from staff.sentences import gettext_stored as _
from staff.sentences import joined

FORMATS = ("auto", "csv", "xlsx")
_ZIP, _OLE, _PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF"

_NOT_TEXT = _("Ceci n'est pas un fichier de texte : exportez l'agenda en CSV (UTF-8) ou en XLSX.")
_TOO_LARGE = _(
    "Ce classeur est trop grand une fois ouvert : exportez moins de jours à la fois, ou "
    "effacez les lignes et colonnes vides au-delà du tableau."
)
_DAMAGED = _("Ce classeur est abîmé : refaites l'export, ou enregistrez-le en CSV.")
_BY_EXIT_CODE = {
    workbook_child.TOO_LARGE: _TOO_LARGE,
    workbook_child.PROTECTED: _("Classeur protégé : enregistrez-le sans mot de passe."),
    workbook_child.NO_WORKBOOK: _(
        "Ce n'est pas un classeur XLSX : enregistrez-le en .xlsx ou CSV."
    ),
    workbook_child.OPEN_DOCUMENT: _(
        "Classeur LibreOffice (.ods) : enregistrez-le au format .xlsx ou CSV."
    ),
    workbook_child.BINARY: _("Classeur binaire (.xlsb) : enregistrez-le au format .xlsx."),
}
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
_MEGABYTE = 1 << 20
# A workbook of 36,000 rows has 3 MB and takes 70 MB of memory and 2 s of a slow processor, one of
# 200,000 rows 15 MB, 310 MB and 12 s. What is small and asks for much more is no agenda.
_MEMORY, _MEMORY_FOR_A_BYTE = 250 * _MEGABYTE, 16
_SECONDS, _SECONDS_FOR_A_MEGABYTE = 20, 8
_WAIT_FOR_A_SECOND = 12  # of processor time: a busy machine does little of it
_BLOCK = 1 << 20
_MOST_NAMED = 5  # sheets in one sentence
_INDEX_WIDTH = 20
_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")


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


class _RowsFile:
    """The rows of a workbook in a temporary file, which is closed with its last reader."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed below

    def __del__(self) -> None:
        self.file.close()

    def read(self, start: int, length: int) -> bytes:
        self.file.seek(start)
        return self.file.read(length)


def _open_workbook(path: Path) -> ScheduleFile:
    """Open every visible sheet whose headings fit.

    Raises:
        Refusal: damaged, not XLSX, too large, protected, empty, or no sheet has usable headings.
    """
    rows_file, sheets = _read(path.resolve())
    tables: list[Table] = []
    read: list[SheetRead] = []
    refusals: dict[str, Refusal] = {}
    for sheet in sheets:
        about = SheetRead(sheet["name"])
        if sheet["is_hidden"]:
            about.left_out = _("feuille masquée : si elle contient des rendez-vous, affichez-la.")
        elif sheet["rows"]:
            try:
                rows = _sheet_rows(rows_file, sheet["start"], sheet["end"])
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


def limits_for(size: int) -> dict[str, int]:
    """Return what the child may use for a workbook of so many bytes: bytes, rows, CPU seconds."""
    return {
        "memory": _MEMORY + _MEMORY_FOR_A_BYTE * size,
        "seconds": _SECONDS + _SECONDS_FOR_A_MEGABYTE * size // _MEGABYTE,
        "strings": LARGEST_SHARED_STRINGS,
        "unpacked": LARGEST_UNPACKED,
        "cells": MOST_CELLS,
        "rows": MOST_ROWS,
        "output": MOST_ROWS_BYTES,
    }


def _read(path: Path) -> tuple[_RowsFile, list[dict[str, Any]]]:
    """Return the rows of a workbook as the child writes them, and the index of its sheets."""
    limits = limits_for(path.stat().st_size)
    rows_file = _RowsFile()
    # The child gets no secrets of this process.
    environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    try:
        ended = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", workbook_child.__file__, str(path), json.dumps(limits)],
            stdin=subprocess.DEVNULL,
            stdout=rows_file.file,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=limits["seconds"] * _WAIT_FOR_A_SECOND,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refusal(_TOO_LARGE) from error
    if ended.returncode:
        # A signal means that a limit was hit.
        otherwise = _DAMAGED if ended.returncode > 0 else _TOO_LARGE
        raise Refusal(_BY_EXIT_CODE.get(ended.returncode, otherwise))
    end = max(rows_file.file.seek(0, os.SEEK_END) - _INDEX_WIDTH, 0)
    try:
        start = int(rows_file.read(end, _INDEX_WIDTH))
        return rows_file, json.loads(rows_file.read(start, end - start))
    except ValueError as error:
        raise Refusal(_DAMAGED) from error


def _sheet_rows(rows_file: _RowsFile, start: int, end: int) -> Iterator[Row]:
    """Yield the rows of one sheet from its first line on, blank ones included."""
    number, rest = 0, b""
    while start < end:
        block = rows_file.read(start, min(_BLOCK, end - start))
        start += len(block)
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            number += 1
            cells = json.loads(line)
            yield number, [_cell(cell) if isinstance(cell, dict) else cell for cell in cells]


def _cell(written: Mapping[str, Any]) -> object:
    """Return a cell that JSON has no value for."""
    ((kind, value),) = written.items()
    if kind == "t":
        return dt.datetime.fromisoformat(value)
    if kind == "d":
        return dt.date.fromisoformat(value)
    if kind == "h":
        return dt.time.fromisoformat(value)
    return dt.timedelta(seconds=value) if kind == "s" else Uncomputed(str(value))
