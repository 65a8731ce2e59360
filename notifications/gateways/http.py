"""``http+json://`` and ``https+json://``: any gateway that takes one JSON POST per message.

``https+json://user:password@sms.example.org/send?idempotent=1&tps=20&window=20&timeout=15``
posts ``{"to", "text", "reference"}`` to ``https://sms.example.org/send`` and expects a 2xx with
``{"id"}``. An empty user makes the password a bearer token. ``idempotent=1`` says that the peer
sends a reference once, however often it is submitted; ``tps`` is parts per second, ``timeout``
seconds without an answer.

How an answer is read (RFC 9110): 2xx with an id: accepted. 400, 409, 410, 413, 422: refused,
for good unless the answer says ``{"temporary": true}``; ``{"error"}`` may name a ``Failure``.
429, and 503 with Retry-After: too fast. Other 4xx and 3xx: we are not let in, nothing was
taken. Everything else, a cut answer or silence: unknown, since the message may be on its way.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import aiohttp
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import (
    Accepted,
    Message,
    NotSent,
    Refused,
    Result,
    Submission,
    Throttled,
    Unknown,
)
from notifications.models.delivery import Failure

CONNECT_SECONDS = 5.0
LONGEST_ANSWER = 64 * 1024
_REFUSALS = {400, 409, 410, 413, 422}
_LONGEST_WAIT = 300.0
_OPTIONS = {"idempotent": "0", "tps": "", "window": "20", "timeout": "15"}


class HttpJsonGateway:
    """One POST per message, up to ``window`` at a time over kept connections."""

    has_receipts = False

    def __init__(
        self,
        *,
        url: str,
        headers: Mapping[str, str],
        honours_reference: bool,
        parts_per_second: float | None,
        window: int,
        timeout: float,
    ) -> None:
        self._url = url
        self._headers = headers
        self._timeout = aiohttp.ClientTimeout(
            total=2 * timeout, sock_connect=CONNECT_SECONDS, sock_read=timeout
        )
        self._session: aiohttp.ClientSession | None = None
        self.name = f"http+json {urlsplit(url).netloc}"[:40]
        self.honours_reference = honours_reference
        self.parts_per_second = parts_per_second
        self.window = window

    def __repr__(self) -> str:
        return f"<HttpJsonGateway {self.name}>"

    async def open(self) -> None:
        """Open the session whose connections are shared by all messages."""
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=self._timeout,
            connector=aiohttp.TCPConnector(limit=self.window),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def submit(self, messages: Sequence[Message]) -> AsyncIterator[Submission]:
        """Post the messages beside each other and yield the answers as they come."""
        tasks = [asyncio.create_task(self._submit_one(message)) for message in messages]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        finally:
            for task in tasks:
                task.cancel()

    async def _submit_one(self, message: Message) -> Submission:
        return Submission(message.reference, await self._post(message))

    async def _post(self, message: Message) -> Result:
        assert self._session, "open() first"  # noqa: S101  # a programmer's mistake
        content = {"to": message.to, "text": message.text, "reference": message.reference}
        try:
            async with self._session.post(self._url, json=content, allow_redirects=False) as answer:
                body = await answer.content.read(LONGEST_ANSWER)
                return read_answer(answer.status, answer.headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NotSent(f"pas de connexion ({type(error).__name__})")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Unknown(f"pas de réponse ({type(error).__name__})")


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Result:
    """Return what an answer means; the table is in this module's first lines.

    Args:
        status: of HTTP.
        headers: at least Retry-After, when there is one.
        body: as received, possibly garbage.
    """
    said = _json(body)
    if 200 <= status < 300:
        number = said.get("id")
        if isinstance(number, str | int) and not isinstance(number, bool) and str(number):
            return Accepted(str(number)[:100])
        return Unknown(f"réponse {status} sans numéro")
    if status == 429 or (status == 503 and "Retry-After" in headers):
        return Throttled(_seconds(headers.get("Retry-After", "")))
    if status in _REFUSALS:
        return _refusal(status, said)
    if 300 <= status < 500:
        return NotSent(f"la passerelle répond {status} : vérifiez son adresse et l'accès")
    return Unknown(f"la passerelle répond {status}")


def _refusal(status: int, said: Mapping[str, Any]) -> Refused:
    error = said.get("error")
    failure = Failure(error) if error in Failure.values else Failure.REJECTED
    remark = f"réponse {status} {error if isinstance(error, str) else ''}".strip()[:200]
    return Refused(failure, permanent=said.get("temporary") is not True, remark=remark)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(text: str) -> float:
    """Retry-After in seconds; a date or nonsense counts as one second."""
    return min(float(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() else 1.0


def from_url(url: str) -> HttpJsonGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: an unknown or senseless option; the sentence holds no secret.
    """
    parts = urlsplit(url)
    options = _OPTIONS | dict(parse_qsl(parts.query))
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise ImproperlyConfigured(
            f"SMS_GATEWAY_URL : option inconnue {', '.join(unknown)}. "
            f"Possibles : {', '.join(_OPTIONS)}."
        )
    if not parts.hostname:
        raise ImproperlyConfigured("SMS_GATEWAY_URL : il manque le nom de la machine.")
    host = parts.netloc.rpartition("@")[2]
    try:
        return HttpJsonGateway(
            url=urlunsplit((parts.scheme.removesuffix("+json"), host, parts.path or "/", "", "")),
            headers=_authorization(parts.username, parts.password),
            honours_reference=options["idempotent"] == "1",
            parts_per_second=_positive(options["tps"]) if options["tps"] else None,
            window=max(1, int(_positive(options["window"]))),
            timeout=_positive(options["timeout"]),
        )
    except ValueError as error:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : tps, window et timeout sont des nombres positifs."
        ) from error


def _positive(text: str) -> float:
    number = float(text)
    if not 0.1 <= number <= 10_000:
        raise ValueError(text)
    return number


def _authorization(user: str | None, password: str | None) -> dict[str, str]:
    if password is None:
        return {}
    if not user:
        return {"Authorization": f"Bearer {unquote(password)}"}
    basic = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return {"Authorization": f"Basic {basic}"}
