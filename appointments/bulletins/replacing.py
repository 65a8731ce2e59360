"""Which bulletins a draft would replace, on which days, and which days they keep."""

import datetime as dt
from dataclasses import dataclass

from appointments.decisions.clause_drafts import ClauseDraft, draft_of
from appointments.decisions.in_force import ruling_bulletins
from appointments.models import Bulletin


@dataclass(frozen=True)
class Replaced:
    """One bulletin in force, or None for the days that none rules.

    Attributes:
        bulletin: what rules now.
        clauses: what it orders, in its order.
        days: the days that the draft would take.
        still: the days that it would go on ruling.
    """

    bulletin: Bulletin | None
    clauses: tuple[ClauseDraft, ...]
    days: tuple[dt.date, ...]
    still: tuple[dt.date, ...]


def replaced_by(draft: Bulletin) -> list[Replaced]:
    """Return what the draft would replace, by its first day (at most four queries)."""
    window = _days(draft)
    ruling = ruling_bulletins(window)
    old = {bulletin.pk: bulletin for bulletin in ruling.values()}
    kept = ruling_bulletins(
        {day for bulletin in old.values() for day in _days(bulletin)} - set(window)
    )
    found = [
        Replaced(
            bulletin=bulletin,
            clauses=tuple(map(draft_of, bulletin.clauses.all())),
            days=tuple(day for day in window if day in ruling and ruling[day].pk == pk),
            still=tuple(sorted(day for day, one in kept.items() if one.pk == pk)),
        )
        for pk, bulletin in old.items()
    ]
    if free := tuple(day for day in window if day not in ruling):
        found.append(Replaced(None, (), free, ()))
    return sorted(found, key=lambda one: one.days)


def _days(bulletin: Bulletin) -> list[dt.date]:
    length = (bulletin.last_day - bulletin.first_day).days + 1
    return [bulletin.first_day + dt.timedelta(days=n) for n in range(length)]
