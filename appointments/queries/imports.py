"""Loads of schedule files and the age of each source, for those who load them."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from appointments.models import Feed, RejectedRow, ScheduleImport
from staff import clock
from staff.access import Capability, scope_of
from staff.models import User
from staff.paging import KeyPage, page_by_key


@dataclass(frozen=True)
class FeedAge:
    """One source and how long it has been silent; ``hours`` is None when never heard."""

    name: str
    heard_at: dt.datetime | None
    hours: int | None
    is_old: bool


def feed_ages(user: User) -> list[FeedAge]:
    """Return every source with its age (one query)."""
    if not _sees_all(user):
        return []
    return [_age_of(feed) for feed in Feed.objects.order_by("name")]


def imports(user: User) -> QuerySet[ScheduleImport]:
    """Return the loads that a user may see: a file concerns the whole group."""
    found = ScheduleImport.objects.select_related("feed", "started_by")
    return found if _sees_all(user) else found.none()


def imports_page(user: User, *, cursor: str) -> KeyPage[ScheduleImport]:
    """Return a page of loads, newest first (one query)."""
    return page_by_key(imports(user), keys=("-id",), cursor=cursor, size=20)


def faults_page(schedule_import: ScheduleImport, *, cursor: str) -> KeyPage[RejectedRow]:
    """Return a page of the faults of a file the user already opened (one query)."""
    rows = schedule_import.rejected_rows.all()
    return page_by_key(rows, keys=("line", "id"), cursor=cursor)


def _sees_all(user: User) -> bool:
    return scope_of(user, Capability.LOAD_FEEDS).everywhere


def _age_of(feed: Feed) -> FeedAge:
    if feed.heard_at is None:
        return FeedAge(feed.name, None, None, is_old=True)
    silence = max(clock.now() - feed.heard_at, dt.timedelta())
    limit = dt.timedelta(hours=settings.DATA_AGE_LIMIT_HOURS)
    return FeedAge(feed.name, feed.heard_at, silence // dt.timedelta(hours=1), silence > limit)
