"""The one way in which HTTP gateways talk: what is certain about a request that went wrong.

A failure to find the machine, to connect or to agree on TLS came before the request: nothing
left (``NotSent``). Whatever fails after that may have left (``Unknown``), and no request is ever
repeated by itself: aiohttp repeats an idempotent method once when a kept connection turns out
to be closed (RFC 9112, section 9.3.1; ``ClientSession._request``), and to an SMS gateway a GET
is not idempotent, whatever its name says.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlunsplit

import aiohttp
from django.core.exceptions import ImproperlyConfigured
from yarl import URL

from notifications.gateways.interface import Checked, NotSent, Unknown
from notifications.gateways.options import GatewayUrl, Options

CONNECT_SECONDS = 5.0
LONGEST_ANSWER = 64 * 1024
LONGEST_WAIT = 300.0
# Shorter than the idle time after which common servers close (gunicorn 2 s, Node.js 5 s): a
# request that meets a closing connection would be unknown, and its patient called.
KEEP_SECONDS = 1.5

_Next = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole, or its first ``LONGEST_ANSWER`` bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _ClosedBeforeAnswer(aiohttp.ClientError):
    """Stands for what aiohttp would repeat the request after."""


async def _once(request: aiohttp.ClientRequest, send: _Next) -> aiohttp.ClientResponse:
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ClosedBeforeAnswer from error


class HttpClient:
    """Connections to one gateway, kept and shared by all messages.

    Args:
        options: ``window`` limits the connections; ``timeout`` is seconds for a whole answer.
        headers: sent with each request.
    """

    def __init__(self, options: Options, *, headers: Mapping[str, str] | None = None) -> None:
        self._options = options
        self._headers = {"Accept-Encoding": "identity", **(headers or {})}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session, in the running event loop; connects to nobody yet."""
        seconds = self._options.timeout
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            # Connecting, with the look-up of the name, gives up well before the whole does: what
            # then runs out of time is known not to have left. No timer for each read: they cost
            # a tenth of the client's time.
            timeout=aiohttp.ClientTimeout(
                total=seconds, connect=min(CONNECT_SECONDS, seconds / 2), sock_connect=None
            ),
            connector=aiohttp.TCPConnector(
                limit=self._options.window, keepalive_timeout=KEEP_SECONDS
            ),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def exchange(
        self,
        method: str,
        url: str | URL,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | NotSent | Unknown:
        """Send one request, once, and read its answer; a redirection is not followed.

        Args:
            method: of HTTP.
            url: where to.
            params: added to the URL's query.
            json: the body, or:
            data: fields of a form, or the body itself.
            headers: beside those of every request.

        Returns:
            the answer, or what is certain without one. Remarks name no secret.
        """
        assert self._session, "open() first"  # noqa: S101  # a programmer's mistake
        try:
            async with self._session.request(
                method,
                url,
                params=params,
                json=json,
                data=data,
                headers=headers,
                allow_redirects=False,
                middlewares=() if method == "POST" else (_once,),
            ) as answer:
                body = await _beginning(answer.content)
                return Answer(answer.status, answer.headers, body)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ) as error:
            return NotSent(f"pas de connexion ({_reason(error)})")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Unknown(f"pas de réponse ({_reason(error)})")


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """Read to the end or to the limit; one ``read`` returns what happens to be there."""
    chunks = [await content.read(LONGEST_ANSWER)]
    left = LONGEST_ANSWER - len(chunks[0])
    while left > 0 and not content.at_eof():
        chunks.append(await content.read(left))
        left -= len(chunks[-1])
    return b"".join(chunks)


def _reason(error: Exception) -> str:
    """Name an error without its words: they may hold an address with a password."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "machine introuvable"
    if isinstance(error, aiohttp.ClientSSLError):
        return "TLS refusé"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "trop lent à se connecter"
    if isinstance(error, TimeoutError):
        return "silence"
    cause = error.__cause__ if isinstance(error, _ClosedBeforeAnswer) else None
    return type(cause or error).__name__


def address(given: GatewayUrl, scheme: str) -> URL:
    """Return where a gateway's URL leads, without user, password and options.

    Args:
        given: as configured.
        scheme: ``http`` or ``https``.

    Raises:
        ImproperlyConfigured: no host, or a port that cannot be; the sentence holds no secret.
    """
    try:
        port = given.parts.port
    except ValueError as error:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : le port est un nombre de 1 à 65535."
        ) from error
    if not given.parts.hostname or port == 0:
        raise ImproperlyConfigured("SMS_GATEWAY_URL : il manque le nom de la machine.")
    return URL(urlunsplit((scheme, given.host, given.parts.path or "/", "", "")))


async def reach(
    client: HttpClient, method: str, url: URL, *, json: Any = None
) -> tuple[Checked, Answer | None]:
    """Say whether a peer can be reached and lets us in, as far as one harmless request shows.

    Args:
        client: opened.
        method: one that sends nothing at this address.
        url: where to; only its scheme, host and path are shown.
        json: the body, if any.

    Returns:
        what was seen, in French; and the answer, None where there was none.
    """
    started = time.monotonic()
    answer = await client.exchange(method, url, json=json)
    took = f"{(time.monotonic() - started) * 1000:.0f} ms"
    facts = [
        ("adresse", str(url.with_user(None).with_query(None))),
        (
            "TLS",
            "oui, certificat accepté" if url.scheme == "https" else "non : tout passe en clair",
        ),
    ]
    if not isinstance(answer, Answer):
        complaint = f"La passerelle ne répond pas : {answer.remark}."
        return Checked(usable=False, facts=facts[:1], complaint=complaint), None
    facts.append(("réponse", f"{answer.status} à {method}, en {took}"))
    if answer.status in (401, 403, 407):
        complaint = (
            f"La passerelle refuse l'accès (réponse {answer.status}) : vérifiez le compte et le "
            "mot de passe dans SMS_GATEWAY_URL."
        )
        return Checked(usable=False, facts=facts, complaint=complaint), answer
    if answer.status >= 500:
        complaint = f"La passerelle est en panne (réponse {answer.status})."
        return Checked(usable=False, facts=facts, complaint=complaint), answer
    return Checked(usable=True, facts=facts), answer


def is_from_the_gateway(status: int) -> bool:
    """Whether an answer that lets us not in comes from the gateway, and holds for every host.

    A redirection (a captive portal), 407 and 511 (RFC 9110, RFC 6585) come from what lies between
    this host and the gateway.
    """
    return 400 <= status < 500 and status != 407


def retry_after(headers: Mapping[str, str]) -> float:
    """Return Retry-After in seconds (RFC 9110, 10.2.3), at most ``LONGEST_WAIT``.

    A date, nonsense or nothing counts as one second.
    """
    text = headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else 1.0
