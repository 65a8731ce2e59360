"""Operations by day and theatre, with the opinions on them and what waits for a ruling."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from appointments.models import (
    Appointment,
    Basis,
    Decision,
    Opinion,
    OpinionRole,
    Outcome,
    Priority,
    Service,
    Status,
)
from appointments.queries.appointment import standing_decisions
from appointments.queries.in_force import keep_answers
from appointments.rules import KeepAnswer
from staff import clock
from staff.access import Capability, Scope, scope_of
from staff.models import User

C = Capability
OPENED_BY = (C.GIVE_OPINION, C.RULE_ON_OPERATIONS, C.SEE_BOARD)
DAYS_AHEAD = 14
# What waits for a ruling first; then theatre by theatre, the most urgent first.
ORDER = ("is_settled", "unit__site__name", "unit__name", "urgency", "starts_at", "id")
_AWAITING = Q(outcome=Outcome.UNDER_REVIEW)
_URGENCY = {Priority.STAT: 0, Priority.ASAP: 1, Priority.URGENT: 2}


@dataclass(frozen=True)
class Operation:
    """One operation as those who decide see it.

    ``opinions`` holds the newest opinion by role, one entry for each role, None where nobody
    spoke. ``answer`` is what the bulletin allows the reader, ``may_rule`` adds their scope.
    """

    appointment: Appointment
    answer: KeepAnswer
    may_speak: bool
    may_rule: bool
    decision: Decision | None = None
    opinions: dict[str, Opinion | None] = field(default_factory=dict)
    refusal: str = ""

    @property
    def is_awaiting(self) -> bool:
        """Whether nobody has ruled yet."""
        return self.appointment.outcome == Outcome.UNDER_REVIEW

    @property
    def ruled(self) -> str:
        """The outcome that a person ruled, or nothing."""
        by_person = self.appointment.outcome_basis == Basis.PERSON
        return self.appointment.outcome if by_person else ""


@dataclass(frozen=True)
class OperatingDay:
    """How many operations a day has, and how many of them wait for a ruling."""

    day: dt.date
    total: int
    awaiting: int


def operations_for(user: User) -> QuerySet[Appointment]:
    """Return the operations of the places where the user speaks, rules or watches."""
    seen = Q(pk__in=[])
    for capability in OPENED_BY:
        seen |= scope_of(user, capability).units()
    return (
        Appointment.objects.filter(seen, service=Service.SURGERY)
        .exclude(status__in=[Status.CANCELLED, Status.ENTERED_IN_ERROR])
        .select_related("patient", "unit__site", "practitioner")
        .annotate(
            is_settled=Case(When(_AWAITING, then=0), default=1, output_field=IntegerField()),
            urgency=Case(
                *(When(priority=priority, then=rank) for priority, rank in _URGENCY.items()),
                default=Value(len(_URGENCY)),
                output_field=IntegerField(),
            ),
        )
    )


def operating_days(operations: QuerySet[Appointment]) -> list[OperatingDay]:
    """Return today and the coming days on which somebody is operated (one query)."""
    today = clock.today()
    rows = (
        operations.filter(day__gte=today, day__lt=today + dt.timedelta(days=DAYS_AHEAD))
        .order_by("day")
        .values("day")
        .annotate(total=Count("pk"), awaiting=Count("pk", filter=_AWAITING))
    )
    return [OperatingDay(row["day"], row["total"], row["awaiting"]) for row in rows]


def first_day(days: list[OperatingDay]) -> dt.date:
    """Return the day to open on: the first with something to rule on, else the first at all."""
    waiting = [day for day in days if day.awaiting]
    return next(iter([*waiting, *days]), OperatingDay(clock.today(), 0, 0)).day


def with_opinions(
    appointments: Iterable[Appointment], user: User, *, refusal: str = ""
) -> list[Operation]:
    """Return operations with opinions, decisions and whether the user may rule (four queries)."""
    listed = list(appointments)
    answers = keep_answers(listed, user, clock.now())
    decisions = standing_decisions(listed)
    speaks, rules = scope_of(user, C.GIVE_OPINION), scope_of(user, C.RULE_ON_OPERATIONS)
    newest: dict[int, dict[str, Opinion]] = {}
    opinions = Opinion.objects.filter(appointment__in=[a.pk for a in listed])
    for opinion in opinions.select_related("given_by").order_by("given_at", "id"):
        newest.setdefault(opinion.appointment_id, {})[opinion.role] = opinion
    return [
        Operation(
            appointment=appointment,
            answer=answers[appointment.pk],
            may_speak=_covers(speaks, appointment),
            may_rule=answers[appointment.pk].allowed and _covers(rules, appointment),
            decision=decisions.get(appointment.pk),
            opinions={role: newest.get(appointment.pk, {}).get(role) for role in OpinionRole},
            refusal=refusal,
        )
        for appointment in listed
    ]


def _covers(scope: Scope, appointment: Appointment) -> bool:
    return scope.covers(site_id=appointment.unit.site_id, unit_id=appointment.unit_id)
