"""The bulletins in force: which one rules a day, and how decisions and notices follow, set by set.

``plan`` decides once per distinct combination of facts and fills temporary tables; ``_apply``
writes what they say. A preview fills the same tables and writes nothing, so its counts are what
applying does.
"""

import datetime as dt
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max, Min, Q

from appointments.decisions import ruling_tables
from appointments.decisions.ruling_tables import RulingScope
from appointments.models import Appointment, Basis, Bulletin, BulletinState, Clause, Outcome
from appointments.rules import ClauseTerms, Facts, Heard, decide, telling_rank, told_over
from notifications.lifecycle import opening
from notifications.lifecycle.opening import Aligned
from notifications.models import Notice, NoticeItem, NoticeState
from notifications.sending import switch
from patients.models import Patient
from staff import clock
from staff.database import analyze, as_parameter, lock_rulings, temporary_tables
from staff.models import Unit

Clauses = tuple[ClauseTerms, ...]
CHUNK = 900
_BEFORE_ALL = dt.datetime(1, 1, 2, tzinfo=dt.UTC)


@dataclass(frozen=True)
class RuledDay:
    """What rules one day: clauses, and when SMS may go; ``at_night``: in quiet hours too."""

    clauses: Clauses
    release_at: dt.datetime
    at_night: bool


Ruled = Mapping[dt.date, RuledDay]


@dataclass(frozen=True)
class Applied:
    """What a ruling changed."""

    decisions: int
    notices: Aligned


def terms_of(clause: Clause) -> ClauseTerms:
    """Return a stored clause in the form of the rules."""
    return ClauseTerms(
        ruling=clause.ruling,
        tell=clause.tell,
        channel=clause.channel,
        kept_by=clause.kept_by,
        keep_until=clause.keep_until,
        services=tuple(clause.services),
        sites=tuple(clause.sites),
        units=tuple(clause.units),
        days=tuple(map(dt.date.fromisoformat, clause.days)),
        groups=tuple(clause.groups),
        position=clause.position,
        id=clause.pk,
        bulletin_id=clause.bulletin_id,
    )


def clauses_of(bulletin: Bulletin) -> Clauses:
    """Return what a bulletin orders, in its order; no query where its clauses are loaded."""
    return tuple(map(terms_of, bulletin.clauses.all()))


def ruling_bulletins(
    days: Iterable[dt.date], *, without: int = 0, restored: int = 0
) -> dict[dt.date, Bulletin]:
    """Return for each ruled day its bulletin: the one approved last among those in force.

    Args:
        days: which.
        without: the number of a bulletin that counts as withdrawn.
        restored: the number of one that counts as put back in force.
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


def ruled_from(*, since: dt.date = dt.date.min) -> set[dt.date]:
    """Return the days that some bulletin in force rules, from ``since`` on (one query)."""
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


def ruled_days(
    days: Iterable[dt.date], *, without: int = 0, restored: int = 0
) -> dict[dt.date, RuledDay]:
    """Return what is in force on each of the days; for the rest see ``ruling_bulletins``."""
    ruling = ruling_bulletins(days, without=without, restored=restored)
    by_bulletin = {bulletin.pk: ruled_day(bulletin) for bulletin in ruling.values()}
    return {day: by_bulletin[bulletin.pk] for day, bulletin in ruling.items()}


def ruled_day(bulletin: Bulletin) -> RuledDay:
    """Return what a bulletin says for each of its days."""
    return RuledDay(
        clauses_of(bulletin),
        bulletin.leaves_at,
        at_night=bool(bulletin.quiet_hours_override_reason),
    )


@transaction.atomic
def rule_window(*, first_day: dt.date, last_day: dt.date) -> Applied:
    """Apply what is in force to every appointment of a window of days.

    The caller has just changed a bulletin in the same transaction.
    """
    lock_rulings(shared=False)
    scope = RulingScope(first_day, last_day)
    return _apply(
        scope, ruled_days(clock.days_between(first_day, last_day)), fill=lambda cursor: None
    )


@transaction.atomic
def rule_on(*, appointment_ids: Iterable[int], also: Iterable[tuple[int, dt.date]] = ()) -> Applied:
    """Apply what is in force to the patients and days of some appointments.

    Called for what a feed brought or changed: standing bulletins rule on it; decisions made for
    another day end; notices about a day that is no longer planned are withdrawn.

    Args:
        appointment_ids: of those.
        also: more pairs (patient id, day) to be ruled.
    """
    lock_rulings(shared=False)
    pairs = set(_pairs_of(list(appointment_ids)))
    return align_pairs(pairs=pairs | set(also))


@transaction.atomic
def align_pairs(*, pairs: Iterable[tuple[int, dt.date]]) -> Applied:
    """Apply what is in force to patients on days; the caller holds the lock of rulings.

    Args:
        pairs: (patient id, day).
    """
    listed = sorted(set(pairs))
    if not listed:
        return Applied(0, Aligned(0, 0))

    def fill(cursor: CursorWrapper) -> None:
        rows = [(patient_id, day) for patient_id, day in listed]
        cursor.executemany("INSERT INTO ruled_pair (patient_id, day) VALUES (%s, %s)", rows)
        analyze(cursor, "ruled_pair")

    return _apply(RulingScope(), ruled_days(day for _, day in listed), fill=fill)


@transaction.atomic
def align_again(pairs: Iterable[tuple[int, dt.date]]) -> None:
    """Bring patients' notices in line with what receipts or calls showed them to have heard.

    Also on the days to which those appointments were moved meanwhile, or postponed.

    Args:
        pairs: (patient id, day).
    """
    lock_rulings(shared=True)
    listed = _with_days_of_subjects(set(pairs))
    patients = Patient.objects.filter(pk__in={patient_id for patient_id, _day in listed})
    list(patients.order_by("id").select_for_update().values_list("pk", flat=True))
    align_pairs(pairs=listed)


def _with_days_of_subjects(pairs: set[tuple[int, dt.date]]) -> list[tuple[int, dt.date]]:
    """Return the pairs, and the pairs of every appointment that their notices announced."""
    patients, days = {patient_id for patient_id, _day in pairs}, {day for _patient, day in pairs}
    said = NoticeItem.objects.filter(
        notice__patient__in=patients, notice__day__in=days, notice__handed_over_at__isnull=False
    )
    subjects = {
        subject_id
        for patient_id, day, subject_id in said.values_list(
            "notice__patient", "notice__day", "subject_id"
        )
        if (patient_id, day) in pairs
    }
    return sorted(pairs | set(_pairs_of(sorted(subjects))))


def _pairs_of(ids: list[int]) -> Iterator[tuple[int, dt.date]]:
    """Yield the (patient, day) pairs that appointments touch now, before a move, or by notice.

    Also pairs of patients who lost an appointment at the source, and of days given instead.
    """
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        appointments = Appointment.objects.filter(pk__in=chunk)
        for patient_id, day, moved_from in appointments.values_list(
            "patient_id", "day", "moved_from"
        ):
            yield patient_id, day
            if moved_from:
                yield patient_id, clock.local_day(moved_from)
        said = NoticeItem.objects.filter(subject_id__in=chunk).exclude(
            notice__state=NoticeState.WITHDRAWN, notice__handed_over_at=None
        )
        for patient_id, day, new_day in said.values_list(
            "notice__patient_id", "notice__day", "postponed_to"
        ):
            yield patient_id, day
            if new_day:
                yield patient_id, new_day


def _apply(scope: RulingScope, ruled: Ruled, *, fill: Callable[[CursorWrapper], None]) -> Applied:
    now = clock.now()
    with temporary_tables(**ruling_tables.TABLES) as cursor:
        fill(cursor)
        opening.lock_pending(cursor, scope)
        plan(cursor, scope, ruled, now, by_sms=days_back_by_sms(scope))
        decisions = ruling_tables.append_decisions(cursor, now)
        notices = opening.align(cursor, now)
    if notices.opened:
        switch.ring()
    return Applied(decisions=decisions, notices=notices)


def planned(bulletin: Bulletin) -> AbstractContextManager[CursorWrapper]:
    """Give the tables of what a bulletin would do if it were approved now; changes nothing."""
    days = bulletin.days
    ruled = ruled_days(days) | dict.fromkeys(days, ruled_day(bulletin))
    return _planned(days, ruled, by_sms=days_back_by_sms(RulingScope(days[0], days[-1])))


def planned_withdrawal(
    bulletin: Bulletin, restored: Bulletin | None = None, *, by_sms: bool = False
) -> AbstractContextManager[CursorWrapper]:
    """Give the tables of what withdrawing a bulletin would do; changes nothing.

    Args:
        bulletin: in force.
        restored: the superseded one that would be put back in force with it.
        by_sms: whether "maintained after all" goes by SMS where it can.
    """
    days = days_concerned(bulletin, restored)
    chosen = days_back_by_sms(RulingScope(days[0], days[-1])) - set(bulletin.days)
    if by_sms:
        chosen |= set(bulletin.days)
    ruled = ruled_days(days, without=bulletin.pk, restored=restored.pk if restored else 0)
    return _planned(days, ruled, by_sms=chosen)


@contextmanager
def _planned(
    days: list[dt.date], ruled: Ruled, *, by_sms: Container[dt.date]
) -> Iterator[CursorWrapper]:
    with temporary_tables(**ruling_tables.TABLES) as cursor:
        plan(cursor, RulingScope(days[0], days[-1]), ruled, clock.now(), by_sms=by_sms)
        yield cursor


def days_concerned(bulletin: Bulletin, restored: Bulletin | None = None) -> list[dt.date]:
    """Return the days whose ruling may change when one bulletin goes and another comes back."""
    both = [bulletin, *([restored] if restored else [])]
    return clock.days_between(min(one.first_day for one in both), max(one.last_day for one in both))


def unsaid() -> list[tuple[int, bool]]:
    """Return what patients are owed and nothing is about to tell them; changes nothing.

    Worked out by the rules themselves, over every day about which anything was decided or said.

    Returns:
        as ``ruling_tables.unsaid``.
    """
    decided = Appointment.objects.exclude(outcome="").aggregate(Min("day"), Max("day"))
    said = Notice.objects.aggregate(Min("day"), Max("day"))
    days = [day for day in (*decided.values(), *said.values()) if day]
    if not days:
        return []
    scope = RulingScope(min(days), max(days))
    with temporary_tables(**ruling_tables.TABLES) as cursor:
        plan(cursor, scope, ruled_days(clock.days_between(min(days), max(days))), _BEFORE_ALL)
        return ruling_tables.unsaid(cursor, clock.now())


def days_back_by_sms(scope: RulingScope) -> set[dt.date]:
    """Return the days of which "maintained after all" goes by SMS where it can (one query).

    As whoever withdrew a bulletin chose; of two that were withdrawn the later one counts.
    """
    withdrawn = Bulletin.objects.filter(state=BulletinState.WITHDRAWN).order_by("withdrawn_at")
    if scope.first_day and scope.last_day:
        withdrawn = withdrawn.filter(first_day__lte=scope.last_day, last_day__gte=scope.first_day)
    chosen = {day: one.withdrawal_by_sms for one in withdrawn for day in one.days}
    return {day for day, by_sms in chosen.items() if by_sms}


def plan(
    cursor: CursorWrapper,
    scope: RulingScope,
    ruled: Ruled,
    now: dt.datetime,
    *,
    by_sms: Container[dt.date] = (),
) -> None:
    """Fill the tables of a ruling for the scope, from the rules to ``wanted``.

    Args:
        cursor: that holds the tables.
        scope: whose appointments.
        ruled: what rules each day.
        now: the current moment.
        by_sms: the days of which "maintained after all" goes by SMS where it can.
    """
    places = {
        unit_id: (site, unit)
        for unit_id, site, unit in Unit.objects.values_list("id", "site__code", "code")
    }
    rows = [
        (*_facts_row(facts, ruled.get(facts[2]), places), int(facts[2] in by_sms))
        for facts in ruling_tables.distinct_facts(cursor, scope)
    ]
    cursor.executemany(
        f"INSERT INTO ruled_facts VALUES ({', '.join(['%s'] * 11)})",  # noqa: S608
        rows,
    )
    analyze(cursor, "ruled_facts")
    ruling_tables.find_changes(cursor, scope)
    analyze(cursor, "ruled_change")
    opening.find_known(cursor, scope)
    ruling_tables.hear_double_entries(cursor)
    ruling_tables.find_vain(cursor, scope)
    ruling_tables.find_holding(cursor, scope)
    clauses = {clause.id: clause for day in ruled.values() for clause in day.clauses}
    holding = ruling_tables.distinct_holding(cursor)
    ruling_tables.tell_as(cursor, list(_told_as(holding, clauses)))
    ruling_tables.find_wanted(cursor, scope, now)


def _told_as(
    rows: Iterable[tuple[Any, ...]], clauses: Mapping[int, ClauseTerms]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of ``told_as``: the rule of telling, asked once per combination."""
    for row in rows:
        facts = dict(zip(ruling_tables.FACTS, row, strict=True))
        word = facts["heard_word"]
        telling = told_over(
            clause=clauses.get(facts["clause_id"]),
            service=facts["service"],
            outcome=Outcome(facts["word"]),
            basis=Basis(facts["basis"]),
            is_postponed=bool(facts["is_postponed"]),
            heard=Heard(
                word=Outcome(word) if word else None,
                says_so=bool(facts["says_so"]),
                gave_a_day=bool(facts["gave_a_day"]),
                in_doubt=bool(facts["in_doubt"]),
                in_vain=bool(facts["in_vain"]),
                of_another_day=bool(facts["of_another_day"]),
            ),
            back_by_sms=bool(facts["back_by_sms"]),
        )
        if telling is not None:
            yield (*row, telling.channel.value, int(telling.by_doctor))


def _facts_row(
    row: tuple[str, int, dt.date, str], day: RuledDay | None, places: dict[int, tuple[str, str]]
) -> tuple[Any, ...]:
    """Return one row of ``ruled_facts``: the verdict, when SMS go, and how urgent it is."""
    service, unit_id, date, groups = row
    site, unit = places[unit_id]
    facts = Facts(service, site, unit, date, frozenset(groups.split()))
    verdict = decide(facts, day.clauses) if day else None
    clause = verdict.clause if verdict else None
    return (
        service,
        unit_id,
        date,
        groups,
        clause.id if clause else None,
        clause.bulletin_id if clause else None,
        verdict.outcome.value if verdict else "",
        as_parameter(day.release_at) if day else None,
        telling_rank(service),
        int(day.at_night) if day else 0,
    )
