"""Which bulletin rules a day, as clauses that the rules understand."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.db.models import Q

from appointments.decisions.clauses import Clauses, clauses_of
from appointments.models import (
    Appointment,
    Basis,
    Bulletin,
    BulletinState,
    Decision,
    Outcome,
)
from appointments.rules import (
    Facts,
    KeepAnswer,
    Keeper,
    Verdict,
    decide,
    may_keep,
    may_undo,
)
from staff import clock
from staff.access import Capability, may
from staff.models import User


def ruling_bulletins(
    days: Iterable[dt.date], *, without: int = 0, restored: int = 0
) -> dict[dt.date, Bulletin]:
    """Return for each ruled day its bulletin: the one approved last among those in force.

    Args:
        days: which.
        without: the number of a bulletin that is taken for withdrawn.
        restored: the number of one that is taken for put back in force.
    """
    wanted = sorted(set(days))
    if not wanted:
        return {}
    bulletins = list(
        Bulletin.objects.filter(
            Q(state=BulletinState.IN_FORCE) | Q(pk=restored),
            first_day__lte=wanted[-1],
            last_day__gte=wanted[0],
        )
        .exclude(pk=without)
        .order_by("approved_at", "id")
        .prefetch_related("clauses")
    )
    return {
        day: bulletin
        for bulletin in bulletins
        for day in wanted
        if bulletin.first_day <= day <= bulletin.last_day
    }


def ruled_from(*, since: dt.date) -> set[dt.date]:
    """Return the days from one on that some bulletin in force rules (one query)."""
    windows = Bulletin.objects.filter(
        state=BulletinState.IN_FORCE, last_day__gte=since
    ).values_list("first_day", "last_day")
    return {
        day
        for first_day, last_day in windows
        for day in clock.days_between(max(first_day, since), last_day)
    }


def clauses_for(days: Iterable[dt.date]) -> dict[dt.date, Clauses]:
    """Return the clauses that rule each of the days; days without a bulletin are absent."""
    ruling = ruling_bulletins(days)
    clauses = {bulletin.pk: clauses_of(bulletin) for bulletin in ruling.values()}
    return {day: clauses[bulletin.pk] for day, bulletin in ruling.items()}


def facts_of(appointment: Appointment) -> Facts:
    """Return what the rules look at; the unit and its site must be loaded."""
    return Facts(
        service=appointment.service,
        site=appointment.unit.site.code,
        unit=appointment.unit.code,
        day=appointment.day,
        groups=appointment.groups,
    )


def verdict_for(appointment: Appointment, clauses: Mapping[dt.date, Clauses]) -> Verdict | None:
    """Return what the bulletin in force orders for an appointment, whatever people decided."""
    return decide(facts_of(appointment), clauses.get(appointment.day, ()))


def keeper_of(user: User) -> Keeper:
    """Return whose patients a user answers for (two queries, then remembered on the user)."""
    keeper: Keeper | None = getattr(user, "_keeper", None)
    if keeper is None:
        has_own = may(user, Capability.KEEP) and hasattr(user, "practitioner")
        own = [user.practitioner.pk] if has_own else []
        lent = user.delegations.filter(revoked_at__isnull=True)
        as_delegate = may(user, Capability.KEEP_AS_DELEGATE)
        others = lent.values_list("practitioner_id", flat=True) if as_delegate else ()
        keeper = Keeper(
            practitioner_ids=frozenset([*own, *others]),
            is_medical_director=may(user, Capability.RULE_ON_OPERATIONS),
        )
        user._keeper = keeper  # type: ignore[attr-defined]
    return keeper


def doctor_of(user: User) -> Keeper:
    """Return ``keeper_of`` without the office of Medical Director.

    Who directs one site may have patients at another: a ruling is given on the operations' page
    alone, where the place is checked.
    """
    return replace(keeper_of(user), is_medical_director=False)


def keep_answers(
    appointments: Iterable[Appointment], keeper: Keeper, now: dt.datetime
) -> dict[int, KeepAnswer]:
    """Return for each appointment whether somebody may keep it, and until when.

    Args:
        appointments: with unit and site loaded.
        keeper: who would.
        now: the current moment.
    """
    listed = list(appointments)
    clauses = clauses_for(one.day for one in listed)
    return {one.pk: keep_answer(one, verdict_for(one, clauses), keeper, now) for one in listed}


def keep_answer(
    appointment: Appointment, verdict: Verdict | None, keeper: Keeper, now: dt.datetime
) -> KeepAnswer:
    """Return whether somebody may keep an appointment; the verdict is that of ``verdict_for``."""
    return may_keep(
        verdict=verdict,
        service=appointment.service,
        practitioner_id=appointment.practitioner_id,
        starts_at=appointment.starts_at,
        keeper=keeper,
        now=now,
        is_sent_back=is_sent_back(appointment),
    )


def may_be_undone(
    appointment: Appointment,
    decision: Decision | None,
    answer: KeepAnswer,
    user: User,
    now: dt.datetime,
) -> bool:
    """Whether a user may take back what a person decided, also without a bulletin.

    Args:
        appointment: what it is about.
        decision: the standing one.
        answer: of ``keep_answers``, to the same user.
        user: who looks.
        now: the current moment.
    """
    if decision is None or decision.basis != Basis.PERSON or is_sent_back(appointment):
        return False
    return may_undo(
        may_decide=answer,
        is_theirs=decision.decided_by_id == user.pk,
        starts_at=appointment.starts_at,
        now=now,
    ).allowed


def is_sent_back(appointment: Appointment) -> bool:
    """Whether what a person decided about it was sent back to be decided anew."""
    standing = (appointment.outcome_basis, appointment.outcome)
    return standing == (Basis.PERSON, Outcome.UNDER_REVIEW)
