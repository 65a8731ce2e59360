"""What carries SMS: one small interface, and a table of the schemes that ``SMS_GATEWAY_URL`` knows.

A gateway answers for each message with what is certain: taken, refused, too fast, unknown, or
never sent. Adding one is a file here, a line in ``GATEWAYS`` and a run of the conformance tests.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from notifications.models.delivery import Failure


@dataclass(frozen=True)
class Message:
    """One SMS to submit: ``to`` is E.164, ``reference`` ours and unique for ever."""

    reference: str
    to: str
    text: str
    parts: int = 1


@dataclass(frozen=True)
class Accepted:
    """The gateway took it, under this number of its own (may be empty)."""

    provider_id: str


@dataclass(frozen=True)
class Refused:
    """The gateway took it not, and says why; ``permanent``: asking again is useless."""

    failure: Failure
    permanent: bool = True
    remark: str = ""


@dataclass(frozen=True)
class Throttled:
    """Too fast: nothing was taken; ask again after so many seconds."""

    retry_after: float = 1.0


@dataclass(frozen=True)
class Unknown:
    """The request left and no usable answer came: it may or may not have been sent."""

    remark: str = ""


@dataclass(frozen=True)
class NotSent:
    """The message did not reach the gateway (no connection, no access): it may be queued again."""

    remark: str = ""


Result = Accepted | Refused | Throttled | Unknown | NotSent


@dataclass(frozen=True)
class Submission:
    """What became of the message with this reference."""

    reference: str
    result: Result


class Gateway(Protocol):
    """What dispatch needs to know of a carrier.

    Attributes:
        name: at most 40 characters, without secrets; kept with each delivery.
        honours_reference: a reference submitted twice is sent once.
        has_receipts: it says later whether the phone got the message; until then nobody is told.
        parts_per_second: how fast it may be asked, None for as fast as it answers.
        window: how many messages it is given at once.
    """

    name: str
    honours_reference: bool
    has_receipts: bool
    parts_per_second: float | None
    window: int

    async def open(self) -> None:
        """Make ready to submit, in the running event loop."""

    async def close(self) -> None:
        """Let go of connections."""

    def submit(self, messages: Sequence[Message]) -> AsyncIterator[Submission]:
        """Submit at most ``window`` messages and yield one answer for each, as they come."""


GATEWAYS = {
    "console": "notifications.gateways.console",
    "http+json": "notifications.gateways.http",
    "https+json": "notifications.gateways.http",
}
"""Scheme → module with a ``from_url(url)``."""


def gateway_from_url(url: str) -> Gateway:
    """Return the gateway that a URL names.

    Raises:
        ImproperlyConfigured: unknown scheme or option; the sentence holds no secret.
    """
    scheme = urlsplit(url).scheme
    if scheme not in GATEWAYS:
        known = ", ".join(f"{name}://" for name in GATEWAYS)
        raise ImproperlyConfigured(
            f"SMS_GATEWAY_URL : genre de passerelle inconnu « {scheme} ». Possibles : {known}."
        )
    gateway: Gateway = import_module(GATEWAYS[scheme]).from_url(url)
    return gateway
