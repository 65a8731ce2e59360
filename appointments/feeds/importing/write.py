"""Write what was planned for a few hundred records, set by set; and flag what disappeared."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Max, QuerySet

from appointments.feeds.importing.links import Pair, join
from appointments.feeds.importing.people import Practitioners
from appointments.feeds.importing.plan import ChunkPlan, Planned
from appointments.feeds.records import Area, Coverage, SiteDay
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
from patients.models import PatientIdentifier
from patients.services.registration import register

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
