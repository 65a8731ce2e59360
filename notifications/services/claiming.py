"""A worker takes what is due, so that no other worker does.

One statement on both databases. PostgreSQL skips the rows that others are taking; SQLite lets
one writer in at a time, which makes the same UPDATE a compare-and-swap. A claim is a lease on
the real clock: a worker that dies gives it back by doing nothing.
"""

import datetime as dt

from django.conf import settings
from django.db import connection
from django.utils import timezone

from notifications.models import CLAIMABLE, Channel, Delivery, DeliveryState
from notifications.services import settling
from staff import clock
from staff.database import as_parameter, is_postgresql

_CLAIMABLE = ", ".join(f"'{state.value}'" for state in CLAIMABLE)


def lease_end() -> dt.datetime:
    """Return when a lease given now runs out, on the real clock."""
    return timezone.now() + dt.timedelta(seconds=settings.SMS_LEASE_SECONDS)


def claim(*, worker: str, limit: int) -> list[int]:
    """Claim SMS that are due, those due longest first.

    Whether each may still be sent is looked at again under its notice's lock, when it is
    handed over; claiming only makes sure that nobody else looks.

    Args:
        worker: a name unique to this run of this process.
        limit: at most so many.

    Returns:
        the ids of the deliveries, now ``claimed``.
    """
    skip = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    with connection.cursor() as cursor:
        # MATERIALIZED: else PostgreSQL may run the subquery again and take more than the limit.
        cursor.execute(
            f"""WITH due AS MATERIALIZED (
                    SELECT id FROM notifications_delivery
                    WHERE channel = '{Channel.SMS.value}' AND state IN ({_CLAIMABLE})
                        AND not_before <= %s
                    ORDER BY not_before, id LIMIT %s {skip})
                UPDATE notifications_delivery
                SET state = '{DeliveryState.CLAIMED.value}', claimed_by = %s, lease_until = %s
                WHERE id IN (SELECT id FROM due) AND state IN ({_CLAIMABLE})
                RETURNING id""",  # noqa: S608  # our own constants
            [as_parameter(clock.now()), limit, worker, as_parameter(lease_end())],
        )
        return sorted(row[0] for row in cursor.fetchall())


def release(*, ids: list[int], worker: str) -> None:
    """Give claims back that were not handed over; called inside a transaction."""
    mine = Delivery.objects.filter(pk__in=ids, claimed_by=worker, state=DeliveryState.CLAIMED)
    kept = [delivery.pk for delivery in settling.lock(mine)]
    Delivery.objects.filter(pk__in=kept).update(
        state=DeliveryState.QUEUED, claimed_by="", lease_until=None
    )
