"""Quiet hours, in which no SMS leaves. Pure: no Django, no clock; moments are aware.

They follow the wall clock of Brussels, also on the two nights on which it jumps. An hour that the
clock skips has passed when it jumps. In the hour that happens twice, quiet hours last from the
first time that their start is shown until the last time that their end is.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
_WRITTEN = re.compile(r"\s*(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)\s*", re.ASCII)
_MINUTE = dt.timedelta(minutes=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Quiet hours on the wall clock; without ``hours`` it is never quiet.

    ``hours`` are start (quiet) and end (no longer quiet); over midnight when the end is earlier.
    """

    hours: tuple[dt.time, dt.time] | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the quiet hours written as ``21:00-08:00``; an empty text is never quiet.

        Raises:
            ValueError: it is none; the message is a French sentence.
        """
        if not text.strip():
            return cls()
        written = _WRITTEN.fullmatch(text)
        try:
            start, end = (
                dt.time.fromisoformat(one.zfill(5)) for one in (written.groups() if written else ())
            )
        except ValueError:
            raise ValueError(
                f"« {text[:40]} » ne dit pas des heures calmes : donnez deux heures comme "
                "21:00-08:00, ou rien pour envoyer à toute heure."
            ) from None
        if start == end:
            raise ValueError(
                f"« {text[:40]} » commence et finit à la même heure : donnez deux heures "
                "différentes, ou rien pour envoyer à toute heure."
            )
        return cls((start, end))

    def __str__(self) -> str:
        if self.hours is None:
            return ""
        return "–".join(f"{one:%H:%M}" for one in self.hours)

    def is_quiet(self, moment: dt.datetime) -> bool:
        """Whether no SMS should leave at a moment."""
        return self._end(moment) is not None

    def next_allowed(self, moment: dt.datetime) -> dt.datetime:
        """Return the moment if it is not quiet, else the end of the quiet hours, in Brussels."""
        return (self._end(moment) or moment).astimezone(BRUSSELS)

    def _end(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the end of the quiet hours that a moment is in, if any."""
        until = self._end_of_one(moment)
        # Where the clock jumps, the next quiet hours may begin when these end, or before.
        while until is not None and (later := self._end_of_one(until)):
            until = later
        return until

    def _end_of_one(self, moment: dt.datetime) -> dt.datetime | None:
        if self.hours is None:
            return None
        start, end = self.hours
        today = moment.astimezone(BRUSSELS).date()
        for first_day in (today - _DAY, today):
            last_day = first_day if start < end else first_day + _DAY
            until = max(_shown(last_day, end))
            if min(_shown(first_day, start)) <= moment < until:
                return until
        return None


def _shown(day: dt.date, time: dt.time) -> tuple[dt.datetime, dt.datetime]:
    """Return the first and the last moment (UTC) at which the clock shows a time, or jumps it."""
    wall = dt.datetime.combine(day, time)
    # Before and after a change of offset (PEP 495): in this order twice, in the other never.
    first, last = (wall.replace(tzinfo=BRUSSELS, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if last < first:
        jump = last
        while jump.astimezone(BRUSSELS).replace(tzinfo=None) < wall:
            jump += _MINUTE
        return jump, jump
    return first, last
