"""Withdraw bulletins: one person asks for it, another does it."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.bulletins.queries import restorable
from appointments.bulletins.services import NOT_ASKED, locked
from appointments.decisions import keeping, rulings
from appointments.models import Bulletin, BulletinState
from staff import clock
from staff.access import Capability, require_everywhere, require_two_persons
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit


@transaction.atomic
def ask_withdrawal(
    *,
    bulletin_id: int,
    by: User,
    reason: str,
    restores: int | None = None,
    sends_decisions_back: bool = False,
    by_sms: bool = False,
) -> Bulletin:
    """Ask for a bulletin to be lifted; a second person does it. Asking anew replaces the first.

    Args:
        bulletin_id: in force.
        by: who asks.
        reason: why.
        restores: the number of the superseded bulletin that is put back in force with it.
        sends_decisions_back: asks those who cancelled on its days to decide anew.
        by_sms: tells "maintained after all" by SMS whose earlier message arrived for certain;
            the others are called, and so is whoever has no receipt of it in time.

    Raises:
        Refusal: it is not in force, no reason was given, or the other cannot come back.
    """
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    if not reason.strip():
        raise Refusal(_("Indiquez pourquoi le bulletin est retiré."), field="reason")
    lock_rulings(shared=False)
    bulletin = _in_force(bulletin_id)
    earlier = _restorable(bulletin, restores) if restores else None
    bulletin.withdrawal_asked_by, bulletin.withdrawal_asked_at = by, clock.now()
    bulletin.withdrawal_reason = reason.strip()
    bulletin.withdrawal_restores = earlier
    bulletin.withdrawal_sends_back = sends_decisions_back
    bulletin.withdrawal_by_sms = by_sms
    bulletin.save()
    audit.record(
        action="bulletin.withdrawal_asked",
        by=by,
        subject=bulletin,
        reason=reason.strip(),
        restores=earlier.pk if earlier else None,
        sends_decisions_back=sends_decisions_back,
        by_sms=by_sms,
    )
    return bulletin


@transaction.atomic
def drop_withdrawal(*, bulletin_id: int, by: User) -> Bulletin:
    """Drop a request for withdrawal; without one this changes nothing."""
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    lock_rulings(shared=False)
    bulletin = _in_force(bulletin_id)
    if bulletin.waits_for_withdrawal:
        Bulletin.objects.filter(pk=bulletin.pk).update(**NOT_ASKED)
        bulletin.refresh_from_db()
        audit.record(action="bulletin.withdrawal_dropped", by=by, subject=bulletin)
    return bulletin


@transaction.atomic
def withdraw(*, bulletin_id: int, by: User, asked_at: dt.datetime | None = None) -> Bulletin:
    """Lift a bulletin as somebody else asked: its decisions lapse, unsent notices are withdrawn,
    told patients are told again. Confirming twice changes nothing.

    The bulletin that comes back rules the days that no newer one rules: its place among the
    others is that of its first approval. What people cancelled on these days stands, and is
    told, unless they are asked to decide it anew (``keeping.send_back``).

    Args:
        bulletin_id: in force.
        by: the second person.
        asked_at: when what that person read was asked for; None for who did not read it.

    Raises:
        Refusal: nobody asked for it, the same person did, or it was asked otherwise since.
    """
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    lock_rulings(shared=False)
    bulletin = locked(bulletin_id)
    if bulletin.state == BulletinState.WITHDRAWN:
        return bulletin
    bulletin = _in_force(bulletin_id)
    _check_second_person(bulletin, by, asked_at)
    earlier = bulletin.withdrawal_restores
    if earlier:
        earlier = _restorable(bulletin, earlier.pk)
    bulletin.state = BulletinState.WITHDRAWN
    bulletin.withdrawn_by, bulletin.withdrawn_at = by, clock.now()
    bulletin.save()
    if earlier:
        earlier.state = BulletinState.IN_FORCE
        earlier.restored_by, earlier.restored_at = by, clock.now()
        earlier.save()
        audit.record(
            action="bulletin.restored",
            by=by,
            subject=earlier,
            instead_of=bulletin.pk,
            asked_by=str(bulletin.withdrawal_asked_by),
        )
    if bulletin.withdrawal_sends_back:
        keeping.send_back(
            first_day=bulletin.first_day,
            last_day=bulletin.last_day,
            by=by,
            reason=bulletin.withdrawal_reason,
        )
    days = rulings.days_concerned(bulletin, earlier)
    applied = rulings.rule_window(first_day=days[0], last_day=days[-1])
    audit.record(
        action="bulletin.withdrawn",
        by=by,
        subject=bulletin,
        reason=bulletin.withdrawal_reason,
        asked_by=str(bulletin.withdrawal_asked_by),
        restores=earlier.pk if earlier else None,
        decisions=applied.decisions,
        notices_opened=applied.notices.opened,
        notices_withdrawn=applied.notices.withdrawn,
    )
    return bulletin


def _in_force(bulletin_id: int) -> Bulletin:
    bulletin = locked(bulletin_id)
    if bulletin.state != BulletinState.IN_FORCE:
        raise Refusal(_("Seul un bulletin en vigueur peut être retiré."))
    return bulletin


def _restorable(bulletin: Bulletin, restores: int) -> Bulletin:
    """Return, under lock, the superseded bulletin that can come back in place of another."""
    if restores not in {one.pk for one in restorable(bulletin)}:
        raise Refusal(
            _("Le bulletin %(number)s ne peut pas être remis en vigueur : il ne réglerait rien.")
            % {"number": restores},
            field="restores",
        )
    return locked(restores)


def _check_second_person(bulletin: Bulletin, by: User, asked_at: dt.datetime | None) -> None:
    if not bulletin.waits_for_withdrawal:
        raise Refusal(_("Personne n'a demandé de retirer ce bulletin : demandez-le d'abord."))
    if bulletin.withdrawal_asked_by_id == by.pk:
        raise Refusal(
            _("Vous avez demandé ce retrait : un autre membre de la cellule doit le confirmer.")
        )
    if asked_at not in (None, bulletin.withdrawal_asked_at):
        raise Refusal(
            _("%(person)s a demandé ce retrait autrement entre-temps : relisez-le.")
            % {"person": bulletin.withdrawal_asked_by}
        )
    asked_by = bulletin.withdrawal_asked_by
    if asked_by is not None:
        require_two_persons(asked_by, by)
