"""The geometry of a curve over time. Pure: no Django, no clock; moments are aware.

Counts come by the minute; the curve adds them up in steps that are wide enough for at most
``MOST_POINTS`` of them, on whole minutes, quarters or hours since 1970, which are whole hours
in Brussels too.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_POINTS = 60
STEPS_SECONDS = (60, 300, 900, 3600)
WIDTH, HEIGHT = 600.0, 200.0
"""Of the drawing, in its own units; a page may stretch it."""


@dataclass(frozen=True)
class Line:
    """One line: its name, the running total at the end of each step, and its drawing.

    ``points`` is the attribute of an SVG ``polyline``; ``y`` counts downwards.
    """

    name: str
    totals: tuple[int, ...]
    points: str

    @property
    def total(self) -> int:
        """The sum of all."""
        return self.totals[-1] if self.totals else 0


@dataclass(frozen=True)
class Curve:
    """Lines over the same steps of so many seconds.

    Attributes:
        moments: the end of each step; the last is now.
        lines: in the order in which they were given.
        top: the value at the upper edge.
        step: seconds.
        started_at: the left edge.
    """

    moments: tuple[dt.datetime, ...]
    lines: tuple[Line, ...]
    top: int
    step: int
    started_at: dt.datetime

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened at all."""
        return not any(line.total for line in self.lines)

    @property
    def rows(self) -> list[tuple[dt.datetime, list[int]]]:
        """Moment and totals of each step, the newest first."""
        columns = zip(*(line.totals for line in self.lines), strict=True)
        return [(at, list(totals)) for at, totals in zip(self.moments, columns, strict=True)][::-1]


def step_of(seconds: float) -> int:
    """Return the narrowest step, in seconds, of which at most ``MOST_POINTS`` cover a span."""
    for step in STEPS_SECONDS:
        if seconds <= step * (MOST_POINTS - 1):  # the first and the last are not whole
            return step
    hour = STEPS_SECONDS[-1]
    return hour * math.ceil(seconds / (hour * (MOST_POINTS - 1)))


def draw(counts: Mapping[str, Mapping[int, int]], *, now: dt.datetime) -> Curve:
    """Return the running totals of some counts as lines.

    Args:
        counts: name of a line → minute (seconds since 1970, divided by 60) → how many.
        now: the right edge; what comes after it counts as now.
    """
    end = now.timestamp()
    minutes = [minute for by_minute in counts.values() for minute in by_minute]
    first = min(minutes, default=int(end // 60)) * 60
    step = step_of(max(0.0, end - first))
    start = first // step * step
    steps = max(1, math.ceil((end - start) / step))
    totals = {name: _totals(by_minute, start, step, steps) for name, by_minute in counts.items()}
    top = nice_top(max((values[-1] for values in totals.values()), default=0))
    ends = [min(start + step * number, end) for number in range(1, steps + 1)]
    places = [(one - start) / (end - start) if end > start else 1.0 for one in ends]
    return Curve(
        moments=tuple(dt.datetime.fromtimestamp(one, now.tzinfo) for one in ends),
        lines=tuple(
            Line(n, tuple(values), _points(values, places, top)) for n, values in totals.items()
        ),
        top=top,
        step=step,
        started_at=dt.datetime.fromtimestamp(start, now.tzinfo),
    )


def nice_top(highest: int) -> int:
    """Return the smallest number of one digit and zeros that is not below the highest value."""
    unit: int = 10 ** (len(str(max(1, highest))) - 1)
    return unit * max(1, math.ceil(highest / unit))


def _totals(by_minute: Mapping[int, int], start: int, step: int, steps: int) -> list[int]:
    added = [0] * steps
    for minute, number in by_minute.items():
        added[min((minute * 60 - start) // step, steps - 1)] += number
    totals, total = [], 0
    for number in added:
        total += number
        totals.append(total)
    return totals


def _points(totals: Sequence[int], places: Sequence[float], top: int) -> str:
    """Begin at zero on the left edge, so that the first step is seen as a rise."""
    ends = zip(places, totals, strict=True)
    drawn = [(0.0, HEIGHT), *((WIDTH * x, HEIGHT * (1 - total / top)) for x, total in ends)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
