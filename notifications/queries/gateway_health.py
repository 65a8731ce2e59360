"""How the gateways are: which take messages, which do not, and since when."""

import datetime as dt
import enum
from collections import Counter
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Min, Q
from django.utils import timezone

from notifications.gateways import Gateway, configured
from notifications.models import Delivery, DeliveryState, GatewaySeat, GatewayState
from staff import clock
from staff.lookups import numbers_of

SLOW_FOR = dt.timedelta(minutes=2)
SILENT_AFTER = dt.timedelta(minutes=15)


class Condition(enum.StrEnum):
    """How a gateway is; the order is that of severity."""

    AWAY = "away"  # could not be reached, left in peace for a moment
    CAPPED = "capped"  # its cap of the day is spent
    FAILING = "failing"  # the last thing it did was to fail
    SILENT = "silent"  # takes messages, and says nothing of them any more
    SLOW = "slow"  # asked to be given less
    IN_SERVICE = "in_service"
    UNUSED = "unused"  # never used
    RETIRED = "retired"  # no longer configured


TROUBLES = (Condition.AWAY, Condition.CAPPED, Condition.FAILING, Condition.SILENT)


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
    """

    state: GatewayState
    gateway: Gateway | None
    place: int
    connected: int
    waiting: int
    unknown: int
    condition: Condition

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to do something."""
        return self.condition in TROUBLES

    @property
    def parts_today(self) -> int:
        """SMS parts of this day of the hospital."""
        return self.state.parts_of_day if self.state.day == clock.today() else 0


@dataclass(frozen=True)
class Overview:
    """All gateways in the order of preference, those of old at the end.

    ``complaint`` is the sentence about a configuration that cannot be read.
    """

    gateways: list[Health]
    complaint: str = ""

    @property
    def in_trouble(self) -> list[Health]:
        """Those that need somebody."""
        return [one for one in self.gateways if one.is_trouble]

    @property
    def is_trouble(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.complaint or self.in_trouble)


def overview() -> Overview:
    """Return how the gateways are, in three queries."""
    gateways, complaint = _configured()
    states = {state.name: state for state in GatewayState.objects.order_by("name")}
    pending = _pending()
    held = GatewaySeat.objects.filter(until__gt=timezone.now()).values_list("gateway", flat=True)
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
            )
            for name in dict.fromkeys([*gateways, *states])
        ],
        complaint=complaint,
    )


def names() -> list[str]:
    """Return the names of all gateways, configured or of old, in one query."""
    used = GatewayState.objects.order_by("name").values_list("name", flat=True)
    return list(dict.fromkeys([*_configured()[0], *used]))


def condition_of(
    state: GatewayState,
    gateway: Gateway | None,
    *,
    awaited_for: dt.timedelta = dt.timedelta(0),
    now: dt.datetime,
) -> Condition:
    """Return how a gateway is.

    Args:
        state: what the workers noted.
        gateway: as configured, if it is.
        awaited_for: for how long the oldest receipt that is due has been awaited.
        now: on the real clock, as the moments of ``state`` are.
    """
    if gateway is None:
        return Condition.RETIRED
    cap = gateway.options.parts_per_day
    spent = state.parts_of_day if state.day == clock.today() else 0
    found = {
        Condition.AWAY: state.away_until is not None and state.away_until > now,
        Condition.CAPPED: cap is not None and spent >= cap,
        Condition.FAILING: state.failures_in_a_row > 0,
        Condition.SILENT: awaited_for > SILENT_AFTER and _says_nothing(state, now),
        Condition.SLOW: state.throttled_at is not None and state.throttled_at > now - SLOW_FOR,
        Condition.IN_SERVICE: any((state.accepted_at, state.reported_at, state.failed_at)),
    }
    return next((condition for condition, holds in found.items() if holds), Condition.UNUSED)


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
) -> Health:
    waited = clock.now() - awaited.oldest if awaited.oldest else dt.timedelta(0)
    return Health(
        state=state,
        gateway=gateway,
        place=place,
        connected=connected,
        waiting=awaited.number,
        unknown=unknown,
        condition=condition_of(state, gateway, awaited_for=waited, now=timezone.now()),
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
