"""Until when something may be waited for: no longer than a call is still of use.

``lease_until`` runs on the real clock, appointments on the hospital's, which in a drill stands on
another day. So what counts is how long it is, for the hospital, until the last moment: that is
added to the real clock. As SQL, since limits are set for thousands of messages at once.
"""

import datetime as dt
from typing import Any

from django.conf import settings

from notifications import rules
from staff import clock
from staff.database import as_parameter, is_postgresql

_POSTGRESQL = """GREATEST(%s::timestamptz, LEAST(%s::timestamptz,
    n.first_at + make_interval(secs => %s)))"""
# As Django writes moments there, to the millisecond: so that they compare as texts.
_SQLITE = "MAX(%s, MIN(%s, strftime('%%Y-%%m-%%d %%H:%%M:%%f', n.first_at, %s || ' seconds')))"


def until(seconds: float) -> tuple[str, list[Any]]:
    """Return SQL for ``notifications_delivery.lease_until``, and its parameters.

    It says "in so many seconds", or the last moment at which a call is of use where that comes
    first, but not earlier than now.

    Args:
        seconds: how long the message may wait where its appointment is far away.
    """
    now = clock.real()
    # An appointment's moment, moved by this, is its last one for a call, on the real clock.
    shift = rules.latest_departure(now, seconds_before=settings.SMS_LATEST_SECONDS) - (
        clock.now().astimezone(dt.UTC)
    )
    by = shift.total_seconds()
    moments = [as_parameter(now), as_parameter(now + dt.timedelta(seconds=seconds))]
    earlier = _POSTGRESQL if is_postgresql() else _SQLITE
    return (
        f"""(SELECT {earlier} FROM notifications_notice n
            WHERE n.id = notifications_delivery.notice_id)""",  # noqa: S608  # our own words
        [*moments, by if is_postgresql() else f"{by:+.6f}"],
    )
