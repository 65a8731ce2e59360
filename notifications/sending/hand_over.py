"""The last look before an SMS leaves: committed before the network is touched.

Under the locks of the notices each claimed SMS is looked at again: withdrawn meanwhile, too
late, opted out, paused? What may go is ``submitting`` and its notice handed over when this
returns, so that a crash from here on is known as ``unknown`` and nobody withdraws it any more.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from notifications import sms_text
from notifications.gateways import Gateway, Message
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import (
    Delivery,
    DeliveryState,
    Failure,
    NoticeItem,
    NoticeState,
    Sending,
)
from notifications.references import reference_of
from notifications.sending import rate
from notifications.sms_text import Alphabet
from notifications.texts import render as texts
from staff import clock

DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A message for the gateway, and what it belongs to."""

    delivery_id: int
    notice_id: int
    message: Message

    @property
    def again(self) -> bool:
        """Whether it may have left before, under the same reference."""
        return self.message.again


@transaction.atomic
def hand_over(*, ids: Sequence[int], worker: str, gateway: Gateway) -> list[HandedOver] | None:
    """Mark claimed deliveries as leaving, and return what to submit.

    Args:
        ids: deliveries that ``worker`` claimed.
        worker: as for ``delivery_states.claim``.
        gateway: what they will go through; its rate and cap are taken here.

    Returns:
        the messages to submit; None when sending is paused (the claims are given back).
    """
    if Sending.is_paused():
        delivery_states.unclaim(ids=ids, worker=worker)
        return None
    # Whoever else moves a claimed SMS locks its notice first, so the deliveries need no lock.
    delivery_states.lock_notices_of(ids)
    latest = notice_states.earliest_appointment()
    ready = _set_aside(_claimed(ids, worker), latest)
    written = _write(ready, latest, gateway.alphabet)
    fitting = rate.spend(gateway, [one.message.parts for one in written])
    delivery_states.unclaim(ids=[one.delivery_id for one in written[fitting:]], worker=worker)
    leaving = {
        one.delivery_id: (one.message.text, one.message.parts, one.message.reference)
        for one in written[:fitting]
    }
    delivery_states.hand_over(leaving, gateway=gateway.name, at=clock.now())
    return written[:fitting]


def _claimed(ids: Sequence[int], worker: str) -> list[Any]:
    """Return what this worker still holds, the most urgent first, and what is looked at of it.

    As rows, not models: these are read thousands of times a second.
    """
    lapsed = NoticeItem.objects.filter(notice=OuterRef("notice"), has_lapsed=True)
    held = Delivery.objects.filter(pk__in=ids, claimed_by=worker, state=DeliveryState.CLAIMED)
    facts = {
        "day": F("notice__day"),
        "first_at": F("notice__first_at"),
        "language": F("notice__patient__language"),
        "callback_number": F("notice__site__callback_number"),
        "sender": F("notice__site__sms_sender"),
        "opted_out_at": F("notice__patient__sms_opt_out_at"),
        "is_settled": ~Q(notice__state=NoticeState.OPEN)
        | Exists(notice_states.newer_than_outer("notice__"))
        | Q(notice__handed_over_at__isnull=False) & Exists(lapsed),
    }
    own = ("id", "notice_id", "address", "client_reference", "body", "parts")
    ordered = held.annotate(**facts).order_by("urgency", "pk")
    return list(ordered.values_list(*own, *facts, named=True))


def _set_aside(claimed: Sequence[Any], latest: dt.datetime) -> list[Any]:
    """End the tries that must not go, and return those that may.

    Args:
        claimed: from ``_claimed``.
        latest: the earliest appointment about which an SMS may leave now.
    """
    ready, withdrawn, too_late, opted_out = [], [], [], []
    for one in claimed:
        if one.is_settled:
            withdrawn.append(one.id)
        elif one.opted_out_at:
            opted_out.append(one.id)
        elif one.first_at < latest:
            too_late.append(one.id)
        else:
            ready.append(one)
    _end(withdrawn, DeliveryState.WITHDRAWN)
    _end(opted_out, DeliveryState.SUPPRESSED, Failure.OPTED_OUT)
    _end(too_late, DeliveryState.EXPIRED, Failure.EXPIRED)
    return ready


def _end(ids: list[int], state: DeliveryState, failure: Failure | str = "") -> None:
    if ids:
        at = clock.now()
        deliveries = delivery_states.lock(Delivery.objects.filter(pk__in=ids))
        delivery_states.end(ids, state=state, at=at, failure=failure)
        follow_up.call_instead(deliveries, at=at)


def _write(ready: Sequence[Any], latest: dt.datetime, alphabet: Alphabet) -> list[HandedOver]:
    """Write the messages; what may have left before keeps its text and its reference."""
    new = [one.notice_id for one in ready if not one.client_reference]
    lines: dict[int, list[texts.MessageItem]] = {notice: [] for notice in new}
    items = NoticeItem.objects.filter(notice__in=new)
    for notice, at, word, site in items.values_list("notice", "starts_at", "word", "site"):
        lines[notice].append(texts.MessageItem(at, word, site_id=site))
    return [
        HandedOver(
            one.id,
            one.notice_id,
            _message(one, lines.get(one.notice_id, []), latest, alphabet),
        )
        for one in ready
    ]


def _message(
    one: Any, lines: Sequence[texts.MessageItem], latest: dt.datetime, alphabet: Alphabet
) -> Message:
    text, parts = one.body, one.parts
    if not one.client_reference:
        text = texts.body(
            language=one.language,
            day=one.day,
            lines=lines,
            callback_number=one.callback_number,
            reference=reference_of(one.notice_id),
        )
        parts = sms_text.count(text, alphabet=alphabet).parts
    seconds_of_use = int((one.first_at - latest).total_seconds())
    return Message(
        reference=one.client_reference or uuid.uuid4().hex,
        to=one.address,
        text=text,
        parts=parts,
        sender=one.sender,
        lasts=max(60, seconds_of_use) if seconds_of_use < DAY_SECONDS else None,
        again=bool(one.client_reference),
    )
