"""The transitions of a try: nothing else writes ``Delivery.state``.

::

    function        from                                     to
    open_next       –                                        queued
    promote         held, due                                queued
    release         held                                     queued       (before its time)
    claim           queued, due                              claimed      (by a worker)
    give_back       claimed                                  queued
    hand_over       claimed                                  submitting
    accept          submitting, unknown                      accepted
    become_unknown  submitting, accepted, unknown            unknown
    requeue         submitting, unknown                      queued       (under its reference)
    start_over      submitting, unknown                      queued       (nothing left)
    refuse          submitting, unknown                      failed
    end             see ``_ENDS``                            failed, expired, suppressed,
                                                             withdrawn, delivered
    withdraw        held, queued, claimed                    withdrawn
    apply_receipts  all but held, withdrawn, suppressed      accepted, delivered, failed, expired

``call_states`` holds what an agent does with a call; ``opening`` opens the first try of a notice
together with it, set by set. Each function moves only what stands in one of its from-states, so
that of two who move the same try the second one moves nothing.

Raw SQL stays in ``promote`` and ``claim``, which skip locked rows in one statement on both
databases, in ``_write_each``, which gives each of thousands of tries its own values, and in
``wait_end``, which that needs.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max, QuerySet
from django.db.models.expressions import RawSQL

from notifications.lifecycle import notice_states
from notifications.models import WITHDRAWABLE, Channel, Delivery, DeliveryState, Failure
from notifications.rules import QuietHours
from staff import clock
from staff.database import among, as_list, as_parameter, is_one_of, is_postgresql, json_rows
from staff.sentences import Stored

_PROMOTED_AT_ONCE = 5000
_ANSWERABLE = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
_ENDS = {
    DeliveryState.DELIVERED: (DeliveryState.QUEUED, DeliveryState.UNKNOWN),
    DeliveryState.FAILED: (DeliveryState.QUEUED, DeliveryState.UNKNOWN),
    DeliveryState.EXPIRED: WITHDRAWABLE,
    DeliveryState.SUPPRESSED: WITHDRAWABLE,
    DeliveryState.WITHDRAWN: (*WITHDRAWABLE, *_ANSWERABLE),
}
_REPORTABLE = (
    *(DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SUBMITTING),
    *(DeliveryState.ACCEPTED, DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.EXPIRED),
)
_FIELDS = {field.name: field for field in Delivery._meta.concrete_fields}
# A number that the answer brought stays.
_NUMBER = """CASE WHEN notifications_delivery.provider_id = '' THEN r.provider_id
    ELSE notifications_delivery.provider_id END"""


def in_sql(states: Iterable[DeliveryState]) -> str:
    """Return states as they stand in an SQL list."""
    return ", ".join(f"'{state.value}'" for state in states)


def lock(deliveries: QuerySet[Delivery]) -> list[Delivery]:
    """Lock the notices of some deliveries, then the deliveries, and read both again.

    Returns:
        the deliveries that still fit the queryset, by notice, with notice, patient and site.
    """
    ids = list(deliveries.values_list("notice_id", flat=True))
    notice_states.lock(ids)
    return list(
        deliveries.filter(notice_id__in=ids)
        .select_related("notice__patient", "notice__site")
        .select_for_update(of=("self",))
        .order_by("notice_id")
    )


def lock_notices_of(ids: Iterable[int]) -> None:
    """Lock the notices of deliveries, which everyone locks before the deliveries."""
    if is_postgresql():
        found = Delivery.objects.filter(among("id", ids))
        notice_states.lock(list(found.values_list("notice_id", flat=True)))


# --- leases ---------------------------------------------------------------------------------


def lease_end() -> dt.datetime:
    """Return when a worker's lease given now runs out, on the real clock."""
    return clock.real() + dt.timedelta(seconds=settings.SMS_LEASE_SECONDS)


def wait_end(seconds: float) -> tuple[str, list[Any]]:
    """Return SQL for the moment until which a message may wait, and its parameters.

    So many seconds from now, or the last moment at which a call is of use if that comes first, but
    not earlier than now. ``lease_until`` runs on the real clock, appointments on the hospital's,
    which in a drill stands on another day: the time that the hospital has left until the last
    moment is added to the real clock.
    """
    now = clock.real()
    # An appointment's moment, moved by this, is its last one for a call, on the real clock.
    shift = notice_states.latest_departure(now) - clock.now().astimezone(dt.UTC)
    by = shift.total_seconds()
    moments = [as_parameter(now), as_parameter(now + dt.timedelta(seconds=seconds))]
    if is_postgresql():
        earlier = """GREATEST(%s::timestamptz, LEAST(%s::timestamptz,
            n.first_at + make_interval(secs => %s)))"""
    else:  # as Django writes moments there, to the millisecond: so that they compare as texts
        earlier = """MAX(%s, MIN(%s,
            strftime('%%Y-%%m-%%d %%H:%%M:%%f', n.first_at, %s || ' seconds')))"""
    return (
        f"""(SELECT {earlier} FROM notifications_notice n
            WHERE n.id = notifications_delivery.notice_id)""",  # noqa: S608  # our own words
        [*moments, by if is_postgresql() else f"{by:+.6f}"],
    )


# --- waiting --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Next:
    """The next try: when, where, and the try before it, which may be one of an older notice."""

    notice_id: int
    before: Delivery
    not_before: dt.datetime
    address: str


def open_next(channel: Channel, tries: Iterable[Next]) -> int:
    """Open the next try of each notice, as urgent as the one before (at most two queries).

    Returns:
        how many were opened.
    """
    tries = list(tries)
    numbers = {
        one.notice_id: one.before.number
        for one in tries
        if (one.before.channel, one.before.notice_id) == (channel, one.notice_id)
    }
    if others := [one.notice_id for one in tries if one.notice_id not in numbers]:
        last = Delivery.objects.filter(notice__in=others, channel=channel).values_list("notice")
        numbers |= dict(last.annotate(last=Max("number")))
    opened = Delivery.objects.bulk_create(
        Delivery(
            notice_id=one.notice_id,
            channel=channel,
            number=numbers.get(one.notice_id, 0) + 1,
            state=DeliveryState.QUEUED,
            address=one.address,
            not_before=one.not_before,
            urgency=one.before.urgency,
            ignores_quiet_hours=channel == Channel.SMS and one.before.ignores_quiet_hours,
        )
        for one in tries
    )
    return len(opened)


def promote() -> int:
    """Queue the SMS whose release time has come; return how many."""
    skip = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    promoted, moved = 0, _PROMOTED_AT_ONCE
    while moved == _PROMOTED_AT_ONCE:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""WITH due AS MATERIALIZED (
                        SELECT id FROM notifications_delivery
                        WHERE state = 'held' AND not_before <= %s
                        ORDER BY not_before LIMIT {_PROMOTED_AT_ONCE} {skip})
                    UPDATE notifications_delivery SET state = 'queued'
                    WHERE id IN (SELECT id FROM due) AND state = 'held'""",  # noqa: S608  # our own constants
                [as_parameter(clock.now())],
            )
            moved = cursor.rowcount
        promoted += moved
    return promoted


def release(*, notice_ids: Sequence[int], at: dt.datetime) -> int:
    """Queue the SMS of notices before their release time; return how many."""
    held = Delivery.objects.filter(
        notice__in=notice_ids, channel=Channel.SMS, state=DeliveryState.HELD
    )
    return held.update(state=DeliveryState.QUEUED, not_before=at)


# --- claiming -------------------------------------------------------------------------------


def claim(*, worker: str, limit: int, gateway: str = "", only_its_own: bool = False) -> list[int]:
    """Claim SMS that are due, the most urgent first, so that no other worker does.

    One statement on both databases. PostgreSQL skips the rows that others are claiming; SQLite
    lets one writer in at a time, which makes the same UPDATE a compare-and-swap. A claim is a
    lease on the real clock, which runs out if the worker dies. Whether each SMS may still be
    sent is checked again under its notice's lock, when it is handed over. In the quiet hours only
    SMS that ignore them are claimed.

    Args:
        worker: a name unique to this run of this process.
        limit: at most so many.
        gateway: through which they will go: what may have left through another stays.
        only_its_own: only what may have left through this gateway before.

    Returns:
        the ids of the deliveries, now ``claimed``, the most urgent first.
    """
    now = clock.now()
    skip = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    quiet = QuietHours.parse(settings.SMS_QUIET_HOURS).is_quiet(now)
    fresh = "FALSE" if only_its_own else "client_reference = ''"
    with connection.cursor() as cursor:
        # MATERIALIZED: else PostgreSQL may run the subquery again and take more than the limit.
        cursor.execute(
            f"""WITH due AS MATERIALIZED (
                    SELECT id FROM notifications_delivery
                    WHERE channel = 'sms' AND state = 'queued' AND not_before <= %s
                        AND ({fresh} OR (client_reference <> '' AND gateway = %s))
                        {"AND ignores_quiet_hours" if quiet else ""}
                    ORDER BY urgency, id LIMIT %s {skip})
                UPDATE notifications_delivery
                SET state = 'claimed', claimed_by = %s, lease_until = %s
                WHERE id IN (SELECT id FROM due) AND state = 'queued'
                RETURNING urgency, id""",  # noqa: S608  # our own constants
            [as_parameter(now), gateway, limit, worker, as_parameter(lease_end())],
        )
        return [pk for _urgency, pk in sorted(cursor.fetchall())]


def unclaim(*, ids: Sequence[int], worker: str) -> None:
    """Give a worker's claims back that were not handed over; called inside a transaction."""
    if not ids:
        return
    mine = Delivery.objects.filter(pk__in=ids, claimed_by=worker, state=DeliveryState.CLAIMED)
    give_back([one.pk for one in lock(mine)])


def give_back(ids: Iterable[int], *, is_off_paper: bool = False) -> None:
    """Queue claimed tries, under lock, again.

    ``is_off_paper``: a call is not on paper any more. If only its lease ran out, the agent may
    still enter its result.
    """
    unprinted = {"printed_at": None} if is_off_paper else {}
    Delivery.objects.filter(pk__in=ids, state=DeliveryState.CLAIMED).update(
        state=DeliveryState.QUEUED, claimed_by="", lease_until=None, caller=None, **unprinted
    )


# --- sending --------------------------------------------------------------------------------


def hand_over(
    messages: Mapping[int, tuple[str, int, str]], *, gateway: str, at: dt.datetime
) -> None:
    """Mark claimed SMS as leaving through a gateway, and their notices as handed over.

    Commit this before the network is touched: after a crash the SMS is ``unknown``, and nobody
    withdraws the notice any more. ``messages`` are text, parts and reference by delivery.
    """
    leaving = _write_each(
        ("body", "parts", "client_reference"),
        messages,
        same={
            "state": DeliveryState.SUBMITTING,
            "gateway": gateway,
            "lease_until": lease_end(),
        },
        reckoned={
            "remark": ("''", ()),
            "submitted_at": ("COALESCE(submitted_at, %s)", [as_parameter(at)]),
        },
        allowed=(DeliveryState.CLAIMED,),
    )
    notice_states.hand_over(leaving, at=at)


def accept(
    numbers: Mapping[int, str], *, worker: str, has_receipts: bool, at: dt.datetime
) -> list[int]:
    """Note that a gateway took SMS which are still the worker's; return the ids of their notices.

    Args:
        numbers: by delivery its number at the gateway.
        worker: who submitted them.
        has_receipts: whether the gateway reports later; else this is its last word.
        at: when it answered.
    """
    receipt_due = wait_end(settings.SMS_RECEIPT_SECONDS)
    return _write_each(
        ("provider_id",),
        {pk: (number,) for pk, number in numbers.items()},
        same={"state": DeliveryState.ACCEPTED, "finished_at": None if has_receipts else at},
        reckoned={
            "remark": ("''", ()),
            "lease_until": receipt_due if has_receipts else ("NULL", ()),
        },
        allowed=_ANSWERABLE,
        claimed_by=worker,
    )


def refuse(answers: Mapping[int, tuple[str, str]], *, at: dt.datetime) -> None:
    """End SMS that a gateway refused: by delivery the cause and its words."""
    _write_each(
        ("failure", "remark"),
        answers,
        same={"state": DeliveryState.FAILED, "finished_at": at, "lease_until": None},
        allowed=_ANSWERABLE,
    )


def become_unknown(ids: Iterable[int], remark: Stored = "") -> None:
    """Leave tries as ``unknown`` until something settles them, at most until ``lease_until``."""
    limit = RawSQL(*wait_end(settings.SMS_UNKNOWN_SECONDS))  # noqa: S611  # our own words
    Delivery.objects.filter(pk__in=ids, state__in=[*_ANSWERABLE, DeliveryState.ACCEPTED]).update(
        state=DeliveryState.UNKNOWN, lease_until=limit, remark=remark
    )


def requeue(ids: Iterable[int], *, at: dt.datetime) -> None:
    """Queue again, from a moment on, what may have left: the same text under its reference."""
    _requeue(ids, at)


def start_over(ids: Iterable[int], *, at: dt.datetime) -> None:
    """Queue again, from a moment on, what did not leave: as if it had never been handed over."""
    _requeue(ids, at, client_reference="", gateway="", submitted_at=None, body="", parts=0)


def _requeue(ids: Iterable[int], at: dt.datetime, **forgotten: Any) -> None:
    Delivery.objects.filter(pk__in=ids, state__in=_ANSWERABLE).update(
        state=DeliveryState.QUEUED, claimed_by="", lease_until=None, not_before=at, **forgotten
    )


def note_remarks(remarks: Mapping[int, str]) -> None:
    """Keep what a gateway said of each delivery."""
    _write_each(("remark",), {pk: (said,) for pk, said in remarks.items()})


# --- ends -----------------------------------------------------------------------------------


def end(
    ids: Iterable[int],
    *,
    state: DeliveryState,
    at: dt.datetime,
    failure: Failure | str = "",
    remark: Stored = "",
) -> None:
    """End tries in one of the states of ``_ENDS``."""
    Delivery.objects.filter(pk__in=ids, state__in=_ENDS[state]).update(
        state=state, finished_at=at, lease_until=None, failure=failure, remark=remark
    )


def withdraw(notice_ids: Iterable[int] | RawSQL, *, at: dt.datetime) -> None:
    """Withdraw the SMS and calls that wait for these notices, also a call that is being made.

    The notices are under lock; SQL may select them.
    """
    theirs = Delivery.objects.filter(notice__in=notice_ids, state__in=WITHDRAWABLE)
    theirs.update(state=DeliveryState.WITHDRAWN, finished_at=at, lease_until=None)


def apply_receipts(said: Mapping[int, tuple[str, str, str, str]], *, at: dt.datetime) -> None:
    """Write the states that ``rules.after_receipt`` gave; accepted ones wait for more.

    Args:
        said: by delivery its state, failure and remark, and the number at the gateway, which
            counts if the answer did not bring one (yet).
        at: the end of those that end.
    """
    limit, given = wait_end(settings.SMS_RECEIPT_SECONDS)
    moment = "%s::timestamptz" if is_postgresql() else "%s"
    _write_each(
        ("state", "failure", "remark", "provider_id"),
        said,
        reckoned={
            "finished_at": (
                f"CASE WHEN r.state = 'accepted' THEN NULL ELSE {moment} END",
                [as_parameter(at)],
            ),
            "lease_until": (f"CASE WHEN r.state = 'accepted' THEN {limit} END", given),
            "provider_id": (_NUMBER, ()),
        },
        allowed=_REPORTABLE,
    )


def note_numbers(numbers: Mapping[int, str]) -> None:
    """Keep the gateway's number of each delivery whose answer brought none (yet)."""
    said = {pk: (number,) for pk, number in numbers.items()}
    _write_each(("provider_id",), said, reckoned={"provider_id": (_NUMBER, ())})


def _write_each(
    columns: Sequence[str],
    values: Mapping[int, Sequence[Any]],
    *,
    same: Mapping[str, Any] = MappingProxyType({}),
    reckoned: Mapping[str, tuple[str, Sequence[Any]]] = MappingProxyType({}),
    allowed: Sequence[DeliveryState] = tuple(DeliveryState),
    claimed_by: str | None = None,
) -> list[int]:
    """Write each delivery its own values in one statement (bulk_update takes twenty times as long).

    Args:
        columns: names of text or number columns.
        values: delivery id → one value per column.
        same: other columns and the value that all of them get.
        reckoned: columns and SQL for the value of each, with its parameters; ``r`` has the values.
        allowed: only deliveries in these states are written.
        claimed_by: only deliveries of this worker.

    Returns:
        the notices of the deliveries that were written.
    """
    if not values:
        return []
    kinds = {name: _FIELDS[name].db_type(connection) or "text" for name in columns}
    rows = [{"id": pk, **dict(zip(columns, given, strict=True))} for pk, given in values.items()]
    formulas: dict[str, tuple[str, Sequence[Any]]] = {
        **{name: (f"r.{name}", ()) for name in columns},
        **{
            name: ("%s", [_FIELDS[name].get_db_prep_save(one, connection)])
            for name, one in same.items()
        },
        **reckoned,
    }
    assignments = ", ".join(f"{name} = {formula}" for name, (formula, _given) in formulas.items())
    owner = "" if claimed_by is None else "AND notifications_delivery.claimed_by = %s"
    # PostgreSQL's statistics of states and workers are out of date here: it would not look the
    # deliveries up by id, and would compare each with each value. So it is given the ids, and
    # COALESCE, of which it has no statistics. SQLite looks them up by id anyway.
    found = f"AND {is_one_of('notifications_delivery.id')}" if is_postgresql() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE notifications_delivery SET {assignments}
                FROM {json_rows(id="bigint", **kinds)}
                WHERE notifications_delivery.id = r.id {found} AND COALESCE(
                    notifications_delivery.state IN ({in_sql(allowed)}) {owner}, FALSE)
                RETURNING notice_id""",  # noqa: S608  # our own columns
            [
                *(one for _formula, given in formulas.values() for one in given),
                json.dumps(rows),
                *([as_list(values)] if found else []),
                *([] if claimed_by is None else [claimed_by]),
            ],
        )
        return [row[0] for row in cursor.fetchall()]
