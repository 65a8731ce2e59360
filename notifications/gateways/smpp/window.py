"""The window of an SMPP connection: how many requests may be without an answer at once."""

import asyncio
import collections


class WindowClosed(Exception):
    """The connection ended while a message waited for its place."""


class Window:
    """So many places, first come first served.

    A long message takes the places of all its parts at once, so that they leave back to back;
    whoever comes after it waits behind it, or it would never get them.

    Args:
        size: places in all.
    """

    def __init__(self, size: int) -> None:
        self.size = self.free = size
        self._queue: collections.deque[tuple[int, asyncio.Future[None]]] = collections.deque()
        self._closed = False

    async def take(self, number: int) -> None:
        """Wait for places.

        Args:
            number: how many, at most ``size``.

        Raises:
            WindowClosed: it closed meanwhile.
        """
        if self._closed:
            raise WindowClosed
        if not self._queue and self.free >= number:
            self.free -= number
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((number, future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and not future.exception():
                self.give_back(number)  # granted, and cancelled in the same turn
            else:
                self.give_back(0)  # whoever waited behind it may have room
            raise

    def give_back(self, number: int = 1) -> None:
        """Free places, and give them to whoever has waited longest."""
        self.free += number
        while self._queue:
            wanted, future = self._queue[0]
            if not future.done():
                if wanted > self.free:
                    return
                self.free -= wanted
                future.set_result(None)
            self._queue.popleft()

    def close(self) -> None:
        """Send everybody away."""
        self._closed = True
        for _wanted, future in self._queue:
            if not future.done():
                future.set_exception(WindowClosed())
        self._queue.clear()
