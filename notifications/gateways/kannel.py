"""``kannel+http://`` and ``kannel+https://``: the SMS gateway Kannel, in the hospital's own cellar.

``kannel+http://user:password@kannel.example.org:13013/cgi-bin/sendsms?smsc=proximus&window=50
&hook=…&from=192.0.2.7&hook_url=https://continuity.example.org`` (one line) asks
``GET /cgi-bin/sendsms`` for each message. The facts are from the Kannel user guide 1.4 and 1.5
("Using the HTTP interface to send SMS messages", "SMS Push reply codes", "Delivery Reports",
"Parameters (Escape Codes)") and where it is silent from the sources (gw/smsbox.c, gw/urltrans.c,
gw/dlr.h, gw/sms.c).

Numbers go out as ``0032…``: Kannel takes ``+32…`` too, but splits its ``to`` at blanks, which
a ``+`` becomes when something on the way decodes it once too often. A text is sent in UTF-8 and
Kannel encodes it: ``coding=0`` is GSM-7, 2 is UCS-2. ``validity`` says for how many minutes the
message is of use. Kannel also cuts long texts, if ``max-messages``
of its ``sendsms-user`` lets it, and gives no number of its own.

=====================================================  =====================================
answer                                                 meaning
=====================================================  =====================================
2xx ``0: Accepted…``, ``3: Queued…``, ``Sent.``        accepted
2xx ``Sent. Denied receivers…``, 400 ``…denied by…``   refused: barred by Kannel's own lists
400 about the receiver                                 refused: invalid number
400 about text or charset, 403 ``Not routable``        refused for good
400 about anything else, other 3xx and 4xx             not sent: its settings or ours are wrong
500 ``Sending failed``                                 refused for now, nothing was queued
503 ``Temporal failure``, 429, 503 with Retry-After    too fast: its queue is full or it stops
everything else                                        unknown
=====================================================  =====================================

Receipts, with ``hook_url=`` (where Kannel reaches us), and replies: ``kannel_reports``.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from yarl import URL

from notifications import sms_text
from notifications.gateways import kannel_reports, wire
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
    HookRequest,
    Message,
    NotSent,
    OnReport,
    Refused,
    Report,
    Result,
    Throttled,
    Unknown,
)
from notifications.gateways.options import Options, read
from notifications.models.delivery import Failure

SCHEMES = ("kannel+http", "kannel+https")
SENDSMS = "/cgi-bin/sendsms"
FULL_QUEUE_SECONDS = 5.0


class KannelGateway(Gateway):
    """One GET per message, up to ``window`` at a time; never repeated, however it ends."""

    def __init__(
        self,
        *,
        name: str,
        options: Options,
        url: URL,
        account: dict[str, str],
        smsc: str,
        hook_url: str,
    ) -> None:
        super().__init__(name=name, options=options)
        self._url = url
        self._account = account
        self._smsc = {"smsc": smsc} if smsc else {}
        self._hook_url = hook_url
        self._client = HttpClient(options)
        self.has_receipts = bool(hook_url)

    async def open(self, on_report: OnReport) -> None:
        """Open the session whose connections are shared by all messages."""
        await self._client.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Ask for the one message."""
        return [await self._send(message) for message in messages]

    async def _send(self, message: Message) -> Result:
        answer = await self._client.exchange("GET", self._url, params=self._question(message))
        if isinstance(answer, Answer):
            return read_answer(answer.status, answer.headers, answer.body)
        return answer

    def _question(self, message: Message) -> dict[str, str]:
        gsm = sms_text.count(message.text).encoding == "gsm7"
        sender = message.sender or self.options.sender
        return {
            **self._account,
            **self._smsc,
            **({"from": sender} if sender else {}),
            "to": f"00{message.to.removeprefix('+')}",
            "text": message.text,
            "charset": "UTF-8",
            "coding": "0" if gsm else "2",
            **({"validity": str(message.lasts // 60)} if message.lasts else {}),
            **self._reports_wanted(message.reference),
        }

    def _reports_wanted(self, reference: str) -> dict[str, str]:
        if not self._hook_url:
            return {}
        url = f"{self._hook_url}?reference={reference}&{kannel_reports.EVENT}"
        return {"dlr-mask": str(kannel_reports.ALL_EVENTS), "dlr-url": url}

    async def check(self) -> Checked:
        """Ask for a message to nobody: Kannel looks at the account first (gw/smsbox.c)."""
        checked, answer = await reach(
            self._client, "GET", self._url.with_query(self._account | self._smsc)
        )
        if not checked.usable or answer is None:
            return checked
        if answer.status == 400 and b"receiver" in answer.body.lower():
            facts = [*checked.facts, ("accès", "accepté"), ("accusés", self._receipts_in_words())]
            return Checked(usable=True, facts=facts)
        complaint = "Cette adresse ne répond pas comme Kannel : vérifiez le chemin (/cgi-bin/…)."
        return Checked(usable=False, facts=checked.facts, complaint=complaint)

    def _receipts_in_words(self) -> str:
        return "demandés" if self.has_receipts else "non : ajoutez hook= et hook_url="

    def read_hook(self, request: HookRequest) -> Sequence[Report]:
        """Read a ``dlr-url`` or a ``get-url``; their forms are in ``kannel_reports``.

        Raises:
            HookRefused: not a GET, or not of these forms.
        """
        return kannel_reports.read_call(request)


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Result:
    """Return what an answer means; the table is in this module's first lines.

    Args:
        status: of HTTP.
        headers: at least Retry-After, when there is one.
        body: as received, possibly garbage.
    """
    text = wire.word(body.decode(errors="replace"), 150)
    remark = f"Kannel répond {status} : {text}"[: wire.LONGEST_REMARK]
    if 200 <= status < 300:
        return _read_taken(text, remark)
    if status == 429 or (status == 503 and "Retry-After" in headers):
        return Throttled(retry_after(headers))
    if status == 503 and text.startswith("Temporal failure"):
        return Throttled(FULL_QUEUE_SECONDS)
    if status == 500 and text.startswith("Sending failed"):
        return Refused(Failure.REJECTED, permanent=False, remark=remark)
    if status in (400, 403) and (failure := _refusal(text)):
        return Refused(failure, remark=remark)
    if 300 <= status < 500:
        return NotSent(remark, answered=is_from_the_gateway(status))
    return Unknown(f"Kannel répond {status}")


def _read_taken(text: str, remark: str) -> Result:
    if "Denied receivers" in text:
        return Refused(Failure.BARRED, remark=remark)
    taken = re.match(r"[03]: |Sent\.", text)
    return Accepted("") if taken else Unknown("cette réponse n'est pas de Kannel")


def _refusal(text: str) -> Failure | None:
    if "denied by" in text:
        return Failure.BARRED
    if "receiver" in text.lower():
        return Failure.INVALID_NUMBER
    if text.startswith(("Not routable", "Charset or body")):
        return Failure.REJECTED
    return None


def from_url(url: str) -> KannelGateway:
    """Return the gateway that the URL describes.

    Raises:
        ImproperlyConfigured: an unknown or senseless option; the sentence holds no secret.
    """
    given = read(url, own={"smsc": "", "hook_url": ""})
    options, parts = given.options, given.parts
    if options.key:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : Kannel ne signe pas ses appels, key n'y sert à rien : "
            "utilisez hook et from."
        )
    where = address(given, parts.scheme.removeprefix("kannel+"))
    return KannelGateway(
        name=f"kannel {given.host}",
        options=options,
        url=where if where.path != "/" else where.with_path(SENDSMS),
        account={
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
        },
        smsc=given.own["smsc"],
        hook_url=_hook_url(given.own["hook_url"], options.hook),
    )


def _hook_url(ours: str, secret: str) -> str:
    """Return where Kannel calls us; ``%`` is doubled, since Kannel fills in what follows one."""
    if not ours:
        return ""
    parts = urlsplit(ours)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or not secret:
        raise ImproperlyConfigured(
            "SMS_GATEWAY_URL : hook_url est l'adresse https:// de ce site, et va avec hook."
        )
    return f"{ours.rstrip('/')}/hooks/{quote(secret, safe='')}/".replace("%", "%%")
