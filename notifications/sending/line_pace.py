"""How fast one line goes: what it is told, and what it learns.

What all workers share is ``services/pacing.py``.
"""

import asyncio
import time

from notifications.gateways import Gateway
from notifications.sending.hand_over import HandedOver

LARGEST_CHUNK = 1000


class Pace:
    """Spaces messages within one line."""

    def __init__(self, gateway: Gateway) -> None:
        options = gateway.options
        self._seconds_per_part = 1 / options.parts_per_second if options.parts_per_second else 0.0
        self._seconds_per_message = (
            1 / options.messages_per_second if options.messages_per_second else 0.0
        )
        self._free_at = 0.0
        self._gate = asyncio.Lock()

    async def wait(self) -> None:
        """Wait until the next message may leave."""
        if self._free_at <= asyncio.get_running_loop().time():
            return
        async with self._gate:
            while (left := self._free_at - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(left)

    def count(self, one: HandedOver) -> None:
        """Note that a message leaves now."""
        cost = max(self._seconds_per_message, one.message.parts * self._seconds_per_part)
        if cost:
            now = asyncio.get_running_loop().time()
            self._free_at = max(now, self._free_at) + cost

    def slow_down(self, seconds: float) -> None:
        """Leave the gateway in peace for so long."""
        self._free_at = max(self._free_at, asyncio.get_running_loop().time() + seconds)


class LearntPace:
    """How much the gateway takes, learnt from its answers."""

    def __init__(self, gateway: Gateway) -> None:
        self._window = gateway.options.window
        self._limit = gateway.options.parts_per_second or gateway.options.messages_per_second
        self.is_limited = bool(self._limit or gateway.options.parts_per_day)
        self._per_second = 0.0
        self._since = time.perf_counter()

    def note(self, answers: int) -> None:
        """Learn from a round of answers."""
        now = time.perf_counter()
        spent = max(now - self._since, 0.001)
        self._since = now
        self._per_second += 0.3 * (answers / spent - self._per_second)

    def worth_of(self, seconds: float) -> int:
        """Return how many messages the gateway takes in so many seconds, at least a window."""
        if self._limit:
            return max(1, min(LARGEST_CHUNK, int(self._limit * seconds)))
        return max(self._window, min(LARGEST_CHUNK, int(self._per_second * seconds)))
