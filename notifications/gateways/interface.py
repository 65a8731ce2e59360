"""What dispatch and a gateway say to each other.

A gateway answers for each message with what is certain: taken, refused, too fast, unknown, or
never sent. Later it may report what became of it (a receipt), or what a patient wrote back.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from notifications.gateways.options import Options
from notifications.models.delivery import Failure
from notifications.models.receipt import ReceiptState
from notifications.sms_text import Alphabet


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS to submit.

    Attributes:
        reference: ours, 32 characters of hexadecimal, unique for ever.
        to: E.164.
        text: in the SMS alphabet as far as it goes (``sms_text.transliterate``).
        parts: what it costs (``sms_text.count``).
        sender: what the phone should show; empty for what the gateway is set to.
        lasts: seconds for which it is of use; who gets it later was called instead. None where
            that is longer than a day: operators refuse long ones.
        again: it was submitted before under this reference, and may have been taken then.
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
    """The gateway took it.

    Attributes:
        provider_id: its own number for it, may be empty; of the first part of a long message.
        more_ids: the numbers of the other parts, where each has its own.
    """

    provider_id: str
    more_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway took it not, and says why; ``permanent``: asking again is useless."""

    failure: Failure
    permanent: bool = True
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too fast: nothing was taken; ask again after so many seconds."""

    retry_after: float = 1.0


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left and no usable answer came: it may or may not have been sent."""

    remark: str = ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The message did not reach the gateway (no connection, no access): it may be queued again.

    ``retry_after``: leave the gateway alone for so many seconds, where it may take offence at
    more tries; None where it may be tried soon. ``answered``: the gateway itself said so, and
    would say so to every host; otherwise this host alone may have no way to it.
    """

    remark: str = ""
    retry_after: float | None = None
    answered: bool = False


Result = Accepted | Refused | Throttled | Unknown | NotSent


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a gateway says later of a message.

    Attributes:
        state: what it says.
        reference: ours, when the gateway gives it back.
        provider_ids: the gateway's number in every form it may have had in the answer (an SMSC
            answers in hexadecimal and reports in decimal); may be empty.
        phone: E.164 of the patient where it is known: numbers are reused and need a witness.
        failure: why not, for ``failed`` and ``expired``.
        remark: the gateway's own words, at most 200 characters.
        happened_at: aware, as the gateway says; None where it does not.
        key: what makes two receipts the same one; empty to have it made of all the rest.
        temporary: it is certain that nothing left, and the reason will pass: try again later.
        in_trouble: the reason lies with the gateway itself, so the next message would fail too.
        otherwise: nothing but its text says that it is a receipt: it is this reply instead, unless
            it speaks of a message of ours to that very phone.
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
    """An SMS that somebody sent to us: ``phone`` is E.164 as far as the gateway knows."""

    phone: str
    text: str
    happened_at: dt.datetime | None = None
    key: str = ""


Report = Receipt | Inbound
OnReport = Callable[[Report], Awaitable[None]]
"""Given to ``Gateway.open``; returns once the report is stored, and may then be acknowledged."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of ours to ask a gateway about.

    Attributes:
        reference: ours.
        provider_id: the gateway's number for it, or for one part of it; may be empty.
        phone: E.164.
        sender: as in ``Message``.
    """

    reference: str
    provider_id: str
    phone: str
    sender: str = ""


@dataclass(frozen=True)
class HookRequest:
    """A call of a gateway to our web server, as it came.

    Attributes:
        method: ``GET`` or ``POST``.
        query: of the address, without the secret.
        headers: names in lower case.
        body: as received; its signature is made over exactly this.
        received_at: aware.
    """

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    received_at: dt.datetime


class HookRefused(Exception):
    """A call that cannot be believed or read; the words go to the log, not to the caller."""

    def __init__(self, why: str, *, status: int = 400) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


@dataclass(frozen=True)
class Checked:
    """What ``manage.py gateway check`` shows: may it be used, and facts as (name, value)."""

    usable: bool
    facts: Sequence[tuple[str, str]] = field(default_factory=list)
    complaint: str = ""


class Gateway(ABC):
    """A carrier of SMS. What a kind can do is said in its class, what one is set to in its URL.

    Attributes:
        name: kind and host, at most 40 characters, without secrets; kept with each delivery.
        options: rate, window and the rest, from the URL.
        honours_reference: a reference submitted twice is sent once.
        has_receipts: it says later whether the phone got the message; until then nobody is told.
        listens: receipts come over the connection that ``open`` makes, so somebody has to stay
            connected; only so many may (``options.sessions``).
        can_query: ``query`` has answers.
        asks_by_number: … but only about what has a number of the gateway's own.
        batch: how many messages one call of ``submit`` takes.
        reports_one_part: of a long message it reports one part only, says the operator: that one
            is the message.
        alphabet: in which texts are submitted; what it does not hold goes out as UCS-2, which
            rate, cap and cost have to know.
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

    async def open(self, on_report: OnReport) -> None:  # noqa: B027  # not all have connections
        """Make ready, in the running event loop; never fails: ``submit`` says ``NotSent``.

        Args:
            on_report: await it with each report that comes over the connection.
        """

    async def close(self) -> None:  # noqa: B027  # the same
        """Let go of connections."""

    @abstractmethod
    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Submit at most ``batch`` messages; return one answer for each, in their order.

        Called many times beside each other, with at most ``options.window`` messages in all.
        Never raises for what a peer does.
        """

    def objection(self) -> NotSent | None:
        """Return why to leave the gateway alone for a while, though nothing was submitted.

        For a connection that was refused in a way that more tries would make worse. Asked from
        another thread, and often.
        """
        return None

    async def query(self, sent: Sequence[Sent]) -> Sequence[Receipt | None]:
        """Ask what became of messages; None where the gateway cannot say."""
        return [None] * len(sent)

    async def check(self) -> Checked:
        """Try the access without sending anything; called between ``open`` and ``close``."""
        return Checked(usable=True)

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read a call of the gateway; its source and secret path were checked before.

        Raises:
            HookRefused: a wrong signature, too old, or not to be understood.
        """
        raise HookRefused("this gateway makes no calls", status=404)
