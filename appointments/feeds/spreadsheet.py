"""XLSX, by calamine, after a look at what opening it would cost.

calamine reserves memory for the whole rectangle between the first and the last cell: one stray
value in XFD1048576 asks for hundreds of gigabytes and ends the process without an exception. So
the archive is measured first.
"""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine
from django.utils.translation import gettext as _

from appointments.feeds.limits import LARGEST_UNPACKED, MOST_CELLS, MOST_ROWS
from appointments.feeds.tables import Row, ScheduleFile, find_table
from staff.errors import Refusal

_BLOCK = 1 << 20
_SHEETS = "xl/worksheets/"
# A row, or a cell that is not empty; calamine passes over cells without content.
_PLACE = re.compile(
    rb"""<(?:\w+:)?(?:
        row\b (?:[^>]*?\s r=["'](?P<row>\d{1,9})["'])?
      | c\b (?P<attributes> [^>]*) (?<!/)>
    )""",
    re.VERBOSE,
)
_REFERENCE = re.compile(rb"""\s r=["']([A-Za-z]{1,4})(\d{1,9})["']""", re.VERBOSE)
_LONGEST_TAG = 4096
# What zipfile raises for a broken archive: a wrong length, an unknown or encrypted part, a name
# that is no text (a ValueError), a field out of range.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)


def open_file(path: Path) -> ScheduleFile:
    """Open the first sheet that holds anything.

    Raises:
        Refusal: damaged, not XLSX, too large, protected, empty, or without usable headings.
    """
    _measure(path)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        for index in range(len(workbook.sheet_names)):
            sheet = workbook.get_sheet_by_index(index)
            if sheet.height:
                return ScheduleFile([find_table(_rows(sheet), rows_expected=sheet.total_height)])
    except python_calamine.PasswordError as error:
        raise Refusal(_("Classeur protégé : enregistrez-le sans mot de passe.")) from error
    except (python_calamine.CalamineError, OSError) as error:
        raise _damaged() from error
    raise Refusal(_("Le classeur est vide : refaites l'export."))


def _rows(sheet: Any) -> Iterator[Row]:
    # Rows come from the first line of the sheet on, blank ones included.
    yield from enumerate(sheet.iter_rows(), start=1)


def _measure(path: Path) -> None:
    """Refuse an archive that is not a workbook or would not fit in memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if "xl/workbook.xml" not in archive.namelist():
                raise Refusal(_("Ce n'est pas un classeur XLSX : enregistrez-le en .xlsx ou CSV."))
            if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise _too_large()
            for part in parts:
                with archive.open(part) as stream:
                    _measure_part(stream, is_sheet=part.filename.startswith(_SHEETS))
    except _DAMAGE as error:
        raise _damaged() from error


def _measure_part(stream: Any, *, is_sheet: bool) -> None:
    """Read a part to its end, which checks its length, and measure the rectangle of a sheet."""
    row = column = widest = 0
    kept = b""
    while block := stream.read(_BLOCK):
        if not is_sheet:
            continue
        text = kept + block
        end = text.rfind(b"<") if len(kept) < _LONGEST_TAG else len(text)
        for place in _PLACE.finditer(text, 0, end):
            if place["attributes"] is None:
                row, column = int(place["row"] or row + 1), 0
                continue
            reference = _REFERENCE.search(place["attributes"])
            if reference:
                column, row = _column(reference[1]), max(row, int(reference[2]))
            else:
                column += 1
            widest = max(widest, column)
            if row * widest > MOST_CELLS or row > MOST_ROWS * 2:
                raise _too_large()
        kept = text[end:]


def _column(letters: bytes) -> int:
    """Return the number of a column: A is 1, XFD is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _too_large() -> Refusal:
    return Refusal(
        _(
            "Ce classeur est trop grand une fois ouvert : exportez moins de jours à la fois, ou "
            "effacez les lignes et colonnes vides au-delà du tableau."
        )
    )


def _damaged() -> Refusal:
    return Refusal(_("Ce classeur est abîmé : refaites l'export, ou enregistrez-le en CSV."))
