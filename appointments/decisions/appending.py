"""Append one decision about one appointment, under the locks that keep it true."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from appointments.decisions import rulings
from appointments.decisions.double_entries import SourceEntry, others_by_id, others_of
from appointments.decisions.in_force import clauses_for, verdict_for
from appointments.models import RULED, Appointment, Basis, Decision, Outcome
from appointments.rules import Verdict
from patients.models import Patient
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

_CHUNK = 500
_FINAL = (Outcome.CANCELLED, Outcome.MAINTAINED)


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

    It holds for the other sources' entries of the act too: to the patient they are one.

    ``bulletin_id``: the bulletin that left it to them, as far as one did.
    """
    others = list(others_of(appointment).select_for_update(of=("self",)))
    said: dict[str, Any] = {
        "outcome": outcome,
        "basis": Basis.PERSON,
        "bulletin_id": bulletin_id,
        "decided_by": by,
        "reason": reason,
        "postponed_to": postponed_to,
    }
    for other in others:
        _append(other, **said)
    decision = _append(appointment, **said)
    _settle(appointment, others, by=by)
    return decision


@transaction.atomic
def by_nobody(
    *, appointment: Appointment, verdict: Verdict | None, bulletin_id: int | None, by: User
) -> Decision:
    """Append what holds without a person, who took their decision back; also where it was shared.

    Args:
        appointment: from ``locked``.
        verdict: of the clause that rules it; None where nothing does: then it is as planned.
        bulletin_id: under which the person had decided.
        by: who takes it back.
    """
    others = others_of(appointment).filter(outcome_basis=Basis.PERSON)
    shared = list(others.select_for_update(of=("self",)))
    clauses = clauses_for([appointment.day]) if shared else {}
    for other in shared:
        _append(other, **_unless_by_person(verdict_for(other, clauses), bulletin_id))
    decision = _append(appointment, **_unless_by_person(verdict, bulletin_id))
    _settle(appointment, shared, by=by)
    return decision


def share(appointment_ids: Iterable[int]) -> list[int]:
    """Give what a load brought the decision that a person made about the same act elsewhere.

    The newest one of that day counts; what a person decided about the entry itself stays. Part of
    a service that brings notices in line.

    Returns:
        the ids of the appointments that got one.
    """
    ids, shared = list(appointment_ids), []
    for start in range(0, len(ids), _CHUNK):
        some = Appointment.objects.filter(pk__in=ids[start : start + _CHUNK], status__in=RULED)
        entries = list(some.select_related("unit"))
        others = mark_double_entries(entries)
        standing = _by_persons({other.id for listed in others.values() for other in listed})
        for entry in entries:
            if entry.outcome_basis == Basis.PERSON and entry.outcome in _FINAL:
                continue
            listed = [standing[one.id] for one in others.get(entry.pk, ()) if one.id in standing]
            listed = [one for one in listed if one.day == entry.day]
            if not listed:
                continue
            newest = max(listed, key=lambda one: (one.decided_at, one.pk))
            _append(
                entry,
                outcome=newest.outcome,
                basis=Basis.PERSON,
                bulletin_id=newest.bulletin_id,
                decided_by=newest.decided_by,
                reason=newest.reason,
                postponed_to=newest.postponed_to,
            )
            shared.append(entry.pk)
    return shared


def mark_double_entries(appointments: Iterable[Appointment]) -> Mapping[int, list[SourceEntry]]:
    """Mark those that another source plans too, on both sides, so that they are found among many.

    Args:
        appointments: with their unit; that were loaded, moved or given to another patient.

    Returns:
        as ``others_by_id``.
    """
    others = others_by_id(appointments)
    found = {*others, *(other.id for listed in others.values() for other in listed)}
    if found:
        of_these = Appointment.objects.filter(pk__in=found, may_be_double=False)
        of_these.update(may_be_double=True)
    return others


def _by_persons(ids: Collection[int]) -> dict[int, Decision]:
    """Return the decisions of persons that stand, by appointment."""
    found = Decision.objects.filter(
        appointment__in=ids,
        version=F("appointment__decision_version"),
        basis=Basis.PERSON,
        outcome__in=_FINAL,
    )
    return {one.appointment_id: one for one in found.select_related("decided_by")}


def _unless_by_person(verdict: Verdict | None, bulletin_id: int | None) -> dict[str, Any]:
    if verdict is None:
        return {
            "outcome": Outcome.MAINTAINED,
            "basis": Basis.LAPSE,
            "bulletin_id": bulletin_id,
        }
    return {
        "outcome": verdict.outcome.value,
        "basis": Basis.CLAUSE,
        "bulletin_id": verdict.clause.bulletin_id,
        "clause_id": verdict.clause.id,
    }


def _settle(appointment: Appointment, others: Sequence[Appointment], *, by: User) -> None:
    """Bring the patient's notice in line, and write for which other entries it holds too."""
    rulings.align_pairs(pairs=[(appointment.patient_id, appointment.day)])
    if others:
        audit.record(
            action="decision.shared",
            by=by,
            subject=appointment,
            appointments=[other.pk for other in others],
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
    return decision
