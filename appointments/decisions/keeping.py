"""What people decide: a doctor keeps a patient who cannot wait, lets one go, changes their mind.

Whether they may is answered by ``rules.may_keep``; each of these may be asked twice. A person's
decision outlives its bulletin, and while it stands its word is owed to the patient (ADR 0014).
Whoever withdraws the bulletin sees these decisions, and may send them back.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext as _

from appointments.decisions import acts, rulings
from appointments.decisions.in_force import doctor_of, keep_answer, keeper_of, verdict_for
from appointments.decisions.rulings import Applied, clauses_for, ruling_bulletins
from appointments.models import RULED, Appointment, Basis, Decision, Outcome, Service
from appointments.rules import KeepAnswer, Keeper, Verdict, may_undo
from notifications.calls import services as calls
from notifications.lifecycle import call_states
from notifications.models import Channel, Delivery, Notice, NoticeState
from staff import clock
from staff.access import AccessScope, Capability, require_everywhere
from staff.database import lock_rulings
from staff.errors import AccessRefused, Refusal
from staff.models import User
from staff.services import audit

MOST = 30  # as many as a page of the doctor's day lists
EVERYWHERE = AccessScope(everywhere=True)


@transaction.atomic
def keep(*, appointment_id: int, by: User, reason: str = "", seen: int | None = None) -> Decision:
    """Maintain an appointment that the bulletin cancels; its unsent notice is withdrawn.

    Args:
        appointment_id: what is kept.
        by: who keeps it.
        reason: in their words.
        seen: the version of the decision that they had before their eyes, as far as known.

    Raises:
        Refusal: the bulletin, the deadline or the person does not allow it, or somebody else
            decided meanwhile; says which.
    """
    return decide_in_person(
        acts.locked(appointment_id),
        keeper=doctor_of(by),
        outcome=Outcome.MAINTAINED,
        by=by,
        reason=reason,
        seen=seen,
        action="appointment.kept",
    )


@transaction.atomic
def let_go(*, appointment_id: int, by: User, reason: str = "", seen: int | None = None) -> Decision:
    """Confirm the cancellation in person; arguments as for ``keep``.

    Raises:
        Refusal: as for ``keep``.
    """
    return decide_in_person(
        acts.locked(appointment_id),
        keeper=doctor_of(by),
        outcome=Outcome.CANCELLED,
        by=by,
        reason=reason,
        seen=seen,
        action="appointment.let_go",
    )


@transaction.atomic
def undo(*, appointment_id: int, by: User, seen: int | None = None) -> Decision:
    """Take a personal decision back: the bulletin's clause holds again, or nothing does.

    ``seen`` as for ``keep``.

    Raises:
        Refusal: as for ``keep``; without a bulletin that leaves it to somebody, it is not theirs.
    """
    appointment = acts.locked(appointment_id)
    return take_back(
        appointment, keeper=doctor_of(by), by=by, seen=seen, action="appointment.keep_undone"
    )


def take_back(
    appointment: Appointment, *, keeper: Keeper, by: User, seen: int | None, action: str
) -> Decision:
    """Append what holds without a person's decision; arguments as for ``decide_in_person``.

    Raises:
        Refusal: why they may not, or that somebody else decided otherwise meanwhile.
    """
    standing = acts.standing(appointment)
    verdict, may_decide = _asked(appointment, keeper)
    is_by_person = standing is not None and standing.basis == Basis.PERSON
    answer = may_undo(
        may_decide=may_decide,
        is_theirs=is_by_person and standing is not None and standing.decided_by_id == by.pk,
        starts_at=appointment.starts_at,
        now=clock.now(),
    )
    if standing is not None and standing.basis == Basis.LAPSE:
        return standing
    if not answer.allowed or standing is None:
        raise Refusal(_(answer.why))
    if not is_by_person:
        return standing
    acts.check_seen(standing, seen=seen, by=by)
    decision = acts.by_nobody(
        appointment=appointment, verdict=verdict, bulletin_id=standing.bulletin_id, by=by
    )
    audit.record(action=action, by=by, subject=appointment)
    return decision


@transaction.atomic
def contacted(*, appointment_id: int, by: User, said: int | None = None) -> Notice:
    """Note that the doctor reached the patient they kept.

    Args:
        appointment_id: which appointment.
        by: the doctor, or who answers for them.
        said: the notice that they had before their eyes, as far as known. Where the source moved
            the patient or the decision changed meanwhile, that notice is withdrawn and stays so;
            it counts as heard, and what is owed is asked again (``notice_states.ask_again``).

    Raises:
        Refusal: the appointment is not theirs, or there is nothing to tell.
    """
    notice = _notice_of_kept(appointment_id, by, said)
    if notice.state == NoticeState.TOLD:
        return notice
    calls.log(delivery_id=_call_of(notice).pk, by=by, result=calls.CallResult.REACHED)
    notice.refresh_from_db()
    return notice


@transaction.atomic
def not_contacted(*, appointment_id: int, by: User) -> Notice:
    """Take ``contacted`` back: it was a mistake, and the patient is called if it is still owed.

    Raises:
        Refusal: the appointment is not theirs, somebody else told the patient, or it is too
            late; says which.
    """
    notice = _notice_of_kept(appointment_id, by)
    if notice.state == NoticeState.OPEN:
        return notice
    reopened = call_states.take_back(delivery_id=_call_of(notice).pk, by=by)
    # A patient who heard nothing is owed another word, or none if the bulletin was withdrawn.
    rulings.align_pairs(pairs=sorted({(one.patient_id, one.day) for one in reopened}))
    notice.refresh_from_db()
    return notice


def _notice_of_kept(appointment_id: int, by: User, said: int | None = None) -> Notice:
    """Lock an appointment, and return the newest notice that says it is maintained, or that one.

    Raises:
        Refusal: the appointment is not theirs, or there is nothing to tell.
    """
    appointment = acts.locked(appointment_id)
    if appointment.practitioner_id not in keeper_of(by).practitioner_ids:
        raise AccessRefused(_("Ce patient n'est pas l'un des vôtres."))
    told = Notice.objects.filter(items__subject_id=appointment.pk, items__word=Outcome.MAINTAINED)
    of_now = told.filter(patient=appointment.patient_id, day=appointment.day)
    shown = told.filter(pk=said).first() if said else None
    notice = shown or of_now.exclude(state=NoticeState.WITHDRAWN).order_by("-version").first()
    if notice is None:
        raise Refusal(_("Il n'y a rien à annoncer à ce patient."))
    return notice


def _call_of(notice: Notice) -> Delivery:
    call = Delivery.objects.filter(notice=notice, channel=Channel.PHONE).last()
    if call is None:
        raise Refusal(_("Ce patient est prévenu par SMS : il n'y a pas d'appel à noter."))
    return call


def _asked(appointment: Appointment, keeper: Keeper) -> tuple[Verdict | None, KeepAnswer]:
    """Return what the bulletin orders for an appointment, and if the person may decide it."""
    verdict = verdict_for(appointment, clauses_for([appointment.day]))
    return verdict, keep_answer(appointment, verdict, keeper, clock.now())


def decide_in_person(
    appointment: Appointment,
    *,
    keeper: Keeper,
    outcome: str,
    by: User,
    reason: str,
    seen: int | None,
    action: str,
    postponed_to: dt.date | None = None,
    noted: Mapping[str, str] | None = None,
) -> Decision:
    """Append a person's decision that the rules allow; what stands already is only returned.

    Args:
        appointment: from ``acts.locked``.
        keeper: in which office the person decides.
        seen: as for ``keep``.
        action: the name of the audit event.
        postponed_to: the day that a cancelled patient is given instead.
        noted: more for the audit event.

    Raises:
        Refusal: why they may not, or that somebody else decided otherwise meanwhile.
    """
    verdict, answer = _asked(appointment, keeper)
    if not answer.allowed:
        raise Refusal(_(answer.why))
    standing = acts.standing(appointment)
    asked = (Basis.PERSON, outcome, postponed_to)
    if standing and (standing.basis, standing.outcome, standing.postponed_to) == asked:
        return standing
    acts.check_seen(standing, seen=seen, by=by)
    before = standing.bulletin_id if standing else None
    decision = acts.by_person(
        appointment=appointment,
        bulletin_id=verdict.clause.bulletin_id if verdict else before,
        outcome=outcome,
        by=by,
        reason=reason,
        postponed_to=postponed_to,
    )
    audit.record(action=action, by=by, subject=appointment, reason=reason, **(noted or {}))
    return decision


@dataclass(frozen=True)
class Done:
    """The result for one appointment; ``refusal`` says why it was not decided."""

    appointment_id: int
    refusal: str = ""


def decide_several(
    decide: Callable[..., object],
    *,
    appointment_ids: Iterable[int],
    by: User,
    reason: str = "",
    seen: Mapping[int, int | None] | None = None,
) -> list[Done]:
    """Keep each of these appointments or let it go, each in a transaction with locks of its own.

    Args:
        decide: ``keep`` or ``let_go``.
        appointment_ids: at most ``MOST`` of them; one that comes twice counts once.
        by: who decides.
        reason: the same for all.
        seen: by appointment, the version of the decision that the person had before their eyes.

    Returns:
        One entry for each, in the order of their ids.

    Raises:
        Refusal: more than ``MOST``.
    """
    wanted = sorted(set(appointment_ids))
    if len(wanted) > MOST:
        raise Refusal(
            _("Choisissez au plus %(most)d patients à la fois ; vous en avez choisi %(number)d.")
            % {"most": MOST, "number": len(wanted)}
        )
    done = []
    for appointment_id in wanted:
        version, refusal = seen.get(appointment_id) if seen else None, ""
        try:
            decide(appointment_id=appointment_id, by=by, reason=reason, seen=version)
        except Refusal as why:
            refusal = str(why)
        done.append(Done(appointment_id, refusal))
    return done


@dataclass(frozen=True)
class StandingCancellations:
    """How many cancellations by one person stand; ``operations``: of how many of them."""

    decided_by: User
    decisions: int
    operations: int


def standing_cancellations(first_day: dt.date, last_day: dt.date) -> QuerySet[Decision]:
    """Return what persons cancelled, or postponed, on these days and has not begun.

    Args:
        first_day, last_day: both included; usually those of a bulletin.
    """
    return Decision.objects.filter(
        version=F("appointment__decision_version"),
        basis=Basis.PERSON,
        outcome=Outcome.CANCELLED,
        day=F("appointment__day"),
        appointment__day__range=(first_day, last_day),
        appointment__starts_at__gt=clock.now(),
        appointment__status__in=RULED,
    )


def standing_by_person(first_day: dt.date, last_day: dt.date) -> list[StandingCancellations]:
    """Return whose cancellations stand on these days, the most first (two queries)."""
    decisions = standing_cancellations(first_day, last_day)
    of_author = decisions.order_by().values_list("decided_by")
    counted = dict(of_author.annotate(Count("pk")))
    surgery = of_author.filter(appointment__service=Service.SURGERY)
    operations = dict(surgery.annotate(Count("pk")))
    found = [
        StandingCancellations(author, counted[author.pk], operations.get(author.pk, 0))
        for author in User.objects.filter(pk__in=counted)
    ]
    return sorted(found, key=lambda one: (-one.decisions, str(one.decided_by)))


def decided_by_day(
    first_day: dt.date,
    last_day: dt.date = dt.date.max,
    *,
    outcomes: Collection[Outcome] = (Outcome.CANCELLED, Outcome.UNDER_REVIEW),
    scope: AccessScope = EVERYWHERE,
) -> dict[dt.date, int]:
    """Return by day how many appointments persons cancelled, postponed or have yet to decide.

    Only appointments that have not begun, with or without a bulletin (one query).

    Args:
        first_day, last_day: both included.
        outcomes: which of the decisions.
        scope: where.
    """
    decided = Appointment.objects.filter(
        scope.units(),
        outcome__in=outcomes,
        outcome_basis=Basis.PERSON,
        day__range=(first_day, last_day),
        starts_at__gt=clock.now(),
        status__in=RULED,
    )
    return dict(decided.order_by().values_list("day").annotate(Count("pk")))


@transaction.atomic
def send_back_unruled(*, by: User, reason: str) -> int:
    """Send back the cancellations by persons on coming days without a bulletin; return how many.

    Raises:
        AccessRefused: as for ``send_back``.
        Refusal: no reason was given.
    """
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    if not reason.strip():
        raise Refusal(_("Indiquez pourquoi ces décisions sont redemandées."), field="reason")
    lock_rulings(shared=False)
    days, sent_back = unruled_days(), 0
    for day in days:
        sent_back += standing_cancellations(day, day).count()
        send_back(first_day=day, last_day=day, by=by, reason=reason.strip())
    return sent_back


def unruled_days() -> list[dt.date]:
    """Return the coming days with cancellations by persons that no bulletin rules."""
    today = clock.today()
    standing = standing_cancellations(today, dt.date.max).order_by().values_list("day", flat=True)
    days = sorted(set(standing))
    ruled = ruling_bulletins(days)
    return [day for day in days if day not in ruled]


@transaction.atomic
def send_back(*, first_day: dt.date, last_day: dt.date, by: User, reason: str) -> Applied:
    """Ask those who cancelled on these days to decide anew: until then it is under review.

    No word is owed meanwhile; they decide without a bulletin, until the appointment starts.

    Args:
        first_day, last_day: both included.
        by: who sends back; in the name of the crisis cell.
        reason: in their words.

    Raises:
        AccessRefused: the person may not approve or withdraw bulletins.
    """
    require_everywhere(by, Capability.APPROVE_BULLETIN)
    lock_rulings(shared=False)
    standing = standing_cancellations(first_day, last_day).select_related("appointment")
    sent_back = list(standing.order_by("appointment_id"))
    now = clock.now()
    Decision.objects.bulk_create(
        Decision(
            appointment_id=one.appointment_id,
            version=one.version + 1,
            day=one.day,
            outcome=Outcome.UNDER_REVIEW,
            basis=Basis.PERSON,
            bulletin_id=one.bulletin_id,
            decided_by=by,
            decided_at=now,
            reason=reason[:300],
        )
        for one in sent_back
    )
    concerned = [one.appointment_id for one in sent_back]
    Appointment.objects.filter(pk__in=concerned).update(
        outcome=Outcome.UNDER_REVIEW,
        outcome_basis=Basis.PERSON,
        postponed_to=None,
        decision_version=F("decision_version") + 1,
    )
    pairs = {(one.appointment.patient_id, one.day) for one in sent_back}
    applied = rulings.align_pairs(pairs=pairs)
    for one in sent_back:  # each in the trail of its own appointment, as every decision is
        audit.record(
            action="appointment.sent_back",
            by=by,
            subject=one.appointment,
            decided_by=one.decided_by_id,
            reason=reason,
        )
    return applied
