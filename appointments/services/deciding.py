"""Append one decision about one appointment, under the locks that keep it true."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.models import Appointment, Basis, Decision, Outcome
from appointments.rules import Verdict
from appointments.services import rulings
from patients.models import Patient
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User


def locked(appointment_id: int) -> Appointment:
    """Return an appointment under lock, with its patient's row, inside a transaction.

    The patient's row makes two decisions about one patient's day wait for each other, so that
    their notice is written once.

    Raises:
        Refusal: there is no such appointment.
    """
    lock_rulings(shared=True)
    patient_id = (
        Appointment.objects.filter(pk=appointment_id).values_list("patient_id", flat=True).first()
    )
    if patient_id is None:
        raise Refusal(_("Ce rendez-vous n'existe pas."))
    Patient.objects.select_for_update().get(pk=patient_id)
    return (
        Appointment.objects.select_for_update(of=("self",))
        .select_related("unit__site", "patient")
        .get(pk=appointment_id)
    )


def standing(appointment: Appointment) -> Decision | None:
    """Return the decision that holds, if any."""
    return appointment.decisions.order_by("-version").first()


def check_seen(standing: Decision | None, *, seen: int | None, by: User) -> None:
    """Refuse to decide over what somebody else decided and the person did not see.

    Args:
        standing: the decision that holds.
        seen: the version that the person had before their eyes; None if that is not known.
        by: who decides now.

    Raises:
        Refusal: who decided what meanwhile.
    """
    if standing is None or seen is None or standing.version == seen:
        return
    if standing.decided_by_id is None or standing.decided_by_id == by.pk:
        return
    raise Refusal(
        _("%(person)s a décidé entre-temps : %(outcome)s. Relisez, puis choisissez.")
        % {"person": standing.decided_by, "outcome": standing.get_outcome_display()}
    )


@transaction.atomic
def by_person(
    *,
    appointment: Appointment,
    bulletin_id: int | None,
    outcome: str,
    by: User,
    reason: str,
    postponed_to: dt.date | None = None,
) -> Decision:
    """Append a person's decision and bring the patient's notice in line.

    ``bulletin_id``: the bulletin that left it to them, as far as one did.
    """
    return _append(
        appointment,
        outcome=outcome,
        basis=Basis.PERSON,
        bulletin_id=bulletin_id,
        decided_by=by,
        reason=reason,
        postponed_to=postponed_to,
    )


@transaction.atomic
def by_clause(*, appointment: Appointment, verdict: Verdict) -> Decision:
    """Append the clause's own decision again (a person took theirs back)."""
    return _append(
        appointment,
        outcome=verdict.outcome.value,
        basis=Basis.CLAUSE,
        bulletin_id=verdict.clause.bulletin_id,
        clause_id=verdict.clause.id,
    )


@transaction.atomic
def by_nothing(*, appointment: Appointment, bulletin_id: int | None) -> Decision:
    """Append that nothing rules it any more: as planned (a person took their decision back).

    Args:
        appointment: from ``locked``.
        bulletin_id: under which the person had decided.
    """
    return _append(
        appointment, outcome=Outcome.MAINTAINED, basis=Basis.LAPSE, bulletin_id=bulletin_id
    )


def _append(appointment: Appointment, *, outcome: str, basis: str, **ground: Any) -> Decision:
    decision = Decision.objects.create(
        appointment=appointment,
        version=appointment.decision_version + 1,
        day=appointment.day,
        outcome=outcome,
        basis=basis,
        decided_at=clock.now(),
        **ground,
    )
    appointment.outcome, appointment.outcome_basis = outcome, basis
    appointment.decision_version = decision.version
    appointment.postponed_to = decision.postponed_to
    appointment.save(update_fields=["outcome", "outcome_basis", "decision_version", "postponed_to"])
    pair: tuple[int, dt.date] = (appointment.patient_id, appointment.day)
    rulings.align_pairs(pairs=[pair])
    return decision
