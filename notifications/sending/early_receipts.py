"""Receipts that were faster than the answers to their submissions: who sends looks at them again.

Only once an answer is written is the gateway's number known, by which most receipts are found.
The sweep would find them as well, some seconds later.
"""

import time

from notifications.receipts import receive as receiving
from notifications.receipts.receive import Received
from notifications.sending.retrying import until_it_works

FIRST_LOOK_SECONDS = 0.5
LAST_LOOK_SECONDS = 5.0
"""While nothing is found each look comes twice as late, no later than this."""


class EarlyReceipts:
    """When one worker looks again, until every answer that it waited for is written."""

    def __init__(self) -> None:
        self._due = float("inf")
        self._wait = FIRST_LOOK_SECONDS

    def note(self, received: Received) -> None:
        """Look again soon where some receipts had no delivery yet."""
        if received.matched < received.receipts:
            self._wait = FIRST_LOOK_SECONDS
            self._due = min(self._due, time.perf_counter() + self._wait)

    def look(self, *, answers_are_missing: bool) -> None:
        """Look again if it is time.

        Args:
            answers_are_missing: of what this worker submitted, so that a later look may find more.
        """
        if time.perf_counter() < self._due:
            return
        self._due = float("inf")
        found = until_it_works(receiving.match_young)
        if found or answers_are_missing:
            self._wait = FIRST_LOOK_SECONDS if found else min(2 * self._wait, LAST_LOOK_SECONDS)
            self._due = time.perf_counter() + self._wait
