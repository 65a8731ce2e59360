"""``http+json://`` and ``https+json://``: any gateway that takes one JSON POST per message.

``https+json://user:password@sms.example.org/send?idempotent=1&query=1&tps=20`` posts
``{"to", "text", "reference"}`` (and ``"from"``, where a sender is set) to
``https://sms.example.org/send`` and expects a 2xx with ``{"id"}``. An empty user makes the
password a bearer token. ``idempotent=1`` says that the peer sends a reference once, however
often it is submitted; ``tps`` is parts per second, ``timeout`` seconds for a whole answer.

How an answer is read (RFC 9110): 2xx with an id: accepted. 400, 409, 410, 413, 422: refused,
for good unless the answer says ``{"temporary": true}``; ``{"error"}`` may name a ``Failure``.
But 409 (Conflict) or 208 (Already Reported, RFC 5842) to a reference that is submitted **again**
with ``idempotent=1`` says that the peer has it since the first time: accepted.
429, and 503 with Retry-After: too fast. Other 4xx and 3xx: we are not let in, nothing was
taken. Everything else, a cut answer or silence: unknown, since the message may be on its way.

``receipts=1`` (with ``hook=…``, and ``key=…`` or ``from=…``) says that the peer calls our hook
with what became of each message, by POST of one JSON object or a list of at most 1,000::

    {"reference": "…", "id": "…", "status": "delivered|failed|expired|on_its_way",
     "error": "a Failure, or the peer's own words", "at": "2022-05-15T18:30:00Z"}
    {"from": "+32…", "text": "STOP", "id": "…", "at": "…"}

A receipt needs ``status`` and one of ``reference`` and ``id``; the second form is an SMS that
a patient sent. What cannot be read is left out, and a call of which nothing can be read is
refused. With ``key=…`` each call must be signed (``signatures``).

``query=1`` says that ``GET <url>/<reference>`` answers with the first form, or 404.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import ImproperlyConfigured
from yarl import URL

from notifications.gateways import signatures, wire
from notifications.gateways.http_client import (
    Answer,
    HttpClient,
    address,
    is_from_the_gateway,
    reach,
    retry_after,
)
from notifications.gateways.interface import (
    Accepted,
    Checked,
    Gateway,
    HookRefused,
    HookRequest,
    Inbound,
    Message,
    NotSent,
    OnReport,
    Receipt,
    Refused,
    Report,
    Result,
    Sent,
    Throttled,
    Unknown,
)
from notifications.gateways.options import Options, read
from notifications.models.delivery import Failure
from notifications.models.receipt import ReceiptState

SCHEMES = ("http+json", "https+json")
MOST_REPORTS = 1000
NO_REFERENCE = "0" * 32
_REFUSALS = {400, 409, 410, 413, 422}
_HAS_IT = {208, 409}


class HttpJsonGateway(Gateway):
    """One POST per message, up to ``window`` at a time over kept connections."""

    def __init__(
        self, *, name: str, options: Options, url: URL, headers: Mapping[str, str]
    ) -> None:
        super().__init__(name=name, options=options)
        self._url = url
        self._client = HttpClient(options, headers=headers)

    async def open(self, on_report: OnReport) -> None:
        """Open the session whose connections are shared by all messages."""
        await self._client.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Post the one message."""
        return [await self._post(message) for message in messages]

    async def _post(self, message: Message) -> Result:
        content = {"to": message.to, "text": message.text, "reference": message.reference}
        if sender := message.sender or self.options.sender:
            content["from"] = sender
        answer = await self._client.exchange("POST", self._url, json=content)
        if isinstance(answer, Answer):
            again = message.again and self.honours_reference
            return read_answer(answer.status, answer.headers, answer.body, again=again)
        return answer

    async def query(self, sent: Sequence[Sent]) -> Sequence[Receipt | None]:
        """Ask for each message by its reference."""
        return await asyncio.gather(*(self._ask(one) for one in sent))

    async def _ask(self, sent: Sent) -> Receipt | None:
        if not self.can_query:
            return None
        answer = await self._client.exchange("GET", self._url / sent.reference)
        if not isinstance(answer, Answer) or answer.status != 200:
            return None
        said = wire.fields_of(wire.json_of(answer.body))
        if said.get("reference", sent.reference) != sent.reference:
            return None
        return _receipt({**said, "reference": sent.reference})

    async def check(self) -> Checked:
        """Ask for what sends nothing: a message that does not exist, or OPTIONS."""
        if self.can_query:
            checked, answer = await reach(self._client, "GET", self._url / NO_REFERENCE)
            known = answer is not None and answer.status in (200, 404)
        else:
            checked, answer = await reach(self._client, "OPTIONS", self._url)
            known = False
        if checked.usable:
            says = "accepté" if known else "ne se vérifie pas sans envoyer de SMS"
            return Checked(usable=True, facts=[*checked.facts, ("accès", says)])
        return checked

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read receipts and patients' SMS; the formats are in this module's first lines.

        Raises:
            HookRefused: not signed, not a POST of at most 1,000 reports, or nothing in it.
        """
        if self.options.key:
            signatures.verify(request, key=self.options.key)
        said = wire.json_of(request.body)
        items = said if isinstance(said, list) else [said]
        if request.method != "POST" or len(items) > MOST_REPORTS:
            raise HookRefused(f"not a POST of at most {MOST_REPORTS} reports")
        reports = [report for item in items if (report := _report(wire.fields_of(item)))]
        if not reports:
            raise HookRefused("nothing in it that can be read")
        return reports


def _report(said: Mapping[str, Any]) -> Report | None:
    return _receipt(said) if "status" in said else _inbound(said)


def _receipt(said: Mapping[str, Any]) -> Receipt | None:
    reference = wire.reference(said.get("reference"))
    number = wire.word(said.get("id"), wire.LONGEST_ID)
    state = said.get("status")
    if state not in ReceiptState.values or not (reference or number):
        return None
    error = wire.word(said.get("error"), wire.LONGEST_REMARK)
    failure: Failure | str = ""
    if state in (ReceiptState.FAILED, ReceiptState.EXPIRED):
        otherwise = Failure.REJECTED if state == ReceiptState.FAILED else Failure.EXPIRED
        failure = Failure(error) if error in Failure.values else otherwise
    return Receipt(
        state=ReceiptState(state),
        reference=reference,
        provider_ids=(number,) if number else (),
        failure=failure,
        remark=error,
        happened_at=wire.moment(said.get("at")),
    )


def _inbound(said: Mapping[str, Any]) -> Inbound | None:
    phone = wire.phone(said.get("from"))
    text = wire.word(said.get("text"), wire.LONGEST_TEXT)
    if not phone or not text:
        return None
    return Inbound(
        phone=phone,
        text=text,
        happened_at=wire.moment(said.get("at")),
        key=wire.key(said.get("id")),
    )


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, again: bool = False
) -> Result:
    """Return what an answer means; the table is in this module's first lines.

    Args:
        status: of HTTP.
        headers: at least Retry-After, when there is one.
        body: as received, possibly garbage.
        again: the reference was submitted before, to a peer that sends it once.
    """
    said = wire.fields_of(wire.json_of(body))
    if again and status in _HAS_IT:
        return Accepted(wire.word(said.get("id"), wire.LONGEST_ID))
    if 200 <= status < 300:
        number = wire.word(said.get("id"), wire.LONGEST_ID)
        return Accepted(number) if number else Unknown(f"réponse {status} sans numéro")
    if status == 429 or (status == 503 and "Retry-After" in headers):
        return Throttled(retry_after(headers))
    if status in _REFUSALS:
        return _refusal(status, said)
    if 300 <= status < 500:
        remark = f"l'opérateur répond {status} : vérifiez son adresse et l'accès"
        return NotSent(remark, answered=is_from_the_gateway(status))
    return Unknown(f"l'opérateur répond {status}")


def _refusal(status: int, said: Mapping[str, Any]) -> Refused:
    error = wire.word(said.get("error"), wire.LONGEST_REMARK)
    failure = Failure(error) if error in Failure.values else Failure.REJECTED
    remark = f"réponse {status} {error}".strip()[: wire.LONGEST_REMARK]
    return Refused(failure, permanent=said.get("temporary") is not True, remark=remark)


def from_url(url: str) -> HttpJsonGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: an unknown or senseless option; the sentence holds no secret.
    """
    given = read(url, own={"idempotent": "0", "receipts": "0", "query": "0"})
    gateway = HttpJsonGateway(
        name=f"http+json {given.host}",
        options=given.options,
        url=address(given, given.parts.scheme.removesuffix("+json")),
        headers=_authorization(given.parts.username, given.parts.password),
    )
    gateway.honours_reference = given.own["idempotent"] == "1"
    gateway.has_receipts = given.own["receipts"] == "1"
    gateway.can_query = given.own["query"] == "1"
    if gateway.has_receipts and not given.options.hook:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : receipts=1 demande hook=… : sans adresse à appeler, aucun accusé "
            "n'arriverait et chaque patient serait rappelé."
        )
    return gateway


def _authorization(user: str | None, password: str | None) -> dict[str, str]:
    if password is None:
        return {}
    if not user:
        return {"Authorization": f"Bearer {unquote(password)}"}
    basic = b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
    return {"Authorization": f"Basic {basic}"}
