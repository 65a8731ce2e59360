"""Lines of exported CSV files, in the form that Belgian spreadsheets open."""

import csv
import io
from collections.abc import Iterable

# Excel reads the semicolon as separator where the comma is the decimal sign, and takes UTF-8
# for Windows-1252 unless a byte order mark says otherwise.
DELIMITER, MARK = ";", "\ufeff"
CONTENT_TYPE = "text/csv; charset=utf-8"
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(cell: object) -> str:
    """Return a cell that no spreadsheet takes for a formula: its value is not trusted."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def line(cells: Iterable[object]) -> str:
    """Return one line, with its end."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=DELIMITER).writerow(harmless(cell) for cell in cells)
    return buffer.getvalue()
