"""One act that several sources plan under numbers of their own: one appointment to the patient.

Entries of one act are alike in patient, moment, service and site, and come from different sources
(ADR 0014). Two entries of one source are two appointments: it tells them apart itself.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, When

from appointments.models import RULED, Appointment
from staff import clock
from staff.access import Capability, scope_of
from staff.models import User

MOST_SHOWN = 200
_ACT = ("patient_id", "starts_at", "service", "unit__site_id")


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
    """Return how many acts several sources plan from now on, and of how many not one thing holds.

    One query.
    """
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
