"""What people cancelled and no bulletin orders any more: how much stands, and asking them anew.

A person's decision outlives its bulletin, and while it stands its word is owed to the patient
(ADR 0014). Whoever withdraws the bulletin sees these decisions, and may send them back.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext as _

from appointments.decisions import rulings
from appointments.decisions.in_force import ruling_bulletins
from appointments.decisions.rulings import Applied
from appointments.models import RULED, Appointment, Basis, Decision, Outcome, Service
from staff import clock
from staff.access import AccessScope, Capability, require_everywhere
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

EVERYWHERE = AccessScope(everywhere=True)


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
    """Return by day what persons cancelled, postponed or have yet to decide, and has not begun.

    No bulletin is needed for it: without one these do not follow the agenda (one query).

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
    """Ask anew those who cancelled on coming days that no bulletin rules; return how many.

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
