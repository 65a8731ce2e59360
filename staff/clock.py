"""The hospital's time.

Every service reads it here, so that a drill can replay a given day (``DEMO_TODAY``) and a test can
freeze time. All moments are those of the **database's** clock, which all hosts share: a host
with a wrong clock neither sends early nor delays the others. SQLite has the clock of
its host. ``real`` is the true moment, for leases between processes; ``now`` is the hospital's.

The database is read every few seconds; in between, the monotonic clock measures the time since
then. So a jump of a host's clock changes nothing either.
"""

import asyncio
import datetime as dt
import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from staff.database import is_postgresql

BRUSSELS = ZoneInfo("Europe/Brussels")
ASK_AGAIN_SECONDS = 5.0
TOO_FAR = dt.timedelta(seconds=5)
"""A host's clock that differs from the database's by more is shown to people."""
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while asleep


@dataclass(frozen=True, slots=True)
class _Asked:
    """The database's moment, and when it was read, in seconds since the host started."""

    moment: dt.datetime
    at: float


_asked: _Asked | None = None


def now() -> dt.datetime:
    """Return the current moment, aware, in Europe/Brussels; on the drill's date if one is set."""
    moment = real().astimezone(BRUSSELS)
    if not settings.DEMO_TODAY:
        return moment
    day = dt.date.fromisoformat(settings.DEMO_TODAY)
    return moment.replace(year=day.year, month=day.month, day=day.day)


def real() -> dt.datetime:
    """Return the current moment on the database's clock, aware, in UTC; no drill changes it.

    The host's own clock if the database has none, or could not be reached yet.
    """
    asked = _last_asked()
    if asked is None:
        return timezone.now()
    return asked.moment + dt.timedelta(seconds=since_boot() - asked.at)


def shown(moment: dt.datetime) -> dt.datetime:
    """Return a moment of the real clock as shown to people: a drill has its own date."""
    return now() - (real() - moment) if settings.DEMO_TODAY else moment


def of_host(moment: dt.datetime) -> dt.datetime:
    """Convert a moment of this host's clock, such as a file's, to the hospital's clock."""
    return now() - (timezone.now() - moment)


def host_is_ahead() -> dt.timedelta:
    """Return by how much this host's clock is ahead of the database's; negative if behind."""
    asked = _last_asked()
    return timezone.now() - real() if asked else dt.timedelta()


def today() -> dt.date:
    """Return the hospital's local date."""
    return now().date()


def midnight(day: dt.date) -> dt.datetime:
    """Return the moment at which a local day begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=BRUSSELS)


def local_day(moment: dt.datetime) -> dt.date:
    """Return the date in Europe/Brussels on which an aware moment falls."""
    return moment.astimezone(BRUSSELS).date()


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return every day from the first to the last; none if the last is before the first."""
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def told_hour(moment: dt.datetime) -> str:
    """Return the hour of an appointment as its patient is told: ``09:10``, in Brussels.

    Most agendas write midnight for an unknown hour, and no patient is expected at midnight. Then
    the hour stays open (``--:--``): a wrong hour misleads, an open one does not.
    """
    local = moment.astimezone(BRUSSELS)
    return "--:--" if is_midnight(local) else f"{local:%H:%M}"


def is_midnight(moment: dt.datetime) -> bool:
    """Whether a moment is midnight in Brussels."""
    return moment.astimezone(BRUSSELS).time() == dt.time()


def lasting(span: dt.timedelta) -> str:
    """Return a duration in words: ``2 j 4 h``, ``1 h 53``, ``25 min``; never empty."""
    minutes = span // dt.timedelta(minutes=1)
    hours, days = minutes // 60, minutes // 1440
    if days > 0:
        return _("%(days)d j %(hours)d h") % {"days": days, "hours": hours % 24}
    if hours > 0:
        return _("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": minutes % 60}
    return _("%(minutes)d min") % {"minutes": max(minutes, 1)}


def since_boot() -> float:
    """Return the seconds since the host started (monotonic clock)."""
    return time.clock_gettime(_SINCE_BOOT)


def _last_asked() -> _Asked | None:
    """Return the database's moment, reread after a while; None if the host's own clock counts."""
    global _asked  # noqa: PLW0603  # one clock for the whole process
    if not (settings.DATABASE_CLOCK and is_postgresql()):
        return None
    is_old = _asked is None or not 0 <= since_boot() - _asked.at < ASK_AGAIN_SECONDS
    if is_old and _may_ask():
        _asked = _ask() or _asked
    return _asked


def _ask() -> _Asked | None:
    began = since_boot()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (moment,) = cursor.fetchone()
    except DatabaseFailure:
        if not connection.in_atomic_block:
            connection.close()  # beat makes no other query, and would never reconnect
        return None
    ended = since_boot()
    return _Asked(moment, (began + ended) / 2)


def _may_ask() -> bool:
    """Whether a query is possible: not in an event loop, nor in a broken transaction."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return not connection.needs_rollback
    return False
