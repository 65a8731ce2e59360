"""A fake gateway's other half: it calls our hook with what became of the messages it took."""

import asyncio
import collections
import contextlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass
class ReceiptPoster:
    """Posts receipts as ``http+json://`` gateways do, until the hook has taken them.

    Attributes:
        hook: the address to call.
        key: what to sign calls with; empty for unsigned ones.
        delay: seconds between a message and its receipt; 0 may overtake the answer.
        batch: how many receipts one call carries at most; 1 posts an object instead of a list.
        calls: how many calls are made beside each other.
        copies: how often each call is made.
        strangers: receipts for messages of nobody that go with each.
        status: what they say.
        answers: how often the hook answered with each status.
        posted: receipts that the hook took, each counted once.
    """

    hook: str
    key: str = ""
    delay: float = 0.0
    batch: int = 100
    calls: int = 4
    copies: int = 1
    strangers: int = 0
    status: str = "delivered"
    answers: collections.Counter[int] = field(default_factory=collections.Counter)
    posted: int = 0

    def __post_init__(self) -> None:
        self._due: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def say(self, reference: str, number: str) -> None:
        """Have a receipt posted for a message that was taken."""
        at = time.monotonic() + self.delay
        receipt = {"reference": reference, "id": number, "status": self.status}
        self._due.put_nowait((at, receipt))
        for n in range(self.strangers):
            stranger = {"id": f"stranger-{number}-{n}", "status": self.status}
            self._due.put_nowait((at, stranger))

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._tasks = [asyncio.create_task(self._run()) for _ in range(self.calls)]

    async def stop(self) -> None:
        """Stop; what was not posted is lost."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                receipts = await self._next()
                for _ in range(self.copies):
                    await self._post(session, receipts)
                self.posted += len(receipts)

    async def _next(self) -> list[dict[str, Any]]:
        at, receipt = await self._due.get()
        await asyncio.sleep(at - time.monotonic())
        receipts = [receipt]
        while len(receipts) < self.batch and not self._due.empty():
            receipts.append(self._due.get_nowait()[1])
        return receipts

    async def _post(self, session: aiohttp.ClientSession, receipts: list[dict[str, Any]]) -> None:
        body = json.dumps(receipts if self.batch > 1 else receipts[0]).encode()
        for attempt in range(50):
            try:
                async with session.post(self.hook, data=body, headers=self._signed(body)) as answer:
                    await answer.read()
                    self.answers[answer.status] += 1
                    if answer.status < 300:
                        return
            except (aiohttp.ClientError, OSError):
                self.answers[0] += 1
            await asyncio.sleep(min(0.05 * 2**attempt, 1.0))

    def _signed(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.key:
            now = str(int(time.time()))
            signature = hmac.new(self.key.encode(), body + now.encode(), "sha256").hexdigest()
            headers |= {"X-Timestamp": now, "X-Signature": signature}
        return headers
