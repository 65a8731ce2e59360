"""What can have happened on the day of an appointment, and when. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum

from appointments.vocabulary import Attended


class Timing(StrEnum):
    """Whether a moment can be noted, and why not."""

    FITS = "fits"
    NOT_YET = "not_yet"  # the day of the appointment is still to come
    FUTURE = "future"  # the moment itself is
    OTHER_DAY = "other_day"
    NO_TIME = "no_time"  # the day is past, and nobody said when it was


class MarkConflict(StrEnum):
    """Why two marks of one patient cannot both be true."""

    NOT_COME_AND_SEEN = "not_come_and_seen"
    DONE_AND_LEFT = "done_and_left"  # a patient who left was not seen
    DONE_BEFORE_ARRIVAL = "done_before_arrival"
    LEFT_BEFORE_ARRIVAL = "left_before_arrival"


def conflict_of(marks: Mapping[Attended, dt.datetime | None]) -> MarkConflict | None:
    """Return what contradicts itself in the marks of one patient; None when all can be true.

    Args:
        marks: each with its moment, None where the sheet has no hour.
    """
    if Attended.ABSENT in marks and len(marks) > 1:
        return MarkConflict.NOT_COME_AND_SEEN
    if Attended.DONE in marks and Attended.LEFT in marks:
        return MarkConflict.DONE_AND_LEFT
    arrived = marks.get(Attended.ARRIVED)
    for what, conflict in (
        (Attended.DONE, MarkConflict.DONE_BEFORE_ARRIVAL),
        (Attended.LEFT, MarkConflict.LEFT_BEFORE_ARRIVAL),
    ):
        moment = marks.get(what)
        if arrived and moment and moment.astimezone(dt.UTC) < arrived.astimezone(dt.UTC):
            return conflict
    return None


def in_order(moments: Sequence[tuple[dt.datetime, bool]]) -> list[dt.datetime]:
    """Return the moments of one patient, none before the one that stands before it.

    A tick without an hour counts at the planned one; it gives way where an hour says otherwise.

    Args:
        moments: in UTC and in the order in which things happen, each with whether the sheet has
            its hour.
    """
    settled = [moment for moment, _is_known in moments]
    for number, (_moment, is_known) in enumerate(moments):
        if number and not is_known:
            settled[number] = max(settled[number], settled[number - 1])
    for number in reversed(range(len(moments) - 1)):
        if not moments[number][1]:
            settled[number] = min(settled[number], settled[number + 1])
    return settled


def moment_of(
    what: Attended,
    *,
    starts_at: dt.datetime,
    day: dt.date,
    asked: dt.datetime | None,
    now: dt.datetime,
    hour_is_known: bool = True,
) -> dt.datetime | None:
    """Return when something happened; None when a past day leaves it open.

    A tick means "now". An absence counts at the hour of the appointment, so that a sheet needs no
    time for it; after a postponement, at that hour of the new day.

    Args:
        starts_at: the appointment's moment, in the hospital's own time zone, as ``now`` is.
        day: on which it is noted: the planned day, or the one to which it was postponed.
        asked: what somebody said, if they did.
        hour_is_known: whether the moment is told by the tick; on a sheet a tick may stand without
            its hour, and then counts at the planned one.
    """
    if asked is not None:
        return asked
    if what == Attended.CLEARED or (day == now.date() and hour_is_known):
        return now
    if what != Attended.ABSENT and hour_is_known:
        return None
    # timetz() also keeps which of two it was, in the hour that happens twice.
    return min(dt.datetime.combine(day, starts_at.timetz()), now)


def timing(
    what: Attended, happened_at: dt.datetime | None, *, day: dt.date, now: dt.datetime
) -> Timing:
    """Return whether that may be noted of an appointment on ``day``.

    Args:
        happened_at: in the hospital's own time zone, as ``now`` is.
    """
    if what == Attended.CLEARED:
        return Timing.FITS
    if day > now.date():
        return Timing.NOT_YET
    if happened_at is None:
        return Timing.NO_TIME
    if happened_at.date() != day:
        return Timing.OTHER_DAY
    # Between two moments of one zone Python compares what the clock shows, and it shows one hour
    # twice a year.
    has_passed = happened_at.astimezone(dt.UTC) <= now.astimezone(dt.UTC)
    return Timing.FITS if has_passed else Timing.FUTURE
