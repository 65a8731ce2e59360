"""The public texts of a bulletin, written by somebody or made from what it orders."""

import datetime as dt
from collections.abc import Sequence

from appointments.models import Bulletin
from appointments.public_text import (
    LANGUAGES,
    PublicText,
    made_from_orders,
    orders_of,
    text_that_holds,
)
from appointments.sentences import PlaceNames
from appointments.services.clause_drafts import ClauseDraft


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
