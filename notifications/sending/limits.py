"""What the hosts that send share: each gateway's sessions, rate, cap and backing off, and a clock.

All of it runs on the database's clock (``clock.real``), so that a wrong clock of one host neither
delays the others nor lets that host run ahead. Each host backs off by itself: one that cannot
reach the gateway leaves it to the others. All hosts back off only for what the gateway itself
answered (a wrong password) or reported later (a phone without credit).
"""

import datetime as dt
import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from notifications.gateways import Accepted, Gateway, NotSent, Refused, Result, Throttled, Unknown
from notifications.models import (
    Channel,
    ClockStep,
    Delivery,
    DeliveryState,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    SendingHost,
)
from notifications.rules import LONGEST_TROUBLE_SECONDS
from staff import clock

logger = logging.getLogger(__name__)
LEASE_SECONDS = 10.0
LONGEST_ABSENCE_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 300.0
_MOST_AT_ONCE = 60
"""Parts that all hosts together may have handed over ahead of a slow rate."""
SILENCES_IN_A_ROW = 2
"""Rounds without any answer after which a host backs off."""
SAY_AGAIN = dt.timedelta(seconds=4)
SLACK = dt.timedelta(seconds=5)
FORGOTTEN_AFTER = dt.timedelta(days=7)


@dataclass(frozen=True)
class Standing:
    """Whether a gateway may be used now.

    Attributes:
        is_away: it could not be reached or stayed silent, and is backed off from.
        is_absent: away, or so shortly ago that a new try may still wait for its answer.
        is_on_probation: it was away and has accepted nothing since: submit little.
        parts_left: of the daily cap; None without one.
        wait: seconds until its rate limit lets anything more leave.
    """

    is_away: bool
    is_absent: bool
    is_on_probation: bool
    parts_left: int | None
    wait: float

    @property
    def is_usable(self) -> bool:
        """Whether messages may be submitted to it, now or in a moment."""
        return not self.is_away and not self.is_full

    @property
    def is_full(self) -> bool:
        """Whether its daily cap is reached."""
        return self.parts_left == 0

    @property
    def gives_way(self) -> bool:
        """Whether the next gateway may take over; one that only throttles is waited for."""
        return self.is_absent or self.is_full


def standing(gateway: Gateway) -> Standing:
    """Return whether this host may use a gateway now; makes its row if it has none."""
    state, _made = GatewayState.objects.get_or_create(name=gateway.name)
    reach = _reach(gateway).first() or GatewayReach()
    now = clock.real()
    cap = gateway.options.parts_per_day
    spent = state.parts_of_day if state.day == clock.today() else 0
    away = max(_seconds_away(state.away_until, now), _seconds_away(reach.away_until, now))
    return Standing(
        is_away=away > 0,
        is_absent=away + gateway.options.timeout > 0,
        is_on_probation=state.failures_in_a_row + reach.failures_in_a_row > 0,
        parts_left=None if cap is None else max(0, cap - spent),
        wait=max(0.0, (_free_at(gateway, state, now) - now).total_seconds()),
    )


def _reach(gateway: Gateway) -> QuerySet[GatewayReach]:
    """Return this host's own row about a gateway; it has one once it failed to reach it."""
    return GatewayReach.objects.filter(gateway=gateway.name, host=settings.HOST_NAME)


def _seconds_away(until: dt.datetime | None, now: dt.datetime) -> float:
    """Return the seconds left of a backoff, negative once it is over.

    No backoff is longer than ``LONGEST_TROUBLE_SECONDS``: a later moment was written by another
    clock and does not count.
    """
    left = (until - now).total_seconds() if until else float("-inf")
    return left if left <= LONGEST_TROUBLE_SECONDS else float("-inf")


def _free_at(gateway: Gateway, state: GatewayState, now: dt.datetime) -> dt.datetime:
    """Return when its rate lets more leave; now where nothing here explains a wait."""
    if state.free_at is None:
        return now
    by_rate = gateway.options.seconds_for(parts=_MOST_AT_ONCE, messages=_MOST_AT_ONCE)
    longest = dt.timedelta(seconds=LONGEST_RETRY_AFTER_SECONDS + by_rate)
    return now if state.free_at > now + longest else max(state.free_at, now)


def spend(gateway: Gateway, costs: Sequence[int]) -> int:
    """Take rate and cap for messages that leave now, inside their transaction.

    A rest of the cap that is too small for the next message is given up for the day: so all
    senders see that the cap is reached, and the next gateway gets the remaining messages.

    Args:
        gateway: through which.
        costs: the SMS parts of each message, in the order in which they should leave.

    Returns:
        how many of them the daily cap lets leave.
    """
    cap = gateway.options.parts_per_day
    fitting = len(costs)
    if cap is None and not gateway.options.seconds_for(parts=sum(costs), messages=fitting):
        _count(gateway, sum(costs))
        return fitting
    state = _locked(gateway)
    if cap is not None:
        fitting = bisect_right(list(accumulate(costs)), cap - state.parts_of_day)
    parts = sum(costs[:fitting])
    state.parts_of_day += parts
    if cap is not None and fitting < len(costs):
        state.parts_of_day = max(state.parts_of_day, cap)
    if cost := gateway.options.seconds_for(parts=parts, messages=fitting):
        state.free_at = _free_at(gateway, state, clock.real()) + dt.timedelta(seconds=cost)
    state.save(update_fields=["day", "parts_of_day", "free_at"])
    return fitting


def _count(gateway: Gateway, parts: int) -> None:
    """Count parts where nothing limits them, in one statement: every hand-over does this."""
    today = clock.today()
    mine = GatewayState.objects.filter(name=gateway.name)
    of_today = Case(When(day=today, then=F("parts_of_day") + parts), default=Value(parts))
    if not mine.update(parts_of_day=of_today, day=today):
        state = _locked(gateway)
        state.parts_of_day += parts
        state.save(update_fields=["day", "parts_of_day"])


def give_back(gateway: Gateway, parts: int) -> None:
    """Take parts that did not leave out of the daily cap again; their rate stays spent."""
    state = _locked(gateway)
    state.parts_of_day = max(0, state.parts_of_day - parts)
    state.save(update_fields=["day", "parts_of_day"])


def _locked(gateway: Gateway) -> GatewayState:
    GatewayState.objects.get_or_create(name=gateway.name)
    state = GatewayState.objects.select_for_update().get(name=gateway.name)
    if state.day != clock.today():
        state.day, state.parts_of_day = clock.today(), 0
    return state


@transaction.atomic
def note_answers(gateway: Gateway, results: Sequence[Result]) -> None:
    """Note the answers of a gateway to one round of this host."""
    mine = GatewayState.objects.filter(name=gateway.name)
    now = clock.real()
    answered = [one for one in results if isinstance(one, Accepted | Refused)]
    if answered:
        # Without such failures the backoff is for what it reported afterwards; that stays.
        mine.filter(failures_in_a_row__gt=0).update(failures_in_a_row=0, away_until=None)
        _reach(gateway).filter(failures_in_a_row__gt=0).update(failures_in_a_row=0, away_until=None)
        if any(isinstance(one, Accepted) for one in answered):
            mine.update(accepted_at=now)
    throttled = [one.retry_after for one in results if isinstance(one, Throttled)]
    if throttled:
        state = _locked(gateway)
        until = now + dt.timedelta(seconds=min(max(throttled), LONGEST_RETRY_AFTER_SECONDS))
        mine.update(throttled_at=now, free_at=max(_free_at(gateway, state, now), until))
    failed = [one for one in results if isinstance(one, NotSent | Unknown)]
    if failed:
        said = [one for one in failed if isinstance(one, NotSent) and one.answered]
        complaint = said[-1].remark if said else f"{settings.HOST_NAME} : {failed[-1].remark}"
        mine.update(failed_at=now, complaint=complaint[:200])
        if not answered:
            _stay_away(gateway, failed, now)


def _stay_away(gateway: Gateway, failed: Sequence[NotSent | Unknown], now: dt.datetime) -> None:
    """Back off, longer with each failure: every message to a silent gateway ends as unknown.

    All hosts back off for what the gateway answered itself, else only this one.
    """
    not_sent = [one for one in failed if isinstance(one, NotSent)]
    at_least = max((one.retry_after or 0.0 for one in not_sent), default=0.0)
    state: GatewayState | GatewayReach
    if any(one.answered for one in not_sent):
        state = GatewayState.objects.select_for_update().get(name=gateway.name)
    else:
        state, _made = GatewayReach.objects.select_for_update().get_or_create(
            gateway=gateway.name, host=settings.HOST_NAME
        )
        state.failed_at, state.complaint = now, failed[-1].remark[:200]
    state.failures_in_a_row += 1
    if not_sent or state.failures_in_a_row >= SILENCES_IN_A_ROW:
        seconds = min(2.0 ** min(state.failures_in_a_row, 10), LONGEST_ABSENCE_SECONDS)
        state.away_until = now + dt.timedelta(seconds=max(seconds, at_least))
    state.save()


# --- sessions ---------------------------------------------------------------------------------
#
# A provider allows so many at once. A worker that dies gives its lease back by doing nothing.


@contextmanager
def lease_held(gateway: Gateway, *, worker: str) -> Iterator[bool]:
    """Hold a lease meanwhile; False when all are taken."""
    try:
        yield take_lease(gateway, worker=worker)
    finally:
        release_lease(gateway, worker=worker)


def is_session_free(gateway: Gateway) -> bool:
    """Whether another session of a gateway may be opened."""
    if not gateway.options.sessions:
        return True
    taken = GatewaySeat.objects.filter(gateway=gateway.name, until__gte=clock.real())
    return taken.count() < gateway.options.sessions


def keep_lease(gateway: Gateway, *, worker: str) -> bool:
    """Renew a lease; False when it was lost (this worker slept for longer than it lasts)."""
    if not gateway.options.sessions:
        return True
    return bool(_leases_of(gateway, worker).update(until=_lease_end()))


def release_lease(gateway: Gateway, *, worker: str) -> None:
    """Give a lease back."""
    if gateway.options.sessions:
        _leases_of(gateway, worker).delete()


def _leases_of(gateway: Gateway, worker: str) -> QuerySet[GatewaySeat]:
    return GatewaySeat.objects.filter(gateway=gateway.name, worker=worker)


def take_lease(gateway: Gateway, *, worker: str) -> bool:
    """Take a lease; False when all are taken. A gateway without a limit needs none."""
    if not gateway.options.sessions:
        return True
    now = clock.real()
    for seat in range(gateway.options.sessions):
        free = GatewaySeat.objects.filter(
            Q(until__lt=now) | Q(worker=worker), gateway=gateway.name, seat=seat
        )
        if free.update(worker=worker, until=_lease_end()):
            return True
        try:
            with transaction.atomic():
                GatewaySeat.objects.create(
                    gateway=gateway.name, seat=seat, worker=worker, until=_lease_end()
                )
            return True
        except IntegrityError:
            continue
    return False


def _lease_end() -> dt.datetime:
    return clock.real() + dt.timedelta(seconds=LEASE_SECONDS)


# --- the clock was set back -------------------------------------------------------------------
#
# Each host notes every few seconds that it is alive. If a host was seen in the future, the shared
# clock (``staff/clock.py``) was set back. What waits for a moment that was written before would
# wait for as long in addition, so these moments are moved back by the same time, once.


def note_presence() -> None:
    """Note that this host sends now, and by how much its clock is ahead of the shared one."""
    if SendingHost.objects.filter(seen_at__gt=clock.real() + SLACK).exists():
        _put_right()
    now = clock.real()
    mine = SendingHost.objects.filter(name=settings.HOST_NAME)
    ahead = clock.host_is_ahead().total_seconds()
    if mine.filter(seen_at__lte=now - SAY_AGAIN).update(seen_at=now, clock_ahead=ahead):
        return
    if not mine.exists():
        SendingHost.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
        GatewayReach.objects.filter(failed_at__lt=now - FORGOTTEN_AFTER).delete()
        new = SendingHost(name=settings.HOST_NAME, seen_at=now, clock_ahead=ahead)
        SendingHost.objects.bulk_create([new], ignore_conflicts=True)


@transaction.atomic
def _put_right() -> None:
    """Move back what waits; a second host that notices the same finds it done."""
    hosts = list(SendingHost.objects.select_for_update().order_by("name"))
    now = clock.real()
    back = max(host.seen_at for host in hosts) - now
    if back <= SLACK:
        return
    seconds = back.total_seconds()
    logger.warning("the clock was set back by %.0f s: what waits is moved back with it", seconds)
    SendingHost.objects.filter(seen_at__gt=now).update(seen_at=now)
    here = clock.now().astimezone(dt.UTC)
    ClockStep.objects.create(noticed_at=here, was_at=here + back)
    _move_gateways(now, back)
    _shorten_leases(now)
    _move_tries(here, back)


def _move_tries(here: dt.datetime, back: dt.timedelta) -> None:
    """Move back queued tries, so that what was due is due.

    Only SMS that had a try are queued and wait; before the release an SMS is held. A call that
    a patient asked for at an hour stays at that hour.
    """
    waits = (DeliveryState.QUEUED, DeliveryState.CLAIMED)
    waiting = Delivery.objects.filter(state__in=waits, not_before__gt=here)
    waiting.filter(channel=Channel.SMS).update(not_before=F("not_before") - back)
    due = waiting.filter(channel=Channel.PHONE, not_before__lte=here + back)
    due.update(not_before=here)


def _move_gateways(now: dt.datetime, back: dt.timedelta) -> None:
    for model, waits in (
        (GatewayState, ("free_at", "away_until")),
        (GatewayReach, ("away_until",)),
    ):
        for column in waits:
            model.objects.filter(**{f"{column}__gt": now}).update(**{column: F(column) - back})
    for column in ("accepted_at", "reported_at", "throttled_at", "failed_at"):
        GatewayState.objects.filter(**{f"{column}__gt": now}).update(**{column: now})
    GatewayReach.objects.filter(failed_at__gt=now).update(failed_at=now)
    held = GatewaySeat.objects.filter(until__gt=now + dt.timedelta(seconds=LEASE_SECONDS))
    held.update(until=now + dt.timedelta(seconds=LEASE_SECONDS))


def _shorten_leases(now: dt.datetime) -> None:
    """Shorten each lease to at most that of one given now."""
    sms, call = Q(channel=Channel.SMS), Q(channel=Channel.PHONE)
    for which, seconds in (
        (sms & Q(state=DeliveryState.CLAIMED), settings.SMS_LEASE_SECONDS),
        (Q(state=DeliveryState.SUBMITTING), settings.SMS_LEASE_SECONDS),
        (Q(state=DeliveryState.ACCEPTED), settings.SMS_RECEIPT_SECONDS),
        (Q(state=DeliveryState.UNKNOWN), settings.SMS_UNKNOWN_SECONDS),
        (call & Q(printed_at__isnull=True), settings.CALL_LEASE_SECONDS),
        (call & Q(printed_at__isnull=False), settings.CALL_PAPER_SECONDS),
    ):
        longest = now + dt.timedelta(seconds=seconds)
        Delivery.objects.filter(which, lease_until__gt=longest).update(lease_until=longest)
