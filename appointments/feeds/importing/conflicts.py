"""Conflicts: rows of a file of unknown age that wait until a person accepts or refuses them."""

from collections.abc import Collection

from django.db import transaction

from appointments.feeds.importing.results import Terms
from appointments.feeds.importing.services import load_records
from appointments.feeds.records import NOTHING, ScheduleRecord
from appointments.models import Conflict, ConflictState, Feed
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.services import audit


def accept_conflicts(*, conflict_ids: Collection[int], by: User) -> int:
    """Load the rows that waited like any others; skip those that another person settled.

    Each source has its own transaction: a load takes the head of the trail last.

    Args:
        conflict_ids: which.
        by: the person who confirms them.

    Returns:
        how many were accepted.

    Raises:
        Refusal: a row can no longer be taken, for instance because its unit is gone; nothing of
            its source is written.
    """
    feeds = Feed.objects.filter(conflicts__in=conflict_ids).distinct().order_by("id")
    return sum(_accept_of_feed(feed, conflict_ids, by) for feed in feeds)


@transaction.atomic
def _accept_of_feed(feed: Feed, conflict_ids: Collection[int], by: User) -> int:
    lock_rulings(shared=False)
    accepted = _settle_conflicts(conflict_ids, ConflictState.ACCEPTED, by, feed=feed)
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
    _record_conflicts(accepted, ConflictState.ACCEPTED, by)
    return len(accepted)


@transaction.atomic
def refuse_conflicts(*, conflict_ids: Collection[int], by: User) -> int:
    """Keep the known appointments and refuse these rows for good; return how many."""
    refused = _settle_conflicts(conflict_ids, ConflictState.REFUSED, by)
    if refused:
        _record_conflicts(refused, ConflictState.REFUSED, by)
    return len(refused)


def _settle_conflicts(
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


def _record_conflicts(settled: list[Conflict], state: ConflictState, by: User) -> None:
    audit.record(
        action=f"conflict.{state}",
        by=by,
        appointments=[conflict.appointment_id for conflict in settled],
    )
