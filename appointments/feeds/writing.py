"""Files that we give out: the template to fill in, and the faults to send back."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from appointments.feeds.columns import TEMPLATE_HEADINGS
from appointments.models import RejectedRow

# Excel reads the semicolon as separator where the comma is the decimal sign, and takes UTF-8
# for Windows-1252 unless a byte order mark says otherwise.
_DELIMITER, _MARK = ";", "\ufeff"
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def template() -> str:
    """Return the template: a line of headings, nothing below that could be loaded by mistake."""
    return _MARK + _line([heading for heading, _example in TEMPLATE_HEADINGS])


def faults(rows: Iterable[RejectedRow], sheets: Iterable[Mapping[str, Any]] = ()) -> Iterator[str]:
    """Yield the lines of a CSV with the faults of a file, for whoever must correct it.

    Args:
        rows: in the order of the file.
        sheets: those of a workbook, as ``ScheduleImport.sheets``; one left out comes first.
    """
    columns = [_("Ligne"), _("Colonne"), _("Valeur"), _("Raison"), _("Ligne entrée")]
    is_workbook = bool(sheets)
    yield _MARK + _line([_("Feuille"), *columns] if is_workbook else columns)
    for sheet in sheets:
        if sheet["left_out"]:
            why = _("Feuille laissée de côté : %(why)s") % {"why": sheet["left_out"]}
            yield _line([sheet["name"], "", "", "", why, _("non")])
    for row in rows:
        landed = _("oui") if row.landed else _("non")
        cells = [row.line, row.column, row.value, row.why, landed]
        yield _line([row.sheet, *cells] if is_workbook else cells)


def harmless(cell: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: its value came from a stranger."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _line(cells: Sequence[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=_DELIMITER).writerow(harmless(cell) for cell in cells)
    return buffer.getvalue()
