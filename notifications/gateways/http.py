"""What all HTTP carriers share: the base class, and the reading of calls to our hook.

A failure to find the host, to connect or to agree on TLS came before the request: nothing left
(``NotSent``). After any later failure the request may have left (``Unknown``). No request is
ever retried automatically: aiohttp repeats an idempotent method once when a kept connection
turns out to be closed (RFC 9112, section 9.3.1; ``ClientSession._request``), and on an SMS
gateway a GET is not idempotent, whatever its name says.

Calls to our hook may hold anything: the ``as_…`` functions never raise, and return values of the
right type that fit their database columns.
"""

import datetime as dt
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self
from urllib.parse import urlunsplit

import aiohttp
from yarl import URL

from notifications.gateways.base import (
    Checked,
    Gateway,
    GatewayUrl,
    HookRefused,
    HookRequest,
    Inbound,
    Message,
    NotSent,
    OnReport,
    ReceiptReport,
    Report,
    Result,
    Sent,
    Throttled,
    Unknown,
    invalid_url,
    parse_url,
)
from notifications.models import ReceiptState

CONNECT_SECONDS = 5.0
LONGEST_ANSWER = 64 * 1024
LONGEST_WAIT = 300.0
# Shorter than the idle time after which common servers close (gunicorn 2 s, Node.js 5 s): a
# request that meets a closing connection would be unknown, and its patient called.
KEEP_SECONDS = 1.5
MOST_REPORTS = 1000

LONGEST_ID = 100
LONGEST_REFERENCE = 32
LONGEST_REMARK = 200
LONGEST_PHONE = 20
LONGEST_KEY = 64
LONGEST_TEXT = 2000
_YEARS = range(2000, 2100)

OLDEST_SECONDS = 5 * 60
AHEAD_SECONDS = 60

_Next = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
Request = tuple[str, URL, Any]
"""Method, URL and JSON body; None for no body."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer: whole, or its first ``LONGEST_ANSWER`` bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def fields(self) -> dict[str, Any]:
        """Return the fields of the JSON object in its body; none where there is none."""
        return as_object(json_of(self.body))


class _ClosedBeforeAnswer(aiohttp.ClientError):
    """Replaces the errors after which aiohttp would repeat the request."""


async def _once(request: aiohttp.ClientRequest, send: _Next) -> aiohttp.ClientResponse:
    try:
        return await send(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ClosedBeforeAnswer from error


async def _read_start(content: aiohttp.StreamReader) -> bytes:
    """Read to the end or to the limit; one ``read`` returns only what has arrived."""
    body = b""
    while len(body) < LONGEST_ANSWER and (chunk := await content.read(LONGEST_ANSWER - len(body))):
        body += chunk
    return body


def _reason(error: Exception) -> str:
    """Name an error without its message, which may hold an address with a password."""
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


def _address(given: GatewayUrl) -> URL:
    """Return the ``http`` or ``https`` URL of a gateway, without user, password and options.

    Raises:
        ImproperlyConfigured: no host, or an invalid port; the sentence holds no secret.
    """
    try:
        port = given.parts.port
    except ValueError as error:
        raise invalid_url("le port est un nombre de 1 à 65535") from error
    if not given.parts.hostname or port == 0:
        raise invalid_url("il manque le nom de la machine")
    scheme = "https" if "https" in given.parts.scheme else "http"
    return URL(urlunsplit((scheme, given.host, given.parts.path or "/", "", "")))


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of basic authentication (RFC 7617)."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def read_status(
    answer: HttpAnswer, *, carrier: str = "l'opérateur", remark: str = "", but: str = ""
) -> Result:
    """Return what a status means by itself (RFC 9110), where the body says nothing more.

    429, and 503 with Retry-After: throttled. 3xx and 4xx: no access, nothing was accepted.
    Everything else: unknown, since the message may be on its way.

    Args:
        answer: as received.
        carrier: who answered, for the remark.
        remark: of ``NotSent``, instead of "check address and access".
        but: added to the remark of ``Unknown``.
    """
    status = answer.status
    if status == 429 or (status == 503 and "Retry-After" in answer.headers):
        return Throttled(retry_after(answer.headers))
    if 300 <= status < 500:
        remark = remark or f"{carrier} répond {status} : vérifiez son adresse et l'accès"
        # A redirection (a captive portal) and 407 (RFC 9110) come from what lies between this
        # host and the gateway: they do not hold for every host.
        return NotSent(remark, answered=status >= 400 and status != 407)
    return Unknown(f"{carrier} répond {status}{but}")


def retry_after(headers: Mapping[str, str]) -> float:
    """Return Retry-After in seconds (RFC 9110, 10.2.3), at most ``LONGEST_WAIT``.

    A date, nonsense or nothing counts as one second.
    """
    text = headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else 1.0


def json_of(body: bytes) -> Any:
    """Return the JSON value in a body; None where there is none."""
    try:
        return json.loads(body.decode())  # half the time of guessing the encoding
    except (ValueError, RecursionError):
        return None


def as_object(value: Any) -> dict[str, Any]:
    """Return a JSON object's fields; none where it is not an object."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a JSON list; none where it is not a list."""
    return [as_object(one) for one in value] if isinstance(value, list) else []


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, and any other value as a list of one."""
    return value if isinstance(value, list) else [value]


def as_text(value: Any, longest: int) -> str:
    """Return a string or a whole number as text that a database accepts, cut to a length."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).replace("\x00", "").encode(errors="ignore").decode()
    return text.strip()[:longest].rstrip()


def as_id(value: Any) -> str:
    """Return a gateway's id for a message as text."""
    return as_text(value, LONGEST_ID)


def as_remark(value: Any) -> str:
    """Return a gateway's words as text."""
    return as_text(value, LONGEST_REMARK)


def as_reference(value: Any) -> str:
    """Return a reference that may be one of ours; empty for one that cannot be."""
    text = as_text(value, LONGEST_REFERENCE + 1)
    return text if text.isascii() and text.isalnum() and len(text) <= LONGEST_REFERENCE else ""


def as_phone(value: Any) -> str:
    """Return a phone in E.164 where the gateway wrote it with its country, else unchanged.

    ``0032470…``, ``+32 470…`` and ``32470…`` are the same.
    """
    text = as_text(value, 2 * LONGEST_PHONE)
    digits = text.translate(str.maketrans("", "", " -./()"))
    plain = digits.removeprefix("+")
    if plain.isascii() and plain.isdigit():
        if plain.startswith("00"):
            return f"+{plain[2:]}"[:LONGEST_PHONE]
        if digits.startswith("+") or (len(plain) >= 9 and not plain.startswith("0")):
            return f"+{plain}"[:LONGEST_PHONE]
    return text[:LONGEST_PHONE].rstrip()


def as_moment(value: Any) -> dt.datetime | None:
    """Return a moment written as ISO 8601; one without an offset is UTC."""
    if not isinstance(value, str):
        return None
    try:
        read = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if read.year not in _YEARS:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def as_key(value: Any) -> str:
    """Return a gateway's own id for a report as a key; empty where it has none."""
    text = as_text(value, LONGEST_TEXT)
    return text if len(text) <= LONGEST_KEY else sha256(text.encode()).hexdigest()


def read_receipt(
    state: ReceiptState, *, reference: Any, number: Any = None, **trusted: Any
) -> ReceiptReport | None:
    """Return a receipt; None where it has neither our reference nor the gateway's id."""
    reference, number = as_reference(reference), as_id(number)
    if not reference and not number:
        return None
    ids = (number,) if number else ()
    return ReceiptReport(state, reference=reference, provider_ids=ids, **trusted)


def read_reply(
    phone: Any, text: Any, *, happened_at: dt.datetime | None, key: str = ""
) -> Inbound | None:
    """Return an SMS that a patient sent; None where phone or text is missing."""
    phone, text = as_phone(phone), as_text(text, LONGEST_TEXT)
    if not phone or not text:
        return None
    return Inbound(phone=phone, text=text, happened_at=happened_at, key=key)


def sign(body: bytes, timestamp: str, *, key: str) -> str:
    """Return the signature of a body sent at a time, in hexadecimal.

    As android-sms-gateway signs its webhooks (docs.sms-gate.app, webhooks, payload signing):
    HMAC-SHA256, under the shared key, of the raw body followed by the timestamp.
    """
    return hmac.new(key.encode(), body + timestamp.encode(), "sha256").hexdigest()


class HttpGateway(Gateway):
    """A carrier over HTTP, up to ``window`` requests at a time over kept connections.

    A subclass implements ``request`` and ``read``; for the check ``probe`` and ``inspect``; where
    it can do more, ``query_url`` and ``read_query``, ``receipt_of`` and ``reply_of``.

    Attributes:
        kind: the first word of its name.
        carrier: how it is called in French sentences.
        own_options: the options that only this kind knows, with their defaults.
        defaults: this kind's defaults for the common options.
        signs_calls: with ``key=…`` each call to our hook is signed.
        hook_method: of the calls to our hook; empty for any.
    """

    kind: str
    carrier = "l'opérateur"
    own_options: Mapping[str, str] = {}
    defaults: Mapping[str, str] = {}
    signs_calls = False
    hook_method = "POST"

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Return the gateway that the URL describes.

        Raises:
            ImproperlyConfigured: an unknown or invalid option; the sentence holds no secret.
        """
        given = parse_url(url, own=cls.own_options, **cls.defaults)
        if given.options.key and not cls.signs_calls:
            raise invalid_url(
                f"{cls.carrier} ne signe pas ses appels, key n'y sert à rien : utilisez hook et "
                "from"
            )
        return cls(given)

    def __init__(self, given: GatewayUrl) -> None:
        super().__init__(name=f"{self.kind} {given.host}", options=given.options)
        self.url = _address(given)
        self._headers = {"Accept-Encoding": "identity", **self.headers(given)}
        self._session: aiohttp.ClientSession | None = None

    def headers(self, given: GatewayUrl) -> Mapping[str, str]:
        """Return the headers of each request, with the authentication if it is there."""
        return {}

    async def open(self, on_report: OnReport) -> None:
        """Prepare the connections, which all messages share; does not connect yet."""
        seconds = self.options.timeout
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            # Connecting, with the name lookup, times out well before the whole: after that
            # time-out it is known that nothing left. No timer for each read: they cost a tenth of
            # the client's time.
            timeout=aiohttp.ClientTimeout(
                total=seconds, connect=min(CONNECT_SECONDS, seconds / 2), sock_connect=None
            ),
            connector=aiohttp.TCPConnector(
                limit=self.options.window, keepalive_timeout=KEEP_SECONDS
            ),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def exchange(
        self, method: str, url: URL, json: Any = None
    ) -> HttpAnswer | NotSent | Unknown:
        """Send one request, once; redirections are not followed.

        Returns:
            the answer, or what is certain without one. Remarks name no secret.
        """
        assert self._session, "open() first"  # noqa: S101  # a programmer's mistake
        try:
            async with self._session.request(
                method,
                url,
                json=json,
                allow_redirects=False,
                middlewares=() if method == "POST" else (_once,),
            ) as answer:
                body = await _read_start(answer.content)
                return HttpAnswer(answer.status, answer.headers, body)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ) as error:
            return NotSent(f"pas de connexion ({_reason(error)})")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Unknown(f"pas de réponse ({_reason(error)})")

    async def submit_one(self, message: Message) -> Result:
        answer = await self.exchange(*self.request(message))
        return self.read(answer, message) if isinstance(answer, HttpAnswer) else answer

    def request(self, message: Message) -> Request:
        """Return the request that submits one message."""
        raise NotImplementedError

    def read(self, answer: HttpAnswer, message: Message) -> Result:
        """Return what an answer means; it may hold anything."""
        raise NotImplementedError

    async def query_one(self, sent: Sent) -> ReceiptReport | None:
        """Query one message by its reference."""
        if not self.can_query:
            return None
        answer = await self.exchange("GET", self.query_url(sent.reference))
        if not isinstance(answer, HttpAnswer) or answer.status != 200:
            return None
        return self.read_query(answer.fields(), sent)

    def query_url(self, reference: str) -> URL:
        """Return where to query a message."""
        return self.url / reference

    def read_query(self, said: Mapping[str, Any], sent: Sent) -> ReceiptReport | None:
        """Return what the answer to a query means; None where it says nothing new."""
        return None

    def probe(self) -> Request:
        """Return a request that sends no SMS, for ``check``."""
        return "OPTIONS", self.url, None

    async def check(self) -> Checked:
        """Send ``probe``, and inspect its answer."""
        method, url, body = self.probe()
        started = time.monotonic()
        answer = await self.exchange(method, url, body)
        took = f"{(time.monotonic() - started) * 1000:.0f} ms"
        tls = "oui, certificat accepté" if url.scheme == "https" else "non : tout passe en clair"
        facts = [("adresse", str(url.with_user(None).with_query(None)))]
        if not isinstance(answer, HttpAnswer):
            complaint = f"La passerelle ne répond pas : {answer.remark}."
            return Checked(usable=False, facts=facts, complaint=complaint)
        facts += [("TLS", tls), ("réponse", f"{answer.status} à {method}, en {took}")]
        if answer.status in (401, 403, 407):
            complaint = (
                f"La passerelle refuse l'accès (réponse {answer.status}) : vérifiez le compte et "
                "le mot de passe dans SMS_GATEWAY_URL."
            )
        elif answer.status >= 500:
            complaint = f"La passerelle est en panne (réponse {answer.status})."
        else:
            more, complaint = await self.inspect(answer)
            facts += more
        return Checked(usable=not complaint, facts=facts, complaint=complaint)

    async def inspect(self, answer: HttpAnswer) -> tuple[list[tuple[str, str]], str]:
        """Return facts and a complaint, in French, from the answer to ``probe``."""
        return [], ""

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read receipts and patients' SMS; what cannot be read is left out.

        Raises:
            HookRefused: not signed, wrong method, more than 1,000 reports, or none readable.
        """
        self.verify(request)
        items = self.items_in(request)
        if len(items) > MOST_REPORTS:
            raise HookRefused(f"more than {MOST_REPORTS} reports")
        reports = [
            report
            for said in map(as_object, items)
            if (report := self.receipt_of(said) if "status" in said else self.reply_of(said))
        ]
        if not reports:
            raise HookRefused("nothing in it that can be read")
        return reports

    def verify(self, request: HookRequest) -> None:
        """Refuse a call with the wrong method, and with ``key=…`` one that is not signed now.

        ``X-Signature`` is that of ``sign``, ``X-Timestamp`` is Unix seconds.

        Raises:
            HookRefused: 401 without a correct signature; 403 when signed more than 5 minutes ago
                or more than a minute ahead of our clock, which is a replay or a wrong clock.
        """
        if self.options.key:
            given = request.headers.get("x-signature", "").strip().lower()
            timestamp = request.headers.get("x-timestamp", "").strip()
            if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
                raise HookRefused("no time of signing", status=401)
            right = sign(request.body, timestamp, key=self.options.key)
            if not hmac.compare_digest(right.encode(), given.encode(errors="replace")):
                raise HookRefused("wrong signature", status=401)
            age = request.received_at.timestamp() - int(timestamp)
            if not -AHEAD_SECONDS <= age <= OLDEST_SECONDS:
                raise HookRefused(f"signed {age:.0f} seconds ago", status=403)
        if self.hook_method not in ("", request.method):
            raise HookRefused(f"not a {self.hook_method}")

    def items_in(self, request: HookRequest) -> list[Any]:
        """Return the items of a call: those of a JSON list, or the one JSON object."""
        return as_list(json_of(request.body))

    def receipt_of(self, said: Mapping[str, Any]) -> ReceiptReport | None:
        """Return the receipt in an item; None where it cannot be read."""
        return None

    def reply_of(self, said: Mapping[str, Any]) -> Inbound | None:
        """Return the patient's SMS in an item; None where it cannot be read."""
        return None
