"""When an SMS is still of use, and which number to call next. Pure; moments are aware."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

URGENCY_COUNTS_FROM = dt.date(2000, 1, 1)
RANKS = 10
FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0
LONGEST_TROUBLE_SECONDS = 960.0
"""The longest backoff from a gateway that reports failures of its own."""


def latest_departure(first_at: dt.datetime, *, seconds_before: float) -> dt.datetime:
    """Return the moment after which an SMS is too late: the patient may be on the way already."""
    return first_at.astimezone(dt.UTC) - dt.timedelta(seconds=seconds_before)


def seconds_before_try(number: int, *, jitter: float) -> float:
    """Return how long to wait before another try: doubling, at most an hour.

    Args:
        number: of the try that failed, from 1.
        jitter: a factor near 1, so that a crowd does not come back together.
    """
    doubled = FIRST_RETRY_SECONDS * 2.0 ** min(number - 1, 12)
    return min(doubled, LONGEST_RETRY_SECONDS) * jitter


def next_number(
    numbers: Sequence[str], *, tried: Sequence[tuple[str, bool]], last: str, moves_on: bool
) -> str | None:
    """Return which of a patient's numbers the next call dials; None when none is left.

    A wrong number is never dialled again. The last number stays, unless nobody answered: then the
    one least often dialled follows, in the order in which they are kept.

    Args:
        numbers: of the patient, in calling order.
        tried: of each call about the notice, the number and whether it was wrong.
        last: the number of the last call.
        moves_on: the last call was not answered.
    """
    wrong = {number for number, was_wrong in tried if was_wrong}
    left = [number for number in numbers if number not in wrong]
    if not left:
        return None
    if last in left and not moves_on:
        return last
    others = [number for number in left if number != last] or left
    counts = Counter(number for number, _was_wrong in tried)
    return min(others, key=lambda number: (counts[number], left.index(number)))


def tries_before_giving_up(numbers: int, *, tries: int) -> int:
    """Return how many unanswered calls end the trying: one for each right number at least."""
    return max(numbers, tries)


def urgency(day: dt.date, rank: int) -> int:
    """Return how urgent a message is, the smallest first: by day, then by rank (0 to 9)."""
    return (day - URGENCY_COUNTS_FROM).days * RANKS + rank


def rank_of(urgency: int) -> int:
    """Return the kind of act that an urgency was made of: 0 is the most urgent."""
    return urgency % RANKS
