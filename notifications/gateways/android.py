"""``android+http://`` and ``android+https://``: a phone with a SIM, through android-sms-gateway.

For the day when the Internet is gone: the app of capcom6 (docs.sms-gate.app) on an Android phone.
``android+http://user:password@192.168.1.20:8080`` speaks to the phone itself (*local server*);
``android+https://user:password@api.sms-gate.app/3rdparty/v1?device=…`` to its cloud or to a
private server, which pass messages on to a phone. Facts below were read in the sources of the app
(``localserver/routes``, ``MessagesService``, ``SmsEventPayload``, ``ProcessingState``) and of the
server (``handlers/messages``).

Each message is ``POST …/messages`` under our reference as its ``id``, which is unique in the
phone's own table: a second one gets 409 and is not sent, so 409 means *accepted*. On a server it
is unique for each device, and without ``deviceId`` any phone of the account may be chosen, so
there a reference is honoured only with ``device=…``.

Receipts are webhooks (``sms:sent``, ``sms:delivered``, ``sms:failed``, ``sms:received``), signed
with ``key=…`` (``http.sign``). Of a long message **each part** is reported delivered, without
saying which part, and the phone's own state is *Delivered* as soon as one part is: so is ours.
A part that fails is reported as the failure of the message. Reports are told apart by the moment
in them: a webhook that is registered twice reports the same twice.

Rate: Android asks its owner for permission after 30 parts a minute from one app (AOSP,
``SmsUsageMonitor``: DEFAULT_SMS_MAX_COUNT, DEFAULT_SMS_CHECK_PERIOD; half an hour in old ones),
and nobody is there to confirm; networks block floods too. So ``tps`` is 0.4 unless set otherwise.
What the phone could not send within ``ttl`` seconds fails there, and does not leave later.

Why a phone did not send (``cause_of``): the app's ``MessagesService.resultToErrorMessage``
(« Send result: RESULT_… »), ``sendMessage`` and ``PhoneHelper``; what the RESULT_ names stand for:
Android's reference of ``SmsManager``. « Delivery result from SC …: 70 » ends with TP-Status (3GPP
TS 23.040, 9.2.3.15), of which the app reports 64 and more, the errors that are final. What keeps
our own phone from sending (no network, flight mode, a limit) will pass. Where Android says so
before anything goes to the radio, or once the network is gone, nothing left and the SMS is retried.
A radio that resets, a failure without a cause (no credit, among others) and unknown words may
stand for an SMS that left: that patient is called. Of these only unknown words do not say that the
next SMS would fail too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from yarl import URL

from notifications import rules
from notifications.gateways import http
from notifications.gateways.base import (
    Accepted,
    GatewayUrl,
    HookRefused,
    HookRequest,
    Message,
    NotSent,
    ReceiptReport,
    Refused,
    Report,
    Result,
    Sent,
    Throttled,
    Unknown,
    invalid_url,
)
from notifications.gateways.http import HttpAnswer, Request
from notifications.models import Failure, ReceiptState

SCHEMES = ("android+http", "android+https")
QUEUE_SECONDS = 30.0
RECEIPTS = ("sms:sent", "sms:delivered", "sms:failed")
_LONGEST_TTL = 7 * 24 * 3600
_REFUSALS = {400, 406, 410, 413, 415, 422}
_BAD_DEVICE = ("device", "record not found", "more than one record")
_STATES = {
    "Pending": ReceiptState.ON_ITS_WAY,
    "Cancelling": ReceiptState.ON_ITS_WAY,
    "Processed": ReceiptState.ON_ITS_WAY,
    "Sent": ReceiptState.ON_ITS_WAY,
    "Delivered": ReceiptState.DELIVERED,
    "Failed": ReceiptState.FAILED,
    "Cancelled": ReceiptState.FAILED,
}
_CANCELLED = "annulé sur le téléphone"
_HEALTH = {
    "battery:level": ("batterie", "%"),
    "messages:failed": ("SMS échoués depuis une heure", ""),
}
_RESULT = re.compile(r"RESULT_(?:ERROR_)?(?:RIL_)?([A-Z_]+)")
_STATUS = re.compile(r"^Delivery result from SC .*: (\d{1,3})$")
_NO_SIM = "No SIMs found"
_NOTHING_LEFT = {
    "NO_SERVICE": "pas de réseau mobile sur le téléphone",
    "NETWORK_NOT_READY": "pas de réseau mobile sur le téléphone",
    "RADIO_OFF": "mode avion sur le téléphone",
    "LIMIT_EXCEEDED": "limite d'envoi d'Android ou de l'opérateur atteinte : ralentir (tps)",
    "REQUEST_RATE_LIMITED": "limite d'envoi de la radio atteinte : ralentir (tps)",
    "NO_DEFAULT_SMS_APP": "ni application de SMS ni SIM par défaut : option sim=1",
    "UNEXPECTED_EVENT_STOP_SENDING": "Android demandait une confirmation : ralentir (tps)",
    "SMS_BLOCKED_DURING_EMERGENCY": "appel d'urgence en cours sur le téléphone",
    "SIM_ABSENT": "pas de carte SIM",
}
_MAY_HAVE_LEFT = {
    "RADIO_NOT_AVAILABLE": "radio du téléphone indisponible",
    "GENERIC_FAILURE": "échec sans cause : crédit, réseau ou carte SIM à vérifier",
}
_IN_FRENCH = _NOTHING_LEFT | _MAY_HAVE_LEFT | {"NETWORK_REJECT": "refusé par le réseau mobile"}
_BARRED = {
    "FDN_CHECK_FAILURE",
    "SHORT_CODE_NOT_ALLOWED",
    "SHORT_CODE_NEVER_ALLOWED",
    "OPERATION_NOT_ALLOWED",
    "ACCESS_BARRED",
}
_STATUSES = {70: Failure.EXPIRED}  # validity period expired
_STATUSES |= dict.fromkeys((65, 66, 69, 71, 72, 73, 99), Failure.REJECTED)


class AndroidGateway(http.HttpGateway):
    """One POST per message; few at a time, a phone is a small server."""

    kind = "android"
    own_options = {"device": "", "sim": "0", "ttl": "3600", "receipts": "1"}
    defaults = {"tps": "0.4", "window": "4"}
    signs_calls = True
    can_query = True

    def __init__(self, given: GatewayUrl) -> None:
        self.device = given.own["device"]
        self.sim, self._ttl = _numbers(given.own)
        super().__init__(given)
        # Two phones of one account, and two SIM cards of one phone, are two gateways.
        which = f" {self.device[:6]}" if self.device else ""
        which += f" SIM{self.sim}" if self.sim else ""
        self.name = f"android {given.host}"[: 40 - len(which)] + which
        self._is_local = self.url.path == "/"  # the phone's API is at the root, a server's is not
        self._phones = self.url / ("device" if self._is_local else "devices")
        self.has_receipts = given.own["receipts"] != "0"
        self.honours_reference = self._is_local or bool(self.device)

    def headers(self, given: GatewayUrl) -> Mapping[str, str]:
        if not given.user or not given.password:
            raise invalid_url("android demande le nom et le mot de passe que l'application montre")
        return http.basic(given.user, given.password)

    def request(self, message: Message) -> Request:
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
        return "POST", self.url / "messages", content

    def read(self, answer: HttpAnswer, message: Message) -> Result:
        """Return what an answer means; 503 is throttled only with « queue limits exceeded »."""
        status, said = answer.status, answer.fields()
        if 200 <= status < 300:
            number = http.as_id(said.get("id"))
            return Accepted(number) if number else Unknown(f"réponse {status} sans numéro")
        if status == 409:
            return Accepted(message.reference)
        is_about_the_queue = "queue" in f"{said.get('error')} {said.get('message')}".lower()
        if status == 429 or (status == 503 and is_about_the_queue):
            names_time = "Retry-After" in answer.headers
            return Throttled(http.retry_after(answer.headers) if names_time else QUEUE_SECONDS)
        if status in _REFUSALS:
            return _refusal(status, http.as_remark(said.get("message")))
        if status in (408, 503):
            return Unknown(f"l'opérateur répond {status}")
        return http.read_status(answer)

    def query_url(self, reference: str) -> URL:
        """Return the message's address: its id is our reference."""
        return self.url / "messages" / reference

    def read_query(self, said: Mapping[str, Any], sent: Sent) -> ReceiptReport | None:
        """Return the receipt in the answer to a query.

        That a message whose id we have is on its way is nothing new, and must not restart the
        wait for its receipt: it was queried because the receipt is overdue.
        """
        recipient = next(iter(http.as_objects(said.get("recipients"))), {})
        word = http.as_text(recipient.get("state", said.get("state")), 20)
        state = _STATES.get(word)
        if said.get("id") != sent.reference or state is None:
            return None
        if sent.provider_id and state == ReceiptState.ON_ITS_WAY:
            return None
        remark = _about_parts(said) if state == ReceiptState.DELIVERED else ""
        if state == ReceiptState.FAILED:
            remark = _CANCELLED if word == "Cancelled" else http.as_remark(recipient.get("error"))
        return replace(
            _receipt(state, remark),
            reference=sent.reference,
            provider_ids=(sent.reference,),
            phone=sent.phone,
            happened_at=http.as_moment(http.as_object(said.get("states")).get(word)),
        )

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read one event; an event that is not about a message is read as nothing.

        Raises:
            HookRefused: not signed, or no event of this app.
        """
        self.verify(request)
        said = http.as_object(http.json_of(request.body))
        event, payload = said.get("event"), http.as_object(said.get("payload"))
        if not isinstance(event, str):
            raise HookRefused("no event")
        report = _reply(payload) if event == "sms:received" else _event_receipt(event, payload)
        return [report] if report else []

    def probe(self) -> Request:
        """Ask for the phone, or for the phones of the account."""
        return "GET", self._phones, None

    async def inspect(self, answer: HttpAnswer) -> tuple[list[tuple[str, str]], str]:
        """Show the phone, its SIM cards, its battery and its webhooks."""
        phones = http.json_of(answer.body)
        if answer.status != 200 or not isinstance(phones, list):
            return [], (
                f"Ce qui répond à {self._phones} n'est pas android-sms-gateway (réponse "
                f"{answer.status}) : l'adresse d'un serveur finit par /3rdparty/v1, celle d'un "
                "téléphone par son port."
            )
        found = http.as_objects(phones)
        mine = [one for one in found if not self.device or one.get("id") == self.device]
        facts = [_describe(one) for one in mine]
        facts += await self._health() if self._is_local else []
        facts += await self._webhooks()
        return facts, self._complaint(mine)

    def _complaint(self, mine: Sequence[Mapping[str, Any]]) -> str:
        if not self.device and len(mine) > 1:
            return (
                "Ce compte a plusieurs téléphones, et le serveur choisit au hasard : un même SMS "
                "pourrait partir deux fois. Choisissez-en un avec device=…"
            )
        if not mine:
            return f"Pas de téléphone {self.device or 'à ce compte'}."
        cards = [card for phone in mine for card in http.as_objects(phone.get("simCards"))]
        slots = [card.get("simNumber") for card in cards]
        if self.sim and slots and self.sim not in slots:
            return f"Pas de carte SIM {self.sim} dans le téléphone."
        return ""

    async def _health(self) -> list[tuple[str, str]]:
        """Return what the phone reports; its check of the Internet does not matter."""
        said = http.as_object(await self._get("health"))
        checks = http.as_object(said.get("checks"))
        version = http.as_text(said.get("version"), 20)
        facts = [("application", f"android-sms-gateway {version}")] if version else []
        for name, (label, unit) in _HEALTH.items():
            value = http.as_text(http.as_object(checks.get(name)).get("observedValue"), 10)
            if value:
                facts.append((label, f"{value} {unit}".strip()))
        return facts

    async def _webhooks(self) -> list[tuple[str, str]]:
        """Say which of our webhooks the phone has registered."""
        hook = self.options.hook
        if not hook:
            return [("accusés", "sans hook=… : le téléphone est interrogé, bien plus tard")]
        listed = await self._get("webhooks")
        if not isinstance(listed, list):
            return [("accusés", "le téléphone ne dit pas quels webhooks il connaît")]
        ours = [one for one in http.as_objects(listed) if f"/{hook}/" in f"{one.get('url')}/"]
        events = [one.get("event") for one in ours]
        lacking = [event for event in RECEIPTS if event not in events]
        if lacking:
            return [("accusés", f"webhooks à enregistrer pour {', '.join(lacking)}")]
        replies = "oui" if "sms:received" in events else "non (webhook sms:received)"
        return [("accusés", "webhooks enregistrés"), ("réponses des patients", replies)]

    async def _get(self, path: str) -> Any:
        answer = await self.exchange("GET", self.url / path)
        return http.json_of(answer.body) if isinstance(answer, HttpAnswer) else None


def _refusal(status: int, words: str) -> Result:
    remark = http.as_remark(f"réponse {status} {words}")
    if "phone" in words.lower():
        return Refused(Failure.INVALID_NUMBER, remark=remark)
    if any(word in words.lower() for word in _BAD_DEVICE):
        return NotSent(http.as_remark(f"pas de téléphone : {remark}"), answered=True)
    return Refused(Failure.REJECTED, remark=remark)


def _event_receipt(event: str, said: Mapping[str, Any]) -> ReceiptReport | None:
    number = http.as_id(said.get("messageId"))
    if event not in (*RECEIPTS, "sms:cancelled") or not number:
        return None
    word = event.removeprefix("sms:")
    reason = http.as_remark(said.get("reason")) or (_CANCELLED if word == "cancelled" else "")
    happened_at = http.as_text(said.get(f"{word}At"), http.LONGEST_KEY)
    return replace(
        _receipt(_STATES[word.capitalize()], reason),
        reference=http.as_reference(number),
        provider_ids=(number,),
        phone=http.as_phone(said.get("recipient") or said.get("phoneNumber")),
        happened_at=http.as_moment(happened_at),
        # The same for a repetition and for a webhook registered twice, another for each part.
        key=http.as_key(f"{event} {number} {happened_at}"),
    )


def _reply(said: Mapping[str, Any]) -> Report | None:
    phone = said.get("sender") or said.get("phoneNumber")
    happened_at = http.as_text(said.get("receivedAt"), http.LONGEST_KEY)
    # The app makes its id from the content: not unique without the moment.
    number = http.as_id(said.get("messageId"))
    key = http.as_key(f"{number} {http.as_phone(phone)} {happened_at}")
    return http.read_reply(
        phone,
        said.get("message"),
        happened_at=http.as_moment(happened_at),
        key=key if number and happened_at else "",
    )


def _receipt(state: ReceiptState, words: str) -> ReceiptReport:
    return cause_of(words) if state == ReceiptState.FAILED else ReceiptReport(state, remark=words)


def _about_parts(said: Mapping[str, Any]) -> str:
    text = http.as_object(said.get("textMessage")).get("text")
    parts = rules.count(text).parts if isinstance(text, str) else 1
    return f"au moins une des {parts} parties" if parts > 1 else ""


def cause_of(reason: str) -> ReceiptReport:
    """Return what a ``reason`` (webhook) or ``error`` (answer to a query) means.

    Every failure of our own phone is ``rejected``; only the number, the barring and the delivery
    report say something about the patient's phone.
    """
    found = _RESULT.search(reason)
    result = found[1] if found else ""
    failure = _failure_of(reason, result)
    french = _IN_FRENCH.get(result, "")
    nothing_left = result in _NOTHING_LEFT or _NO_SIM in reason
    return ReceiptReport(
        ReceiptState.EXPIRED if failure == Failure.EXPIRED else ReceiptState.FAILED,
        failure=failure,
        remark=f"{french} ({reason})"[:200] if french else reason[:200],
        temporary=nothing_left,
        in_trouble=nothing_left or result in _MAY_HAVE_LEFT,
    )


def _failure_of(reason: str, result: str) -> Failure:
    if status := _STATUS.match(reason):
        return _STATUSES.get(int(status[1]), Failure.UNREACHABLE)
    if "TTL expired" in reason:
        return Failure.EXPIRED
    if "Invalid phone number" in reason or "not seem to be a phone number" in reason:
        return Failure.INVALID_NUMBER
    if result in _BARRED:
        return Failure.BARRED
    return Failure.UNREACHABLE if reason.startswith("Delivery result") else Failure.REJECTED


def _describe(phone: Mapping[str, Any]) -> tuple[str, str]:
    """Return name, id and operators; SIM numbers are left out."""
    name = http.as_text(phone.get("name"), 60) or "sans nom"
    number = http.as_text(phone.get("id"), 40)
    sims = [
        f"SIM {http.as_text(one.get('simNumber'), 3)} {http.as_text(one.get('carrierName'), 40)}"
        for one in http.as_objects(phone.get("simCards"))
    ]
    return "téléphone", ", ".join([f"{name} ({number})", *(one.strip() for one in sims)])


def _numbers(own: Mapping[str, str]) -> tuple[int, int]:
    if own["sim"] in ("0", "1", "2", "3") and own["ttl"].isascii() and own["ttl"].isdigit():
        ttl = int(own["ttl"][:9])
        if 60 <= ttl <= _LONGEST_TTL:
            return int(own["sim"]), ttl
    raise invalid_url(
        "sim vaut 1, 2 ou 3, et ttl un nombre de secondes d'une minute à une semaine pour android"
    )


from_url = AndroidGateway.from_url
