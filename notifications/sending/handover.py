"""What is written of a submission: before the network is touched, and after the gateway answered.

Under the locks of the notices each claimed SMS is looked at again: withdrawn meanwhile, too
late, opted out, paused? What may go is ``submitting`` and its notice handed over when
``hand_over`` returns, so that a crash from there on is known as ``unknown`` and nobody withdraws
it any more. ``record`` writes the answers set by set, and what follows from them.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from notifications import rules
from notifications.gateways import (
    Accepted,
    Gateway,
    Message,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import (
    Delivery,
    DeliveryPart,
    DeliveryState,
    Failure,
    NoticeItem,
    NoticeState,
    Sending,
)
from notifications.rules import Alphabet
from notifications.sending import limits
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


@dataclass(frozen=True, slots=True)
class Returned:
    """Handed back before the gateway was given it: it may be queued again at once."""

    remark: str = ""


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
    fitting = limits.spend(gateway, [one.message.parts for one in written])
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
        tries = delivery_states.lock(Delivery.objects.filter(pk__in=ids))
        follow_up.end_and_call(tries, state=state, failure=failure)


def _write(ready: Sequence[Any], latest: dt.datetime, alphabet: Alphabet) -> list[HandedOver]:
    """Write the messages; what may have left before keeps its text and its reference."""
    new = [one.notice_id for one in ready if not one.client_reference]
    lines: dict[int, list[texts.MessageItem]] = {notice: [] for notice in new}
    items = NoticeItem.objects.filter(notice__in=new)
    for notice, at, word, site in items.values_list("notice", "starts_at", "word", "site"):
        lines[notice].append(texts.MessageItem(at, word, site_id=site))
    return [
        HandedOver(one.id, one.notice_id, _message(one, lines, latest, alphabet)) for one in ready
    ]


def _message(
    one: Any,
    lines: Mapping[int, Sequence[texts.MessageItem]],
    latest: dt.datetime,
    alphabet: Alphabet,
) -> Message:
    text, parts = one.body, one.parts
    if not one.client_reference:
        text = texts.body(
            language=one.language,
            day=one.day,
            lines=lines[one.notice_id],
            callback_number=one.callback_number,
            reference=rules.reference_of(one.notice_id, settings.SECRET_KEY),
        )
        parts = rules.count(text, alphabet=alphabet).parts
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


# --- the answers ------------------------------------------------------------------------------

_ANSWERABLE = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)


@dataclass(frozen=True)
class DeliveryAnswer:
    """What was answered for one delivery; ``again``: it may have left before."""

    delivery: Delivery
    result: Result | Returned
    again: bool


@transaction.atomic
def record(
    *, worker: str, gateway: Gateway, results: Mapping[int, tuple[Result | Returned, bool]]
) -> None:
    """Record answers set by set, and what follows from them.

    An answer counts while its delivery is still the worker's: ``submitting``, or ``unknown``
    because its lease ran out while the gateway was thinking.

    Args:
        worker: who submitted.
        gateway: who answered.
        results: delivery id → the answer, and whether the message may have left before.
    """
    accepted = {pk: r for pk, (r, _again) in results.items() if isinstance(r, Accepted)}
    delivery_states.lock_notices_of(results)
    if accepted:
        _accepted(accepted, worker, gateway)
    if others := results.keys() - accepted.keys():
        mine = Delivery.objects.filter(pk__in=others, claimed_by=worker, state__in=_ANSWERABLE)
        locked = delivery_states.lock(mine)
        _not_accepted([DeliveryAnswer(one, *results[one.pk]) for one in locked], gateway)
    answered = [r for r, _again in results.values() if not isinstance(r, Returned)]
    limits.note_answers(gateway, answered)


def _accepted(accepted: Mapping[int, Accepted], worker: str, gateway: Gateway) -> None:
    """Without receipts the patient is told now; with receipts the notice waits for them."""
    now = clock.now()
    notices = delivery_states.accept(
        {pk: result.provider_id[:100] for pk, result in accepted.items()},
        worker=worker,
        has_receipts=gateway.has_receipts,
        at=now,
    )
    parts = [
        DeliveryPart(delivery_id=pk, part=part, gateway=gateway.name, provider_id=number[:100])
        for pk, result in accepted.items()
        if result.more_ids
        for part, number in enumerate((result.provider_id, *result.more_ids), 1)
    ]
    if parts:
        DeliveryPart.objects.bulk_create(parts, ignore_conflicts=True)
    if not gateway.has_receipts:
        notice_states.tell(notices, at=now)


def _not_accepted(answers: Sequence[DeliveryAnswer], gateway: Gateway) -> None:
    """Record by the kind of answer; what did not leave counts no longer against the daily cap."""
    refused = [(one, one.result) for one in answers if isinstance(one.result, Refused)]
    throttled = [(one, one.result) for one in answers if isinstance(one.result, Throttled)]
    not_sent = [one for one in answers if isinstance(one.result, NotSent | Returned)]
    unknown = [one.delivery.pk for one in answers if isinstance(one.result, Unknown)]
    if refused:
        _refused(refused)
    if throttled:
        seconds = max(result.retry_after for _one, result in throttled)
        _queue_again([one for one, _result in throttled], seconds)
    if not_sent:
        _queue_again(not_sent, 0.0)
    if unknown:
        delivery_states.become_unknown(unknown)
    delivery_states.note_remarks(
        {
            one.delivery.pk: one.result.remark[:200]
            for one in answers
            if isinstance(one.result, Unknown | NotSent | Returned)
        }
    )
    if len(answers) > len(unknown):
        kept = [one.delivery.parts for one in answers if not isinstance(one.result, Unknown)]
        limits.give_back(gateway, sum(kept))


def _refused(refused: Sequence[tuple[DeliveryAnswer, Refused]]) -> None:
    """After a permanent refusal the patient is called; a temporary one is retried while of use."""
    now = clock.now()
    said = {one.delivery.pk: (str(r.failure), r.remark[:200]) for one, r in refused}
    delivery_states.refuse(said, at=now)
    fresh = [one.delivery for one, _result in refused if not one.again]
    waiting = follow_up.take_back(fresh, at=now)
    retried = follow_up.open_retries(
        one.delivery
        for one, result in refused
        if not (result.permanent or one.again) and one.delivery.notice_id in waiting
    )
    to_call = [one.delivery for one, _result in refused if one.delivery not in retried]
    follow_up.call_instead(to_call, at=now)


def _queue_again(answers: Sequence[DeliveryAnswer], seconds: float) -> None:
    """Queue the same try again: nothing left, so its notice may be withdrawn again.

    What may have left before keeps its reference and stays handed over.
    """
    now = clock.now()
    fresh = [one.delivery for one in answers if not one.again]
    waiting = follow_up.take_back(fresh, at=now)
    replaced = [one.pk for one in fresh if one.notice_id not in waiting]
    delivery_states.end(replaced, state=DeliveryState.WITHDRAWN, at=now)
    then = notice_states.later(seconds)
    back = [one.pk for one in fresh if one.notice_id in waiting]
    delivery_states.start_over(back, at=then)
    delivery_states.requeue([one.delivery.pk for one in answers if one.again], at=then)
