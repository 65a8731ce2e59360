"""Record the answers of a gateway, set by set, and what follows from them, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from notifications.gateways import (
    Accepted,
    Gateway,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import Delivery, DeliveryPart, DeliveryState
from notifications.sending import rate
from notifications.sending.connection import Returned
from staff import clock

_ANSWERABLE = (DeliveryState.SUBMITTING, DeliveryState.UNKNOWN)
_NOTHING_LEFT = (Refused, Throttled, NotSent, Returned)


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
    """Record answers.

    An answer counts while its delivery is still the worker's: ``submitting``, or ``unknown``
    because its lease ran out while the gateway was thinking.

    Args:
        worker: who submitted.
        gateway: who answered.
        results: delivery id → the answer, and whether the message may have left before.
    """
    accepted = {pk: r for pk, (r, _again) in results.items() if isinstance(r, Accepted)}
    delivery_states.lock_notices_of(results)
    _accepted(accepted, worker, gateway)
    _others({pk: one for pk, one in results.items() if pk not in accepted}, worker, gateway)
    rate.note(gateway, [r for r, _again in results.values() if not isinstance(r, Returned)])


def _others(
    results: Mapping[int, tuple[Result | Returned, bool]], worker: str, gateway: Gateway
) -> None:
    """Record what was not accepted, by the kind of answer."""
    if not results:
        return
    mine = Delivery.objects.filter(pk__in=results, claimed_by=worker, state__in=_ANSWERABLE)
    answers = [DeliveryAnswer(one, *results[one.pk]) for one in delivery_states.lock(mine)]
    for kind, write in _WRITERS.items():
        of_kind = [one for one in answers if isinstance(one.result, kind)]
        if of_kind:
            write(of_kind)
    _give_back([one for one in answers if isinstance(one.result, _NOTHING_LEFT)], gateway)


def _accepted(accepted: Mapping[int, Accepted], worker: str, gateway: Gateway) -> None:
    """Without receipts the patient is told now; with receipts the notice waits for them."""
    if not accepted:
        return
    now = clock.now()
    notices = delivery_states.accept(
        {pk: result.provider_id[:100] for pk, result in accepted.items()},
        worker=worker,
        has_receipts=gateway.has_receipts,
        at=now,
    )
    _number_parts(accepted, gateway)
    if not gateway.has_receipts:
        notice_states.tell(notices, at=now)


def _number_parts(accepted: Mapping[int, Accepted], gateway: Gateway) -> None:
    parts = [
        DeliveryPart(delivery_id=pk, part=part, gateway=gateway.name, provider_id=number[:100])
        for pk, result in accepted.items()
        if result.more_ids
        for part, number in enumerate((result.provider_id, *result.more_ids), 1)
    ]
    if parts:
        DeliveryPart.objects.bulk_create(parts, ignore_conflicts=True)


def _give_back(answers: Sequence[DeliveryAnswer], gateway: Gateway) -> None:
    """What did not leave does not count against the daily cap."""
    if answers:
        rate.give_back(gateway, sum(one.delivery.parts for one in answers))


def _refused(answers: Sequence[DeliveryAnswer]) -> None:
    """After a permanent refusal the patient is called; a temporary one is retried while of use."""
    now = clock.now()
    refused = [(one, one.result) for one in answers if isinstance(one.result, Refused)]
    said = {one.delivery.pk: (str(r.failure), r.remark[:200]) for one, r in refused}
    delivery_states.refuse(said, at=now)
    waiting = follow_up.take_back([one.delivery for one in answers if not one.again], at=now)
    retried = follow_up.open_retries(
        one.delivery
        for one, result in refused
        if not (result.permanent or one.again) and one.delivery.notice_id in waiting
    )
    to_call = [one.delivery for one in answers if one.delivery not in retried]
    follow_up.call_instead(to_call, at=now)


def _throttled(answers: Sequence[DeliveryAnswer]) -> None:
    seconds = max(one.result.retry_after for one in answers if isinstance(one.result, Throttled))
    _queue_again(answers, seconds)


def _not_sent(answers: Sequence[DeliveryAnswer]) -> None:
    _queue_again(answers, 0.0)
    _remark(answers)


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


def _unknown(answers: Sequence[DeliveryAnswer]) -> None:
    delivery_states.become_unknown([one.delivery.pk for one in answers])
    _remark(answers)


def _remark(answers: Sequence[DeliveryAnswer]) -> None:
    delivery_states.note_remarks(
        {
            one.delivery.pk: one.result.remark[:200]
            for one in answers
            if isinstance(one.result, Unknown | NotSent | Returned)
        }
    )


_WRITERS: dict[type, Callable[[Sequence[DeliveryAnswer]], None]] = {
    Refused: _refused,
    Throttled: _throttled,
    NotSent: _not_sent,
    Returned: _not_sent,
    Unknown: _unknown,
}
