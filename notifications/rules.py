"""When an SMS is still of use. Pure: no Django, no clock; moments are aware."""

import datetime as dt

URGENCY_COUNTS_FROM = dt.date(2000, 1, 1)
RANKS = 10
FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0


def latest_departure(first_at: dt.datetime, *, seconds_before: float) -> dt.datetime:
    """Return the moment after which an SMS about an appointment does not leave any more.

    Who gets it later may be on the way already, so a person calls instead.

    Args:
        first_at: the first appointment that the message is about.
        seconds_before: how long before it the patient should know.
    """
    return first_at.astimezone(dt.UTC) - dt.timedelta(seconds=seconds_before)


def seconds_before_try(number: int, *, jitter: float) -> float:
    """Return how long to wait before another try: doubling, at most an hour.

    Args:
        number: of the try that failed, from 1.
        jitter: a factor near 1, so that a crowd does not come back together.
    """
    return (
        float(min(FIRST_RETRY_SECONDS * 2 ** min(number - 1, 12), LONGEST_RETRY_SECONDS)) * jitter
    )


def urgency(day: dt.date, rank: int) -> int:
    """Return how urgent a message is, the smallest first: the day, then the kind of act.

    Args:
        day: told about, not before 2000.
        rank: 0 to 9.
    """
    return (day - URGENCY_COUNTS_FROM).days * RANKS + rank


def rank_of(urgency: int) -> int:
    """Return the kind of act that an urgency was made of: 0 is the most urgent."""
    return urgency % RANKS
