"""What time it is for the hospital.

Every service asks here, so that a drill can replay a given day (``DEMO_TODAY``) and a test can
freeze time. Leases between processes use the real clock instead: they measure durations.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

BRUSSELS = ZoneInfo("Europe/Brussels")


def now() -> dt.datetime:
    """Return the current moment, aware, in Europe/Brussels; on the drill's date if one is set."""
    moment = timezone.now().astimezone(BRUSSELS)
    if not settings.DEMO_TODAY:
        return moment
    day = dt.date.fromisoformat(settings.DEMO_TODAY)
    return moment.replace(year=day.year, month=day.month, day=day.day)


def today() -> dt.date:
    """Return the hospital's local date."""
    return now().date()


def midnight(day: dt.date) -> dt.datetime:
    """Return the moment at which a local day begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=BRUSSELS)


def local_day(moment: dt.datetime) -> dt.date:
    """Return the date in Europe/Brussels on which an aware moment falls."""
    return moment.astimezone(BRUSSELS).date()
