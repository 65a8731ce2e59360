"""When something can have happened on the day of an appointment. Pure."""

import datetime as dt
from enum import StrEnum

from appointments.vocabulary import Attended


class Timing(StrEnum):
    """Whether a moment can be noted, and why not."""

    FITS = "fits"
    NOT_YET = "not_yet"  # the day of the appointment is still to come
    FUTURE = "future"  # the moment itself is
    OTHER_DAY = "other_day"
    NO_TIME = "no_time"  # the day is past, and nobody said when it was


def moment_of(
    what: Attended, *, starts_at: dt.datetime, asked: dt.datetime | None, now: dt.datetime
) -> dt.datetime | None:
    """Return when something happened; None when a past day leaves it open.

    Whoever ticks means "now". Who did not come was missed at the hour of the appointment, so
    that a sheet needs no time for it.

    Args:
        starts_at: the appointment's moment, in the hospital's own time zone, as ``now`` is.
        asked: what somebody said, if they did.
    """
    is_its_day = starts_at.date() == now.date()
    if asked is not None:
        return asked
    if what == Attended.CLEARED or is_its_day:
        return now
    return min(starts_at, now) if what == Attended.ABSENT else None


def timing(
    what: Attended, happened_at: dt.datetime | None, *, day: dt.date, now: dt.datetime
) -> Timing:
    """Return whether that may be noted of an appointment on ``day``."""
    if what == Attended.CLEARED:
        return Timing.FITS
    if day > now.date():
        return Timing.NOT_YET
    if happened_at is None:
        return Timing.NO_TIME
    if happened_at.date() != day:
        return Timing.OTHER_DAY
    return Timing.FITS if happened_at <= now else Timing.FUTURE
