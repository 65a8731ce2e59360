"""The editor's buttons that change its shape: a refinement or a day apart more or less.

Each is a plain submit that saves nothing: the page comes back as it was typed, changed by that.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from appointments.bulletins.cells import EVERY
from appointments.bulletins.editor_forms import BulletinEditor, Content
from appointments.bulletins.editor_rows import SETTINGS, RowForm, day_in_full
from appointments.bulletins.playbooks import MOST_CLAUSES
from appointments.vocabulary import Ruling

BUTTONS = ("add", "remove", "refine", "add_day", "remove_day")


def is_reshaping(pressed: QueryDict) -> bool:
    """Whether one of these buttons was pressed, and not the one that saves."""
    return any(name in pressed for name in BUTTONS)


def reshaped(editor: BulletinEditor, pressed: QueryDict) -> BulletinEditor:
    """Return the editor as it was typed so far, with what the pressed button changes."""
    content = editor.typed()
    if "add" in pressed:
        _add_refinement(content, {})
    elif "remove" in pressed:
        _remove_refinement(content, pressed.get("remove", ""))
    elif "refine" in pressed:
        _refine(content, editor, pressed.get("refine", ""))
    elif "add_day" in pressed:
        _add_day(content, editor, pressed.get("new_day", ""))
    else:
        _remove_day(content, pressed.get("remove_day", ""))
    return BulletinEditor(editor.places, content=content)


def _add_refinement(content: Content, initial: Mapping[str, Any]) -> None:
    if len(content.refinements) < MOST_CLAUSES:
        content.focus = f"refinement-{len(content.refinements)}"
        content.refinements = [*content.refinements, initial]


def _remove_refinement(content: Content, index: str) -> None:
    left = [
        refinement for place, refinement in enumerate(content.refinements) if str(place) != index
    ]
    content.refinements, content.focus = left, "add"


def _refine(content: Content, editor: BulletinEditor, name: str) -> None:
    """Add a refinement that says what a cell does: its unit or its group is left to choose."""
    for row in [*editor.rows, *(row for layer in editor.layers for row in layer.rows)]:
        for site, field in row.columns.items():
            if row[field].html_name == name:
                _add_refinement(content, _as_cell(row, site, row[field].value()))


def _as_cell(row: RowForm, site: str, ruling: str) -> dict[str, Any]:
    return {
        **{name: row[name].value() for name in SETTINGS},
        "ruling": ruling or Ruling.MAINTAIN,
        "services": [row.service] if row.service != EVERY else [],
        "sites": [site] if site != EVERY else [],
        "days": [row.day] if row.day else [],
    }


def _add_day(content: Content, editor: BulletinEditor, word: str) -> None:
    """Set a day apart; its rows start with the settings of the whole window's."""
    offered = [day for day, _name in editor.days_to_offer]
    if word not in offered:
        content.day_fault, content.focus = _why_not(editor), "new-day"
        return
    day = dt.date.fromisoformat(word)
    rows = {
        service: {name: typed[name] for name in SETTINGS} for service, typed in content.rows.items()
    }
    content.layers = {**content.layers, day: rows}
    content.shown, content.focus = day, "layer"


def _why_not(editor: BulletinEditor) -> str:
    if editor.is_full:
        return ""  # the page says so itself
    if editor.window is None:
        return _("Indiquez d'abord le premier et le dernier jour du bulletin, trois mois au plus.")
    first, last = map(day_in_full, editor.window)
    return _("Choisissez un jour de la période, du %(first)s au %(last)s.") % {
        "first": first,
        "last": last,
    }


def _remove_day(content: Content, word: str) -> None:
    content.layers = {day: rows for day, rows in content.layers.items() if day.isoformat() != word}
    content.shown, content.focus = None, "layer"
