"""XLSX, opened by a process of its own: a workbook may ask for all memory, or never end.

``workbook_child.py`` reads it, within limits of memory and of processor time that follow the size
of the file, and hands the rows over in a temporary file without a name.
"""

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
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
from appointments.feeds.files.tables import NoRows, Row, ScheduleFile, Table, find_table
from appointments.feeds.files.values import Uncomputed
from appointments.feeds.records import SheetRead
from staff.errors import Refusal
from staff.sentences import gettext_stored as _
from staff.sentences import joined

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


class _RowsFile:
    """The rows of a workbook in a temporary file, which goes with the last who reads them."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed below

    def __del__(self) -> None:
        self.file.close()

    def read(self, start: int, length: int) -> bytes:
        self.file.seek(start)
        return self.file.read(length)


def open_file(path: Path) -> ScheduleFile:
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
                rows = _rows(rows_file, sheet["start"], sheet["end"])
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
    # Nothing of this process's secrets goes along.
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
        raise _too_large() from error
    if ended.returncode:
        raise _refusal(ended.returncode)
    end = max(rows_file.file.seek(0, os.SEEK_END) - _INDEX_WIDTH, 0)
    try:
        start = int(rows_file.read(end, _INDEX_WIDTH))
        return rows_file, json.loads(rows_file.read(start, end - start))
    except ValueError as error:
        raise _damaged() from error


def _refusal(code: int) -> Refusal:
    """Return the sentence for the exit code of the child; a signal means that a limit was hit."""
    if code == workbook_child.PROTECTED:
        return Refusal(_("Classeur protégé : enregistrez-le sans mot de passe."))
    if code == workbook_child.NO_WORKBOOK:
        return Refusal(_("Ce n'est pas un classeur XLSX : enregistrez-le en .xlsx ou CSV."))
    if code == workbook_child.OPEN_DOCUMENT:
        return Refusal(_("Classeur LibreOffice (.ods) : enregistrez-le au format .xlsx ou CSV."))
    if code == workbook_child.BINARY:
        return Refusal(_("Classeur binaire (.xlsb) : enregistrez-le au format .xlsx."))
    if code == workbook_child.DAMAGED or code > 0:
        return _damaged() if code != workbook_child.TOO_LARGE else _too_large()
    return _too_large()


def _rows(rows_file: _RowsFile, start: int, end: int) -> Iterator[Row]:
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


def _too_large() -> Refusal:
    return Refusal(
        _(
            "Ce classeur est trop grand une fois ouvert : exportez moins de jours à la fois, ou "
            "effacez les lignes et colonnes vides au-delà du tableau."
        )
    )


def _damaged() -> Refusal:
    return Refusal(_("Ce classeur est abîmé : refaites l'export, ou enregistrez-le en CSV."))
