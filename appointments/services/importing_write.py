"""Write what was planned for a few hundred records, set by set; and flag what disappeared."""

import datetime as dt
from collections.abc import Sequence

from django.db.models import F

from appointments.models import Appointment, Basis, Decision, Feed, Outcome, Service
from appointments.services.importing_plan import ChunkPlan, Coverage, Planned
from appointments.services.importing_practitioners import Practitioners
from patients.services.registering import Description, register
from staff import clock

_FROM_SOURCE = [
    "patient",
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


class Writer:
    """Writes the chunks of one load of a feed, inside the caller's transaction."""

    def __init__(self, feed: Feed, now: dt.datetime) -> None:
        self._feed = feed
        self._now = now
        self._practitioners = Practitioners()

    def write(self, plan: ChunkPlan) -> list[int]:
        """Write one chunk; return the ids of the appointments that are new or different."""
        changed = plan.moved + plan.updated
        written = plan.created + changed
        patients = register(
            system=self._feed.name,
            described=[_description(one) for one in written],
            known=plan.patients,
        )
        self._practitioners.create_unknown(one.record for one in written)
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
        return [a.pk for a in created] + [one.known.id for one in changed if one.known] + back

    def _appointment(self, planned: Planned, patients: dict[str, int]) -> Appointment:
        record = planned.record
        moved_from, moved_at = planned.last_move(self._now)
        return Appointment(
            feed=self._feed,
            source_id=record.source_id,
            patient_id=patients[record.patient_id],
            unit_id=planned.place.unit_id,
            practitioner_id=self._practitioners.find(record),
            service=record.service,
            status=record.status,
            starts_at=record.starts_at,
            day=clock.local_day(record.starts_at),
            minutes=record.minutes,
            act=record.act,
            priority=record.priority,
            protected_groups=" ".join(sorted(record.protected_groups)),
            row_digest=planned.digest,
            loaded_at=self._now,
            moved_from=moved_from,
            moved_at=moved_at,
        )


def _description(planned: Planned) -> Description:
    record = planned.record
    return Description(
        number=record.patient_id,
        family_name=record.family_name,
        given_name=record.given_name,
        birth_date=record.birth_date,
        language=record.language,
        national_number=record.national_number,
        phones=record.phones,
        is_name_certain=record.is_name_certain,
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


def missing_from(feed: Feed, coverage: Coverage) -> list[int]:
    """Return the ids of appointments that a full export should name and does not.

    It should name those of its days and of the sites it speaks of: an export of one hospital
    says nothing about another.
    """
    if not coverage.lines:
        return []
    held = Appointment.objects.filter(
        feed=feed,
        day__range=(coverage.first_day, coverage.last_day),
        unit__site__in=coverage.site_ids,
        missing_since__isnull=True,
    ).values_list("id", "source_id")
    return [
        appointment_id
        for appointment_id, source_id in held.iterator(chunk_size=2000)
        if not coverage.mentions(source_id)
    ]


def flag_missing(ids: Sequence[int], now: dt.datetime) -> None:
    """Flag appointments as disappeared from their source; nothing is deleted."""
    for start in range(0, len(ids), _CHUNK):
        Appointment.objects.filter(pk__in=ids[start : start + _CHUNK]).update(missing_since=now)
