"""Draft and approve bulletins. Approving applies in the same transaction."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.bulletins.playbooks import Playbook
from appointments.bulletins.queries import fingerprint, places
from appointments.bulletins.sentences import compared_sentences
from appointments.decisions import rulings
from appointments.decisions.rulings import clauses_of, ruling_bulletins
from appointments.models import (
    Bulletin,
    BulletinState,
    Clause,
    KeptBy,
    ProtectedGroup,
    Ruling,
    Service,
    Tell,
)
from appointments.rules import ClauseTerms
from notifications.sending import switch as sending
from notifications.sending.switch import Released
from notifications.vocabulary import Channel
from staff import clock
from staff.access import Capability, require_everywhere, require_two_persons
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import Site, Unit, User
from staff.services import audit

LONGEST_REASON = 200  # characters
NOT_ASKED = {
    "withdrawal_asked_by": None,
    "withdrawal_asked_at": None,
    "withdrawal_reason": "",
    "withdrawal_restores": None,
    "withdrawal_sends_back": False,
    "withdrawal_by_sms": False,
}


class Outdated(Refusal):
    """Somebody else changed or deleted the draft since it was shown."""


class BulletinContent(TypedDict):
    """What a draft says.

    With a ``quiet_hours_override_reason`` its SMS leave in quiet hours too.
    """

    title: str
    first_day: dt.date
    last_day: dt.date
    release_at: dt.datetime
    clauses: Sequence[ClauseTerms]
    source_text: NotRequired[str]
    quiet_hours_override_reason: NotRequired[str]


@transaction.atomic
def draft(*, by: User, **content: Unpack[BulletinContent]) -> Bulletin:
    """Store a new draft; nothing is decided yet.

    Raises:
        Refusal: the window or a clause cannot be; the message names each fault.
    """
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    fields, clauses = _checked(content)
    bulletin = Bulletin.objects.create(**fields, drafted_by=by, drafted_at=clock.now())
    store_clauses(bulletin, clauses)
    audit.record(
        action="bulletin.drafted",
        by=by,
        subject=bulletin,
        clauses=len(clauses),
        **_at_night(bulletin),
    )
    return bulletin


@transaction.atomic
def redraft(
    *, bulletin_id: int, by: User, seen: str | None = None, **content: Unpack[BulletinContent]
) -> Bulletin:
    """Replace the content of a draft. Whoever edits it last is the one who drafted it.

    It is not ready any more, until that person says so. ``seen``: ``queries.fingerprint`` of what
    was shown when the editing began, where that is known.

    Raises:
        Outdated: the draft reads differently now, or is gone.
        Refusal: it is no longer a draft, or the content cannot be.
    """
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    bulletin = locked(bulletin_id) if seen is None else _as_seen(bulletin_id, seen)
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin n'est plus un brouillon : copiez-le pour le changer."))
    fields, clauses = _checked(content)
    changes = _order_changes(bulletin, clauses, content["first_day"], content["last_day"])
    for name, value in fields.items():
        setattr(bulletin, name, value)
    bulletin.drafted_by, bulletin.drafted_at = by, clock.now()
    bulletin.ready_by = bulletin.ready_at = None
    bulletin.save()
    store_clauses(bulletin, clauses)
    audit.record(
        action="bulletin.redrafted",
        by=by,
        subject=bulletin,
        clauses=len(clauses),
        **changes,
        **_at_night(bulletin),
    )
    return bulletin


def copy(*, bulletin_id: int, by: User, first_day: dt.date | None = None) -> Bulletin:
    """Store a draft with the content of another bulletin.

    Args:
        bulletin_id: the other one.
        by: who drafts.
        first_day: moves every date of it, so that it starts on this day; None for the same days.

    Raises:
        Refusal: the day lies outside the years that a bulletin may speak of.
    """
    original = Bulletin.objects.prefetch_related("clauses").get(pk=bulletin_id)
    content = Playbook(
        title=original.title,
        first_day=original.first_day,
        last_day=original.last_day,
        release_at=original.release_at,
        clauses=clauses_of(original),
        source_text=original.source_text,
    )
    return draft(
        by=by,
        quiet_hours_override_reason=original.quiet_hours_override_reason,
        **vars(content.starting(first_day) if first_day else content),
    )


@transaction.atomic
def ready(*, bulletin_id: int, by: User) -> Bulletin:
    """Say that a draft may be approved; saying it twice changes nothing.

    Raises:
        Refusal: it is no draft any more, or somebody else edited it last.
    """
    bulletin = _draft_of_ones_own(bulletin_id, by)
    if bulletin.ready_at is None:
        bulletin.ready_by, bulletin.ready_at = by, clock.now()
        bulletin.save(update_fields=["ready_by", "ready_at"])
        audit.record(action="bulletin.ready", by=by, subject=bulletin)
    return bulletin


@transaction.atomic
def take_back(*, bulletin_id: int, by: User) -> Bulletin:
    """Say that a draft may not be approved yet after all.

    Raises:
        Refusal: as for ``ready``.
    """
    bulletin = _draft_of_ones_own(bulletin_id, by)
    if bulletin.ready_at is not None:
        bulletin.ready_by = bulletin.ready_at = None
        bulletin.save(update_fields=["ready_by", "ready_at"])
        audit.record(action="bulletin.not_ready", by=by, subject=bulletin)
    return bulletin


@transaction.atomic
def delete(*, bulletin_id: int, by: User) -> None:
    """Delete a draft; the trail keeps what it was.

    Raises:
        Refusal: it is gone already, or no draft any more.
    """
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    bulletin = locked(bulletin_id)
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin n'est plus un brouillon : il reste dans l'historique."))
    audit.record(
        action="bulletin.deleted",
        by=by,
        subject=bulletin,
        title=bulletin.title,
        first_day=bulletin.first_day.isoformat(),
        last_day=bulletin.last_day.isoformat(),
        drafted_by=str(bulletin.drafted_by),
        **_order_changes(bulletin, (), bulletin.first_day, bulletin.last_day),
    )
    bulletin.delete()


def _draft_of_ones_own(bulletin_id: int, by: User) -> Bulletin:
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    bulletin = locked(bulletin_id)
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin n'est plus un brouillon : copiez-le pour le changer."))
    if bulletin.drafted_by_id != by.pk:
        raise Refusal(
            _("Seule la personne qui a rédigé ce brouillon, %(person)s, dit s'il est prêt.")
            % {"person": bulletin.drafted_by}
        )
    return bulletin


@transaction.atomic
def approve(
    *, bulletin_id: int, by: User, told: int | None = None, seen: str | None = None
) -> Bulletin:
    """Put a draft in force: supersede what it replaces, write decisions, open notices.

    Approving a bulletin that is in force already changes nothing (a double click).

    Args:
        bulletin_id: the draft.
        by: the second person.
        told: how many patients that person expects to be told; None for who saw no number.
        seen: ``queries.fingerprint`` of what was shown with the preview; None for who saw none.

    Raises:
        Outdated: the draft reads differently now, or is gone.
        Refusal: the drafter approves their own text or has not said that it is ready, one person
            may be behind both accounts, it is not a draft any more, another number of patients
            than ``told`` would be told, or somebody else approved it since it was seen.
    """
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    lock_rulings(shared=False)
    bulletin = locked(bulletin_id) if seen is None else _as_seen(bulletin_id, seen)
    if bulletin.state == BulletinState.IN_FORCE:
        if seen is not None and bulletin.approved_by_id != by.pk:
            raise Refusal(
                _("%(person)s a approuvé ce bulletin entre-temps : il est déjà en vigueur.")
                % {"person": bulletin.approved_by}
            )
        return bulletin
    if bulletin.state != BulletinState.DRAFT:
        raise Refusal(_("Ce bulletin a été remplacé ou retiré : il ne peut plus être approuvé."))
    if bulletin.drafted_by_id == by.pk:
        raise Refusal(
            _("Vous avez rédigé ce bulletin : un autre membre de la cellule doit l'approuver.")
        )
    if bulletin.ready_at is None:
        raise Refusal(
            _("Ce brouillon n'est pas encore prêt : %(person)s, qui l'a rédigé, doit le dire.")
            % {"person": bulletin.drafted_by}
        )
    remark = require_two_persons(bulletin.drafted_by, by)
    bulletin.state = BulletinState.IN_FORCE
    bulletin.approved_by, bulletin.approved_at = by, _approval_moment()
    bulletin.approval_remark = remark
    bulletin.save()
    superseded = _supersede()
    applied = rulings.rule_window(first_day=bulletin.first_day, last_day=bulletin.last_day)
    _check_told(applied.notices.opened, told)
    audit.record(
        action="bulletin.approved",
        by=by,
        subject=bulletin,
        superseded=superseded,
        decisions=applied.decisions,
        notices_opened=applied.notices.opened,
        notices_withdrawn=applied.notices.withdrawn,
        **({"two_persons": remark} if remark else {}),
        **_at_night(bulletin),
    )
    return bulletin


@transaction.atomic
def release_now(*, by: User) -> Released:
    """Release all messages that wait for their release time, and note it on each bulletin.

    Raises:
        AccessRefused: the person may not, or not for the whole group.
        Refusal: nothing waits.
    """
    lock_rulings(shared=True)  # before notices and bulletins: approving takes them the other way
    released = sending.release_now(by=by)
    now = clock.now()
    early = Bulletin.objects.select_for_update().filter(
        state=BulletinState.IN_FORCE, released_at=None, release_at__gt=now
    )
    for bulletin in early.order_by("id"):
        bulletin.released_by, bulletin.released_at = by, now
        bulletin.save(update_fields=["released_by", "released_at"])
        audit.record(
            action="bulletin.released",
            by=by,
            subject=bulletin,
            planned=bulletin.release_at.isoformat(),
            messages=released.messages,
            calls=released.calls,
        )
    return released


def locked(bulletin_id: int) -> Bulletin:
    """Return a bulletin under lock.

    Raises:
        Refusal: there is no such bulletin.
    """
    try:
        return Bulletin.objects.select_for_update().get(pk=bulletin_id)
    except Bulletin.DoesNotExist:
        raise Refusal(_("Le bulletin %(number)s n'existe pas.") % {"number": bulletin_id}) from None


def _as_seen(bulletin_id: int, seen: str) -> Bulletin:
    """Return a bulletin under lock, in the wording that the person had before their eyes.

    Two members of the crisis cell work at once: without this, the second would overwrite the
    first unseen, or put in force what nobody previewed.
    """
    bulletin = Bulletin.objects.select_for_update().filter(pk=bulletin_id).first()
    if bulletin is None:
        raise Outdated(_("Ce brouillon a été supprimé entre-temps."))
    if fingerprint(bulletin, clauses_of(bulletin)) != seen:
        raise Outdated(
            _("%(person)s a modifié ce bulletin entre-temps : relisez-le avant de continuer.")
            % {"person": bulletin.drafted_by}
        )
    return bulletin


def _checked(content: BulletinContent) -> tuple[dict[str, Any], Sequence[ClauseTerms]]:
    """Return the fields of a draft, and its clauses.

    Raises:
        Refusal: the window, the reason or a clause cannot be.
    """
    first_day, last_day, clauses = content["first_day"], content["last_day"], content["clauses"]
    if last_day < first_day:
        raise Refusal(_("Le dernier jour précède le premier."), field="last_day")
    reason = content.get("quiet_hours_override_reason", "").strip()
    if len(reason) > LONGEST_REASON:
        raise Refusal(
            _("Le motif de l'envoi pendant les heures calmes compte au plus %(most)d caractères.")
            % {"most": LONGEST_REASON},
            field="quiet_hours_override_reason",
        )
    check_clauses(clauses, first_day=first_day, last_day=last_day)
    fields = {name: value for name, value in content.items() if name != "clauses"}
    return {"source_text": "", **fields, "quiet_hours_override_reason": reason}, clauses


def check_clauses(clauses: Sequence[ClauseTerms], *, first_day: dt.date, last_day: dt.date) -> None:
    """Refuse clauses that name something unknown or that no bulletin may order.

    Raises:
        Refusal: one sentence per fault, each naming its clause.
    """
    if not clauses:
        raise Refusal(_("Le bulletin n'a aucun point : ajoutez-en au moins un."), field="clauses")
    known: dict[str, set[str]] = {
        "services": set(Service),
        "sites": set(Site.objects.values_list("code", flat=True)),
        "units": set(Unit.objects.values_list("code", flat=True)),
        "groups": set(ProtectedGroup.values),
    }
    faults = [
        _("Point %(number)s : %(fault)s") % {"number": number, "fault": fault}
        for number, clause in enumerate(clauses, start=1)
        for fault in _faults_of_clause(clause, known, first_day, last_day)
    ]
    if faults:
        raise Refusal(" ".join(faults), field="clauses")


def _faults_of_clause(
    clause: ClauseTerms, known: dict[str, set[str]], first_day: dt.date, last_day: dt.date
) -> Iterator[str]:
    words = {"ruling": Ruling, "tell": Tell, "channel": Channel, "kept_by": KeptBy}
    for name, choices in words.items():
        if getattr(clause, name) not in set(choices):
            yield _("%(name)s vaut « %(value)s » ; choisissez parmi %(choices)s.") % {
                "name": name,
                "value": getattr(clause, name),
                "choices": ", ".join(choices),
            }
    for name, codes in known.items():
        for code in getattr(clause, name):
            if code not in codes:
                yield _("%(name)s : « %(value)s » est inconnu.") % {"name": name, "value": code}
    for day in clause.days:
        if not first_day <= day <= last_day:
            yield _("le jour %(day)s est hors de la période du bulletin.") % {
                "day": f"{day:%d/%m/%Y}"
            }
    yield from _disorders(clause)


def _disorders(clause: ClauseTerms) -> Iterator[str]:
    """Yield what no bulletin may order."""
    if Service.EMERGENCY in clause.services and clause.ruling != Ruling.MAINTAIN:
        yield _("aucun bulletin ne peut annuler les urgences ; maintenez-les.")
    if clause.ruling == Ruling.CASE_BY_CASE and clause.kept_by == KeptBy.NOBODY:
        yield _(
            "« au cas par cas » demande quelqu'un qui tranche ; choisissez qui peut garder : le "
            "médecin concerné ou, pour les opérations, le Directeur médical."
        )
    is_open = clause.ruling != Ruling.MAINTAIN
    if Service.SURGERY in clause.services and is_open and clause.kept_by == KeptBy.DOCTOR:
        yield _(
            "seul le Directeur médical décide des opérations ; choisissez-le sous "
            "« Peut garder », au besoin dans un point à part."
        )


def store_clauses(bulletin: Bulletin, clauses: Sequence[ClauseTerms]) -> None:
    """Replace the clauses of a draft, in one statement each way."""
    bulletin.clauses.all().delete()
    Clause.objects.bulk_create(
        Clause(
            bulletin=bulletin,
            position=position,
            services=list(draft.services),
            sites=list(draft.sites),
            units=list(draft.units),
            days=[day.isoformat() for day in draft.days],
            groups=list(draft.groups),
            ruling=draft.ruling,
            tell=draft.tell,
            channel=draft.channel,
            kept_by=draft.kept_by,
            keep_until=draft.keep_until,
        )
        for position, draft in enumerate(clauses, start=1)
    )


def _order_changes(
    bulletin: Bulletin, clauses: Sequence[ClauseTerms], first_day: dt.date, last_day: dt.date
) -> dict[str, list[str]]:
    """Return the changed orders for the trail: those added and those dropped, if any.

    Always in French: the trail has one language.
    """
    days = sorted({*bulletin.days, *clock.days_between(first_day, last_day)})
    with translation.override(settings.LANGUAGE_CODE):
        added, dropped = compared_sentences(clauses_of(bulletin), clauses, places().names, days)
    return {name: said for name, said in (("added", added), ("dropped", dropped)) if said}


def _approval_moment() -> dt.datetime:
    """Return now, or just after the newest approval if the clock was set back: the newest rules."""
    now = clock.now()
    newest = Bulletin.objects.aggregate(Max("approved_at"))["approved_at__max"]
    return max(now, newest + dt.timedelta(microseconds=1)) if newest and newest > now else now


def _at_night(bulletin: Bulletin) -> dict[str, str]:
    """Return the override reason of quiet hours for the trail, if any."""
    reason = bulletin.quiet_hours_override_reason
    return {"quiet_hours_override_reason": reason} if reason else {}


def _check_told(opened: int, told: int | None) -> None:
    """Refuse if another number of patients would be told than the person read.

    The transaction rolls back what was applied to count them.
    """
    if told in (None, opened):
        return
    raise Refusal(
        ngettext(
            "%(now)d patient serait prévenu maintenant, et non %(told)d : relisez l'effet du "
            "bulletin, puis tapez le nouveau nombre.",
            "%(now)d patients seraient prévenus maintenant, et non %(told)d : relisez l'effet du "
            "bulletin, puis tapez le nouveau nombre.",
            opened,
        )
        % {"now": opened, "told": told},
        field="told",
    )


def _supersede() -> list[int]:
    """Mark bulletins that rule none of their days any more; return their numbers."""
    in_force = list(Bulletin.objects.filter(state=BulletinState.IN_FORCE))
    days = [day for bulletin in in_force for day in bulletin.days]
    ruling = {bulletin.pk for bulletin in ruling_bulletins(days).values()}
    replaced = sorted(bulletin.pk for bulletin in in_force if bulletin.pk not in ruling)
    Bulletin.objects.filter(pk__in=replaced).update(state=BulletinState.SUPERSEDED, **NOT_ASKED)
    return replaced
