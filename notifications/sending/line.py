"""The line to a gateway: a thread with an event loop, so that neither waits for the other.

The thread that calls does all the work with the database and hands messages in; the line keeps
the gateway's window full, keeps to its rate, and hands answers and reports out.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from notifications.gateways import Gateway, Receipt, Report, Result, Sent, Throttled, Unknown
from notifications.sending.hand_over import HandedOver
from notifications.sending.line_pace import Pace

T = TypeVar("T")

logger = logging.getLogger(__name__)
CLOSING_SECONDS = 10.0
MEANWHILE_SECONDS = 1.0
REPORTS_WAIT_SECONDS = 0.005
ENOUGH_REPORTS = 50


@dataclass(frozen=True, slots=True)
class Returned:
    """Handed back before the gateway was given it: it may be queued again at once."""

    remark: str = ""


Answer = tuple[HandedOver, Result | Returned]


@dataclass(slots=True)
class Reported:
    """A report, and what the gateway waits for before it acknowledges it."""

    report: Report
    stored: asyncio.Future[None]


class Line:
    """A connection to a gateway for as long as the ``with`` lasts.

    Args:
        gateway: opened and closed here.
        longest_wait: seconds that a message may wait here; one that waited longer is returned,
            since its lease runs out.
        meanwhile: called about once a second while it opens or closes, which may take long.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        longest_wait: float,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        self.gateway = gateway
        self._meanwhile = meanwhile
        self._longest_wait = longest_wait
        self._todo: deque[tuple[float, HandedOver]] = deque()
        self._answers: deque[Answer] = deque()
        self._reports: deque[Reported] = deque()
        self._unconfirmed: set[asyncio.Future[None]] = set()
        self._handed_in = 0
        self._handed_out = 0
        self._bell = threading.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sms-line", daemon=True)
        self._loop: asyncio.AbstractEventLoop

    # --- called by the thread that works with the database ---------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            while not self._started.wait(MEANWHILE_SECONDS):
                self._meanwhile()
        except BaseException:
            self._close_soon()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.recall()
        self._close_soon()
        ends = time.perf_counter() + CLOSING_SECONDS
        while self._thread.is_alive() and time.perf_counter() < ends:
            self._meanwhile()
            self._thread.join(MEANWHILE_SECONDS)

    def _close_soon(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)

    @property
    def is_open(self) -> bool:
        """Whether messages can still be answered."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Messages that the gateway was not given yet."""
        return len(self._todo)

    @property
    def outstanding(self) -> int:
        """Messages handed in whose answer was not taken yet."""
        return self._handed_in - self._handed_out

    def send(self, leaving: Sequence[HandedOver]) -> None:
        """Hand messages in."""
        now = time.perf_counter()
        self._handed_in += len(leaving)
        self._todo.extend((now, one) for one in leaving)
        self._loop.call_soon_threadsafe(self._wake.set)

    def take(self, *, wait: float, enough: int) -> tuple[list[Answer], list[Reported]]:
        """Return the answers and reports that came.

        A gateway gives only so many reports before the first is acknowledged, so they are not
        kept waiting for company as answers are.

        Args:
            wait: seconds to wait for more.
            enough: with so many answers it returns at once.
        """
        ends = time.perf_counter() + wait
        while len(self._answers) < enough and (left := ends - time.perf_counter()) > 0:
            if self._answers and len(self._answers) == self.outstanding:
                break  # all are answered
            if self._reports:
                ends = min(ends, time.perf_counter() + REPORTS_WAIT_SECONDS)
            self._bell.wait(left)
            self._bell.clear()
            if len(self._reports) >= ENOUGH_REPORTS:
                break
        answers = _emptied(self._answers)
        self._handed_out += len(answers)
        return answers, _emptied(self._reports)

    def confirm(self, reports: Iterable[Reported]) -> None:
        """Let the gateway acknowledge reports that are stored now."""
        futures = [one.stored for one in reports]
        if futures:
            self._loop.call_soon_threadsafe(_fulfil, futures)

    def ask(self, sent: Sequence[Sent]) -> Future[Sequence[Receipt | None]]:
        """Ask the gateway what became of messages; the answers come in time, perhaps as None."""
        return asyncio.run_coroutine_threadsafe(self._query(sent), self._loop)

    def recall(self) -> None:
        """Take back what the gateway was not given yet: it comes out as ``Returned``."""
        recalled = [(one, Returned()) for _put_at, one in _emptied(self._todo)]
        self._answers.extend(recalled)
        self._bell.set()

    # --- run by the line's own thread ------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            logger.exception("the line to %s broke", self.gateway.name)
        finally:
            self._started.set()
            self._bell.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._pace = Pace(self.gateway)
        await self.gateway.open(self._on_report)
        number = max(1, self.gateway.options.window // self.gateway.batch)
        senders = [asyncio.create_task(self._sender()) for _ in range(number)]
        self._started.set()
        try:
            await self._closing.wait()
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
            for reported in tuple(self._unconfirmed):
                reported.cancel()  # nobody stores it now: it is to come again
            await self.gateway.close()

    async def _on_report(self, report: Report) -> None:
        reported = Reported(report, self._loop.create_future())
        self._unconfirmed.add(reported.stored)
        self._reports.append(reported)
        self._bell.set()
        try:
            await reported.stored
        finally:
            self._unconfirmed.discard(reported.stored)

    async def _sender(self) -> None:
        """Keep one place of the window busy."""
        while True:
            while not self._todo:
                self._wake.clear()
                await self._wake.wait()
            await self._pace.wait()
            batch = self._next_batch()
            if not batch:
                continue
            results = await self._submit(batch)
            self._answers.extend(zip(batch, results, strict=True))
            if not self._bell.is_set():
                self._bell.set()

    def _next_batch(self) -> list[HandedOver]:
        batch: list[HandedOver] = []
        oldest = time.perf_counter() - self._longest_wait
        while self._todo and len(batch) < self.gateway.batch:
            try:
                put_at, one = self._todo.popleft()
            except IndexError:  # the other thread recalled it just now
                break
            if put_at < oldest:
                self._answers.append((one, Returned()))
                self._bell.set()
            else:
                batch.append(one)
                self._pace.count(one)
        return batch

    async def _submit(self, batch: Sequence[HandedOver]) -> Sequence[Result]:
        try:
            results = await self.gateway.submit([one.message for one in batch])
            for result in results:
                if isinstance(result, Throttled):
                    self._pace.slow_down(result.retry_after)
            return results
        except Exception:
            logger.exception("gateway %s failed in the middle of a submission", self.gateway.name)
            return [Unknown("l'opérateur n'a rien répondu")] * len(batch)

    async def _query(self, sent: Sequence[Sent]) -> Sequence[Receipt | None]:
        try:
            async with asyncio.timeout(2 * self.gateway.options.timeout):
                return await self.gateway.query(sent)
        except Exception:
            logger.exception("gateway %s could not be asked", self.gateway.name)
            return [None] * len(sent)


def _emptied(queue: deque[T]) -> list[T]:
    taken = []
    while queue:
        try:
            taken.append(queue.popleft())
        except IndexError:  # the other thread was faster
            break
    return taken


def _fulfil(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
