"""Write what was planned for a few hundred records, set by set; and flag what disappeared.

A load may link record numbers of one person. People take that back exactly, or put aside a pair
that only looks alike.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from appointments.decisions import appending as deciding
from appointments.decisions.rulings import align_pairs
from appointments.feeds.file_terms import Area, Coverage, SiteDay
from appointments.feeds.importing.people import Practitioners
from appointments.feeds.importing.plan import ChunkPlan, Planned
from appointments.models import (
    RULED,
    Appointment,
    Basis,
    Conflict,
    ConflictState,
    Decision,
    Feed,
    Outcome,
    ScheduleImport,
    Service,
)
from notifications.lifecycle import follow_up
from notifications.models import Notice
from patients.identity import LinkCertainty, link
from patients.models import Likeness, LinkProposal, PatientIdentifier
from patients.services import links
from patients.services.registration import person_of, register
from staff import clock
from staff.access import Capability, require_everywhere
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.services import audit

Pair = tuple[int, dt.date]
_FROM_SOURCE = [
    "patient",
    "record_number",
    "unit",
    "practitioner",
    "service",
    "status",
    "starts_at",
    "day",
    "minutes",
    "act",
    "priority",
    "protected_groups",
    "row_digest",
    "loaded_at",
    "moved_from",
    "moved_at",
    "missing_since",
]
_CHUNK = 500
SOON = dt.timedelta(days=6)


@transaction.atomic
def join(*, leaving_id: int, staying_id: int) -> tuple[PatientIdentifier, set[Pair]]:
    """Join two known patients who are one person for sure.

    Part of a service that then aligns the notices of the returned days and writes the trail.
    Whatever the patient heard under either number counts as heard; a notice that waits for both is
    sent once.

    Args:
        leaving_id: the patient who joins, with their one record number.
        staying_id: the other patient.

    Returns:
        the record number, linked, and the patient and days of which is to be asked.

    Raises:
        Refusal: it could not be taken back exactly.
    """
    lock_rulings(shared=False)
    planned = Appointment.objects.filter(patient=leaving_id)
    moved = list(planned.values_list("pk", "day"))
    told = Notice.objects.filter(patient__in=[leaving_id, staying_id]).values_list("day", flat=True)
    days = {day for _pk, day in moved} | set(told)
    history = follow_up.hand_on(leaving=leaving_id, staying=staying_id)
    planned.update(patient=staying_id)
    joined = Appointment.objects.filter(pk__in=[pk for pk, _day in moved], status__in=RULED)
    deciding.mark_double_entries(joined.select_related("unit"))
    kept = history | {"appointments": [pk for pk, _day in moved]}
    record = links.join(leaving_id=leaving_id, staying_id=staying_id, kept=kept)
    return record, {(staying_id, day) for day in days}


@transaction.atomic
def link_known(*, proposal_id: int, by: User) -> PatientIdentifier:
    """Join two patients who are listed because everything about them is equal.

    Raises:
        Refusal: not everything is equal any more, or it could not be taken back exactly.
    """
    require_everywhere(by, Capability.LOAD_FEEDS)
    lock_rulings(shared=False)
    found = LinkProposal.objects.select_related("record__patient", "other").get(pk=proposal_id)
    one, other = found.record.patient, found.other
    if link(person_of(one), person_of(other)) is not LinkCertainty.SURE:
        raise Refusal(_("Ces deux dossiers ne sont plus égaux en tout : rien n'est relié."))
    pair = (one.pk, other.pk)
    who = links.joinable([pair]).get(pair)
    if who is None:
        raise Refusal(
            _(
                "Chacun a plusieurs dossiers, ou quelqu'un a dit que ce sont deux personnes : le "
                "lien ne se déferait pas exactement. Rien n'est relié."
            )
        )
    leaving_id, staying_id = who
    record, pairs = join(leaving_id=leaving_id, staying_id=staying_id)
    align_pairs(pairs=pairs)
    audit.record(
        action="patients.linked",
        by=by,
        subject=record,
        source=record.system,
        links=[{"record": record.value, "patient": staying_id, "was_patient": leaving_id}],
    )
    return record


@transaction.atomic
def unlink(*, identifier_id: int, by: User, reason: str) -> PatientIdentifier:
    """Undo a link: a record number gets its own patient back.

    The appointments loaded under that number move with it, and the telephones that only it brought
    leave the other patient. The bulletins in force are applied to both on those days: a notice that
    is still to be sent says what concerns each, and a patient who was not told is told. What a
    patient was told stays in their history, each appointment with its record number.

    Args:
        identifier_id: a record number that was linked to another's patient.
        by: who says that these are two people.
        reason: how that is known.

    Raises:
        Refusal: no reason, or the number is not linked.
    """
    require_everywhere(by, Capability.LOAD_FEEDS)
    if not reason.strip():
        raise Refusal(_("Dites comment vous savez que ce sont deux personnes."), field="reason")
    lock_rulings(shared=False)
    linked = PatientIdentifier.objects.get(pk=identifier_id)
    shared_id, kept = linked.patient_id, linked.linked_kept
    record = links.part(identifier_id=identifier_id)
    by_number = Q(feed__name=record.system, record_number=record.value)
    came_by = Appointment.objects.filter(
        by_number | Q(pk__in=kept.get("appointments", ())), patient=shared_id
    )
    moved = list(came_by.values_list("pk", "day"))
    days = {day for _pk, day in moved}
    came_by.update(patient=record.patient_id)
    asked = follow_up.hand_back(kept, shared=shared_id, back_to=record.patient_id)
    _say_two(record, shared_id, by)
    both = (shared_id, record.patient_id)
    align_pairs(pairs=[*asked, *((who, day) for who in both for day in days)])
    audit.record(
        action="patients.unlinked",
        by=by,
        subject=record,
        source=record.system,
        record=record.value,
        patient=shared_id,
        now_patient=record.patient_id,
        appointments=[pk for pk, _day in moved],
        reason=reason.strip()[:300],
    )
    return record


def _say_two(record: PatientIdentifier, other_id: int, by: User) -> None:
    """Record that somebody called these two people, so that no load joins them again."""
    LinkProposal.objects.update_or_create(
        record=record,
        other_id=other_id,
        defaults={
            "likeness": Likeness.ALL,
            "proposed_at": clock.now(),
            "dismissed_at": clock.now(),
            "dismissed_by": by,
        },
    )


@transaction.atomic
def dismiss_likeness(*, proposal_id: int, by: User) -> LinkProposal:
    """Dismiss two records that look alike: somebody saw that nothing needs doing.

    Raises:
        Refusal: somebody did already.
    """
    require_everywhere(by, Capability.LOAD_FEEDS)
    proposal = LinkProposal.objects.select_for_update(of=("self",)).get(pk=proposal_id)
    if proposal.dismissed_at is not None:
        raise Refusal(_("Cette ressemblance est déjà écartée."))
    proposal.dismissed_at, proposal.dismissed_by = clock.now(), by
    proposal.save(update_fields=["dismissed_at", "dismissed_by"])
    audit.record(action="patients.likeness_dismissed", by=by, subject=proposal)
    return proposal


class Writer:
    """Writes the chunks of one load of a feed, inside the caller's transaction."""

    def __init__(self, feed: Feed, now: dt.datetime, *, is_newest: bool) -> None:
        """Start a load; without ``is_newest`` no patient is renamed or reached elsewhere."""
        self._feed = feed
        self._is_newest = is_newest
        self._now = now
        self.practitioners = Practitioners()
        self.linked: dict[str, int] = {}  # record number → the patient it was linked to
        self.joined: dict[int, PatientIdentifier] = {}  # patient who joined → record
        self.to_ask: set[Pair] = set()  # patients and days whose notices are to be aligned

    def write(self, plan: ChunkPlan) -> list[int]:
        """Write one chunk; return the ids of the appointments that are new or different."""
        changed = plan.moved + plan.updated
        written = plan.created + changed
        patients = register(
            system=self._feed.name,
            described=[one.description(is_newest=self._is_newest) for one in written],
            known=plan.patients,
        )
        self.linked |= {
            one.record.patient_id: patients[one.record.patient_id]
            for one in written
            if one.who.same_as is not None
        }
        self.practitioners.create_unknown(one.record for one in written)
        _raise_to_emergency([one for one in changed if _becomes_emergency(one)], self._now)
        created = Appointment.objects.bulk_create(
            [self._appointment(one, patients) for one in plan.created]
        )
        Appointment.objects.bulk_create(
            [self._appointment(one, patients) for one in changed],
            update_conflicts=True,
            unique_fields=["feed", "source_id"],
            update_fields=_FROM_SOURCE,
        )
        back = [one.known.id for one in plan.back if one.known]
        if back:
            Appointment.objects.filter(pk__in=back).update(missing_since=None, loaded_at=self._now)
        self._join(written)
        return [a.pk for a in created] + [one.known.id for one in changed if one.known] + back

    def _join(self, written: Sequence[Planned]) -> None:
        """Join known patients whom the file shows to be one person."""
        for leaving_id, staying_id in {one.who.joins: 0 for one in written if one.who.joins}:
            if leaving_id in self.joined or staying_id in self.joined:
                continue
            record, pairs = join(leaving_id=leaving_id, staying_id=staying_id)
            self.joined[leaving_id] = record
            self.to_ask |= pairs

    def hold(self, waiting: Sequence[Planned], schedule_import: ScheduleImport | None) -> None:
        """Keep rows until a person says whether they are newer than what is held."""
        by_appointment = {one.known.id: one for one in waiting if one.known}
        if not by_appointment:
            return
        standing = Conflict.objects.filter(
            appointment__in=by_appointment, state=ConflictState.WAITING
        )
        for appointment_id, digest in standing.values_list("appointment_id", "row_digest"):
            if by_appointment[appointment_id].digest == digest:
                del by_appointment[appointment_id]
        standing.filter(appointment__in=by_appointment).update(
            state=ConflictState.SUPERSEDED, settled_at=self._now
        )
        Conflict.objects.bulk_create(
            Conflict(
                feed=self._feed,
                appointment_id=appointment_id,
                schedule_import=schedule_import,
                record=one.record.as_kept(),
                row_digest=one.digest,
                starts_at=one.record.starts_at,
                status=one.record.status,
                found_at=self._now,
            )
            for appointment_id, one in by_appointment.items()
        )

    def supersede(self, coverage: Coverage) -> None:
        """End the conflicts about appointments of which a file of known age says what holds."""
        waiting = Conflict.objects.filter(feed=self._feed, state=ConflictState.WAITING)
        named = [
            pk
            for pk, source_id in waiting.values_list("id", "appointment__source_id")
            if source_id in coverage.lines
        ]
        if named:
            waiting.filter(pk__in=named).update(
                state=ConflictState.SUPERSEDED, settled_at=self._now
            )

    def _appointment(self, planned: Planned, patients: dict[str, int]) -> Appointment:
        record = planned.record
        moved_from, moved_at = planned.last_move(self._now)
        return Appointment(
            feed=self._feed,
            source_id=record.source_id,
            patient_id=patients[record.patient_id],
            **planned.said(self.practitioners.find(record)),
            row_digest=planned.digest,
            loaded_at=self._now,
            moved_from=moved_from,
            moved_at=moved_at,
        )


def _becomes_emergency(planned: Planned) -> bool:
    known = planned.known
    return (
        known is not None
        and planned.record.service == Service.EMERGENCY
        and known.outcome in {Outcome.CANCELLED, Outcome.UNDER_REVIEW}
    )


def _raise_to_emergency(planned: Sequence[Planned], now: dt.datetime) -> None:
    """Lift what was decided about acts that the source now calls emergencies (promise 7).

    Before their service changes: the database refuses a cancelled emergency.
    """
    ids = [one.known.id for one in planned if one.known]
    if not ids:
        return
    standing = Decision.objects.filter(
        appointment__in=ids, version=F("appointment__decision_version")
    ).values_list("appointment_id", "version", "day", "bulletin_id")
    Decision.objects.bulk_create(
        Decision(
            appointment_id=appointment_id,
            version=version + 1,
            day=day,
            outcome=Outcome.MAINTAINED,
            basis=Basis.LAPSE,
            bulletin_id=bulletin_id,
            decided_at=now,
        )
        for appointment_id, version, day, bulletin_id in standing
    )
    Appointment.objects.filter(pk__in=ids).update(
        outcome=Outcome.MAINTAINED,
        outcome_basis=Basis.LAPSE,
        postponed_to=None,
        decision_version=F("decision_version") + 1,
    )


@dataclass(frozen=True, slots=True)
class Disappeared:
    """An appointment that a file should name and does not; ``site`` is its name."""

    appointment_id: int
    source_id: str
    starts_at: dt.datetime
    day: dt.date
    site: str
    unit: str
    family_name: str
    given_name: str


def last_appointment() -> int:
    """Return the number of the last appointment."""
    return Appointment.objects.aggregate(last=Max("id"))["last"] or 0


def disappeared_from(
    feed: Feed, coverage: Coverage, area: Area, *, known_until: int
) -> tuple[Counter[SiteDay], list[Disappeared]]:
    """Return how many are known where a file is complete, and which of them it does not name."""
    held = _held(feed).filter(day__range=(area.first_day, area.last_day), pk__lte=known_until)
    if area.unit_ids is not None:
        held = held.filter(unit__in=area.unit_ids)
    if area.site_ids is not None:
        held = held.filter(unit__site__in=area.site_ids)
    known: Counter[SiteDay] = Counter()
    missing = []
    rows = held.values_list("id", "source_id", "day", "unit__site__name")
    for appointment_id, source_id, day, site in rows.iterator(chunk_size=2000):
        known[site, day] += 1
        if not coverage.mentions(source_id):
            missing.append(appointment_id)
    return known, _named(missing)


def _named(ids: Sequence[int]) -> list[Disappeared]:
    found = []
    for start in range(0, len(ids), _CHUNK):
        rows = Appointment.objects.filter(pk__in=ids[start : start + _CHUNK]).values_list(
            *("id", "source_id", "starts_at", "day", "unit__site__name", "unit__name"),
            *("patient__family_name", "patient__given_name"),
        )
        found += [Disappeared(*row) for row in rows]
    return sorted(found, key=lambda one: (one.starts_at, one.appointment_id))


def planned_units(feed: Feed, first_day: dt.date, last_day: dt.date) -> dict[int, int]:
    """Return unit id → site id, where a source plans something in some days."""
    rows = _held(feed).filter(day__range=(first_day, last_day)).order_by()
    return dict(rows.values_list("unit_id", "unit__site_id").distinct())


def planned_soon(feed: Feed, today: dt.date) -> list[tuple[str, int, int, dt.date]]:
    """Return what a source plans within a week, else at all from today on.

    Returns:
        number at the source, unit id, site id and day of each.
    """
    planned = _held(feed).filter(status__in=RULED, day__gte=today)
    values = ("source_id", "unit_id", "unit__site_id", "day")
    within_a_week = list(planned.filter(day__lte=today + SOON).values_list(*values))
    return within_a_week or list(planned.values_list(*values))


def _held(feed: Feed) -> QuerySet[Appointment]:
    return Appointment.objects.filter(feed=feed, missing_since__isnull=True)


def flag_missing(ids: Sequence[int], now: dt.datetime) -> None:
    """Flag appointments as disappeared from their source; nothing is deleted."""
    for start in range(0, len(ids), _CHUNK):
        Appointment.objects.filter(pk__in=ids[start : start + _CHUNK]).update(missing_since=now)
