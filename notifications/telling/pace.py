"""How fast SMS leave, when they will all have left, and the curve. For the whole group."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Func, IntegerField, Max, Min, Q, QuerySet, Sum

from notifications.lifecycle.call_states import claimed
from notifications.lifecycle.notice_states import later
from notifications.models import Channel, Delivery, DeliveryState, Sending
from notifications.rules import QuietHours
from staff import clock
from staff.lookups import numbers_of
from staff.models import AuditEvent

MEASURED_SECONDS = 60.0
SHORTEST_SECONDS = 10.0
"""A rate measured over less says nothing."""
HANDED_OVER, DELIVERED, CALLED = "handed_over", "delivered", "called"
MOST_POINTS = 60
STEPS_SECONDS = (60, 300, 900, 3600)
WIDTH, HEIGHT = 600.0, 200.0
"""Of the drawing, in its own units; a page may stretch it."""


@dataclass(frozen=True)
class Waiting:
    """SMS that did not leave yet.

    ``held`` ones wait for their release, from ``held_until`` to ``held_last``; ``later`` ones
    for a retry, the first at ``later_at``; ``due`` ones may leave, the first since ``due_since``;
    of these, ``asleep`` ones only when the quiet hours are over.
    """

    held: int
    held_until: dt.datetime | None
    held_last: dt.datetime | None
    later: int
    later_at: dt.datetime | None
    due: int
    asleep: int
    due_since: dt.datetime | None = None


@dataclass(frozen=True)
class Pace:
    """The rate of the last minute, and what it means for the rest.

    Attributes:
        now: the hospital's moment.
        messages, parts: that left in the last ``MEASURED_SECONDS``.
        seconds: how long it took them: less than a minute if sending began just now.
        waiting: SMS that did not leave yet.
        quiet_until: the end of the quiet hours, while it is quiet.
        paused: whether all sending is held.
        began_just_now: whether nothing could leave until less than ``MEASURED_SECONDS`` ago.
    """

    now: dt.datetime
    messages: int
    parts: int
    seconds: float
    waiting: Waiting
    quiet_until: dt.datetime | None
    paused: bool
    began_just_now: bool = False

    @property
    def parts_per_second(self) -> float:
        """The rate in parts."""
        return self.parts / self.seconds

    @property
    def messages_per_minute(self) -> int:
        """The rate in SMS."""
        return round(self.messages / self.seconds * 60)

    @property
    def leaving(self) -> int:
        """How many SMS may leave now."""
        return self.waiting.due - (self.waiting.asleep if self.quiet_until else 0)

    @property
    def standing(self) -> str:
        """The state of sending.

        ``nothing``, ``paused``, ``quiet``, ``later``, ``held``, ``starting`` (in the first minute
        in which something may leave), ``stalled`` or ``moving``.
        """
        if not (self.waiting.due or self.waiting.later or self.waiting.held):
            return "nothing"
        if self.paused:
            return "paused"
        if self.leaving:
            if self.messages:
                return "moving"
            return "starting" if self.began_just_now else "stalled"
        if self.waiting.due:
            return "quiet"
        return "later" if self.waiting.later else "held"

    @property
    def ends_at(self) -> dt.datetime | None:
        """When what may leave now will have left, at this rate; None if it cannot be told."""
        if self.standing != "moving":
            return None
        seconds = self.leaving * self.seconds / self.messages
        # In UTC: adding to a Brussels moment would be wrong across a change of the hour.
        ends = self.now.astimezone(dt.UTC) + dt.timedelta(seconds=seconds)
        return ends.astimezone(clock.BRUSSELS)


def pace() -> Pace:
    """Return how fast SMS leave, in at most four queries."""
    now = clock.now()
    a_minute_ago = later(-MEASURED_SECONDS)
    left = Delivery.objects.filter(channel=Channel.SMS, submitted_at__gt=a_minute_ago).aggregate(
        messages=Count("pk"), parts=Sum("parts"), first=Min("submitted_at")
    )
    quiet = QuietHours.parse(settings.SMS_QUIET_HOURS)
    waiting = _waiting(now)
    since_first = (now - left["first"]).total_seconds() if left["first"] else MEASURED_SECONDS
    return Pace(
        now=now,
        messages=left["messages"],
        parts=left["parts"] or 0,
        seconds=min(MEASURED_SECONDS, max(SHORTEST_SECONDS, since_first)),
        waiting=waiting,
        quiet_until=quiet.next_allowed(now) if quiet.is_quiet(now) else None,
        paused=Sending.is_paused(),
        began_just_now=_began(waiting, quiet, a_minute_ago)
        or (
            not left["messages"]
            and waiting.due > 0
            and AuditEvent.objects.filter(action="sending.resumed", at__gt=a_minute_ago).exists()
        ),
    )


def _began(waiting: Waiting, quiet: QuietHours, a_minute_ago: dt.datetime) -> bool:
    """Whether the first message that is due could not leave a minute ago."""
    if waiting.due_since is None:
        return False
    all_asleep = waiting.due <= waiting.asleep
    since = quiet.next_allowed(waiting.due_since) if all_asleep else waiting.due_since
    return since > a_minute_ago


def _waiting(now: dt.datetime) -> Waiting:
    """Count the SMS that wait, with one subquery for each partial index."""
    held, queued = Q(state=DeliveryState.HELD), Q(state=DeliveryState.QUEUED)
    still_held, late = held & Q(not_before__gt=now), queued & Q(not_before__gt=now)
    due = Q(state=DeliveryState.CLAIMED) | Q(not_before__lte=now)
    arms = (Delivery.objects.filter(arm, channel=Channel.SMS) for arm in (held, queued, claimed()))
    counted = Delivery.objects.filter(pk__in=numbers_of(*arms)).aggregate(
        held=Count("pk", filter=still_held),
        held_until=Min("not_before", filter=still_held),
        held_last=Max("not_before", filter=still_held),
        later=Count("pk", filter=late),
        later_at=Min("not_before", filter=late),
        due=Count("pk", filter=due),
        due_since=Min("not_before", filter=due),
        asleep=Count("pk", filter=due & Q(ignores_quiet_hours=False)),
    )
    return Waiting(**counted)


# --- the curve --------------------------------------------------------------------------------
#
# Counts come by the minute; the curve adds them up in steps that are wide enough for at most
# ``MOST_POINTS`` of them, on whole minutes, quarters or hours since 1970, which are whole hours in
# Brussels too.


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


class _Minute(Func):
    """Minutes since 1970 of a moment, counted by the database itself."""

    output_field = IntegerField()

    template = "(FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / 60)::bigint)"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """SQLite keeps moments as text in UTC (Django's own form)."""
        template = "(CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / 60)"
        return self.as_sql(compiler, connection, template=template, **extra)


def curve_of(*, hours: int) -> Curve:
    """Return what left, what arrived and which calls were made lately, in two queries."""
    since = later(-hours * 3600.0)
    counts: dict[str, dict[int, int]] = {HANDED_OVER: {}, DELIVERED: {}, CALLED: {}}
    left = Delivery.objects.filter(channel=Channel.SMS, submitted_at__gt=since)
    for minute, number in _by_minute(left, "submitted_at"):
        counts[HANDED_OVER][minute] = number
    delivered = Q(channel=Channel.SMS, state=DeliveryState.DELIVERED)
    # A call that only counts as made has no ``submitted_at``.
    called = Q(channel=Channel.PHONE, submitted_at__isnull=False)
    ended = Delivery.objects.filter(delivered | called, finished_at__gt=since)
    for minute, channel, number in _by_minute(ended, "finished_at", "channel"):
        counts[DELIVERED if channel == Channel.SMS else CALLED][minute] = number
    return draw(counts, now=clock.now())


def _by_minute(deliveries: QuerySet[Delivery], moment: str, *columns: str) -> QuerySet[Any, Any]:
    return (
        deliveries.annotate(minute=_Minute(moment))
        .order_by()
        .values_list("minute", *columns)
        .annotate(Count("pk"))
    )
