"""The public texts of a bulletin, written by somebody or made from what it orders, and what
the public reads instead once it holds no more.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from appointments.bulletins.public_text import (
    LANGUAGES,
    PublicText,
    made_after_its_end,
    made_from_orders,
    orders_of,
    text_that_holds,
)
from appointments.bulletins.sentences import PlaceNames
from appointments.decisions.clause_drafts import ClauseDraft, draft_of
from appointments.decisions.in_force import ruling_bulletins
from appointments.decisions.sending_back import standing_cancellations
from appointments.models import Bulletin
from staff import clock


def public_texts(
    bulletin: Bulletin,
    clauses: Sequence[ClauseDraft],
    names: PlaceNames,
    days: Sequence[dt.date],
) -> list[PublicText]:
    """Return the text of each language; asks nothing of the database.

    Args:
        bulletin: whose.
        clauses: its own, in their order.
        names: of the places that they name.
        days: those that it rules, or would.
    """
    orders = orders_of(clauses, names, days)
    return [
        text_that_holds(bulletin.public_texts, language, made_from_orders(language, orders))
        for language in LANGUAGES
    ]


@dataclass(frozen=True)
class AfterItsEnd:
    """What holds now on the days of a bulletin that holds no more, from today on.

    Attributes:
        texts: by language; none where all its days are past.
        ruling: the bulletins that rule some of these days now, each with the days.
    """

    texts: dict[str, str]
    ruling: list[tuple[Bulletin, list[dt.date]]]


def after_its_end(bulletin: Bulletin, names: PlaceNames) -> AfterItsEnd:
    """Return what the public is to read instead of the text of an ended bulletin (three queries).

    Args:
        bulletin: withdrawn or superseded.
        names: of all places.
    """
    first = max(bulletin.first_day, clock.today())
    window = (bulletin.last_day - first).days + 1
    days = [first + dt.timedelta(days=number) for number in range(window)]
    by_day = ruling_bulletins(days)
    days_of: dict[Bulletin, list[dt.date]] = {}
    for day in days:
        if day in by_day:
            days_of.setdefault(by_day[day], []).append(day)
    lifted = [day for day in days if day not in by_day]
    ruling = [
        orders_of([draft_of(clause) for clause in one.clauses.all()], names, ruled)
        for one, ruled in days_of.items()
    ]
    has_exceptions = bool(lifted) and (
        standing_cancellations(lifted[0], lifted[-1]).filter(appointment__day__in=lifted).exists()
    )
    texts = {
        language: made_after_its_end(language, ruling, lifted, has_exceptions=has_exceptions)
        for language in (LANGUAGES if days else ())
    }
    return AfterItsEnd(texts, list(days_of.items()))
