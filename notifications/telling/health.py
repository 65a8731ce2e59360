"""The health of the gateways: which accept messages, which do not, and since when."""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Min, Q

from notifications.gateways import Gateway, configured
from notifications.models import (
    ClockStep,
    Delivery,
    DeliveryPart,
    DeliveryState,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    ReceiptState,
    SendingHost,
)
from staff import clock
from staff.lookups import numbers_of

SLOW_FOR = dt.timedelta(minutes=2)
SILENT_AFTER = dt.timedelta(minutes=15)
ENOUGH_LONG = 50
SECOND_RECEIPT_WITHIN = dt.timedelta(minutes=10)
ALIVE_FOR = dt.timedelta(minutes=1)
"""A host that sends says so every few seconds."""


class Condition(enum.StrEnum):
    """The condition of a gateway, the most severe first."""

    AWAY = "away"  # no host reaches it, or it reported so itself: senders back off
    CAPPED = "capped"  # its cap of the day is spent
    FAILING = "failing"  # its last answer was a failure
    CUT_OFF = "cut_off"  # one host cannot reach it, others can
    CONTRADICTED = "contradicted"  # reported two parts, though long_receipts=one says otherwise
    SILENT = "silent"  # accepts messages, and reports nothing any more
    SLOW = "slow"  # throttled lately
    IN_SERVICE = "in_service"
    UNUSED = "unused"  # never used
    RETIRED = "retired"  # no longer configured


NEED_ATTENTION = (
    *(Condition.AWAY, Condition.CAPPED, Condition.FAILING, Condition.CUT_OFF),
    *(Condition.CONTRADICTED, Condition.SILENT),
)


@dataclass(frozen=True)
class Health:
    """The health of one gateway, without its secrets.

    Attributes:
        state: what the workers share about it; unsaved if it was never used.
        gateway: as configured; None if it no longer is.
        place: in the order of preference, from 1; 0 if it is no longer configured.
        connected: sessions that workers hold now.
        waiting: messages whose receipt is awaited.
        unknown: messages whose fate is unknown.
        cut_off: of the hosts that send, those that cannot reach it.
    """

    state: GatewayState
    gateway: Gateway | None
    place: int
    connected: int
    waiting: int
    unknown: int
    condition: Condition
    cut_off: Sequence[GatewayReach] = ()

    @property
    def away_until(self) -> dt.datetime | None:
        """Until when all hosts back off from it, as people are shown it."""
        moments = [self.state.away_until, *(one.away_until for one in self.cut_off)]
        latest = max((moment for moment in moments if moment), default=None)
        return clock.shown(latest) if latest else None

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to do something."""
        return self.condition in NEED_ATTENTION

    @property
    def parts_today(self) -> int:
        """SMS parts of this day of the hospital."""
        return self.state.parts_of_day if self.state.day == clock.today() else 0


@dataclass(frozen=True)
class Overview:
    """All gateways in the order of preference, those no longer configured at the end.

    ``complaint`` is the sentence about a configuration that cannot be read; ``steps`` are the
    times within a day at which the clock was set back. Neither they nor wrong clocks stop sending.
    """

    gateways: list[Health]
    complaint: str = ""
    wrong_clocks: Sequence[SendingHost] = ()
    steps: Sequence[ClockStep] = ()

    @property
    def needing_attention(self) -> list[Health]:
        """Those that need somebody."""
        return [one for one in self.gateways if one.needs_attention]

    @property
    def needs_attention(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.complaint or self.needing_attention or self.wrong_clocks or self.steps)


def overview() -> Overview:
    """Return the health of the gateways, in six queries."""
    gateways, complaint = _configured()
    hosts = list(SendingHost.objects.filter(seen_at__gt=clock.real() - ALIVE_FOR).order_by("name"))
    lost = _lost_ways([host.name for host in hosts])
    states = {state.name: state for state in GatewayState.objects.order_by("name")}
    pending = _pending()
    held = GatewaySeat.objects.filter(until__gt=clock.real()).values_list("gateway", flat=True)
    connected = Counter(held)
    places = {name: place for place, name in enumerate(gateways, 1)}
    found = []
    for name in dict.fromkeys([*gateways, *states]):
        state = states.get(name) or GatewayState(name=name)
        gateway, cut_off = gateways.get(name), lost.get(name, [])
        awaited, oldest = pending.get((name, DeliveryState.ACCEPTED), (0, None))
        condition = condition_of(
            state,
            gateway,
            awaited_for=clock.now() - oldest if oldest else dt.timedelta(0),
            cut_off=cut_off,
            hosts=len(hosts),
            now=clock.real(),
        )
        found.append(
            Health(
                state=state,
                gateway=gateway,
                place=places.get(name, 0),
                connected=connected[name],
                waiting=awaited,
                unknown=pending.get((name, DeliveryState.UNKNOWN), (0, None))[0],
                condition=condition,
                cut_off=cut_off,
            )
        )
    a_day_ago = clock.now().astimezone(dt.UTC) - dt.timedelta(days=1)
    return Overview(
        gateways=found,
        complaint=complaint,
        wrong_clocks=_wrong_clocks(hosts),
        steps=list(ClockStep.objects.filter(noticed_at__gt=a_day_ago).order_by("noticed_at")),
    )


def ways_lost_by(host: str) -> list[GatewayReach]:
    """Return the configured gateways that a host could not reach, as it found out itself."""
    lost = _lost_ways([host])
    return [one for name in _configured()[0] for one in lost.get(name, [])]


def _lost_ways(hosts: Sequence[str]) -> dict[str, list[GatewayReach]]:
    """Return by gateway the hosts that could not reach it the last time they tried.

    While no host is alive, all hosts count.
    """
    failing = GatewayReach.objects.filter(failures_in_a_row__gt=0).order_by("gateway", "host")
    found: dict[str, list[GatewayReach]] = {}
    for one in failing.filter(host__in=hosts) if hosts else failing:
        found.setdefault(one.gateway, []).append(one)
    return found


def _wrong_clocks(hosts: Sequence[SendingHost]) -> list[SendingHost]:
    """Return the hosts whose clock is too far off, also this one, which shows the page."""
    here = clock.host_is_ahead().total_seconds()
    found = {host.name: host for host in hosts}
    found[settings.HOST_NAME] = SendingHost(name=settings.HOST_NAME, clock_ahead=here)
    too_far = clock.TOO_FAR.total_seconds()
    return [host for _name, host in sorted(found.items()) if abs(host.clock_ahead) > too_far]


def one_part_proposals() -> dict[str, int]:
    """Return the gateways for which ``long_receipts=one`` is proposed, in one query.

    Long messages of which at least one part was reported count, but for those of the last
    minutes: a second receipt may be on its way. ``ENOUGH_LONG`` of them are needed, none with two.

    Returns:
        by name how many long messages were counted.
    """
    asked = [gateway.name for gateway in _configured()[0].values() if not gateway.reports_one_part]
    settled = clock.now().astimezone(dt.UTC) - SECOND_RECEIPT_WITHIN
    parts = DeliveryPart.objects.filter(gateway__in=asked, delivery__submitted_at__lt=settled)
    reported = parts.exclude(state=ReceiptState.ON_ITS_WAY).order_by()
    messages = reported.values_list("gateway", "delivery").annotate(number=Count("pk"))
    number, twice = Counter[str](), set()
    for name, parts_reported in messages.values_list("gateway", "number"):
        number[name] += 1
        if parts_reported > 1:
            twice.add(name)
    return {name: n for name, n in number.items() if n >= ENOUGH_LONG and name not in twice}


def names() -> list[str]:
    """Return the names of all gateways, configured or not any more, in one query."""
    used = GatewayState.objects.order_by("name").values_list("name", flat=True)
    return list(dict.fromkeys([*_configured()[0], *used]))


def condition_of(
    state: GatewayState,
    gateway: Gateway | None,
    *,
    awaited_for: dt.timedelta = dt.timedelta(0),
    cut_off: Sequence[GatewayReach] = (),
    hosts: int = 0,
    now: dt.datetime,
) -> Condition:
    """Return the condition of a gateway.

    Args:
        state: what the workers noted.
        gateway: as configured, if it is.
        awaited_for: for how long the oldest receipt has been awaited.
        cut_off: the hosts that cannot reach it.
        hosts: how many send; if all of them cannot reach it, the gateway is away.
        now: on the real clock, as the moments of ``state`` are.
    """
    if gateway is None:
        return Condition.RETIRED
    cap = gateway.options.parts_per_day
    spent = state.parts_of_day if state.day == clock.today() else 0
    all_failing = bool(cut_off) and len(cut_off) >= hosts
    found = {
        Condition.AWAY: _is_away(state, now)
        or (all_failing and all(_is_away(one, now) for one in cut_off)),
        Condition.CAPPED: cap is not None and spent >= cap,
        Condition.FAILING: state.failures_in_a_row > 0 or all_failing,
        Condition.CUT_OFF: bool(cut_off),
        Condition.CONTRADICTED: gateway.reports_one_part and state.two_receipts_at is not None,
        Condition.SILENT: awaited_for > SILENT_AFTER and _says_nothing(state, now),
        Condition.SLOW: state.throttled_at is not None and state.throttled_at > now - SLOW_FOR,
        Condition.IN_SERVICE: any((state.accepted_at, state.reported_at, state.failed_at)),
    }
    return next((condition for condition, holds in found.items() if holds), Condition.UNUSED)


def _is_away(state: GatewayState | GatewayReach, now: dt.datetime) -> bool:
    return state.away_until is not None and state.away_until > now


def _says_nothing(state: GatewayState, now: dt.datetime) -> bool:
    """Whether it accepted a message since its last report, which was a while ago.

    Phones that are switched off leave a few receipts open for hours; that alone is no silence.
    """
    if state.accepted_at is None or state.reported_at is None:
        return state.accepted_at is not None
    return state.accepted_at > state.reported_at and state.reported_at < now - SILENT_AFTER


def _configured() -> tuple[dict[str, Gateway], str]:
    """Return the gateways by name, and what is wrong with their configuration."""
    try:
        return {gateway.name: gateway for gateway in configured()}, ""
    except ImproperlyConfigured as error:
        return {}, str(error)


def _pending() -> dict[tuple[str, str], tuple[int, dt.datetime | None]]:
    """Return by gateway and state how many messages wait, and since when the oldest does.

    ``accepted`` ones wait for their receipt; of ``unknown`` ones nobody knows what became.
    """
    # Without receipts a message is finished at the hand-over, and waits for nothing.
    awaited = Q(state=DeliveryState.ACCEPTED, finished_at__isnull=True)
    arms = (Delivery.objects.filter(arm) for arm in (awaited, Q(state=DeliveryState.UNKNOWN)))
    rows = (
        Delivery.objects.filter(pk__in=numbers_of(*arms))
        .order_by()
        .values_list("gateway", "state")
        .annotate(Count("pk"), Min("submitted_at"))
    )
    return {(gateway, state): (number, oldest) for gateway, state, number, oldest in rows}
