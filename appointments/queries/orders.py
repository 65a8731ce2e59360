"""What the bulletins in force order for a service at a site, on a day, and on which days they do.

Works on bulletins that are loaded with their clauses, in the order in which they were approved.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from appointments.models import Bulletin
from appointments.queries.in_force import Clauses, as_rule
from appointments.rules import Clause, Facts, decide

AS_PLANNED = ""


@dataclass(frozen=True)
class Order:
    """What holds where: an outcome, or ``AS_PLANNED``.

    ``has_exceptions``: some units or protected groups are ruled by clauses of their own.
    """

    outcome: str = AS_PLANNED
    has_exceptions: bool = False


class Orders:
    """The orders of some bulletins in force, the one approved last at the end."""

    def __init__(self, in_force: Sequence[Bulletin]) -> None:
        self._in_force = in_force
        self._clauses: dict[int, Clauses] = {
            bulletin.pk: tuple(map(as_rule, bulletin.clauses.all())) for bulletin in in_force
        }

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
        facts = Facts(service, site, "", day)
        verdict = decide(facts, clauses)
        return Order(
            outcome=verdict.outcome if verdict else AS_PLANNED,
            has_exceptions=any(_is_exception(clause, facts) for clause in clauses),
        )

    def days_of(self, bulletin: Bulletin, since: dt.date) -> tuple[dt.date, ...]:
        """Return the days from one on that a bulletin really rules."""
        first = max(bulletin.first_day, since)
        window = (first + dt.timedelta(days=n) for n in range((bulletin.last_day - first).days + 1))
        return tuple(day for day in window if self.ruling(day) is bulletin)


def _is_exception(clause: Clause, facts: Facts) -> bool:
    return (
        bool(clause.units or clause.groups)
        and (not clause.services or facts.service in clause.services)
        and (not clause.sites or facts.site in clause.sites)
        and (not clause.days or facts.day in clause.days)
    )
