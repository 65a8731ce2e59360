"""How many appointments each part of the editor touches, while it is being typed.

Reads what can be read of a form that nobody has finished: a half-typed date makes its own part
unknown, and never leaves an old number standing.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import ngettext

from appointments.bulletin_grid import Grid, Row
from appointments.forms.bulletin_editor import BulletinEditor, RowForm
from appointments.queries.reach import counted_facts
from appointments.reach import NOTHING, Source, attribute, sources_of
from appointments.services.clause_drafts import ClauseDraft

LONGEST_WINDOW = dt.timedelta(days=92)
"""Longer windows are not counted while typing; the preview counts them."""
_SELECTORS = ("services", "sites", "units", "days", "groups")


@dataclass(frozen=True)
class Spot:
    """A place of the page that shows a number, or "?" where none can be said."""

    id: str
    text: str


@dataclass
class EditorReach:
    """The numbers beside the cells and refinements of an editor.

    ``numbers`` is None where no window can be read; ``unread`` are the refinements that cannot.
    """

    editor: BulletinEditor
    rulings: dict[str, dict[str, str]]
    numbers: dict[Source, int] | None
    ruled: int = 0
    total: int = 0
    unread: set[int] = field(default_factory=set)

    @property
    def rows(self) -> list[tuple[RowForm, list[tuple[forms.BoundField, Spot]]]]:
        """Each row of the editor; with each of its cells, the cell's number."""
        return [
            (
                row,
                [(row[name], self._cell(row.service, site)) for site, name in row.columns.items()],
            )
            for row in self.editor.rows
        ]

    @property
    def refinements(self) -> list[tuple[forms.Form, Spot]]:
        """Each refinement of the editor with its number."""
        return [
            (form, Spot(f"reach-refinement-{index}", self._text(index, is_said=True)))
            for index, form in enumerate(self.editor.refinements)
        ]

    @property
    def spots(self) -> Iterator[Spot]:
        """All numbers."""
        for _row, cells in self.rows:
            yield from (spot for _cell, spot in cells)
        yield from (spot for _form, spot in self.refinements)

    def _cell(self, service: str, site: str) -> Spot:
        is_said = site in self.rulings.get(service, {})
        place = f"reach-{service or 'every'}-{site or 'every'}"
        return Spot(place, self._text((service, site), is_said=is_said))

    def _text(self, source: Source, *, is_said: bool) -> str:
        if not is_said:
            return ""
        if self.numbers is None or source in self.unread:
            return "?"
        number = self.numbers.get(source, 0)
        text = ngettext("%(number)d rendez-vous", "%(number)d rendez-vous", number)
        return text % {"number": number}


def reach_of(editor: BulletinEditor) -> EditorReach:
    """Return what an editor touches, typed in or shown (one query; none without a window)."""
    rows = tuple(_row(form) for form in editor.rows)
    drafts = [_refinement(form) for form in editor.refinements]
    reach = EditorReach(
        editor=editor,
        rulings={row.service: row.rulings for row in rows},
        numbers=None,
        unread={index for index, draft in enumerate(drafts) if draft is None},
    )
    window = _window(editor)
    if window is None:
        return reach
    places = [index for index, draft in enumerate(drafts) if draft is not None]
    grid = Grid(rows, tuple(draft for draft in drafts if draft is not None))
    sources = sources_of(grid)
    ruled = attribute(counted_facts(*window), [clause for _source, clause in sources])
    reach.numbers = {
        places[source] if isinstance(source, int) else source: ruled[clause.position]
        for source, clause in sources
    }
    reach.total = ruled.total()
    reach.ruled = reach.total - ruled[NOTHING]
    return reach


def _window(editor: BulletinEditor) -> tuple[dt.date, dt.date] | None:
    first, last = (_read(editor.head, name) for name in ("first_day", "last_day"))
    if not first or not last or not dt.timedelta() <= last - first < LONGEST_WINDOW:
        return None
    return first, last


def _row(form: RowForm) -> Row:
    answers = {site: _read(form, name) for site, name in form.columns.items()}
    return Row(form.service, rulings={site: ruling for site, ruling in answers.items() if ruling})


def _refinement(form: forms.Form) -> ClauseDraft | None:
    """Return the refinement as far as it selects; None when a part of that cannot be read."""
    ruling = _read(form, "ruling")
    read = {name: _read(form, name) for name in _SELECTORS}
    if not ruling or None in read.values():
        return None
    selected: dict[str, Any] = {name: tuple(codes) for name, codes in read.items()}
    return ClauseDraft(ruling, "nobody", **selected)


def _read(form: forms.BaseForm, name: str) -> Any:
    """Return the value of one field, also of a form that is only shown; None if it is wrong."""
    try:
        return form.fields[name].clean(form[name].value())
    except forms.ValidationError:
        return None
