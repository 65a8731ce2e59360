"""What the bulletins in force order for a service at a site, on a day, and on which days they do.

Works on bulletins that are loaded with their clauses, in the order in which they were approved.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appointments.decisions.clauses import Clauses, clauses_of
from appointments.decisions.effective_orders import outcome_alone, said_of
from appointments.models import Bulletin
from appointments.rules import Facts
from staff.models import Unit

AS_PLANNED = ""


@dataclass(frozen=True)
class Order:
    """What holds where: an outcome, or ``AS_PLANNED``.

    ``has_exceptions``: something else holds for a unit there, or for a protected group.
    """

    outcome: str = AS_PLANNED
    has_exceptions: bool = False


class Orders:
    """The orders of some bulletins in force, the one approved last at the end."""

    def __init__(self, in_force: Sequence[Bulletin]) -> None:
        self._in_force = in_force
        self._clauses: dict[int, Clauses] = {
            bulletin.pk: clauses_of(bulletin) for bulletin in in_force
        }
        self._units = _units_by_site(self._clauses.values())

    def ruling(self, day: dt.date) -> Bulletin | None:
        """Return the bulletin that rules a day: the one approved last."""
        ruling = [one for one in self._in_force if one.first_day <= day <= one.last_day]
        return ruling[-1] if ruling else None

    def on(self, day: dt.date, service: str, site: str) -> Order:
        """Return what holds for whoever no clause names by unit or protected group."""
        bulletin = self.ruling(day)
        if bulletin is None:
            return Order()
        clauses = self._clauses[bulletin.pk]
        said, *of_units = (
            said_of(clauses, Facts(service, site, unit, day), outcome_alone)
            for unit in ("", *self._units.get(site, ()))
        )
        return Order(
            outcome=said.effect.outcome if said.effect else AS_PLANNED,
            has_exceptions=bool(said.exempt) or any(one != said for one in of_units),
        )

    def days_of(self, bulletin: Bulletin, since: dt.date) -> tuple[dt.date, ...]:
        """Return the days from one on that a bulletin really rules."""
        first = max(bulletin.first_day, since)
        window = (first + dt.timedelta(days=n) for n in range((bulletin.last_day - first).days + 1))
        return tuple(day for day in window if self.ruling(day) is bulletin)


def _units_by_site(bulletins: Iterable[Clauses]) -> dict[str, list[str]]:
    """Return by site the units that clauses name (a query, where any is named)."""
    named = {unit for clauses in bulletins for clause in clauses for unit in clause.units}
    units: dict[str, list[str]] = {}
    if named:
        found = Unit.objects.filter(code__in=named).values_list("site__code", "code")
        for site, unit in found.order_by("code"):
            units.setdefault(site, []).append(unit)
    return units
