"""Write the public text of a bulletin by hand, or leave it to what is ordered again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.bulletins.public_text import (
    LANGUAGES,
    LONGEST_TEXT,
    PublicText,
    digest,
    made_after_its_end,
    made_from_orders,
    orders_of,
    text_that_holds,
)
from appointments.bulletins.queries import days_ruled, places
from appointments.bulletins.sentences import PlaceNames
from appointments.decisions.clauses import clauses_of
from appointments.decisions.in_force import ruling_bulletins
from appointments.decisions.sending_back import standing_cancellations
from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from staff import clock
from staff.access import Capability, require_everywhere
from staff.errors import Refusal
from staff.models import User
from staff.services import audit


def public_texts(
    bulletin: Bulletin,
    clauses: Sequence[ClauseTerms],
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
    ruling = [orders_of(clauses_of(one), names, ruled) for one, ruled in days_of.items()]
    has_exceptions = bool(lifted) and (
        standing_cancellations(lifted[0], lifted[-1]).filter(appointment__day__in=lifted).exists()
    )
    texts = {
        language: made_after_its_end(language, ruling, lifted, has_exceptions=has_exceptions)
        for language in (LANGUAGES if days else ())
    }
    return AfterItsEnd(texts, list(days_of.items()))


@transaction.atomic
def edit(*, bulletin_id: int, language: str, text: str, by: User, seen: str) -> PublicText:
    """Store what somebody wrote; nothing, or what the orders give, leaves it to them.

    Args:
        bulletin_id: of a draft, or of a bulletin whose text must be put better.
        language: of ``LANGUAGES``.
        text: what the public is to read.
        by: who wrote it.
        seen: ``PublicText.seen`` of what was shown when the writing began.

    Raises:
        Refusal: the bulletin holds no more, somebody else changed the text meanwhile, or it is
            too long.
    """
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    if language not in LANGUAGES:
        raise Refusal(
            _("Le texte public existe en français, en néerlandais, en allemand et en anglais.")
        )
    bulletin = Bulletin.objects.select_for_update().get(pk=bulletin_id)
    if bulletin.has_ended:
        raise Refusal(ended())
    now = _text_of(bulletin, language)
    wanted = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if now.seen != seen:
        raise Refusal(
            _("Ce texte a changé entre-temps : relisez-le, puis remettez vos mots."), field="text"
        )
    if len(wanted) > LONGEST_TEXT:
        raise Refusal(
            _("Ce texte compte %(found)d caractères ; %(most)d au plus.")
            % {"found": len(wanted), "most": LONGEST_TEXT},
            field="text",
        )
    if wanted and wanted != now.generated:
        bulletin.public_texts[language] = {"text": wanted, "made_from": digest(now.generated)}
    else:
        bulletin.public_texts.pop(language, None)
    bulletin.save(update_fields=["public_texts"])
    by_hand = language in bulletin.public_texts
    audit.record(
        action="bulletin.text_edited", by=by, subject=bulletin, language=language, by_hand=by_hand
    )
    return _text_of(bulletin, language)


def ended() -> str:
    """Return why the text of a bulletin that holds no more is not written otherwise."""
    return _("Ce bulletin ne vaut plus : son texte public ne peut plus être modifié.")


def _text_of(bulletin: Bulletin, language: str) -> PublicText:
    texts = public_texts(bulletin, clauses_of(bulletin), places().names, days_ruled(bulletin))
    return next(text for text in texts if text.language == language)
