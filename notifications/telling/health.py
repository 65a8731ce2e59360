"""How the gateways are: which take messages, which do not, and since when."""

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
    """How a gateway is; the order is that of severity."""

    AWAY = "away"  # no host can reach it, or it said so itself; left in peace for a moment
    CAPPED = "capped"  # its cap of the day is spent
    FAILING = "failing"  # the last thing it did was to fail
    CUT_OFF = "cut_off"  # a host finds no way to it, others do
    CONTRADICTED = "contradicted"  # reported two parts, though long_receipts=one says otherwise
    SILENT = "silent"  # takes messages, and says nothing of them any more
    SLOW = "slow"  # asked to be given less
    IN_SERVICE = "in_service"
    UNUSED = "unused"  # never used
    RETIRED = "retired"  # no longer configured


TROUBLES = (
    *(Condition.AWAY, Condition.CAPPED, Condition.FAILING, Condition.CUT_OFF),
    *(Condition.CONTRADICTED, Condition.SILENT),
)


@dataclass(frozen=True)
class Health:
    """One gateway, with nothing secret of it.

    Attributes:
        state: what the workers share about it; a new one for one that was never used.
        gateway: as configured; None for one of old.
        place: in the order of preference, from 1; 0 for one of old.
        connected: sessions that workers hold now.
        waiting: messages whose receipt is awaited.
        unknown: messages of which nobody knows.
        condition: how it is.
        cut_off: of the hosts that send, those that find no way to it.
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
        """Until when it is left in peace, if all hosts leave it so; as people are shown it."""
        moments = [self.state.away_until, *(one.away_until for one in self.cut_off)]
        latest = max((moment for moment in moments if moment), default=None)
        return clock.shown(latest) if latest else None

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to do something."""
        return self.condition in TROUBLES

    @property
    def parts_today(self) -> int:
        """SMS parts of this day of the hospital."""
        return self.state.parts_of_day if self.state.day == clock.today() else 0


@dataclass(frozen=True)
class WrongClock:
    """A host whose clock differs from the one that counts."""

    host: str
    ahead: dt.timedelta

    @property
    def is_ahead(self) -> bool:
        """Whether it is ahead, not behind."""
        return self.ahead > dt.timedelta(0)

    @property
    def seconds(self) -> int:
        """By how much, in whole seconds."""
        return round(abs(self.ahead).total_seconds())


@dataclass(frozen=True)
class Overview:
    """All gateways in the order of preference, those of old at the end.

    ``complaint`` is the sentence about a configuration that cannot be read; ``steps`` are the
    times within a day at which the clock that counts was set back. Neither they nor the wrong
    clocks stop anything.
    """

    gateways: list[Health]
    complaint: str = ""
    wrong_clocks: Sequence[WrongClock] = ()
    steps: Sequence[ClockStep] = ()

    @property
    def in_trouble(self) -> list[Health]:
        """Those that need somebody."""
        return [one for one in self.gateways if one.is_trouble]

    @property
    def is_trouble(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.complaint or self.in_trouble or self.wrong_clocks or self.steps)


def overview() -> Overview:
    """Return how the gateways are, in six queries."""
    gateways, complaint = _configured()
    hosts = list(SendingHost.objects.filter(seen_at__gt=clock.real() - ALIVE_FOR).order_by("name"))
    lost = _lost_ways([host.name for host in hosts])
    states = {state.name: state for state in GatewayState.objects.order_by("name")}
    pending = _pending()
    held = GatewaySeat.objects.filter(until__gt=clock.real()).values_list("gateway", flat=True)
    connected = Counter(held)
    places = {name: place for place, name in enumerate(gateways, 1)}
    return Overview(
        gateways=[
            _health(
                states.get(name) or GatewayState(name=name),
                gateways.get(name),
                place=places.get(name, 0),
                connected=connected[name],
                awaited=pending.get((name, DeliveryState.ACCEPTED), _Pending()),
                unknown=pending.get((name, DeliveryState.UNKNOWN), _Pending()).number,
                cut_off=lost.get(name, []),
                hosts=len(hosts),
            )
            for name in dict.fromkeys([*gateways, *states])
        ],
        complaint=complaint,
        wrong_clocks=_wrong_clocks(hosts),
        steps=list(ClockStep.objects.filter(noticed_at__gt=_a_day_ago()).order_by("noticed_at")),
    )


def ways_lost_by(host: str) -> list[GatewayReach]:
    """Return the configured gateways to which a host finds no way, as it found out itself."""
    lost = _lost_ways([host])
    return [one for name in _configured()[0] for one in lost.get(name, [])]


def _lost_ways(hosts: Sequence[str]) -> dict[str, list[GatewayReach]]:
    """Return by gateway the hosts that could not reach it the last time they tried.

    While no host is known to be alive, all that ever said so count.
    """
    failing = GatewayReach.objects.filter(failures_in_a_row__gt=0).order_by("gateway", "host")
    found: dict[str, list[GatewayReach]] = {}
    for one in failing.filter(host__in=hosts) if hosts else failing:
        found.setdefault(one.gateway, []).append(one)
    return found


def _wrong_clocks(hosts: Sequence[SendingHost]) -> list[WrongClock]:
    """Return those whose clock is too far off, with this one, which shows the page."""
    ahead = {host.name: dt.timedelta(seconds=host.clock_ahead) for host in hosts}
    ahead[settings.HOST_NAME] = clock.host_is_ahead()
    return [WrongClock(*one) for one in sorted(ahead.items()) if abs(one[1]) > clock.TOO_FAR]


def _a_day_ago() -> dt.datetime:
    return clock.now().astimezone(dt.UTC) - dt.timedelta(days=1)


@dataclass(frozen=True)
class LongMessages:
    """Long messages of a gateway of which at least one part was reported, and how many twice."""

    reported: int
    twice: int


def one_part_proposals() -> dict[str, LongMessages]:
    """Return the gateways for which ``long_receipts=one`` is proposed, in one query.

    After ``ENOUGH_LONG`` long messages, none of which had two receipts. What left a few minutes
    ago is not counted: its second one may be on the way.
    """
    asked = [gateway.name for gateway in _configured()[0].values() if not gateway.reports_one_part]
    settled = clock.now().astimezone(dt.UTC) - SECOND_RECEIPT_WITHIN
    parts = DeliveryPart.objects.filter(gateway__in=asked, delivery__submitted_at__lt=settled)
    reported = parts.exclude(state=ReceiptState.ON_ITS_WAY).order_by()
    found: dict[str, LongMessages] = {}
    for name, number in (
        reported.values_list("gateway", "delivery")
        .annotate(number=Count("pk"))
        .values_list("gateway", "number")
    ):
        known = found.get(name, LongMessages(0, 0))
        found[name] = LongMessages(known.reported + 1, known.twice + (number > 1))
    return {
        name: seen
        for name, seen in found.items()
        if seen.reported >= ENOUGH_LONG and not seen.twice
    }


def names() -> list[str]:
    """Return the names of all gateways, configured or of old, in one query."""
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
    """Return how a gateway is.

    Args:
        state: what the workers noted.
        gateway: as configured, if it is.
        awaited_for: for how long the oldest receipt that is due has been awaited.
        cut_off: the hosts that find no way to it.
        hosts: how many send; when all of them find none, it is the gateway that is away.
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
    """Whether it took a message since it last reported, and that was a while ago.

    Phones that are switched off leave a few receipts open for hours; that alone is no silence.
    """
    if state.accepted_at is None or state.reported_at is None:
        return state.accepted_at is not None
    return state.accepted_at > state.reported_at and state.reported_at < now - SILENT_AFTER


def _health(
    state: GatewayState,
    gateway: Gateway | None,
    *,
    place: int,
    connected: int,
    awaited: "_Pending",
    unknown: int,
    cut_off: Sequence[GatewayReach],
    hosts: int,
) -> Health:
    waited = clock.now() - awaited.oldest if awaited.oldest else dt.timedelta(0)
    return Health(
        state=state,
        gateway=gateway,
        place=place,
        connected=connected,
        waiting=awaited.number,
        unknown=unknown,
        condition=condition_of(
            state, gateway, awaited_for=waited, cut_off=cut_off, hosts=hosts, now=clock.real()
        ),
        cut_off=cut_off,
    )


def _configured() -> tuple[dict[str, Gateway], str]:
    """Return the gateways by name, and what is wrong with their configuration."""
    try:
        return {gateway.name: gateway for gateway in configured()}, ""
    except ImproperlyConfigured as error:
        return {}, str(error)


@dataclass(frozen=True)
class _Pending:
    """How many messages of a gateway wait, the oldest since its hand-over."""

    number: int = 0
    oldest: dt.datetime | None = None


def _pending() -> dict[tuple[str, str], _Pending]:
    """Return by gateway and state what waits for its receipt, and what nobody knows of."""
    # What is finished waits for nothing: a gateway without receipts finishes at the hand-over.
    awaited = Q(state=DeliveryState.ACCEPTED, finished_at__isnull=True)
    arms = (Delivery.objects.filter(arm) for arm in (awaited, Q(state=DeliveryState.UNKNOWN)))
    lines = (
        Delivery.objects.filter(pk__in=numbers_of(*arms))
        .order_by()
        .values_list("gateway", "state")
        .annotate(Count("pk"), Min("submitted_at"))
    )
    return {(gateway, state): _Pending(*rest) for gateway, state, *rest in lines}
