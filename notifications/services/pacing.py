"""What all workers share about a gateway: how fast, how much a day, and whether it is there.

The real clock paces processes; workers on several hosts keep it together (NTP).
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from notifications.gateways import Accepted, Gateway, NotSent, Refused, Result, Throttled, Unknown
from notifications.models import GatewayState
from staff import clock

LONGEST_ABSENCE_SECONDS = 60.0
SILENCES_IN_A_ROW = 2
"""Rounds in which a gateway answered nothing at all: then it is left in peace for a while."""


@dataclass(frozen=True)
class Standing:
    """Whether a gateway may be used now.

    Attributes:
        is_away: it could not be reached or stayed silent, and is left in peace for a moment.
        is_absent: away, or so shortly ago that a new try of it may still wait for its answer.
        is_on_probation: it was, and has not taken anything since: ask it little.
        parts_left: of the day's cap; None without one.
        wait: seconds until its rate lets anything more leave.
    """

    is_away: bool
    is_absent: bool
    is_on_probation: bool
    parts_left: int | None
    wait: float

    @property
    def is_usable(self) -> bool:
        """Whether messages may be given to it, now or in a moment."""
        return not self.is_away and not self.is_full

    @property
    def is_full(self) -> bool:
        """Whether it had its fill of the day."""
        return self.parts_left == 0

    @property
    def gives_way(self) -> bool:
        """Whether the next gateway may be fed; one that is only too slow is waited for."""
        return self.is_absent or self.is_full


def standing(gateway: Gateway) -> Standing:
    """Return how a gateway stands; makes its row if it has none."""
    state, _made = GatewayState.objects.get_or_create(name=gateway.name)
    now = timezone.now()
    cap = gateway.options.parts_per_day
    spent = state.parts_of_day if state.day == clock.today() else 0
    one_try = dt.timedelta(seconds=gateway.options.timeout)
    return Standing(
        is_away=state.away_until is not None and state.away_until > now,
        is_absent=state.away_until is not None and state.away_until + one_try > now,
        is_on_probation=state.failures_in_a_row > 0,
        parts_left=None if cap is None else max(0, cap - spent),
        wait=max(0.0, (state.free_at - now).total_seconds()) if state.free_at else 0.0,
    )


def spend(gateway: Gateway, costs: Sequence[int]) -> int:
    """Take rate and cap for messages that leave now; called inside their transaction.

    What is left of the cap and too little for the next message is given up for the day, so that
    all workers see that the gateway had its fill and the next gateway gets the rest.

    Args:
        gateway: through which.
        costs: the SMS parts of each message, in the order in which they should leave.

    Returns:
        how many of them the day's cap lets leave.
    """
    cap = gateway.options.parts_per_day
    fitting = len(costs)
    if cap is None and not seconds_for(gateway, parts=sum(costs), messages=fitting):
        _count(gateway, sum(costs))
        return fitting
    state = _locked(gateway)
    if cap is not None:
        fitting = bisect_right(list(accumulate(costs)), cap - state.parts_of_day)
    parts = sum(costs[:fitting])
    state.parts_of_day += parts
    if cap is not None and fitting < len(costs):
        state.parts_of_day = max(state.parts_of_day, cap)
    if cost := seconds_for(gateway, parts=parts, messages=fitting):
        now = timezone.now()
        state.free_at = max(state.free_at or now, now) + dt.timedelta(seconds=cost)
    state.save(update_fields=["day", "parts_of_day", "free_at"])
    return fitting


def _count(gateway: Gateway, parts: int) -> None:
    """Count parts where nothing limits them: one statement, for this is done all the time."""
    today = clock.today()
    mine = GatewayState.objects.filter(name=gateway.name)
    of_today = Case(When(day=today, then=F("parts_of_day") + parts), default=Value(parts))
    if not mine.update(parts_of_day=of_today, day=today):
        state = _locked(gateway)
        state.parts_of_day += parts
        state.save(update_fields=["day", "parts_of_day"])


def give_back(gateway: Gateway, parts: int) -> None:
    """Count parts that did not leave out of the day's cap again; their rate stays spent."""
    state = _locked(gateway)
    state.parts_of_day = max(0, state.parts_of_day - parts)
    state.save(update_fields=["day", "parts_of_day"])


def _locked(gateway: Gateway) -> GatewayState:
    GatewayState.objects.get_or_create(name=gateway.name)
    state = GatewayState.objects.select_for_update().get(name=gateway.name)
    if state.day != clock.today():
        state.day, state.parts_of_day = clock.today(), 0
    return state


def seconds_for(gateway: Gateway, *, parts: int, messages: int) -> float:
    """Return how long messages take at the gateway's rate; 0 when it has none."""
    options = gateway.options
    by_parts = parts / options.parts_per_second if options.parts_per_second else 0.0
    by_messages = messages / options.messages_per_second if options.messages_per_second else 0.0
    return max(by_parts, by_messages, 0.0)


@transaction.atomic
def note(gateway: Gateway, results: Sequence[Result]) -> None:
    """Note how a gateway answered one round."""
    mine = GatewayState.objects.filter(name=gateway.name)
    now = timezone.now()
    answered = [one for one in results if isinstance(one, Accepted | Refused)]
    if answered:
        # Without such failures it is away for what it reported afterwards (``trouble``).
        mine.filter(failures_in_a_row__gt=0).update(failures_in_a_row=0, away_until=None)
        if any(isinstance(one, Accepted) for one in answered):
            mine.update(accepted_at=now)
    throttled = [one.retry_after for one in results if isinstance(one, Throttled)]
    if throttled:
        until = now + dt.timedelta(seconds=max(throttled))
        later = Greatest(Coalesce("free_at", Value(until)), Value(until))
        mine.update(throttled_at=now, free_at=later)
    failed = [one for one in results if isinstance(one, NotSent | Unknown)]
    if failed:
        mine.update(failed_at=now, complaint=failed[-1].remark[:200])
        if not answered:
            not_sent = [one.retry_after or 0.0 for one in failed if isinstance(one, NotSent)]
            _stay_away(gateway, now, at_once=bool(not_sent), at_least=max(not_sent, default=0.0))


def _stay_away(gateway: Gateway, now: dt.datetime, *, at_once: bool, at_least: float = 0.0) -> None:
    """Leave it in peace, longer with each failure: a silent gateway makes unknowns of us all."""
    state = GatewayState.objects.select_for_update().get(name=gateway.name)
    state.failures_in_a_row += 1
    if at_once or state.failures_in_a_row >= SILENCES_IN_A_ROW:
        seconds = min(2.0 ** min(state.failures_in_a_row, 10), LONGEST_ABSENCE_SECONDS)
        state.away_until = now + dt.timedelta(seconds=max(seconds, at_least))
    state.save(update_fields=["failures_in_a_row", "away_until"])
