"""Files that we give out: the template to fill in, and the faults to send back."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from appointments.feeds.files.columns import TEMPLATE_HEADINGS
from appointments.models import RejectedRow
from staff.csv_cells import MARK, line


def template() -> str:
    """Return the template: a line of headings, nothing below that could be loaded by mistake."""
    return MARK + line([heading for heading, _example in TEMPLATE_HEADINGS])


def faults(rows: Iterable[RejectedRow], sheets: Iterable[Mapping[str, Any]] = ()) -> Iterator[str]:
    """Yield the lines of a CSV with the faults of a file, for whoever must correct it.

    Args:
        rows: in the order of the file.
        sheets: those of a workbook, as ``ScheduleImport.sheets``; one left out comes first.
    """
    columns = [_("Ligne"), _("Colonne"), _("Valeur"), _("Raison"), _("Ligne entrée")]
    is_workbook = bool(sheets)
    yield MARK + line([_("Feuille"), *columns] if is_workbook else columns)
    for sheet in sheets:
        if sheet["left_out"]:
            why = _("Feuille laissée de côté : %(why)s") % {"why": sheet["left_out"]}
            yield line([sheet["name"], "", "", "", why, _("non")])
    for row in rows:
        landed = _("oui") if row.landed else _("non")
        cells = [row.line, row.column, row.value, row.why, landed]
        yield line([row.sheet, *cells] if is_workbook else cells)
