"""The age of the data of each source: the age of its export, never of loading it."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F, Q

from appointments.models import Feed
from staff import clock


@dataclass(frozen=True)
class DataAge:
    """The age of what one source said last of all it plans; of no source when none is loaded.

    Attributes:
        feed: its name.
        heard_at: when it made that export, in Europe/Brussels; None where nobody knows.
        loaded_at: when something of it was last loaded; None for never.
        silence: how long ago that was; None where nobody knows.
        is_old: beyond the limit, unknown, or never loaded.
    """

    feed: str
    heard_at: dt.datetime | None
    silence: dt.timedelta | None
    is_old: bool
    loaded_at: dt.datetime | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether something was loaded and nobody knows how old it is."""
        return self.heard_at is None and self.loaded_at is not None


def age_of(feed: Feed, now: dt.datetime) -> DataAge:
    """Return the age of a source."""
    loaded_at = feed.loaded_at and feed.loaded_at.astimezone(clock.BRUSSELS)
    if feed.heard_at is None:
        return DataAge(feed.name, None, None, is_old=True, loaded_at=loaded_at)
    silence = max(now - feed.heard_at, dt.timedelta())
    return DataAge(
        feed=feed.name,
        heard_at=feed.heard_at.astimezone(clock.BRUSSELS),
        silence=silence,
        is_old=silence > dt.timedelta(hours=settings.DATA_AGE_LIMIT_HOURS),
        loaded_at=loaded_at,
    )


def every_age() -> list[DataAge]:
    """Return the age of every source, by name (one query)."""
    now = clock.now()
    return [age_of(feed, now) for feed in Feed.objects.order_by("name")]


def data_age() -> DataAge:
    """Return the age of the source that is unknown, or else silent longest (one query).

    One silent source among several makes some rows old, and a page cannot say which. So the page
    shows the oldest source, with its name.
    """
    loaded = Feed.objects.filter(Q(heard_at__isnull=False) | Q(loaded_at__isnull=False))
    feed = loaded.order_by(F("heard_at").asc(nulls_first=True), "name").first()
    if feed is None:
        return DataAge(feed="", heard_at=None, silence=None, is_old=True)
    return age_of(feed, clock.now())
