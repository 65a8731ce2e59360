"""A gateway that takes messages, and says of one after the other that it could not send them.

A phone in flight mode, without credit or beyond its limit does so. Its answers are good, so how it
answers says nothing; what it reports afterwards does.
"""

import datetime as dt
from collections.abc import Sequence

from notifications.models import Delivery, DeliveryState, Failure, GatewayState
from notifications.rules import LONGEST_TROUBLE_SECONDS
from staff import clock

ENOUGH = 3
"""So many in a row are no accident …"""
LOOK_BACK_SECONDS = 3600.0
FIRST_ABSENCE_SECONDS = 60.0
"""… and the gateway is left in peace for so long, twice as long with each one more."""
_MOST = 8


def note(deliveries: Sequence[Delivery]) -> None:
    """Note what a gateway said of its own trouble, and leave it alone if that goes on.

    An answer does not end this absence (``pacing.note``): the phone accepts all along.

    Args:
        deliveries: ended by it, newly read.
    """
    for gateway, last in {one.gateway: one for one in deliveries}.items():
        in_a_row = _in_a_row(gateway)
        state, _made = GatewayState.objects.select_for_update().get_or_create(name=gateway)
        state.failed_at, state.complaint = clock.real(), str(last.remark)[:200]
        if in_a_row >= ENOUGH:
            seconds = FIRST_ABSENCE_SECONDS * 2.0 ** (in_a_row - ENOUGH)
            until = clock.real() + dt.timedelta(seconds=min(seconds, LONGEST_TROUBLE_SECONDS))
            state.away_until = max(state.away_until or until, until)
            state.failures_in_a_row = 0
        state.save(update_fields=["failed_at", "complaint", "away_until", "failures_in_a_row"])


def _in_a_row(gateway: str) -> int:
    """Count the last messages that the gateway refused afterwards, with none between that left."""
    since = clock.now().astimezone(dt.UTC) - dt.timedelta(seconds=LOOK_BACK_SECONDS)
    ended = Delivery.objects.filter(gateway=gateway, finished_at__gt=since)
    last = ended.order_by("-finished_at", "-pk").values_list("state", "failure")[:_MOST]
    refused = (DeliveryState.FAILED.value, Failure.REJECTED.value)
    return next((n for n, one in enumerate(last) if one != refused), len(last))
