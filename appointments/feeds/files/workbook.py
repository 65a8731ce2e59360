"""Open a workbook with a process of its own, and read the rows that it gives back.

The process (``workbook_child.py``) may ask for all memory, or never end. Limits of memory and
processor time follow the size of the file, and the rows come back in a temporary file without a
name.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from appointments.feeds.files import workbook_child
from appointments.feeds.files.limits import (
    LARGEST_SHARED_STRINGS,
    LARGEST_UNPACKED,
    MOST_CELLS,
    MOST_ROWS,
    MOST_ROWS_BYTES,
)
from appointments.feeds.files.values import Uncomputed
from staff.errors import Refusal
from staff.sentences import gettext_stored as _

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
_MEGABYTE = 1 << 20
# A workbook of 36,000 rows has 3 MB and takes 70 MB of memory and 2 s of a slow processor, one of
# 200,000 rows 15 MB, 310 MB and 12 s. What is small and asks for much more is no agenda.
_MEMORY, _MEMORY_FOR_A_BYTE = 250 * _MEGABYTE, 16
_SECONDS, _SECONDS_FOR_A_MEGABYTE = 20, 8
_WAIT_FOR_A_SECOND = 12  # of processor time: a busy machine does little of it
_BLOCK = 1 << 20
_INDEX_WIDTH = 20
_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")


class RowsFile:
    """The rows of a workbook in a temporary file, which is closed with its last reader."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed below

    def __del__(self) -> None:
        self.file.close()

    def read(self, start: int, length: int) -> bytes:
        self.file.seek(start)
        return self.file.read(length)


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


def read_sheets(path: Path) -> tuple[RowsFile, list[dict[str, Any]]]:
    """Return the rows of a workbook as the child writes them, and the index of its sheets.

    Raises:
        Refusal: damaged, not XLSX, too large, or protected.
    """
    limits = limits_for(path.stat().st_size)
    rows_file = RowsFile()
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


def sheet_rows(rows_file: RowsFile, start: int, end: int) -> Iterator[tuple[int, Sequence[Any]]]:
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
