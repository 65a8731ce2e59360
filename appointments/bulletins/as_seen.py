"""Change or approve a draft only in the wording that the person had before their eyes.

Two members of the crisis cell work at once: without this, the second would overwrite the first
unseen, or put in force what nobody previewed.
"""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.bulletins import services as bulletins
from appointments.bulletins.queries import fingerprint
from appointments.decisions.clauses import clauses_of
from appointments.models import Bulletin, BulletinState
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User


class Outdated(Refusal):
    """Somebody else changed or deleted the draft since it was shown."""


@transaction.atomic
def redraft(*, bulletin_id: int, by: User, seen: str, **content: Any) -> Bulletin:
    """Replace the content of a draft, unless somebody else did so meanwhile.

    Args:
        bulletin_id: the draft.
        by: who edits it.
        seen: ``fingerprint`` of what was shown when the editing began.
        **content: as for ``bulletins.redraft``.

    Raises:
        Outdated: the draft reads differently now, or is gone.
        Refusal: ``bulletins.redraft`` refuses.
    """
    _check_seen(bulletin_id, seen)
    return bulletins.redraft(bulletin_id=bulletin_id, by=by, **content)


@transaction.atomic
def approve(*, bulletin_id: int, by: User, seen: str, told: int) -> Bulletin:
    """Put a draft in force in the wording that was previewed.

    Args:
        bulletin_id: the draft.
        by: the second person.
        seen: ``fingerprint`` of what was shown with the preview.
        told: how many patients the preview said would be told, typed by that person.

    Raises:
        Refusal: the draft reads differently now, somebody else approved it meanwhile, or
            ``bulletins.approve`` refuses.
    """
    lock_rulings(shared=False)  # before the row's lock, in the order that bulletins.approve has
    bulletin = _check_seen(bulletin_id, seen)
    if bulletin.state == BulletinState.IN_FORCE and bulletin.approved_by_id != by.pk:
        raise Refusal(
            _("%(person)s a approuvé ce bulletin entre-temps : il est déjà en vigueur.")
            % {"person": bulletin.approved_by}
        )
    return bulletins.approve(bulletin_id=bulletin_id, by=by, told=told)


def _check_seen(bulletin_id: int, seen: str) -> Bulletin:
    bulletin = Bulletin.objects.select_for_update().filter(pk=bulletin_id).first()
    if bulletin is None:
        raise Outdated(_("Ce brouillon a été supprimé entre-temps."))
    if fingerprint(bulletin, clauses_of(bulletin)) != seen:
        raise Outdated(
            _("%(person)s a modifié ce bulletin entre-temps : relisez-le avant de continuer.")
            % {"person": bulletin.drafted_by}
        )
    return bulletin
