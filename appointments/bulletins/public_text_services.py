"""Write the public text of a bulletin by hand, or leave it to what is ordered again."""

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.bulletins.public_text import LANGUAGES, LONGEST_TEXT, PublicText, digest
from appointments.bulletins.public_text_queries import public_texts
from appointments.bulletins.queries import clauses_of, days_ruled, places
from appointments.models import Bulletin
from staff.access import Capability, require_everywhere
from staff.errors import Refusal
from staff.models import User
from staff.services import audit


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
