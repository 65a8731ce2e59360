"""Doctors who may still keep patients and have not looked since these were cancelled."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Count, Exists, F, Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast

from appointments.models import Basis, Decision, Outcome, Status
from appointments.operations.queries import DAYS_AHEAD
from appointments.rules import ClauseTerms, Keeper, Verdict, may_keep
from staff import clock
from staff.access import Capability, scope_of
from staff.models import AuditEvent, Delegation, Practitioner, User

LOOKED = "doctor_day.viewed"
AHEAD = dt.timedelta(days=DAYS_AHEAD)


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
    waiting = _may_be_kept(user)
    found = [
        _waiting_doctor(practitioner, waiting[practitioner.pk])
        for practitioner in _with_last_look(list(waiting))
        if not _has_looked(practitioner, waiting[practitioner.pk])
    ]
    return sorted(found, key=lambda one: (one.keep_until, -one.patients, str(one.practitioner)))


def _may_be_kept(user: User) -> dict[int, "_Kept"]:
    """Return what each practitioner may still keep, by ``rules.may_keep`` (one query).

    The rule is asked once for each practitioner, clause and service; of appointments that have
    not begun, the first one's answer is that of all.
    """
    now, today = clock.now(), clock.today()
    lines = (
        Decision.objects.filter(
            scope_of(user, Capability.SEE_BOARD).units("appointment__unit"),
            version=F("appointment__decision_version"),
            outcome=Outcome.CANCELLED,
            basis=Basis.CLAUSE,
            appointment__practitioner__isnull=False,
            appointment__status=Status.BOOKED,
            appointment__starts_at__gte=now,
            appointment__starts_at__lt=clock.midnight(today + AHEAD),
            appointment__day__gte=today,
            appointment__day__lt=today + AHEAD,
        )
        .order_by()
        .values("appointment__practitioner", "appointment__service", *_CLAUSE)
        .annotate(patients=Count("pk"), last=Max("decided_at"), first=Min("appointment__starts_at"))
    )
    kept: dict[int, _Kept] = {}
    for line in lines:
        practitioner_id = line["appointment__practitioner"]
        answer = may_keep(
            verdict=Verdict(Outcome.CANCELLED, _clause(line)),
            service=line["appointment__service"],
            practitioner_id=practitioner_id,
            starts_at=line["first"],
            keeper=Keeper(frozenset({practitioner_id})),
            now=now,
        )
        if answer.allowed and answer.until:
            found = _Kept(line["patients"], line["last"], answer.until)
            before = kept.get(practitioner_id)
            kept[practitioner_id] = before.together_with(found) if before else found
    return kept


_CLAUSE = ("clause__ruling", "clause__kept_by", "clause__keep_until")


def _clause(line: Mapping[str, Any]) -> ClauseTerms:
    return ClauseTerms(
        ruling=line["clause__ruling"],
        kept_by=line["clause__kept_by"],
        keep_until=line["clause__keep_until"],
    )


@dataclass(frozen=True)
class _Kept:
    """How many somebody may keep, when the last was cancelled, and the first deadline."""

    patients: int
    last: dt.datetime
    until: dt.datetime

    def together_with(self, other: "_Kept") -> "_Kept":
        return _Kept(
            self.patients + other.patients,
            max(self.last, other.last),
            min(self.until, other.until),
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


def _has_looked(practitioner: Any, kept: _Kept) -> bool:
    return practitioner.looked_at is not None and practitioner.looked_at >= kept.last


def _waiting_doctor(practitioner: Any, kept: _Kept) -> WaitingDoctor:
    return WaitingDoctor(
        practitioner=practitioner,
        patients=kept.patients,
        decided_at=kept.last,
        keep_until=kept.until,
        has_access=practitioner.user_id is not None or practitioner.is_lent,
    )
