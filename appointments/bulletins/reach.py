"""How many appointments each cell and each refinement of a grid would rule. Pure.

Every cell becomes a clause of its own (a cell of all sites of a day apart sometimes two), before
the refinements: two cells never speak of the same appointment with the same precision, so that
what they order is what ``to_clauses`` orders.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Count, F, Min

from appointments.bulletins.grid import EVERY, Cell, CellOrder, Grid, orders, to_name
from appointments.models import RULED, Appointment
from appointments.rules import ClauseTerms, Facts, decide, numbered

Source = tuple[dt.date | None, Cell] | int
"""A cell by its day apart (None: the whole window), service and site; or a refinement's place."""
NOTHING = 0
"""The position under which what no clause speaks of is counted."""


def sources_of(grid: Grid) -> list[tuple[Source, ClauseTerms]]:
    """Return what orders something, a cell or a refinement, with each clause that it orders by."""
    said: list[tuple[Source, ClauseTerms]] = [*_cells(grid), *enumerate(grid.refinements)]
    clauses = numbered([clause for _source, clause in said])
    return [(source, clause) for (source, _draft), clause in zip(said, clauses, strict=True)]


def attribute(counted: Iterable[tuple[Facts, int]], clauses: Sequence[ClauseTerms]) -> Counter[int]:
    """Return how many appointments each clause rules, by its position.

    What no clause speaks of counts under ``NOTHING``, so that the sum is everybody.

    Args:
        counted: facts, with how many appointments have them.
        clauses: in their order.
    """
    days_that_matter = frozenset(day for clause in clauses for day in clause.days)
    ruled: Counter[int] = Counter()
    known: dict[tuple[Any, ...], int] = {}  # the same facts on other days are ruled alike
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


def first_starts(first_day: dt.date, last_day: dt.date) -> dict[dt.date, dt.datetime]:
    """Return when the first appointment of each day begins; days without any are absent."""
    lines = (
        Appointment.objects.filter(day__gte=first_day, day__lte=last_day, status__in=RULED)
        .order_by()
        .values_list("day")
        .annotate(first=Min("starts_at"))
    )
    return dict(lines)
