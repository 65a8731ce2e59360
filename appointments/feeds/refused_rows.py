"""Rows that loads refused and nobody has seen to: how many, on which days, and the list."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, DateField, F, QuerySet, Value
from django.db.models.functions import Coalesce

from appointments.models import RefusedRow, RefusedState
from staff.access import Capability, scope_of
from staff.models import User
from staff.paging import KeyPage, page_by_key

# The last of days: after all others, where no day can be read.
_NO_DAY = dt.date.max


@dataclass(frozen=True)
class RefusedCount:
    """How many rows are open; how many on ruled days; how many have no day that can be read."""

    open: int = 0
    on_ruled_days: int = 0
    without_day: int = 0

    def __bool__(self) -> bool:
        return bool(self.open)


def refused_by_day() -> dict[dt.date | None, int]:
    """Return how many rows are open on each day; None where none can be read (one query)."""
    counted = RefusedRow.objects.filter(state=RefusedState.OPEN).order_by().values_list("day")
    return dict(counted.annotate(Count("pk")))


def count_refused(days: Collection[dt.date]) -> RefusedCount:
    """Return the open rows, and those of some ruled days among them (one query)."""
    by_day = refused_by_day()
    return RefusedCount(
        open=sum(by_day.values()),
        on_ruled_days=sum(number for day, number in by_day.items() if day in days),
        without_day=by_day.get(None, 0),
    )


def refused_rows(user: User) -> QuerySet[RefusedRow]:
    """Return the rows that a user may see: a file concerns the whole group."""
    found = RefusedRow.objects.select_related("feed", "schedule_import", "settled_by")
    return found if scope_of(user, Capability.LOAD_FEEDS).everywhere else found.none()


def refused_page(user: User, *, is_open: bool, cursor: str) -> KeyPage[RefusedRow]:
    """Return a page of the open rows, by day, or of the closed ones, the newest first."""
    rows = refused_rows(user)
    if not is_open:
        closed = rows.exclude(state=RefusedState.OPEN)
        return page_by_key(closed, keys=("-settled_at", "-id"), cursor=cursor, size=50)
    return page_by_key(
        rows.filter(state=RefusedState.OPEN).annotate(
            by_day=Coalesce(F("day"), Value(_NO_DAY), output_field=DateField())
        ),
        keys=("by_day", "id"),
        cursor=cursor,
        size=50,
    )
