"""Query a gateway for the state of messages that are ``unknown`` here."""

import datetime as dt
import time
from collections.abc import Sequence

from django.conf import settings
from django.db.models import QuerySet

from notifications.gateways import Gateway, ReceiptReport, Sent
from notifications.models import Delivery, DeliveryPart, DeliveryState, ReceiptState
from notifications.receipts import receive as receiving
from notifications.receipts.receive import Rounds
from staff import clock

AGAIN_SECONDS = 10.0
AT_ONCE = 100
_asked_at: dict[str, float] = {}
_rounds = Rounds()


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


def anything_to_ask_now(gateway: Gateway) -> bool:
    """Whether to ask a gateway now: it has answers, and was not asked some seconds ago."""
    return _may_ask(gateway) and anything_to_ask([gateway])


def next_to_ask_now(gateway: Gateway) -> list[Sent]:
    """Return the unknown messages to ask a gateway about now; none some seconds after the last.

    What is unknown for longer than its limit is on the call list and asked about no more.
    """
    if not _may_ask(gateway):
        return []
    _asked_at[gateway.name] = time.monotonic()
    return next_to_ask(gateway)


def _may_ask(gateway: Gateway) -> bool:
    asked_at = _asked_at.get(gateway.name, float("-inf"))
    return gateway.can_query and time.monotonic() - asked_at >= AGAIN_SECONDS


def heed(gateway: str, *, sent: Sequence[Sent], said: Sequence[ReceiptReport | None]) -> None:
    """Record what a gateway answered.

    Args:
        gateway: its name.
        sent: what it was asked about.
        said: its answers, in the same order.
    """
    receipts = [
        receipt
        for one, receipt in zip(sent, said, strict=True)
        if receipt and _is_news(one, receipt)
    ]
    if receipts:
        receiving.receive(gateway=gateway, reports=receipts)


def _is_news(sent: Sent, receipt: ReceiptReport) -> bool:
    """Whether an answer changes anything.

    "On its way" is news of a message that may not have reached the gateway. Of one that it
    accepted long ago it would only start the same wait again, without end.
    """
    return receipt.state != ReceiptState.ON_ITS_WAY or not sent.provider_id


def unknown_at(gateway: str) -> QuerySet[Delivery]:
    """Return the deliveries that a gateway may be asked about."""
    settled_long_ago = clock.real() - dt.timedelta(seconds=settings.SMS_LEASE_SECONDS)
    return Delivery.objects.filter(
        state=DeliveryState.UNKNOWN, gateway=gateway, lease_until__gt=settled_long_ago
    )


def next_to_ask(gateway: Gateway) -> list[Sent]:
    """Return the next page of unknown messages of a gateway; after the last page, the first.

    Of a long message whose parts have their own ids, the parts without a final state.
    """
    unknown = unknown_at(gateway.name)
    if gateway.asks_by_number:
        unknown = unknown.exclude(provider_id="")
    rows = unknown.values_list("pk", "lease_until", *_KNOWN)
    page = _rounds.next_page(gateway.name, rows, by="lease_until", most=AT_ONCE)
    parts = _open_parts([pk for pk, *_known in page]) if gateway.asks_by_number else {}
    return [
        Sent(reference, number, phone, sender)
        for pk, _limit, reference, own, phone, sender in page
        for number in parts.get(pk, [own])
    ]


_KNOWN = ("client_reference", "provider_id", "address", "notice__site__sms_sender")


def _open_parts(deliveries: Sequence[int]) -> dict[int, list[str]]:
    """Return the numbers of the parts that may yet arrive, by delivery."""
    found: dict[int, list[str]] = {}
    parts = DeliveryPart.objects.filter(
        delivery__in=deliveries, state=ReceiptState.ON_ITS_WAY
    ).exclude(provider_id="")
    for delivery, number in parts.order_by("delivery", "part").values_list(
        "delivery", "provider_id"
    ):
        found.setdefault(delivery, []).append(number)
    return found


def forget() -> None:
    """Ask again at once, from the first message on."""
    _asked_at.clear()
    _rounds.forget()
