"""An act, the entries that sources have of it, and one decision about it under the locks.

An act that several sources plan under numbers of their own is one appointment to the patient: a
decision about one entry holds for all. Entries of one act are alike in patient, moment, service and
site, and come from different sources (ADR 0014). Two entries of one source are two appointments: it
tells them apart itself.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, When
from django.utils.translation import gettext as _

from appointments.decisions import rulings
from appointments.decisions.in_force import verdict_for
from appointments.decisions.rulings import clauses_for
from appointments.models import RULED, Appointment, Basis, Decision, Outcome
from appointments.rules import Verdict
from patients.models import Patient
from staff import clock
from staff.access import Capability, scope_of
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

MOST_SHOWN = 200
_ACT = ("patient_id", "starts_at", "service", "unit__site_id")
_CHUNK = 500
_FINAL = (Outcome.CANCELLED, Outcome.MAINTAINED)


class Act(NamedTuple):
    """What entries of one act have in common."""

    patient_id: int
    starts_at: dt.datetime
    service: str
    site_id: int


class SourceEntry(NamedTuple):
    """One source's entry of an act; ``source`` is its name."""

    id: int
    feed_id: int
    source: str
    source_id: str


@dataclass(frozen=True)
class DoubleEntry:
    """One act that several sources plan; ``entries`` are its appointments.

    ``is_contradictory``: not the same holds for all.
    """

    entries: list[Appointment]
    is_contradictory: bool

    @property
    def first(self) -> Appointment:
        """The entry that came first: patient, moment, service and site are those of all."""
        return self.entries[0]


def act_of(appointment: Appointment) -> Act:
    """Return the act of an appointment; its unit must be loaded."""
    return Act(
        appointment.patient_id,
        appointment.starts_at,
        appointment.service,
        appointment.unit.site_id,
    )


def entries_at(
    patient_ids: Collection[int], moments: Collection[dt.datetime]
) -> Mapping[Act, list[SourceEntry]]:
    """Return what is planned for some patients at some moments, by act (one query)."""
    found: dict[Act, list[SourceEntry]] = defaultdict(list)
    if not patient_ids:
        return found
    rows = Appointment.objects.filter(
        patient__in=patient_ids, starts_at__in=moments, status__in=RULED
    ).order_by("id")
    for *act, pk, feed_id, source, source_id in rows.values_list(
        *_ACT,
        *("id", "feed_id", "feed__name", "source_id"),
    ):
        found[Act(*act)].append(SourceEntry(pk, feed_id, source, source_id))
    return found


def others_of(appointment: Appointment) -> QuerySet[Appointment]:
    """Return the other sources' entries of an act; the appointment's unit must be loaded."""
    return (
        Appointment.objects.filter(
            status__in=RULED, **dict(zip(_ACT, act_of(appointment), strict=True))
        )
        .exclude(feed=appointment.feed_id)
        .select_related("unit__site", "feed")
        .order_by("id")
    )


def others_by_id(appointments: Iterable[Appointment]) -> dict[int, list[SourceEntry]]:
    """Return id → the other sources' entries, where there are any (one query)."""
    listed = list(appointments)
    found = entries_at({one.patient_id for one in listed}, {one.starts_at for one in listed})
    others = {
        one.pk: [other for other in found.get(act_of(one), ()) if other.feed_id != one.feed_id]
        for one in listed
    }
    return {pk: some for pk, some in others.items() if some}


def double_entries(user: User) -> list[DoubleEntry]:
    """Return what several sources plan from now on, contradictions first (two queries).

    At most ``MOST_SHOWN``.
    """
    several = _acts(user).values_list("differs", *_ACT).order_by("-differs", "starts_at")
    acts = {Act(*row): bool(differs) for differs, *row in several[:MOST_SHOWN]}
    rows = Appointment.objects.filter(
        patient__in={act.patient_id for act in acts},
        starts_at__in={act.starts_at for act in acts},
        status__in=RULED,
    ).select_related("patient", "unit__site", "feed", "practitioner")
    by_act: dict[Act, list[Appointment]] = defaultdict(list)
    for one in rows.order_by("id"):
        by_act[act_of(one)].append(one)
    return [DoubleEntry(by_act[act], differs) for act, differs in acts.items() if act in by_act]


def count_double_entries(user: User) -> tuple[int, int]:
    """Return how many acts several sources plan from now on, and how many disagree (one query)."""
    differ = list(_acts(user).values_list("differs", flat=True))
    return len(differ), sum(differ)


def _acts(user: User) -> QuerySet[Any]:
    """Return the acts of several sources that are still to come, as rows of ``Act``."""
    marked = Appointment.objects.filter(may_be_double=True)  # few: the board asks this each time
    planned = marked.filter(status__in=RULED, starts_at__gt=clock.now())
    if not scope_of(user, Capability.LOAD_FEEDS).everywhere:
        planned = planned.none()
    one_day = Q(given=0) | Q(given=F("entries"), first=F("last"))
    one_holds = Q(one_day, least=F("most"))
    acts: QuerySet[Any] = (
        planned.order_by()
        .values(*_ACT)
        .annotate(
            entries=Count("pk"),
            least=Min("outcome"),
            most=Max("outcome"),
            given=Count("postponed_to"),
            first=Min("postponed_to"),
            last=Max("postponed_to"),
            differs=Case(When(one_holds, then=0), default=1),
        )
        .alias(oldest=Min("feed"), newest=Max("feed"))
        .filter(oldest__lt=F("newest"))
    )
    return acts


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
    """Append what holds once a person took their decision back; also where it was shared.

    Args:
        appointment: from ``locked``.
        verdict: of the clause that rules it; None without a clause: then it is as planned.
        bulletin_id: the bulletin under which the person had decided.
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
    """Give loaded appointments the decision that a person made about another source's entry.

    The newest decision of that day counts; a decision about the entry itself stays. Part of a
    service that brings notices in line.

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
    """Mark appointments that another source plans too, on both sides: so they are found quickly.

    Args:
        appointments: those loaded, moved or given to another patient, with their unit.

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
