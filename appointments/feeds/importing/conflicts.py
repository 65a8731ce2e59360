"""A person settles what a file of unknown age says otherwise of a known appointment."""

from collections.abc import Collection

from django.db import transaction

from appointments.feeds.completeness import NOTHING
from appointments.feeds.importing.results import Terms
from appointments.feeds.importing.services import load_records
from appointments.feeds.records import ScheduleRecord
from appointments.models import Conflict, ConflictState, Feed
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.services import audit


def accept(*, conflict_ids: Collection[int], by: User) -> int:
    """Load the rows that waited, as any others; what another person settled meanwhile is left.

    Each source in a transaction of its own: a load takes the head of the trail last.

    Args:
        conflict_ids: which.
        by: who says that they hold.

    Returns:
        how many were accepted.

    Raises:
        Refusal: a row can no longer be taken, for instance because its unit is gone; nothing of
            its source is written.
    """
    feeds = Feed.objects.filter(conflicts__in=conflict_ids).distinct().order_by("id")
    return sum(_accept(feed, conflict_ids, by) for feed in feeds)


@transaction.atomic
def _accept(feed: Feed, conflict_ids: Collection[int], by: User) -> int:
    lock_rulings(shared=False)
    accepted = _settle(conflict_ids, ConflictState.ACCEPTED, by, feed=feed)
    if not accepted:
        return 0
    result = load_records(
        feed_name=feed.name,
        records=[ScheduleRecord.from_kept(conflict.record) for conflict in accepted],
        terms=Terms(by_hand=True, declared=NOTHING),
        by=by,
    )
    if result.rejected:
        fault = result.rejected[0]
        why = _("%(column)s « %(value)s » : %(why)s")
        raise Refusal(why % {"column": fault.column, "value": fault.value, "why": fault.why})
    _record(accepted, ConflictState.ACCEPTED, by)
    return len(accepted)


@transaction.atomic
def refuse(*, conflict_ids: Collection[int], by: User) -> int:
    """Let what is held stand, and not ask again for the same row; return how many were refused."""
    refused = _settle(conflict_ids, ConflictState.REFUSED, by)
    if refused:
        _record(refused, ConflictState.REFUSED, by)
    return len(refused)


def _settle(
    conflict_ids: Collection[int], state: ConflictState, by: User, feed: Feed | None = None
) -> list[Conflict]:
    waiting = Conflict.objects.filter(pk__in=conflict_ids, state=ConflictState.WAITING)
    if feed is not None:
        waiting = waiting.filter(feed=feed)
    settled = list(waiting.select_for_update().order_by("id"))
    Conflict.objects.filter(pk__in=[conflict.pk for conflict in settled]).update(
        state=state, settled_at=clock.now(), settled_by=by
    )
    return settled


def _record(settled: list[Conflict], state: ConflictState, by: User) -> None:
    audit.record(
        action=f"conflict.{state}",
        by=by,
        appointments=[conflict.appointment_id for conflict in settled],
    )
