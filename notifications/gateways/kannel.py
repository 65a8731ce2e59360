"""``kannel+http://`` and ``kannel+https://``: the SMS gateway Kannel, on the hospital's own server.

``kannel+http://user:password@kannel.example.org:13013/cgi-bin/sendsms?smsc=proximus&window=50
&hook=…&from=192.0.2.7&hook_url=https://continuity.example.org`` (one line) asks
``GET /cgi-bin/sendsms`` for each message. The facts are from the Kannel user guide 1.4 and 1.5
("Using the HTTP interface to send SMS messages", "SMS Push reply codes", "Delivery Reports",
"Parameters (Escape Codes)") and where it is silent from the sources (gw/smsbox.c, gw/urltrans.c,
gw/dlr.h, gw/sms.c).

Numbers go out as ``0032…``: Kannel takes ``+32…`` too, but splits its ``to`` at blanks, which
a ``+`` becomes when something on the way decodes it once too often. A text is sent in UTF-8 and
Kannel encodes it: ``coding=0`` is GSM-7, 2 is UCS-2. ``validity`` says for how many minutes the
message is of use. Kannel also cuts long texts, if ``max-messages`` of its ``sendsms-user`` lets
it, and gives no id of its own.

A refusal by 400 or 403 names the receiver, the text or the routing; any other one is a wrong
setting, Kannel's or ours. After 500 ``Sending failed`` nothing was queued. 503 ``Temporal
failure``: its queue is full or it stops.

Receipts need ``hook_url=`` (where Kannel reaches us). Our reference is written into each message's
``dlr-url`` and ``dlr-mask=31`` asks for all five events; what Kannel fills in is in ``EVENT``:
``%d`` the event, ``%A`` the network's words, ``%F`` the SMSC's id, ``%T`` when. Kannel asks the
network about the first part of a long text only (gw/sms.c), so ``delivered`` is said of that part.
Patients' replies come by the ``get-url`` of docs/gateways.md: ``%p`` the phone, ``%a`` the text,
``%I`` Kannel's id, ``%T`` when.

Kannel signs nothing: the secret path and ``from=`` authenticate its calls.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from notifications import rules
from notifications.gateways import http
from notifications.gateways.base import (
    Accepted,
    GatewayUrl,
    HookRequest,
    Inbound,
    Message,
    ReceiptReport,
    Refused,
    Result,
    Throttled,
    Unknown,
    invalid_url,
)
from notifications.gateways.http import HttpAnswer, Request
from notifications.models import Failure, ReceiptState

SCHEMES = ("kannel+http", "kannel+https")
SENDSMS = "/cgi-bin/sendsms"
FULL_QUEUE_SECONDS = 5.0
ALL_EVENTS = 31
EVENT = "status=%d&answer=%A&id=%F&at=%T"
# gw/dlr.h; later versions say 34 (2 + 32) for "expired".
_DELIVERED, _FAILED, _BUFFERED, _AT_SMSC, _REFUSED_BY_SMSC, _EXPIRED = 1, 2, 4, 8, 16, 32
_INVALID_ADDRESS = 0x0B  # command_status of an SMSC's answer to Kannel, SMPP 3.4, 5.1.3
# The beginning of the patient's SMS, which receipts of SMPP repeat.
_PATIENTS_TEXT = re.compile(r"\s*\btext:.*", re.IGNORECASE | re.DOTALL)
# States that an SMSC reports to Kannel, SMPP 3.4, appendix B; UNDELIV and UNKNOWN: unreachable.
_REJECTED = ("DELETED", "REJECTD")


class KannelGateway(http.HttpGateway):
    """One GET per message; never retried, however it ends."""

    kind = "kannel"
    carrier = "Kannel"
    own_options = {"smsc": "", "hook_url": ""}
    hook_method = "GET"

    def __init__(self, given: GatewayUrl) -> None:
        super().__init__(given)
        if self.url.path == "/":
            self.url = self.url.with_path(SENDSMS)
        self._access = {"username": given.user, "password": given.password}
        if given.own["smsc"]:
            self._access["smsc"] = given.own["smsc"]
        self._hook_url = _hook_url(given.own["hook_url"], given.options.hook)
        self.has_receipts = bool(self._hook_url)

    def request(self, message: Message) -> Request:
        params = {
            **self._access,
            "to": f"00{message.to.removeprefix('+')}",
            "text": message.text,
            "charset": "UTF-8",
            "coding": "0" if rules.count(message.text).encoding == "gsm7" else "2",
        }
        if sender := message.sender or self.options.sender:
            params["from"] = sender
        if message.lasts:
            params["validity"] = str(message.lasts // 60)
        if self._hook_url:
            params["dlr-mask"] = str(ALL_EVENTS)
            params["dlr-url"] = f"{self._hook_url}?reference={message.reference}&{EVENT}"
        return "GET", self.url.with_query(params), None

    def read(self, answer: HttpAnswer, message: Message) -> Result:
        """Return what an answer means; Kannel's words tell a refusal from a wrong setting."""
        status, text = answer.status, http.as_text(answer.body.decode(errors="replace"), 150)
        remark = http.as_remark(f"Kannel répond {status} : {text}")
        if 200 <= status < 300:
            if "Denied receivers" in text:
                return Refused(Failure.BARRED, remark=remark)
            accepted = re.match(r"[03]: |Sent\.", text)
            return Accepted("") if accepted else Unknown("cette réponse n'est pas de Kannel")
        if status in (400, 403) and (failure := _refusal(text)):
            return Refused(failure, remark=remark)
        if status == 500 and text.startswith("Sending failed"):
            return Refused(Failure.REJECTED, permanent=False, remark=remark)
        names_time = "Retry-After" in answer.headers
        if status == 503 and text.startswith("Temporal failure") and not names_time:
            return Throttled(FULL_QUEUE_SECONDS)
        return http.read_status(answer, carrier=self.carrier, remark=remark)

    def probe(self) -> Request:
        """Ask for a message to nobody: Kannel looks at the account first (gw/smsbox.c)."""
        return "GET", self.url.with_query(self._access), None

    async def inspect(self, answer: HttpAnswer) -> tuple[list[tuple[str, str]], str]:
        """Say whether the account is right: then Kannel misses the receiver."""
        if answer.status == 400 and b"receiver" in answer.body.lower():
            receipts = "demandés" if self.has_receipts else "non : ajoutez hook= et hook_url="
            return [("accès", "accepté"), ("accusés", receipts)], ""
        return [], "Cette adresse ne répond pas comme Kannel : vérifiez le chemin (/cgi-bin/…)."

    def items_in(self, request: HookRequest) -> list[Any]:
        """Return the query: of the ``dlr-url``, or of the ``get-url``."""
        return [dict(request.query)]

    def receipt_of(self, said: Mapping[str, Any]) -> ReceiptReport | None:
        """Read ``EVENT``."""
        status, answer = said["status"], http.as_text(said.get("answer"), http.LONGEST_TEXT)
        if not (status.isascii() and status.isdigit() and len(status) <= 4):
            return None
        read = _state(int(status), answer)
        if read is None:
            return None
        return http.read_receipt(
            read[0],
            reference=said.get("reference"),
            number=said.get("id"),
            failure=read[1],
            remark=http.as_remark(_PATIENTS_TEXT.sub("", answer)),
            happened_at=_moment(said.get("at", "")),
        )

    def reply_of(self, said: Mapping[str, Any]) -> Inbound | None:
        """Read the ``get-url``."""
        return http.read_reply(
            said.get("from"),
            said.get("text"),
            happened_at=_moment(said.get("at", "")),
            key=http.as_key(said.get("id")),
        )


def _refusal(text: str) -> Failure | None:
    if "denied by" in text:
        return Failure.BARRED
    if "receiver" in text.lower():
        return Failure.INVALID_NUMBER
    if text.startswith(("Not routable", "Charset or body")):
        return Failure.REJECTED
    return None


def _state(status: int, answer: str) -> tuple[ReceiptState, Failure | str] | None:
    stat = re.search(r"\bstat:([A-Z]+)", answer)
    word = stat[1] if stat else ""
    if status & _DELIVERED:
        return ReceiptState.DELIVERED, ""
    if status & _FAILED:
        if status & _EXPIRED or word == "EXPIRED":
            return ReceiptState.EXPIRED, Failure.EXPIRED
        rejected = word in _REJECTED
        return ReceiptState.FAILED, Failure.REJECTED if rejected else Failure.UNREACHABLE
    if status & _REFUSED_BY_SMSC:
        # As ``NACK/0x0000000b/Invalid Destination Address``.
        code = re.match(r"NACK/0x([0-9a-fA-F]{1,8})\b", answer)
        is_invalid = code and int(code[1], 16) == _INVALID_ADDRESS
        return ReceiptState.FAILED, Failure.INVALID_NUMBER if is_invalid else Failure.REJECTED
    if status & (_BUFFERED | _AT_SMSC):
        return ReceiptState.ON_ITS_WAY, ""
    return None


def _moment(text: str) -> dt.datetime | None:
    """Read Unix seconds (``%T``)."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return dt.datetime.fromtimestamp(int(text), dt.UTC)


def _hook_url(ours: str, secret: str) -> str:
    """Return where Kannel calls us; ``%`` is doubled, since Kannel replaces escape codes."""
    if not ours:
        return ""
    parts = urlsplit(ours)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or not secret:
        raise invalid_url("hook_url est l'adresse https:// de ce site, et va avec hook")
    return f"{ours.rstrip('/')}/hooks/{quote(secret, safe='')}/".replace("%", "%%")


from_url = KannelGateway.from_url
