"""The editor of a bulletin: its head, the grid of the whole window, days apart, refinements.

A plain form that works without JavaScript. ``BulletinEditor`` holds the parts together; the
translation between grid and clauses is ``appointments/bulletins/grid.py``, and what its buttons do
``bulletin_reshaping.py``.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from appointments.bulletins.cells import MOST_LAYERS, ROWS, Grid, Layer, Row, settings_to_start
from appointments.bulletins.editor_head import HeadForm
from appointments.bulletins.editor_rows import RefinementFormSet, RowForm, day_in_full
from appointments.bulletins.grid import to_clauses, to_grid
from appointments.bulletins.queries import Places
from appointments.decisions.clause_drafts import ClauseDraft
from appointments.models import Bulletin

LONGEST_WINDOW = dt.timedelta(days=92)
"""Of longer windows no day is offered and nothing is counted while typing; the preview counts."""
Rows = Mapping[str, Mapping[str, Any]]
"""By service, the initial values of its row."""


@dataclass
class Content:
    """What the editor shows before anybody types: initial values of its parts.

    Attributes:
        head: of the head.
        rows: of the whole window.
        refinements: of each refinement.
        layers: the rows of each day apart.
        shown: the day apart that is on the screen; None for the whole window.
        focus: what the keyboard stands on: ``layer``, ``new-day``, ``add`` or
            ``refinement-`` and its index.
        day_fault: why a day could not be set apart.
    """

    head: Mapping[str, Any] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    refinements: Sequence[Mapping[str, Any]] = ()
    layers: Mapping[dt.date, Rows] = field(default_factory=dict)
    shown: dt.date | None = None
    focus: str = ""
    day_fault: str = ""


def content_of(bulletin: Bulletin, clauses: tuple[ClauseDraft, ...], places: Places) -> Content:
    """Return a stored draft as the editor's content."""
    grid = to_grid(clauses, [site.code for site in places.sites])
    return Content(
        head={name: getattr(bulletin, name) for name in HeadForm.Meta.fields},
        rows=_initial(grid.rows),
        refinements=[vars(clause) for clause in grid.refinements],
        layers={layer.day: _initial(layer.rows) for layer in grid.layers},
    )


def _initial(rows: Sequence[Row]) -> Rows:
    return {
        row.service: vars(row.settings)
        | {f"cell-{site or 'every'}": ruling for site, ruling in row.rulings.items()}
        for row in rows
    }


@dataclass
class LayerForm:
    """One day apart; ``fault`` says what is wrong with the day itself."""

    day: dt.date
    rows: list[RowForm]
    fault: str = ""

    @property
    def title(self) -> str:
        """The day, as the screen says it."""
        return capfirst(day_in_full(self.day))

    def is_valid(self, window: tuple[dt.date, dt.date] | None) -> bool:
        """Whether its rows are, and the day lies in the window as far as that is known."""
        if window and not window[0] <= self.day <= window[1]:
            self.fault = _(
                "Ce jour est hors de la période du bulletin : enlevez-le, ou changez la période."
            )
        return all([row.is_valid() for row in self.rows]) and not self.fault  # noqa: C419


class BulletinEditor:
    """The whole form, bound to ``data`` or showing ``content``."""

    def __init__(
        self, places: Places, *, data: QueryDict | None = None, content: Content | None = None
    ) -> None:
        content = content or Content()
        self.places = places
        self.data = data
        self.focus, self.day_fault = content.focus, content.day_fault
        self.head = HeadForm(data, initial=content.head)
        self.rows = self._rows(content.rows)
        days = sorted(content.layers) if data is None else _days(data.getlist("layer"))
        self.layers = [
            LayerForm(day, self._rows(content.layers.get(day, {}), day))
            for day in days[:MOST_LAYERS]
        ]
        shown = content.shown if data is None else _day(data.get("shown", ""))
        self.shown = shown if shown in days[:MOST_LAYERS] else None
        self.refinements = RefinementFormSet(
            data,
            prefix="refinement",
            initial=content.refinements,
            form_kwargs={"places": places},
        )

    def _rows(self, content: Rows, day: dt.date | None = None) -> list[RowForm]:
        return [
            RowForm(
                service,
                self.places,
                self.data,
                initial=content.get(service) or vars(settings_to_start(service)),
                day=day,
            )
            for service in ROWS
        ]

    @cached_property
    def window(self) -> tuple[dt.date, dt.date] | None:
        """The first and the last day as far as they can be read; None if they cannot."""
        first, last = (read(self.head, name) for name in ("first_day", "last_day"))
        if not first or not last or not dt.timedelta() <= last - first < LONGEST_WINDOW:
            return None
        return first, last

    @property
    def offered(self) -> str:
        """From when to when days are offered, to see whether others have to be."""
        return " ".join(map(str, self.window or ()))

    @property
    def days_to_offer(self) -> list[tuple[str, str]]:
        """The days of the window that may still be set apart, each with its name."""
        if self.window is None or self.is_full:
            return []
        first, last = self.window
        days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
        taken = {layer.day for layer in self.layers}
        return [(day.isoformat(), day_in_full(day)) for day in days if day not in taken]

    @property
    def is_full(self) -> bool:
        """Whether no further day may be set apart."""
        return len(self.layers) >= MOST_LAYERS

    def is_valid(self) -> bool:
        """Whether every part is; all of them are looked at, so that all faults show at once.

        A fault on a day that was not on the screen brings that day up.
        """
        parts: list[Any] = [self.head, *self.rows, self.refinements]
        valid = [part.is_valid() for part in parts]
        wrong = [layer.day for layer in self.layers if not layer.is_valid(self.window)]
        if wrong and self.shown not in wrong:
            self.shown = wrong[0]
        return all(valid) and not wrong

    @cached_property
    def order(self) -> dict[str, Any]:
        """What was filled in, by the keywords of ``bulletins.draft``."""
        grid = Grid(
            rows=tuple(row.row() for row in self.rows),
            refinements=tuple(form.clause() for form in self.refinements),
            layers=tuple(
                Layer(layer.day, tuple(row.row() for row in layer.rows)) for layer in self.layers
            ),
        )
        return self.head.order() | {"clauses": to_clauses(grid)}

    @property
    def idle_days(self) -> list[str]:
        """The days apart without a filled cell: no clause comes of them, so they are not kept."""
        return [
            day_in_full(layer.day)
            for layer in self.layers
            if not any(row.row().rulings for row in layer.rows)
        ]

    def typed(self) -> Content:
        """Return what was typed so far, finished or not."""
        return Content(
            head=_typed(self.head),
            rows={row.service: _typed(row) for row in self.rows},
            refinements=[_typed(form) for form in self.refinements],
            layers={
                layer.day: {row.service: _typed(row) for row in layer.rows} for layer in self.layers
            },
            shown=self.shown,
        )


def read(form: forms.BaseForm, name: str) -> Any:
    """Return the value of one field, also of a form that is only shown; None if it is wrong."""
    try:
        return form.fields[name].clean(form[name].value())
    except forms.ValidationError:
        return None


def _typed(form: forms.BaseForm) -> dict[str, Any]:
    return {name: form[name].value() for name in form.fields}


def _days(words: Sequence[str]) -> list[dt.date]:
    return sorted({day for day in map(_day, words) if day})


def _day(word: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(word)
    except ValueError:
        return None
