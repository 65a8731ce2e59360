"""``android+http://`` and ``android+https://``: a phone with a SIM, through android-sms-gateway.

The way out when the Internet is gone: the app of capcom6 (docs.sms-gate.app) on an Android phone.
``android+http://user:password@192.168.1.20:8080`` speaks to the phone itself (*local server*);
``android+https://user:password@api.sms-gate.app/3rdparty/v1?device=…`` to its cloud or to a
private server, which pass messages on to a phone. Facts below were read in the sources of the app
(``localserver/routes``, ``MessagesService``) and of the server (``handlers/messages``).

Each message is ``POST …/messages`` under our reference as its ``id``, which is unique in the
phone's own table: a second one gets 409 and is not sent, so 409 means *accepted*. On a server it
is unique for each device, and without ``deviceId`` any phone of the account may be chosen, so
there a reference is honoured only with ``device=…``. (The phone forgets ids when it clears its
log: leave its log's lifetime at a day or more.)

How an answer is read: 2xx with an id, 409: accepted. 400: by its words a bad number, or no such
device (nothing taken), or a refusal for good. 503 « queue limits exceeded », 429: too fast. Other
4xx, 3xx: not let in, nothing taken. The rest, a cut answer or silence: unknown.

Receipts are webhooks (``sms:sent``, ``sms:delivered``, ``sms:failed``, ``sms:received``), signed
with ``key=…`` (``signatures``). Of a long message **each part** is reported delivered, without a
word which part it is, and the phone's own state is *Delivered* as soon as one part is: so is ours.
A part that fails is reported as the failure of the message. Reports are told apart by the moment
in them: a webhook that is registered twice says the same twice. Without a webhook, a message is
asked about (``GET …/messages/<id>``) once its receipt is overdue. ``receipts=0`` asks the
network for none: then *accepted* counts as told.

Rate: Android asks its owner for permission after 30 parts a minute from one app (AOSP,
``SmsUsageMonitor``: DEFAULT_SMS_MAX_COUNT, DEFAULT_SMS_CHECK_PERIOD; half an hour in old ones),
and nobody is there to tap; networks stop floods too. So ``tps`` is 0.4 unless told otherwise.
``ttl`` (seconds, 3600; less where the message is of no use for so long): what the phone could
not send by then fails there, and does not leave when nobody expects it any more.
"""

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import ImproperlyConfigured
from yarl import URL

from notifications.gateways import android_check, android_reports, signatures, wire
from notifications.gateways.http_client import (
    Answer,
    HttpClient,
    address,
    is_from_the_gateway,
    retry_after,
)
from notifications.gateways.interface import (
    Accepted,
    Checked,
    Gateway,
    HookRefused,
    HookRequest,
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
from notifications.gateways.options import GatewayUrl, Options, read
from notifications.models.delivery import Failure

SCHEMES = ("android+http", "android+https")
QUEUE_SECONDS = 30.0
_LONGEST_TTL = 7 * 24 * 3600
_REFUSALS = {400, 406, 410, 413, 415, 422}
_BAD_DEVICE = ("device", "record not found", "more than one record")


class AndroidGateway(Gateway):
    """One POST per message; few at a time, a phone is a small server."""

    can_query = True

    def __init__(
        self, *, name: str, options: Options, url: URL, headers: Mapping[str, str], ttl: int
    ) -> None:
        super().__init__(name=name, options=options)
        self._url = url
        self._client = HttpClient(options, headers=headers)
        self._ttl = ttl
        self.device = ""
        self.sim = 0

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
        content: dict[str, Any] = {
            "id": message.reference,
            "textMessage": {"text": message.text},
            "phoneNumbers": [message.to],
            "withDeliveryReport": self.has_receipts,
            "ttl": min(self._ttl, message.lasts or self._ttl),
        }
        if self.sim:
            content["simNumber"] = self.sim
        if self.device:
            content["deviceId"] = self.device
        answer = await self._client.exchange("POST", self._url / "messages", json=content)
        if isinstance(answer, Answer):
            return read_answer(answer.status, answer.headers, answer.body, message.reference)
        return answer

    async def query(self, sent: Sequence[Sent]) -> Sequence[Receipt | None]:
        """Ask for each message by its reference, which is its id there too."""
        return await asyncio.gather(*(self._ask(one) for one in sent))

    async def _ask(self, sent: Sent) -> Receipt | None:
        answer = await self._client.exchange("GET", self._url / "messages" / sent.reference)
        if not isinstance(answer, Answer) or answer.status != 200:
            return None
        return android_reports.receipt_in_answer(wire.fields_of(wire.json_of(answer.body)), sent)

    async def check(self) -> Checked:
        """Ask for the phone, its SIM cards, its battery and its webhooks."""
        return await android_check.look(
            self._client,
            self._url,
            is_local=_is_local(self._url),
            device=self.device,
            sim=self.sim,
            hook=self.options.hook,
        )

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read one event; what is no word about a message is read as nothing.

        Raises:
            HookRefused: not signed, or no event of this app.
        """
        if self.options.key:
            signatures.verify(request, key=self.options.key)
        said = wire.fields_of(wire.json_of(request.body))
        event = said.get("event")
        if request.method != "POST" or not isinstance(event, str):
            raise HookRefused("no event")
        return android_reports.reports_in(event, wire.fields_of(said.get("payload")))


def read_answer(status: int, headers: Mapping[str, str], body: bytes, reference: str) -> Result:
    """Return what an answer to a submission means; the table is in this module's first lines.

    Args:
        status: of HTTP.
        headers: at least Retry-After, when there is one.
        body: as received, possibly garbage.
        reference: what was submitted.
    """
    said = wire.fields_of(wire.json_of(body))
    words = wire.word(said.get("message"), wire.LONGEST_REMARK)
    if 200 <= status < 300:
        number = wire.word(said.get("id"), wire.LONGEST_ID)
        return Accepted(number) if number else Unknown(f"réponse {status} sans numéro")
    if status == 409:
        return Accepted(reference)
    if status == 429 or (status == 503 and _is_about_the_queue(said)):
        return Throttled(retry_after(headers) if "Retry-After" in headers else QUEUE_SECONDS)
    if status in _REFUSALS:
        return _refusal(status, words)
    if 300 <= status < 500 and status != 408:
        remark = f"l'opérateur répond {status} : vérifiez son adresse et l'accès"
        return NotSent(remark, answered=is_from_the_gateway(status))
    return Unknown(f"l'opérateur répond {status}")


def _is_about_the_queue(said: Mapping[str, Any]) -> bool:
    return "queue" in f"{said.get('error')} {said.get('message')}".lower()


def _refusal(status: int, words: str) -> Result:
    remark = f"réponse {status} {words}".strip()[: wire.LONGEST_REMARK]
    if "phone" in words.lower():
        return Refused(Failure.INVALID_NUMBER, remark=remark)
    if any(word in words.lower() for word in _BAD_DEVICE):
        return NotSent(f"pas de téléphone : {remark}"[: wire.LONGEST_REMARK], answered=True)
    return Refused(Failure.REJECTED, remark=remark)


def from_url(url: str) -> AndroidGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: no account, an unknown or senseless option; the sentence holds no
            secret.
    """
    own = {"device": "", "sim": "0", "ttl": "3600", "receipts": "1"}
    given = read(url, own=own, tps="0.4", window="4")
    sim, ttl = _numbers(given.own)
    where = address(given, given.parts.scheme.removeprefix("android+"))
    gateway = AndroidGateway(
        name=_name_of(given, sim),
        options=given.options,
        url=where,
        headers={"Authorization": _authorization(given)},
        ttl=ttl,
    )
    gateway.device, gateway.sim = given.own["device"], sim
    gateway.has_receipts = given.own["receipts"] != "0"
    gateway.honours_reference = _is_local(where) or bool(gateway.device)
    return gateway


def _is_local(url: URL) -> bool:
    """Whether the phone itself answers: its API is at the root, that of servers is not."""
    return url.path == "/"


def _name_of(given: GatewayUrl, sim: int) -> str:
    """Two phones of one account, and two SIM cards of one phone, are two gateways."""
    which = f" {given.own['device'][:6]}" if given.own["device"] else ""
    which += f" SIM{sim}" if sim else ""
    return f"android {given.host}"[: 40 - len(which)] + which


def _numbers(own: Mapping[str, str]) -> tuple[int, int]:
    if own["sim"] in ("0", "1", "2", "3") and own["ttl"].isascii() and own["ttl"].isdigit():
        ttl = int(own["ttl"][:9])
        if 60 <= ttl <= _LONGEST_TTL:
            return int(own["sim"]), ttl
    raise ImproperlyConfigured(
        "SMS_GATEWAY_URL : sim vaut 1, 2 ou 3, et ttl un nombre de secondes d'une minute à une "
        "semaine pour android."
    )


def _authorization(given: GatewayUrl) -> str:
    user, password = given.parts.username, given.parts.password
    if not user or not password:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : android demande le nom et le mot de passe que l'application montre."
        )
    return f"Basic {b64encode(f'{unquote(user)}:{unquote(password)}'.encode()).decode()}"
