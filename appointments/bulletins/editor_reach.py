"""How many appointments each part of the editor touches, while it is being typed.

Reads what can be read of a form that nobody has finished: a half-typed date makes its own part
unknown, and never leaves an old number standing.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.bulletins.cells import Grid, Layer, Row, read_off
from appointments.bulletins.editor_forms import BulletinEditor, LayerForm, read
from appointments.bulletins.editor_rows import RowForm
from appointments.bulletins.reach import NOTHING, Source, attribute, sources_of
from appointments.bulletins.reach_queries import counted_facts
from appointments.decisions.clause_drafts import ClauseDraft
from appointments.models import Ruling, Service

_SELECTORS = ("services", "sites", "units", "days", "groups")


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


def _read_rows(forms: Sequence[RowForm]) -> tuple[Row, ...]:
    return tuple(Row(form.service, rulings=_rulings(form)) for form in forms)


def _rulings(form: RowForm) -> dict[str, str]:
    answers = {site: read(form, name) for site, name in form.columns.items()}
    return {site: ruling for site, ruling in answers.items() if ruling}


def _refinement(form: forms.Form) -> ClauseDraft | None:
    """Return the refinement as far as it selects; None when a part of that cannot be read."""
    ruling = read(form, "ruling")
    values = {name: read(form, name) for name in _SELECTORS}
    if not ruling or None in values.values():
        return None
    selected: dict[str, Any] = {name: tuple(codes) for name, codes in values.items()}
    return ClauseDraft(ruling, "nobody", **selected)
