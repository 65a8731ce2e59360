"""The last look before an SMS leaves: committed before the network is touched.

Under the locks of the notices each claimed SMS is looked at again: withdrawn meanwhile, too
late, not wanted, paused? What may go is ``submitting`` and its notice handed over when this
returns, so that a crash from here on is known as ``unknown`` and nobody withdraws it any more.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import sms_text, texts
from notifications.gateways import Gateway, Message
from notifications.models import (
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeItem,
    NoticeState,
    Sending,
)
from notifications.services import claiming, settling
from notifications.services.bulk import write_each
from staff import clock


@dataclass(frozen=True)
class HandedOver:
    """A message for the gateway; ``again``: it may have left before, under the same reference."""

    delivery_id: int
    message: Message
    again: bool


@transaction.atomic
def hand_over(*, ids: Sequence[int], worker: str, gateway: Gateway) -> list[HandedOver] | None:
    """Mark claimed deliveries as leaving, and return what to submit.

    Args:
        ids: deliveries that ``worker`` claimed.
        worker: as for ``claiming.claim``.
        gateway: what they will go through.

    Returns:
        the messages to submit; None when sending is paused (the claims are given back).
    """
    mine = Delivery.objects.filter(pk__in=ids, claimed_by=worker, state=DeliveryState.CLAIMED)
    claimed = settling.lock(mine)
    if Sending.is_paused():
        claiming.release(ids=[delivery.pk for delivery in claimed], worker=worker)
        return None
    ready = _set_aside(claimed, gateway)
    handed_over = _compose(ready)
    _commit_to(ready, handed_over, gateway)
    return handed_over


def _set_aside(claimed: list[Delivery], gateway: Gateway) -> list[Delivery]:
    """End the tries that must not go, and return those that may."""
    now = clock.now()
    replaced = settling.superseded(claimed)
    ready, withdrawn, too_late, unwanted, elsewhere = [], [], [], [], []
    for delivery in claimed:
        notice = delivery.notice
        if notice.state != NoticeState.OPEN or notice.pk in replaced:
            withdrawn.append(delivery)
        elif delivery.client_reference and delivery.gateway != gateway.name:
            elsewhere.append(delivery)
        elif notice.patient.sms_opt_out_at:
            unwanted.append(delivery)
        elif notice.first_at <= now:
            too_late.append(delivery)
        else:
            ready.append(delivery)
    _end(withdrawn, DeliveryState.WITHDRAWN)
    _end(unwanted, DeliveryState.SUPPRESSED, Failure.OPTED_OUT)
    _end(too_late, DeliveryState.EXPIRED, Failure.EXPIRED)
    remark = _("Peut-être parti par %(gateway)s, appelé à la place.")
    for delivery in elsewhere:
        _end(
            [delivery],
            DeliveryState.FAILED,
            Failure.UNKNOWN,
            remark % {"gateway": delivery.gateway},
        )
    return ready


def _end(
    deliveries: list[Delivery],
    state: DeliveryState,
    failure: Failure | str = "",
    remark: str = "",
) -> None:
    if deliveries:
        at = clock.now()
        settling.finish(deliveries, state=state, at=at, failure=failure, remark=remark)
        settling.call_instead(deliveries, at=at)


def _compose(deliveries: list[Delivery]) -> list[HandedOver]:
    """Write the messages; what may have left before keeps its text and its reference."""
    lines: dict[int, list[texts.Line]] = {delivery.notice_id: [] for delivery in deliveries}
    for item in NoticeItem.objects.filter(notice__in=lines):
        lines[item.notice_id].append(texts.Line(item.starts_at, item.word))
    return [_message(delivery, lines[delivery.notice_id]) for delivery in deliveries]


def _message(delivery: Delivery, lines: list[texts.Line]) -> HandedOver:
    notice = delivery.notice
    again = bool(delivery.client_reference)
    text = delivery.body if again else texts.of_notice(notice, lines)
    message = Message(
        reference=delivery.client_reference or uuid.uuid4().hex,
        to=delivery.address,
        text=text,
        parts=sms_text.count(text).parts,
    )
    return HandedOver(delivery.pk, message, again)


def _commit_to(ready: list[Delivery], leaving: list[HandedOver], gateway: Gateway) -> None:
    now = clock.now()
    write_each(
        ("body", "parts", "client_reference"),
        {
            one.delivery_id: (one.message.text, one.message.parts, one.message.reference)
            for one in leaving
        },
    )
    Delivery.objects.filter(pk__in=[one.delivery_id for one in leaving]).update(
        state=DeliveryState.SUBMITTING,
        gateway=gateway.name,
        submitted_at=now,
        lease_until=claiming.lease_end(),
        remark="",
    )
    Notice.objects.filter(
        pk__in=[delivery.notice_id for delivery in ready], handed_over_at=None
    ).update(handed_over_at=now)
