"""``console://``: sends nothing; the outbox page is the phone. For drills and the first hour."""

from collections.abc import Sequence

from notifications.gateways.base import Accepted, Gateway, Message, Result, parse_url

SCHEMES = ("console",)


class ConsoleGateway(Gateway):
    """Accepts everything. Nothing leaves, so a reference submitted twice is shown once."""

    honours_reference = True
    batch = 100

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        return [Accepted(f"console-{message.reference[:12]}") for message in messages]


def from_url(url: str) -> ConsoleGateway:
    """Return the gateway; of the options only rate and cap have an effect."""
    return ConsoleGateway(name="console", options=parse_url(url, window="250").options)
