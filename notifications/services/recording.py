"""Write down what the gateway answered, set by set; what follows from it is committed with it."""

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notifications.gateways import (
    Accepted,
    Gateway,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from notifications.models import Channel, Delivery, DeliveryState, NoticeState
from notifications.services import settling
from notifications.services.bulk import write_each
from staff import clock

NOT_SENT_SECONDS = 5.0
"""How long a message waits whose gateway was out of reach."""


@dataclass(frozen=True)
class Answer:
    """What was answered for one delivery; ``again``: it may have left before."""

    delivery: Delivery
    result: Result
    again: bool


def later(seconds: float) -> dt.datetime:
    """Return the hospital's moment so many seconds from now, across a change of the hour too."""
    return clock.now().astimezone(dt.UTC) + dt.timedelta(seconds=seconds)


@transaction.atomic
def record(*, worker: str, gateway: Gateway, results: Mapping[int, tuple[Result, bool]]) -> None:
    """Record answers.

    An answer counts while its delivery is still the worker's: ``submitting``, or ``unknown``
    because its lease ran out while the gateway was thinking.

    Args:
        worker: who submitted.
        gateway: who answered.
        results: delivery id → the answer, and whether the message may have left before.
    """
    mine = Delivery.objects.filter(
        pk__in=results,
        claimed_by=worker,
        state__in=(DeliveryState.SUBMITTING, DeliveryState.UNKNOWN),
    )
    answers = [Answer(one, *results[one.pk]) for one in settling.lock(mine)]
    _accepted([one for one in answers if isinstance(one.result, Accepted)], gateway)
    for kind, write in _WRITERS.items():
        of_kind = [one for one in answers if isinstance(one.result, kind)]
        if of_kind:
            write(of_kind)


def _accepted(answers: Sequence[Answer], gateway: Gateway) -> None:
    """A gateway that never says more has told the patient; with receipts the notice waits."""
    now = clock.now()
    write_each(
        ("provider_id",),
        {
            one.delivery.pk: (one.result.provider_id,)
            for one in answers
            if isinstance(one.result, Accepted)
        },
    )
    finished_at = None if gateway.has_receipts else now
    Delivery.objects.filter(pk__in=[one.delivery.pk for one in answers]).update(
        state=DeliveryState.ACCEPTED, finished_at=finished_at, lease_until=None, remark=""
    )
    if not gateway.has_receipts:
        settling.tell([one.delivery.notice_id for one in answers], at=now)


def _refused(answers: Sequence[Answer]) -> None:
    """A permanent refusal is called; a temporary one is tried again a few times before that."""
    now = clock.now()
    deliveries = [one.delivery for one in answers]
    settling.finish(deliveries, state=DeliveryState.FAILED, at=now)
    write_each(
        ("failure", "remark"),
        {
            one.delivery.pk: (str(one.result.failure), one.result.remark[:200])
            for one in answers
            if isinstance(one.result, Refused)
        },
    )
    settling.take_back([one.delivery for one in answers if not one.again], at=now)
    worth_it = [one.delivery for one in answers if _worth_another(one)]
    _try_again(worth_it, gone=settling.superseded(worth_it))
    settling.call_instead([one for one in deliveries if one not in worth_it], at=now)


def _worth_another(answer: Answer) -> bool:
    return (
        isinstance(answer.result, Refused)
        and not answer.result.permanent
        and not answer.again
        and answer.delivery.number < settings.SMS_TRIES
        and answer.delivery.notice.state == NoticeState.OPEN
    )


def _try_again(deliveries: Sequence[Delivery], *, gone: set[int]) -> None:
    """Open the next try, later each time; jitter keeps a crowd from coming back together."""
    Delivery.objects.bulk_create(
        Delivery(
            notice_id=one.notice_id,
            channel=Channel.SMS,
            number=one.number + 1,
            state=DeliveryState.QUEUED,
            address=one.address,
            not_before=later(
                settings.SMS_RETRY_SECONDS * 2 ** (one.number - 1) * random.uniform(0.8, 1.2)  # noqa: S311
            ),
        )
        for one in deliveries
        if one.notice_id not in gone
    )


def _throttled(answers: Sequence[Answer]) -> None:
    seconds = max(one.result.retry_after for one in answers if isinstance(one.result, Throttled))
    _queue_again(answers, seconds)


def _not_sent(answers: Sequence[Answer]) -> None:
    _queue_again(answers, NOT_SENT_SECONDS)
    _remark(answers)


def _queue_again(answers: Sequence[Answer], seconds: float) -> None:
    """Nothing was taken: the same try waits, and its notice may be withdrawn again.

    What may have left before keeps its reference and stays handed over.
    """
    now = clock.now()
    fresh = [one.delivery for one in answers if not one.again]
    waiting = settling.take_back(fresh, at=now)
    settling.finish(
        [one for one in fresh if one.notice_id not in waiting],
        state=DeliveryState.WITHDRAWN,
        at=now,
    )
    queued = {
        "state": DeliveryState.QUEUED,
        "claimed_by": "",
        "lease_until": None,
        "not_before": later(seconds),
    }
    back = [one.pk for one in fresh if one.notice_id in waiting]
    Delivery.objects.filter(pk__in=back).update(
        **queued, client_reference="", gateway="", submitted_at=None, body="", parts=0
    )
    again = [one.delivery.pk for one in answers if one.again]
    Delivery.objects.filter(pk__in=again).update(**queued)


def _unknown(answers: Sequence[Answer]) -> None:
    become_unknown([one.delivery for one in answers])
    _remark(answers)


def become_unknown(deliveries: Sequence[Delivery], remark: str = "") -> None:
    """Leave tries as ``unknown`` until something settles them, at most until ``lease_until``."""
    limit = timezone.now() + dt.timedelta(seconds=settings.SMS_UNKNOWN_SECONDS)
    Delivery.objects.filter(pk__in=[one.pk for one in deliveries]).update(
        state=DeliveryState.UNKNOWN, lease_until=limit, remark=remark
    )


def _remark(answers: Sequence[Answer]) -> None:
    write_each(
        ("remark",),
        {
            one.delivery.pk: (one.result.remark[:200],)
            for one in answers
            if isinstance(one.result, Unknown | NotSent)
        },
    )


_WRITERS: dict[type, Callable[[Sequence[Answer]], None]] = {
    Refused: _refused,
    Throttled: _throttled,
    NotSent: _not_sent,
    Unknown: _unknown,
}
