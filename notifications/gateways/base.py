"""The interface between sending and the gateways, and the options of a gateway's URL.

A gateway gives one of five answers for each message: accepted, refused, throttled, unknown or
not sent. Later it may report a receipt, or an SMS that a patient wrote.

Every gateway's URL may carry these options; they are read strictly::

    ?tps=20&mps=10&window=50&timeout=15&cap=50000&sessions=1&sender=Vivalia&hook=…&from=…&key=…
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from notifications.models import Failure, ReceiptState
from notifications.rules import Alphabet

SHORTEST_HOOK = 16
ANYWHERE = "any"


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS to submit.

    Attributes:
        reference: ours, 32 characters of hexadecimal, never used twice.
        to: E.164.
        text: in the SMS alphabet where possible (``rules.transliterate``).
        parts: how many SMS it costs (``rules.count``).
        sender: what the phone should show; empty for the gateway's own setting.
        lasts: seconds for which it is of use: after that the patient is called. None for more
            than a day, since operators refuse long validity periods.
        again: it was submitted before under this reference, and may have been accepted then.
    """

    reference: str
    to: str
    text: str
    parts: int = 1
    sender: str = ""
    lasts: int | None = None
    again: bool = field(default=False, compare=False)  # the message is the same one


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway accepted the message.

    Attributes:
        provider_id: the gateway's id for it, may be empty; of the first part of a long message.
        more_ids: the ids of the other parts, where each part has its own.
    """

    provider_id: str
    more_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway refused the message; ``permanent``: a retry is useless."""

    failure: Failure
    permanent: bool = True
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too fast: nothing was accepted; retry after so many seconds."""

    retry_after: float = 1.0


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left and no usable answer came: the message may or may not have been sent."""

    remark: str = ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The message did not reach the gateway (no connection, no access): it may be queued again.

    Attributes:
        remark: why, in French.
        retry_after: seconds to leave the gateway alone, where more tries may do harm (a locked
            account); None where it may be tried soon.
        answered: the gateway itself said so, and would say so to every host. Otherwise only this
            host may be unable to reach it.
    """

    remark: str = ""
    retry_after: float | None = None
    answered: bool = False


Result = Accepted | Refused | Throttled | Unknown | NotSent


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What a gateway reports later about a message.

    Attributes:
        state: what it reports.
        reference: ours, where the gateway gives it back.
        provider_ids: the gateway's id in every form it may have had in the answer (an SMSC
            answers in hexadecimal and reports in decimal); may be empty.
        phone: E.164 of the patient where known: ids are reused, so the phone confirms a match.
        failure: the reason, for ``failed`` and ``expired``.
        remark: the gateway's own words, at most 200 characters.
        happened_at: aware, as the gateway says; None where it does not.
        key: two receipts with the same key are the same; empty to make one from all the rest.
        temporary: it is certain that nothing left, and the reason will pass: retry later.
        in_trouble: the reason lies with the gateway itself, so the next message would fail too.
        otherwise: only the text looks like a receipt: it is this reply instead, unless it
            matches a message of ours to that phone.
    """

    state: ReceiptState
    reference: str = ""
    provider_ids: tuple[str, ...] = ()
    phone: str = ""
    failure: Failure | str = ""
    remark: str = ""
    happened_at: dt.datetime | None = None
    key: str = ""
    temporary: bool = False
    in_trouble: bool = False
    otherwise: "Inbound | None" = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """An SMS that somebody sent to us: ``phone`` is E.164 where the gateway gives the country."""

    phone: str
    text: str
    happened_at: dt.datetime | None = None
    key: str = ""


Report = ReceiptReport | Inbound
OnReport = Callable[[Report], Awaitable[None]]
"""Given to ``Gateway.open``. Returns once the report is stored and may be acknowledged."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of ours to query: ``provider_id`` of it or of one part, may be empty."""

    reference: str
    provider_id: str
    phone: str
    sender: str = ""


@dataclass(frozen=True)
class HookRequest:
    """A gateway's call to our web server, as received.

    Attributes:
        method: ``GET`` or ``POST``.
        query: of the address, without the secret.
        headers: names in lower case.
        body: as received; a signature covers exactly these bytes.
        received_at: aware.
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: dt.datetime


class HookRefused(Exception):
    """A call that is not authentic or not readable; the reason is logged, not sent back."""

    def __init__(self, why: str, *, status: int = 400) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


@dataclass(frozen=True)
class Checked:
    """Result of ``manage.py gateway check``: is it usable, and facts as (name, value)."""

    usable: bool
    facts: Sequence[tuple[str, str]] = field(default_factory=list)
    complaint: str = ""


@dataclass(frozen=True)
class Options:
    """What an operator sets for one gateway.

    Attributes:
        parts_per_second: SMS parts, over all sessions; None for as fast as it answers.
        messages_per_second: the same for messages.
        window: messages without an answer at once, for each session.
        timeout: seconds without an answer.
        parts_per_day: daily cap, for one day of the hospital; None for none.
        sessions: how many sessions may be open at once, over all hosts; 0 for any number.
        sender: what phones show, where the network allows it.
        hook: the secret part of the address that the gateway calls; empty for none.
        hook_from: networks that may call it; empty for any. Where calls are not signed either,
            the operator must ask for that with ``from=any``.
        key: what the gateway signs its calls with.
    """

    parts_per_second: float | None = None
    messages_per_second: float | None = None
    window: int = 20
    timeout: float = 15.0
    parts_per_day: int | None = None
    sessions: int = 0
    sender: str = ""
    hook: str = ""
    hook_from: tuple[IPv4Network | IPv6Network, ...] = ()
    key: str = ""

    def seconds_for(self, *, parts: int, messages: int) -> float:
        """Return how long messages take at the configured rate; 0 without one."""
        by_parts = parts / self.parts_per_second if self.parts_per_second else 0.0
        by_messages = messages / self.messages_per_second if self.messages_per_second else 0.0
        return max(by_parts, by_messages, 0.0)


_COMMON = dict.fromkeys(("tps", "mps", "window", "timeout", "cap", "sessions"), "")
_COMMON |= {"window": "20", "timeout": "15", "sessions": "0"}
_COMMON |= dict.fromkeys(("sender", "hook", "from", "key"), "")


@dataclass(frozen=True)
class GatewayUrl:
    """A gateway's URL in its parts; ``own`` are the options that only this kind knows."""

    parts: SplitResult = field(repr=False)  # with the password
    options: Options
    own: Mapping[str, str]

    @property
    def host(self) -> str:
        """Host and port, without user and password."""
        return self.parts.netloc.rpartition("@")[2]

    @property
    def user(self) -> str:
        """The user, decoded; empty for none."""
        return unquote(self.parts.username or "")

    @property
    def password(self) -> str:
        """The password, decoded; empty for none."""
        return unquote(self.parts.password or "")

    def number(self, name: str, least: int, most: int, *, unit: str = "") -> int:
        """Return an option of ``own`` as a whole number; ``unit`` is French, for the error.

        Raises:
            ImproperlyConfigured: it is not a number from ``least`` to ``most``.
        """
        text = self.own[name]
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        if not (is_number and least <= int(text) <= most):
            raise invalid_url(f"{name} est un nombre {unit}de {least} à {most}")
        return int(text)


def invalid_url(why: str) -> ImproperlyConfigured:
    """Return the error for a URL that cannot be used; ``why`` is French and holds no secret."""
    return ImproperlyConfigured(f"SMS_GATEWAY_URL : {why}.")


def parse_url(url: str, *, own: Mapping[str, str] | None = None, **defaults: str) -> GatewayUrl:
    """Return a gateway's URL in its parts.

    Args:
        url: as configured.
        own: the options of this kind of gateway, with their defaults.
        **defaults: this kind's defaults for the common options.

    Raises:
        ImproperlyConfigured: an unknown or invalid option; the sentence holds no secret.
    """
    parts = urlsplit(url)
    known = _COMMON | defaults | dict(own or {})
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(given) - set(known)):
        raise invalid_url(f"option inconnue {', '.join(unknown)}. Possibles : {', '.join(known)}")
    values = known | given
    return GatewayUrl(parts, _options(values), own={name: values[name] for name in own or {}})


def _options(values: Mapping[str, str]) -> Options:
    if values["hook"] and len(values["hook"]) < SHORTEST_HOOK:
        raise invalid_url(
            f"hook compte au moins {SHORTEST_HOOK} caractères : il tient lieu de mot de passe"
        )
    if values["hook"] and not (values["from"] or values["key"]):
        raise invalid_url(
            "hook va avec from (les adresses ou réseaux d'où la passerelle appelle) ou avec key "
            "(ce qui signe ses appels). from=any laisse appeler de partout : le secret de "
            "l'adresse est alors la seule protection"
        )
    callers = "" if values["from"] == ANYWHERE else values["from"]
    try:
        return Options(
            parts_per_second=_positive(values["tps"]) if values["tps"] else None,
            messages_per_second=_positive(values["mps"]) if values["mps"] else None,
            window=max(1, int(_positive(values["window"]))),
            timeout=_positive(values["timeout"]),
            parts_per_day=int(values["cap"]) if values["cap"] else None,
            sessions=int(values["sessions"]),
            sender=values["sender"],
            hook=values["hook"],
            hook_from=tuple(ip_network(one) for one in callers.split(",") if one),
            key=values["key"],
        )
    except ValueError as error:
        raise invalid_url(
            "tps, mps, window et timeout sont des nombres positifs, cap et sessions des nombres "
            "entiers, from des adresses ou des réseaux, ou any"
        ) from error


def _positive(text: str) -> float:
    """Return a number between 0.1 and 10,000; ValueError for any other."""
    number = float(text)
    if not 0.1 <= number <= 10_000:
        raise ValueError(text)
    return number


class Gateway:
    """A carrier of SMS. Class attributes say what a kind can do, the URL sets the options.

    Attributes:
        name: kind and host, at most 40 characters, without secrets; stored with each delivery.
        options: rate, window and the rest, from the URL.
        honours_reference: a reference that is submitted twice is sent once.
        has_receipts: it reports whether the phone got the message; until then nobody is told.
        listens: receipts come over the connection that ``open`` makes, so it stays open.
        can_query: ``query`` has answers.
        asks_by_number: ``query`` needs the gateway's own id of a message.
        batch: how many messages one call of ``submit`` takes.
        reports_one_part: of a long message only one part is ever reported (the operator's
            setting); that receipt counts for the whole message.
        alphabet: in which texts are submitted. Other characters make the text UCS-2, which rate,
            cap and cost have to know.
    """

    honours_reference = False
    has_receipts = False
    listens = False
    can_query = False
    asks_by_number = False
    batch = 1
    reports_one_part = False
    alphabet: Alphabet = "gsm7"

    def __init__(self, *, name: str, options: Options) -> None:
        self.name = name[:40]
        self.options = options

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    async def open(self, on_report: OnReport) -> None:
        """Prepare, in the running event loop; never fails: ``submit`` answers ``NotSent``.

        Args:
            on_report: await it with each report that comes over the connection.
        """

    async def close(self) -> None:
        """Close the connections."""

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Submit at most ``batch`` messages; return one answer for each, in their order.

        Called concurrently, with at most ``options.window`` messages in all. Never raises for
        what a peer does.
        """
        return [await self.submit_one(message) for message in messages]

    async def submit_one(self, message: Message) -> Result:
        """Submit one message; for a gateway whose ``batch`` is 1."""
        raise NotImplementedError

    def objection(self) -> NotSent | None:
        """Return why to send nothing for a while, though nothing was submitted; None to go on.

        For a connection that was refused in a way that more tries would make worse. Called often,
        in the event loop.
        """
        return None

    async def query(self, sent: Sequence[Sent]) -> Sequence[ReceiptReport | None]:
        """Query the state of messages; None where the gateway does not know."""
        return await asyncio.gather(*(self.query_one(one) for one in sent))

    async def query_one(self, sent: Sent) -> ReceiptReport | None:
        """Query one message."""
        return None

    async def check(self) -> Checked:
        """Try the access without sending anything; called between ``open`` and ``close``."""
        return Checked(usable=True)

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read a call of the gateway; its source and secret path were checked before.

        Raises:
            HookRefused: a wrong signature, too old, or not readable.
        """
        raise HookRefused("this gateway makes no calls", status=404)
