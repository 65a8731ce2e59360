"""A client of an SMPP gateway, for tests: opens it, does something, keeps what is reported."""

import asyncio
from collections.abc import Awaitable, Callable

from notifications.gateways import (
    Message,
    ReceiptReport,
    Report,
    Result,
    gateway_from_url,
)
from notifications.rules import count
from tests.smpp_peer import SmscPeer

LONG = "Votre rendez-vous est annulé. " * 9  # 270 septets: two parts


class Client:
    """Keeps the reports that came, and may be slow or unable to."""

    def __init__(self, url: str) -> None:
        self.gateway = gateway_from_url(url)
        self.reports: list[Report] = []
        self.before_storing: Callable[[], Awaitable[None]] | None = None

    async def store(self, report: Report) -> None:
        """Keep a report."""
        if self.before_storing:
            await self.before_storing()
        self.reports.append(report)

    @property
    def receipts(self) -> list[ReceiptReport]:
        """The reports that are receipts."""
        return [one for one in self.reports if isinstance(one, ReceiptReport)]

    async def send(self, *messages: Message) -> list[Result]:
        """Submit messages beside each other."""
        answers = await asyncio.gather(*(self.gateway.submit([one]) for one in messages))
        return [result for batch in answers for result in batch]


def with_client(url: str, work: Callable[[Client], Awaitable[None]]) -> Client:
    """Open a gateway, do something, and close it."""
    client = Client(url)

    async def day() -> None:
        await client.gateway.open(client.store)
        try:
            await work(client)
        finally:
            await client.gateway.close()

    asyncio.run(day())
    return client


def with_slow_peer(
    peer: SmscPeer, latency: float, options: str, work: Callable[[Client], Awaitable[None]]
) -> Client:
    """Do the same with a peer that is slow once it let us in."""

    async def slow(client: Client) -> None:
        peer.latency = latency
        await work(client)
        peer.latency = 0

    return with_client(peer.url.replace("&timeout=1", options), slow)


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def message(text: str = "Ne venez pas.", number: int = 0) -> Message:
    """Return one message."""
    return Message(f"ref{number:04}", f"+3247000{number:04}", text, count(text).parts)
