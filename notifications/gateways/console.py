"""``console://``: sends nothing; the outbox page is the phone. For drills and the first hour."""

from collections.abc import AsyncIterator, Sequence

from notifications.gateways import Accepted, Message, Submission


class ConsoleGateway:
    """Takes everything. As nothing leaves, a reference submitted twice is shown once."""

    name = "console"
    honours_reference = True
    has_receipts = False
    parts_per_second: float | None = None
    window = 250

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def submit(self, messages: Sequence[Message]) -> AsyncIterator[Submission]:
        """Accept each message."""
        for message in messages:
            yield Submission(message.reference, Accepted(f"console-{message.reference[:12]}"))


def from_url(url: str) -> ConsoleGateway:
    """Return the gateway; the URL says nothing more."""
    return ConsoleGateway()
