"""How old the newest word from the feeds is."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings

from appointments.models import Feed
from staff import clock


@dataclass(frozen=True)
class DataAge:
    """The age of the feed that has been silent longest.

    ``hours`` is None, and ``is_old`` true, when no feed was ever heard.
    """

    feed: str
    heard_at: dt.datetime | None
    hours: int | None
    is_old: bool


def data_age() -> DataAge:
    """Return the age of the feed that has been silent longest (one query).

    One silent feed among several makes some rows old, and a page cannot say which: so the worst
    one speaks for all, and names itself.
    """
    feed = Feed.objects.filter(heard_at__isnull=False).order_by("heard_at").first()
    if feed is None or feed.heard_at is None:
        return DataAge(feed="", heard_at=None, hours=None, is_old=True)
    silence = max(clock.now() - feed.heard_at, dt.timedelta())
    return DataAge(
        feed=feed.name,
        heard_at=feed.heard_at,
        hours=silence // dt.timedelta(hours=1),
        is_old=silence > dt.timedelta(hours=settings.DATA_AGE_LIMIT_HOURS),
    )
