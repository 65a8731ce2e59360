"""The public texts of a bulletin, written by somebody or made from its clauses."""

from collections.abc import Sequence

from appointments.models import Bulletin
from appointments.public_text import LANGUAGES, PublicText, made_from_clauses, text_that_holds
from appointments.sentences import PlaceNames
from appointments.services.clause_drafts import ClauseDraft


def public_texts(
    bulletin: Bulletin, clauses: Sequence[ClauseDraft], names: PlaceNames
) -> list[PublicText]:
    """Return the text of each language; asks nothing of the database.

    Args:
        bulletin: whose.
        clauses: its own, in their order.
        names: of the places that they name.
    """
    return [
        text_that_holds(
            bulletin.public_texts,
            language,
            made_from_clauses(
                language,
                clauses,
                names,
                first_day=bulletin.first_day,
                last_day=bulletin.last_day,
            ),
        )
        for language in LANGUAGES
    ]
