"""How many appointments each cell and each refinement of the editor would rule.

Every cell becomes a clause of its own (a cell of all sites of a day apart sometimes two), before
the refinements: two cells never speak of the same appointment with the same precision, so that
what they order is what ``to_clauses`` orders.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Count, F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.bulletins.editor import SELECTORS, BulletinEditor, LayerForm, RowForm, read
from appointments.bulletins.grid import (
    EVERY,
    Cell,
    CellOrder,
    Grid,
    GridRow,
    Layer,
    orders,
    read_off,
    to_name,
)
from appointments.models import RULED, Appointment, Ruling, Service
from appointments.rules import ClauseTerms, Facts, decide, numbered

Source = tuple[dt.date | None, Cell] | int
"""A cell by its day apart (None: the whole window), service and site; or a refinement's place."""
NOTHING = 0
"""The position under which what no clause speaks of is counted."""


def sources_of(grid: Grid) -> list[tuple[Source, ClauseTerms]]:
    """Return each cell or refinement with the clauses that it becomes."""
    said: list[tuple[Source, ClauseTerms]] = [*_cells(grid), *enumerate(grid.refinements)]
    clauses = numbered([clause for _source, clause in said])
    return [(source, clause) for (source, _draft), clause in zip(said, clauses, strict=True)]


def attribute(counted: Iterable[tuple[Facts, int]], clauses: Sequence[ClauseTerms]) -> Counter[int]:
    """Return how many appointments each clause rules, by its position.

    Appointments without a clause count under ``NOTHING``, so that the sum is all of them.

    Args:
        counted: facts, with how many appointments have them.
        clauses: in their order.
    """
    days_that_matter = frozenset(day for clause in clauses for day in clause.days)
    ruled: Counter[int] = Counter()
    known: dict[tuple[Any, ...], int] = {}  # the same facts on other days give the same verdict
    for facts, number in counted:
        day = facts.day if facts.day in days_that_matter else None
        key = (facts.service, facts.site, facts.unit, facts.groups, day)
        if key not in known:
            verdict = decide(facts, clauses)
            known[key] = verdict.clause.position if verdict else NOTHING
        ruled[known[key]] += number
    return ruled


def _cells(grid: Grid) -> Iterator[tuple[Source, ClauseTerms]]:
    for order in orders(grid.rows, {}):
        yield (None, (order.row.service, order.column)), _clause(order, ())
    for layer in grid.layers:
        for order in orders(layer.rows, to_name(layer, grid)):
            cell = (order.row.service, order.column)
            yield (layer.day, cell), _clause(order, (layer.day,))


def _clause(order: CellOrder, days: tuple[dt.date, ...]) -> ClauseTerms:
    services = () if order.row.service == EVERY else (order.row.service,)
    return ClauseTerms(order.ruling, "nobody", services=services, sites=order.sites, days=days)


def counted_facts(first_day: dt.date, last_day: dt.date) -> list[tuple[Facts, int]]:
    """Return each combination of facts in a window, with its appointments (one query)."""
    lines = (
        Appointment.objects.filter(day__gte=first_day, day__lte=last_day, status__in=RULED)
        .order_by()
        .values("service", "day", "protected_groups")
        .annotate(site=F("unit__site__code"), unit_code=F("unit__code"), number=Count("pk"))
    )
    return [
        (
            Facts(
                service=line["service"],
                site=line["site"],
                unit=line["unit_code"],
                day=line["day"],
                groups=frozenset(line["protected_groups"].split()),
            ),
            line["number"],
        )
        for line in lines
    ]


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
        ruling = self._ruling(row.service, site, row.day) if row.day else ""
        return Spot(place, _("vaut : %(ruling)s") % {"ruling": ruling} if ruling else "")

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
    rows = []
    for form in forms:
        answers = {site: read(form, name) for site, name in form.columns.items()}
        rulings = {site: ruling for site, ruling in answers.items() if ruling}
        rows.append(GridRow(form.service, rulings=rulings))
    return tuple(rows)


def _refinement(form: forms.Form) -> ClauseTerms | None:
    """Return the refinement as far as it selects; None when a part of that cannot be read."""
    ruling = read(form, "ruling")
    values = {name: read(form, name) for name in SELECTORS}
    if not ruling or None in values.values():
        return None
    selected: dict[str, Any] = {name: tuple(codes) for name, codes in values.items()}
    return ClauseTerms(ruling, "nobody", **selected)
