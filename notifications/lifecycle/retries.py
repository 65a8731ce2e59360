"""The next try of a delivery that failed, and a delivery whose fate is unknown."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db.models.expressions import RawSQL

from notifications import rules
from notifications.lifecycle import lease_end as limits
from notifications.lifecycle import settling
from notifications.models import Channel, Delivery, DeliveryState
from staff import clock
from staff.sentences import Stored


def later(seconds: float) -> dt.datetime:
    """Return the hospital's moment so many seconds from now, across a change of the hour too."""
    return clock.now().astimezone(dt.UTC) + dt.timedelta(seconds=seconds)


def try_again(deliveries: Sequence[Delivery], *, at: dt.datetime) -> list[Delivery]:
    """Try again later what failed with a receipt that says that nothing left.

    Args:
        deliveries: ended, with their notices, under lock.
        at: when they ended.

    Returns:
        those for which a later SMS is of no use: they are to be called.
    """
    waiting = settling.take_back(deliveries, at=at)
    tries = {one: next_try(one) for one in deliveries if one.notice_id in waiting}
    worth_it = {one: then for one, then in tries.items() if then < latest_departure(one)}
    open_next_tries(worth_it, gone=set())
    return [one for one in deliveries if one not in worth_it]


def next_try(delivery: Delivery) -> dt.datetime:
    """Return when a delivery that failed is tried again: with backoff and jitter."""
    jitter = random.uniform(0.8, 1.2)  # noqa: S311  # not a secret
    return later(rules.seconds_before_try(delivery.number, jitter=jitter))


def latest_departure(delivery: Delivery) -> dt.datetime:
    """Return the moment after which an SMS of this notice is of no more use."""
    return rules.latest_departure(
        delivery.notice.first_at, seconds_before=settings.SMS_LATEST_SECONDS
    )


def open_next_tries(tries: Mapping[Delivery, dt.datetime], *, gone: set[int]) -> None:
    """Open the next try of each at its time."""
    Delivery.objects.bulk_create(
        Delivery(
            notice_id=one.notice_id,
            channel=Channel.SMS,
            number=one.number + 1,
            state=DeliveryState.QUEUED,
            address=one.address,
            not_before=not_before,
            urgency=one.urgency,
            ignores_quiet_hours=one.ignores_quiet_hours,
        )
        for one, not_before in tries.items()
        if one.notice_id not in gone
    )


def become_unknown(deliveries: Sequence[Delivery], remark: Stored = "") -> None:
    """Leave tries as ``unknown`` until something settles them, at most until ``lease_until``."""
    limit = RawSQL(*limits.until(settings.SMS_UNKNOWN_SECONDS))  # noqa: S611  # our own words
    Delivery.objects.filter(pk__in=[one.pk for one in deliveries]).update(
        state=DeliveryState.UNKNOWN, lease_until=limit, remark=remark
    )
