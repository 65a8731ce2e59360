"""The editor's buttons that change its shape: a refinement or a day apart more or less.

Each is a plain submit that saves nothing: the page comes back as it was typed, changed by that.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.bulletins.editor_forms import (
    SELECTORS,
    SETTINGS,
    BulletinEditor,
    Content,
    LayerForm,
    RowForm,
    day_in_full,
    read,
)
from appointments.bulletins.grid import EVERY, Grid, GridRow, Layer, read_off
from appointments.bulletins.playbooks import MOST_CLAUSES
from appointments.bulletins.reach import NOTHING, Source, attribute, counted_facts, sources_of
from appointments.models import Ruling, Service
from appointments.rules import ClauseTerms

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
        for site, column in row.columns.items():
            if row[column].html_name == name:
                _add_refinement(content, _as_cell(row, site, row[column].value()))


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


@dataclass(frozen=True)
class Spot:
    """A place of the page that shows a number, or "?" where none can be said.

    In an empty cell of a day apart it shows what holds there instead.
    """

    id: str
    text: str


Cells = list[tuple[forms.BoundField, Spot]]
Rows = list[tuple[RowForm, Cells]]


@dataclass
class EditorReach:
    """The numbers beside the cells and refinements of an editor.

    ``numbers`` is None where no window can be read; ``unread`` are the refinements that cannot.
    """

    editor: BulletinEditor
    grid: Grid
    numbers: dict[Source, int] | None
    ruled: int = 0
    total: int = 0
    unread: set[int] = field(default_factory=set)

    @property
    def rows(self) -> Rows:
        """Each row of the whole window; with each of its cells, the cell's number."""
        return self._rows(self.editor.rows)

    @property
    def layers(self) -> list[tuple[LayerForm, Rows]]:
        """Each day apart with its rows."""
        return [(layer, self._rows(layer.rows)) for layer in self.editor.layers]

    @property
    def refinements(self) -> list[tuple[forms.Form, Spot]]:
        """Each refinement of the editor with its number."""
        return [
            (form, Spot(f"reach-refinement-{index}", self._number(index)))
            for index, form in enumerate(self.editor.refinements)
        ]

    @property
    def spots(self) -> Iterator[Spot]:
        """All numbers."""
        for _row, cells in [*self.rows, *(row for _day, rows in self.layers for row in rows)]:
            yield from (spot for _cell, spot in cells)
        yield from (spot for _form, spot in self.refinements)

    def _rows(self, rows: Sequence[RowForm]) -> Rows:
        return [
            (row, [(row[name], self._cell(row, site)) for site, name in row.columns.items()])
            for row in rows
        ]

    def _cell(self, row: RowForm, site: str) -> Spot:
        words = ("reach", row.day, row.service or "every", site or "every")
        place = "-".join(str(word) for word in words if word)
        if read(row, row.columns[site]):
            return Spot(place, self._number((row.day, (row.service, site))))
        return Spot(place, self._what_holds(row, site))

    def _what_holds(self, row: RowForm, site: str) -> str:
        ruling = "" if row.day is None else self._ruling(row.service, site, row.day)
        return _("vaut : %(ruling)s") % {"ruling": ruling} if ruling else ""

    def _ruling(self, service: str, site: str, day: dt.date) -> str:
        cell = read_off(self.grid, service, site, day)
        if cell is None:
            return ""
        (ruling,) = cell.rulings.values()
        return str(Ruling.MAINTAIN.label if service == Service.EMERGENCY else Ruling(ruling).label)

    def _number(self, source: Source) -> str:
        if self.numbers is None or source in self.unread:
            return "?"
        number = self.numbers.get(source, 0)
        text = ngettext("%(number)d rendez-vous", "%(number)d rendez-vous", number)
        return text % {"number": number}


def reach_of(editor: BulletinEditor) -> EditorReach:
    """Return what an editor touches, typed in or shown (one query; none without a window)."""
    drafts = [_refinement(form) for form in editor.refinements]
    grid = Grid(
        rows=_read_rows(editor.rows),
        refinements=tuple(draft for draft in drafts if draft is not None),
        layers=tuple(Layer(layer.day, _read_rows(layer.rows)) for layer in editor.layers),
    )
    unread = {index for index, draft in enumerate(drafts) if draft is None}
    reach = EditorReach(editor=editor, grid=grid, numbers=None, unread=unread)
    if editor.window is None:
        return reach
    places = [index for index, draft in enumerate(drafts) if draft is not None]
    sources = sources_of(grid)
    ruled = attribute(counted_facts(*editor.window), [clause for _source, clause in sources])
    reach.numbers = {}
    for source, clause in sources:
        place = places[source] if isinstance(source, int) else source
        reach.numbers[place] = reach.numbers.get(place, 0) + ruled[clause.position]
    reach.total = ruled.total()
    reach.ruled = reach.total - ruled[NOTHING]
    return reach


def _read_rows(forms: Sequence[RowForm]) -> tuple[GridRow, ...]:
    return tuple(GridRow(form.service, rulings=_rulings(form)) for form in forms)


def _rulings(form: RowForm) -> dict[str, str]:
    answers = {site: read(form, name) for site, name in form.columns.items()}
    return {site: ruling for site, ruling in answers.items() if ruling}


def _refinement(form: forms.Form) -> ClauseTerms | None:
    """Return the refinement as far as it selects; None when a part of that cannot be read."""
    ruling = read(form, "ruling")
    values = {name: read(form, name) for name in SELECTORS}
    if not ruling or None in values.values():
        return None
    selected: dict[str, Any] = {name: tuple(codes) for name, codes in values.items()}
    return ClauseTerms(ruling, "nobody", **selected)
