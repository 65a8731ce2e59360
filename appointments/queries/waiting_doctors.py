"""Doctors who may still keep patients and have not looked since these were cancelled."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    CharField,
    Count,
    DateTimeField,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Cast, Coalesce, Least

from appointments.models import Basis, Decision, KeptBy, Outcome, Status
from appointments.queries.board import AHEAD
from staff import clock
from staff.access import Capability, scope_of
from staff.models import AuditEvent, Delegation, Practitioner, User

LOOKED = "doctor_day.viewed"


@dataclass(frozen=True)
class WaitingDoctor:
    """A doctor who has not looked.

    Attributes:
        practitioner: who.
        patients: how many of their cancelled appointments they may still keep.
        decided_at: when the last of these was cancelled.
        keep_until: the first deadline that ends for one of them.
        has_access: whether they, or a delegate, have a sign-in; else somebody must call them.
    """

    practitioner: Practitioner
    patients: int
    decided_at: dt.datetime
    keep_until: dt.datetime
    has_access: bool


def waiting_doctors(user: User) -> list[WaitingDoctor]:
    """Return who has not looked, the first deadline first (two queries).

    Args:
        user: counts the appointments of the sites that they watch.
    """
    waiting = {line["practitioner"]: line for line in _may_be_kept(user)}
    found = [
        _waiting_doctor(practitioner, waiting[practitioner.pk])
        for practitioner in _with_last_look(list(waiting))
        if not _has_looked(practitioner, waiting[practitioner.pk])
    ]
    return sorted(found, key=lambda one: (one.keep_until, -one.patients, str(one.practitioner)))


def _may_be_kept(user: User) -> QuerySet[Any, Any]:
    """Return how many each practitioner may still keep: as ``rules.may_keep`` answers."""
    now, today = clock.now(), clock.today()
    until = Least(
        Coalesce("clause__keep_until", "appointment__starts_at"),
        "appointment__starts_at",
        output_field=DateTimeField(),
    )
    return (
        Decision.objects.filter(
            Q(clause__keep_until__isnull=True) | Q(clause__keep_until__gte=now),
            scope_of(user, Capability.SEE_BOARD).units("appointment__unit"),
            version=F("appointment__decision_version"),
            outcome=Outcome.CANCELLED,
            basis=Basis.CLAUSE,
            clause__kept_by=KeptBy.DOCTOR,
            appointment__practitioner__isnull=False,
            appointment__status=Status.BOOKED,
            appointment__starts_at__gte=now,
            appointment__starts_at__lt=clock.midnight(today + AHEAD),
            appointment__day__gte=today,
            appointment__day__lt=today + AHEAD,
        )
        .order_by()
        .values(practitioner=F("appointment__practitioner"))
        .annotate(patients=Count("pk"), last=Max("decided_at"), until=Min(until))
    )


def _with_last_look(practitioner_ids: list[int]) -> QuerySet[Practitioner]:
    """Return practitioners with ``looked_at`` and whether somebody keeps in their name."""
    looks = (
        AuditEvent.objects.filter(
            object_type="practitioner",
            object_id=Cast(OuterRef("pk"), CharField()),
            action=LOOKED,
        )
        .order_by()
        .values("object_id")
        .annotate(last=Max("at"))
        .values("last")
    )
    lent = Delegation.objects.filter(practitioner=OuterRef("pk"), revoked_at__isnull=True)
    return Practitioner.objects.filter(pk__in=practitioner_ids).annotate(
        looked_at=Subquery(looks), is_lent=Exists(lent)
    )


def _has_looked(practitioner: Any, line: Mapping[str, Any]) -> bool:
    return practitioner.looked_at is not None and practitioner.looked_at >= line["last"]


def _waiting_doctor(practitioner: Any, line: Mapping[str, Any]) -> WaitingDoctor:
    return WaitingDoctor(
        practitioner=practitioner,
        patients=line["patients"],
        decided_at=line["last"],
        keep_until=line["until"],
        has_access=practitioner.user_id is not None or practitioner.is_lent,
    )
