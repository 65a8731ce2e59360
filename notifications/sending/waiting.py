"""Is there anything for a sender to do? Asked every few seconds, so it costs next to nothing."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Q, QuerySet

from notifications.gateways import Gateway
from notifications.models import Channel, Delivery, DeliveryState, GatewaySeat, Sending
from notifications.quiet_hours import QuietHours
from staff import clock


def anything_due(sms: QuerySet[Delivery] | None = None) -> bool:
    """Whether an SMS waits that may leave now, of all or of some, through whatever gateway."""
    now = clock.now()
    sms = Delivery.objects.all() if sms is None else sms
    sms = sms.filter(channel=Channel.SMS, not_before__lte=now)
    if QuietHours.parse(settings.SMS_QUIET_HOURS).is_quiet(now):
        sms = sms.filter(ignores_quiet_hours=True)
    return any(
        sms.filter(state=state).exists() for state in (DeliveryState.QUEUED, DeliveryState.HELD)
    )


def anything_due_at(gateway: Gateway, *, may_feed: bool) -> bool:
    """Whether an SMS waits that may leave now through this gateway.

    Args:
        gateway: what may have left through another is not for it.
        may_feed: whether it gets what was never handed over, and not only its own again.
    """
    if not (may_feed or gateway.honours_reference):
        return False  # nothing is submitted to it twice
    its_own = Q(gateway=gateway.name) & ~Q(client_reference="")
    for_it = its_own | Q(client_reference="") if may_feed else its_own
    return anything_due(Delivery.objects.filter(for_it))


def anything_to_ask(gateways: Sequence[Gateway]) -> bool:
    """Whether a gateway has unknown messages of which it can say what became of them."""
    asked = [gateway for gateway in gateways if gateway.can_query]
    if not asked:
        return False
    by_number = [gateway.name for gateway in asked if gateway.asks_by_number]
    return (
        Delivery.objects.filter(
            state=DeliveryState.UNKNOWN,
            gateway__in=[gateway.name for gateway in asked],
            lease_until__isnull=False,
        )
        .exclude(gateway__in=by_number, provider_id="")
        .exists()
    )


def has_room(gateway: Gateway) -> bool:
    """Whether another sender may connect to a gateway."""
    if not gateway.options.sessions:
        return True
    taken = GatewaySeat.objects.filter(gateway=gateway.name, until__gte=clock.real())
    return taken.count() < gateway.options.sessions


def sender_is_needed(gateways: Sequence[Gateway]) -> bool:
    """Whether to wake a sender.

    Not while one holds the last session of a gateway: it finds what is due at the others too.
    """
    free = [gateway for gateway in gateways if has_room(gateway)]
    if any(gateway.listens for gateway in free):
        return True
    if len(free) < len(gateways) or Sending.is_paused():
        return False
    return anything_due() or anything_to_ask(free)
