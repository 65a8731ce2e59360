"""A connection to a gateway: keeps its window full and its rate, hands out what comes back.

Knows no database. Everything here runs in the event loop that opens the connection.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from notifications.gateways import Gateway, ReceiptReport, Report, Result, Sent, Throttled, Unknown
from notifications.sending.handover import HandedOver, Returned

logger = logging.getLogger(__name__)
CLOSING_SECONDS = 10.0
REPORTS_WAIT_SECONDS = 0.005
ENOUGH_REPORTS = 50
LARGEST_CHUNK = 1000


SubmitAnswer = tuple[HandedOver, Result | Returned]


@dataclass(frozen=True, slots=True)
class Reported:
    """A report, and what the gateway waits for before it acknowledges it."""

    report: Report
    stored: asyncio.Future[None]

    def acknowledge(self) -> None:
        """Let the gateway acknowledge the report, which is stored now."""
        if not self.stored.done():
            self.stored.set_result(None)


class GatewayConnection:
    """One session at a gateway, for as long as the ``async with`` lasts.

    Args:
        gateway: opened and closed here.
        longest_wait: seconds that a message may wait here; one that waited longer is returned,
            since its lease runs out.

    Attributes:
        is_open: False where the gateway could not be opened, which none may fail to.
        outstanding: messages sent whose answer was not taken yet.
    """

    def __init__(self, gateway: Gateway, *, longest_wait: float) -> None:
        self.gateway = gateway
        self.is_open = False
        self.outstanding = 0
        self._longest_wait = longest_wait
        self._todo: deque[tuple[float, HandedOver]] = deque()
        self._answers: list[SubmitAnswer] = []
        self._reports: list[Reported] = []
        self._unstored: set[asyncio.Future[None]] = set()
        self._enough = 1
        self._has_work = asyncio.Event()
        self._has_news = asyncio.Event()
        self._limiter = RateLimiter(gateway)
        self._submitters: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        try:
            await self.gateway.open(self._on_report)
        except Exception:
            logger.exception("the connection to %s broke", self.gateway.name)
            return self
        except BaseException:
            await self.gateway.close()
            raise
        self.is_open = True
        number = max(1, self.gateway.options.window // self.gateway.batch)
        self._submitters = [asyncio.create_task(self._submit_all()) for _ in range(number)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for submitter in self._submitters:
            submitter.cancel()
        await asyncio.gather(*self._submitters, return_exceptions=True)
        for stored in tuple(self._unstored):
            stored.cancel()  # nobody stores it now: it is to come again
        if self.is_open:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_SECONDS):
                    await self.gateway.close()
        self.is_open = False

    @property
    def waiting(self) -> int:
        """Messages that the gateway was not given yet."""
        return len(self._todo)

    def send(self, leaving: Sequence[HandedOver]) -> None:
        """Submit messages as window and rate allow."""
        now = asyncio.get_running_loop().time()
        self.outstanding += len(leaving)
        self._todo.extend((now, one) for one in leaving)
        self._has_work.set()

    def recall(self) -> None:
        """Take back what the gateway was not given yet: it comes out as ``Returned``."""
        self._answers.extend((one, Returned()) for _put_at, one in self._todo)
        self._todo.clear()
        self._has_news.set()

    async def take(self, *, wait: float, enough: int) -> tuple[list[SubmitAnswer], list[Reported]]:
        """Return the answers and reports that came.

        A gateway gives only so many reports before the first is acknowledged, so they are not
        kept waiting for company as answers are.

        Args:
            wait: seconds to wait for more.
            enough: with so many answers it returns at once.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + wait
        self._enough = enough
        while not self._is_enough() and (left := ends - loop.time()) > 0:
            if self._reports:
                left = min(left, REPORTS_WAIT_SECONDS)
                ends = loop.time() + left
            self._has_news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._has_news.wait()
        answers, self._answers = self._answers, []
        reports, self._reports = self._reports, []
        self.outstanding -= len(answers)
        return answers, reports

    def _is_enough(self) -> bool:
        answered = len(self._answers)
        return (
            answered >= self._enough
            or 0 < answered == self.outstanding
            or len(self._reports) >= ENOUGH_REPORTS
        )

    async def query(self, sent: Sequence[Sent]) -> Sequence[ReceiptReport | None]:
        """Query the state of messages; None for all where the gateway breaks or stays silent."""
        try:
            async with asyncio.timeout(2 * self.gateway.options.timeout):
                return await self.gateway.query(sent)
        except Exception:
            logger.exception("gateway %s could not be asked", self.gateway.name)
            return [None] * len(sent)

    async def _on_report(self, report: Report) -> None:
        reported = Reported(report, asyncio.get_running_loop().create_future())
        self._unstored.add(reported.stored)
        self._reports.append(reported)
        self._has_news.set()
        try:
            await reported.stored
        finally:
            self._unstored.discard(reported.stored)

    async def _submit_all(self) -> None:
        """Keep one place of the window busy."""
        while True:
            while not self._todo:
                self._has_work.clear()
                await self._has_work.wait()
            await self._limiter.wait()
            batch = self._next_batch()
            if batch:
                results = await self._submit(batch)
                self._note(zip(batch, results, strict=True))

    def _next_batch(self) -> list[HandedOver]:
        batch: list[HandedOver] = []
        oldest = asyncio.get_running_loop().time() - self._longest_wait
        while self._todo and len(batch) < self.gateway.batch:
            put_at, one = self._todo.popleft()
            if put_at < oldest:
                self._note([(one, Returned())])
            else:
                batch.append(one)
                self._limiter.count(one)
        return batch

    def _note(self, answers: Iterable[SubmitAnswer]) -> None:
        self._answers.extend(answers)
        if self._is_enough():
            self._has_news.set()

    async def _submit(self, batch: Sequence[HandedOver]) -> Sequence[Result]:
        try:
            results = await self.gateway.submit([one.message for one in batch])
            for result in results:
                if isinstance(result, Throttled):
                    self._limiter.back_off(result.retry_after)
            return results
        except Exception:
            logger.exception("gateway %s failed in the middle of a submission", self.gateway.name)
            return [Unknown("l'opérateur n'a rien répondu")] * len(batch)


class RateLimiter:
    """Spaces the messages of one connection; what all hosts share is ``sending/limits.py``."""

    def __init__(self, gateway: Gateway) -> None:
        self._options = gateway.options
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
        if cost := self._options.seconds_for(parts=one.message.parts, messages=1):
            now = asyncio.get_running_loop().time()
            self._free_at = max(now, self._free_at) + cost

    def back_off(self, seconds: float) -> None:
        """Submit nothing for so long."""
        self._free_at = max(self._free_at, asyncio.get_running_loop().time() + seconds)


class Throughput:
    """How many messages a second the gateway takes: as configured, or learnt from its answers.

    Attributes:
        is_limited: by a configured rate or a daily cap.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._window = gateway.options.window
        self._limit = gateway.options.parts_per_second or gateway.options.messages_per_second
        self.is_limited = bool(self._limit or gateway.options.parts_per_day)
        self._per_second = 0.0
        self._since = time.monotonic()

    def note(self, answers: int) -> None:
        """Learn from a round of answers."""
        now = time.monotonic()
        spent = max(now - self._since, 0.001)
        self._since = now
        self._per_second += 0.3 * (answers / spent - self._per_second)

    def worth_of(self, seconds: float) -> int:
        """Return how many messages the gateway takes in so many seconds, at least a window."""
        if self._limit:
            return max(1, min(LARGEST_CHUNK, int(self._limit * seconds)))
        return max(self._window, min(LARGEST_CHUNK, int(self._per_second * seconds)))
