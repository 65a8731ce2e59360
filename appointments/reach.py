"""How many appointments each cell and each refinement of a grid would rule. Pure.

Every cell becomes a clause of its own, before the refinements: two cells never speak of the same
appointment with the same precision, so that what they order is what ``to_clauses`` orders.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from appointments.bulletin_grid import EVERY, Cell, Grid
from appointments.rules import Clause, Facts, decide
from appointments.services.clause_drafts import ClauseDraft
from appointments.vocabulary import Ruling

Source = Cell | int
"""A cell by service and site, or a refinement by its place."""
NOTHING = 0
"""The position under which what no clause speaks of is counted."""
_SELECTORS = ("services", "sites", "units", "days", "groups")


def sources_of(grid: Grid) -> list[tuple[Source, Clause]]:
    """Return each cell that says something and each refinement, with what it orders."""
    said: list[tuple[Source, ClauseDraft]] = [
        ((row.service, site), _cell_clause(row.service, site, ruling))
        for row in grid.rows
        for site, ruling in row.rulings.items()
    ]
    said += enumerate(grid.refinements)
    return [
        (source, _as_rule(clause, position))
        for position, (source, clause) in enumerate(said, start=NOTHING + 1)
    ]


def attribute(counted: Iterable[tuple[Facts, int]], clauses: Sequence[Clause]) -> Counter[int]:
    """Return how many appointments each clause rules, by its position.

    What no clause speaks of counts under ``NOTHING``, so that the sum is everybody.

    Args:
        counted: facts, with how many appointments have them.
        clauses: in their order.
    """
    days_that_matter = frozenset(day for clause in clauses for day in clause.days)
    ruled: Counter[int] = Counter()
    known: dict[tuple, int] = {}  # the same facts on other days are ruled alike
    for facts, number in counted:
        day = facts.day if facts.day in days_that_matter else None
        key = (facts.service, facts.site, facts.unit, facts.groups, day)
        if key not in known:
            verdict = decide(facts, clauses)
            known[key] = verdict.clause.position if verdict else NOTHING
        ruled[known[key]] += number
    return ruled


def _cell_clause(service: str, site: str, ruling: str) -> ClauseDraft:
    return ClauseDraft(
        ruling,
        "nobody",
        services=() if service == EVERY else (service,),
        sites=() if site == EVERY else (site,),
    )


def _as_rule(clause: ClauseDraft, position: int) -> Clause:
    selectors: dict[str, Any] = {name: frozenset(getattr(clause, name)) for name in _SELECTORS}
    return Clause(position=position, ruling=Ruling(clause.ruling), **selectors)
