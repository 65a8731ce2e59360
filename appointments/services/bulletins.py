"""Draft, approve and withdraw bulletins. Approving applies in the same transaction."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.models import Bulletin, BulletinState
from appointments.queries.in_force import ruling_bulletins
from appointments.services import clause_drafts, rulings
from appointments.services.clause_drafts import ClauseDraft
from staff import clock
from staff.access import Capability, require_everywhere
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

__all__ = ["ClauseDraft", "approve", "copy", "draft", "redraft", "withdraw"]


@transaction.atomic
def draft(
    *,
    by: User,
    title: str,
    first_day: dt.date,
    last_day: dt.date,
    release_at: dt.datetime,
    clauses: Sequence[ClauseDraft],
    source_text: str = "",
) -> Bulletin:
    """Store a new draft; nothing is decided yet.

    Raises:
        Refusal: the window or a clause cannot be; the message names each fault.
    """
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    _check_window(first_day, last_day)
    clause_drafts.check(clauses, first_day=first_day, last_day=last_day)
    bulletin = Bulletin.objects.create(
        title=title,
        first_day=first_day,
        last_day=last_day,
        release_at=release_at,
        source_text=source_text,
        drafted_by=by,
        drafted_at=clock.now(),
    )
    clause_drafts.store(bulletin, clauses)
    audit.record(action="bulletin.drafted", by=by, subject=bulletin, clauses=len(clauses))
    return bulletin


@transaction.atomic
def redraft(
    *,
    bulletin_id: int,
    by: User,
    title: str,
    first_day: dt.date,
    last_day: dt.date,
    release_at: dt.datetime,
    clauses: Sequence[ClauseDraft],
    source_text: str = "",
) -> Bulletin:
    """Replace the content of a draft. Whoever edits it last is the one who drafted it.

    Raises:
        Refusal: it is no longer a draft, or the content cannot be.
    """
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    bulletin = _locked(bulletin_id)
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin n'est plus un brouillon : copiez-le pour le changer."))
    _check_window(first_day, last_day)
    clause_drafts.check(clauses, first_day=first_day, last_day=last_day)
    bulletin.title, bulletin.source_text = title, source_text
    bulletin.first_day, bulletin.last_day = first_day, last_day
    bulletin.release_at = release_at
    bulletin.drafted_by, bulletin.drafted_at = by, clock.now()
    bulletin.save()
    clause_drafts.store(bulletin, clauses)
    audit.record(action="bulletin.redrafted", by=by, subject=bulletin, clauses=len(clauses))
    return bulletin


def copy(*, bulletin_id: int, by: User) -> Bulletin:
    """Store a draft with the content of another bulletin."""
    original = Bulletin.objects.prefetch_related("clauses").get(pk=bulletin_id)
    return draft(
        by=by,
        title=original.title,
        first_day=original.first_day,
        last_day=original.last_day,
        release_at=original.release_at,
        clauses=[clause_drafts.draft_of(clause) for clause in original.clauses.all()],
        source_text=original.source_text,
    )


@transaction.atomic
def approve(*, bulletin_id: int, by: User) -> Bulletin:
    """Put a draft in force: supersede what it replaces, write decisions, open notices.

    Approving a bulletin that is in force already changes nothing (a double click).

    Raises:
        Refusal: the drafter approves their own text, or it is not a draft any more.
    """
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    lock_rulings(shared=False)
    bulletin = _locked(bulletin_id)
    if bulletin.state == BulletinState.IN_FORCE:
        return bulletin
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin a été remplacé ou retiré : il ne peut plus être approuvé."))
    if bulletin.drafted_by_id == by.pk:
        raise Refusal(
            _("Vous avez rédigé ce bulletin : un autre membre de la cellule doit l'approuver.")
        )
    bulletin.state = BulletinState.IN_FORCE
    bulletin.approved_by, bulletin.approved_at = by, clock.now()
    bulletin.save()
    superseded = _supersede()
    applied = rulings.rule_window(first_day=bulletin.first_day, last_day=bulletin.last_day)
    audit.record(
        action="bulletin.approved",
        by=by,
        subject=bulletin,
        superseded=superseded,
        decisions=applied.decisions,
        notices_opened=applied.notices.opened,
        notices_withdrawn=applied.notices.withdrawn,
    )
    return bulletin


@transaction.atomic
def withdraw(*, bulletin_id: int, by: User, reason: str) -> Bulletin:
    """Lift a bulletin: its decisions lapse, unsent notices are withdrawn, told patients are
    told again. A bulletin that it had fully replaced does not come back.

    Raises:
        Refusal: it is not in force, or no reason was given.
    """
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    if not reason.strip():
        raise Refusal(_("Indiquez pourquoi le bulletin est retiré."), field="reason")
    lock_rulings(shared=False)
    bulletin = _locked(bulletin_id)
    if bulletin.state == BulletinState.WITHDRAWN:
        return bulletin
    if bulletin.state != BulletinState.IN_FORCE:
        raise Refusal(_("Seul un bulletin en vigueur peut être retiré."))
    bulletin.state = BulletinState.WITHDRAWN
    bulletin.withdrawn_by, bulletin.withdrawn_at = by, clock.now()
    bulletin.withdrawal_reason = reason.strip()
    bulletin.save()
    applied = rulings.rule_window(first_day=bulletin.first_day, last_day=bulletin.last_day)
    audit.record(
        action="bulletin.withdrawn",
        by=by,
        subject=bulletin,
        reason=reason.strip(),
        decisions=applied.decisions,
        notices_opened=applied.notices.opened,
        notices_withdrawn=applied.notices.withdrawn,
    )
    return bulletin


def _locked(bulletin_id: int) -> Bulletin:
    try:
        return Bulletin.objects.select_for_update().get(pk=bulletin_id)
    except Bulletin.DoesNotExist:
        raise Refusal(_("Le bulletin %(number)s n'existe pas.") % {"number": bulletin_id}) from None


def _check_window(first_day: dt.date, last_day: dt.date) -> None:
    if last_day < first_day:
        raise Refusal(_("Le dernier jour précède le premier."), field="last_day")


def _supersede() -> list[int]:
    """Mark bulletins none of whose days they rule any more; return their numbers."""
    in_force = list(Bulletin.objects.filter(state=BulletinState.IN_FORCE))
    days = [day for bulletin in in_force for day in rulings.days_of(bulletin)]
    ruling = {bulletin.pk for bulletin in ruling_bulletins(days).values()}
    replaced = sorted(bulletin.pk for bulletin in in_force if bulletin.pk not in ruling)
    Bulletin.objects.filter(pk__in=replaced).update(state=BulletinState.SUPERSEDED)
    return replaced
