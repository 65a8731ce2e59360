"""A worker takes what is due, so that no other worker does.

One statement on both databases. PostgreSQL skips the rows that others are taking; SQLite lets
one writer in at a time, which makes the same UPDATE a compare-and-swap. A claim is a lease on
the real clock: a worker that dies gives it back by doing nothing.
"""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from notifications.lifecycle import settling
from notifications.models import Channel, Delivery, DeliveryState
from notifications.quiet_hours import QuietHours
from staff import clock
from staff.database import as_parameter, is_postgresql

_PROMOTED_AT_ONCE = 5000


def lease_end() -> dt.datetime:
    """Return when a lease given now runs out, on the real clock."""
    return clock.real() + dt.timedelta(seconds=settings.SMS_LEASE_SECONDS)


def promote() -> int:
    """Queue the SMS whose release time has come; return how many."""
    promoted = 0
    while moved := _promote_some():
        promoted += moved
        if moved < _PROMOTED_AT_ONCE:
            break
    return promoted


def _promote_some() -> int:
    skip = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH due AS MATERIALIZED (
                    SELECT id FROM notifications_delivery
                    WHERE state = '{DeliveryState.HELD.value}' AND not_before <= %s
                    ORDER BY not_before LIMIT {_PROMOTED_AT_ONCE} {skip})
                UPDATE notifications_delivery SET state = '{DeliveryState.QUEUED.value}'
                WHERE id IN (SELECT id FROM due) AND state = '{DeliveryState.HELD.value}'""",  # noqa: S608  # our own constants
            [as_parameter(clock.now())],
        )
        return int(cursor.rowcount)


def claim(*, worker: str, limit: int, gateway: str = "", only_its_own: bool = False) -> list[int]:
    """Claim SMS that are due, the most urgent first.

    Whether each may still be sent is looked at again under its notice's lock, when it is
    handed over; claiming only makes sure that nobody else looks. In the quiet hours only what
    may disturb is taken.

    Args:
        worker: a name unique to this run of this process.
        limit: at most so many.
        gateway: through which they will go: what may have left through another stays.
        only_its_own: only what may have left through this gateway before.

    Returns:
        the ids of the deliveries, now ``claimed``, the most urgent first.
    """
    now = clock.now()
    skip = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    quiet = QuietHours.parse(settings.SMS_QUIET_HOURS).is_quiet(now)
    fresh = "FALSE" if only_its_own else "client_reference = ''"
    with connection.cursor() as cursor:
        # MATERIALIZED: else PostgreSQL may run the subquery again and take more than the limit.
        cursor.execute(
            f"""WITH due AS MATERIALIZED (
                    SELECT id FROM notifications_delivery
                    WHERE channel = '{Channel.SMS.value}' AND state = '{DeliveryState.QUEUED.value}'
                        AND not_before <= %s
                        AND ({fresh} OR (client_reference <> '' AND gateway = %s))
                        {"AND ignores_quiet_hours" if quiet else ""}
                    ORDER BY urgency, id LIMIT %s {skip})
                UPDATE notifications_delivery
                SET state = '{DeliveryState.CLAIMED.value}', claimed_by = %s, lease_until = %s
                WHERE id IN (SELECT id FROM due) AND state = '{DeliveryState.QUEUED.value}'
                RETURNING urgency, id""",  # noqa: S608  # our own constants
            [as_parameter(now), gateway, limit, worker, as_parameter(lease_end())],
        )
        return [pk for _urgency, pk in sorted(cursor.fetchall())]


def release(*, ids: Sequence[int], worker: str) -> None:
    """Give claims back that were not handed over; called inside a transaction."""
    if not ids:
        return
    mine = Delivery.objects.filter(pk__in=ids, claimed_by=worker, state=DeliveryState.CLAIMED)
    kept = [delivery.pk for delivery in settling.lock(mine)]
    Delivery.objects.filter(pk__in=kept).update(
        state=DeliveryState.QUEUED, claimed_by="", lease_until=None
    )
