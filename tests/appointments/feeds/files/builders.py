"""Schedule files and records made by the tests."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import openpyxl

from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.records import RowFault, ScheduleRecord
from tests.builders import at

ROW = {
    "N° RDV": "R1",
    "Dossier": "D1",
    "Nom": "Dupont",
    "Prénom": "Hélène",
    "GSM": "0495 12 34 56",
    "Site": "arlon",
    "Unité": "arlon-cardio",
    "Activité": "consultation",
    "Date et heure": "16/05/2022 09:10",
}


def a_record(number: int = 1, *, starts: str = "2022-05-16 09:10", **fields: Any) -> ScheduleRecord:
    """Return a record of Monday 16 May 2022 at Arlon, unless told otherwise."""
    values: dict[str, Any] = {
        "line": number + 1,
        "source_id": f"R{number}",
        "patient_id": f"D{number}",
        "family_name": f"Dupont{number}",
        "site": "arlon",
        "unit": "arlon-cardio",
        "service": "consultation",
        "starts_at": at(starts),
        "phones": (f"+3249512{number:04d}",),
    }
    return ScheduleRecord(**(values | fields))


def csv_text(rows: Iterable[Mapping[str, str]], *, delimiter: str = ";") -> str:
    """Return rows as CSV; the headings are those of the first row."""
    listed = list(rows)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(listed[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(listed)
    return buffer.getvalue()


def csv_file(
    folder: Path,
    *rows: Mapping[str, str],
    delimiter: str = ";",
    encoding: str = "utf-8",
    name: str = "agenda.csv",
) -> Path:
    """Write rows (``ROW`` when none is given) to a CSV file."""
    path = folder / name
    path.write_bytes(csv_text(rows or [ROW], delimiter=delimiter).encode(encoding))
    return path


def xlsx_file(folder: Path, *rows: Mapping[str, Any], name: str = "agenda.xlsx") -> Path:
    """Write rows (``ROW`` when none is given) to an XLSX file."""
    listed = rows or (ROW,)
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(list(listed[0]))
    for row in listed:
        sheet.append(list(row.values()))
    path = folder / name
    workbook.save(path)
    return path


def read(path: Path) -> tuple[list[ScheduleRecord], list[RowFault]]:
    """Return the records and the faults of a file."""
    entries = list(open_schedule(path).entries())
    return (
        [entry for entry in entries if isinstance(entry, ScheduleRecord)],
        [entry for entry in entries if isinstance(entry, RowFault)],
    )


def naive(text: str) -> dt.datetime:
    """Return the moment a spreadsheet keeps for ``2022-05-16 09:10``."""
    return dt.datetime.fromisoformat(text)
