"""What Kannel calls us with: receipts at the address that we gave it, and patients' SMS.

Our reference is written into each message's ``dlr-url`` and ``dlr-mask=31`` asks for all five
events (Kannel user guide, "Delivery Reports"); what Kannel fills in is in ``EVENT`` ("Parameters
(Escape Codes)", gw/urltrans.c): ``%d`` the event, ``%A`` the network's words, ``%F`` the SMSC's
number, ``%T`` when. Kannel asks the network about the first part of a long text only (gw/sms.c),
so ``delivered`` is said of that part. Replies come when Kannel has::

    group = sms-service
    keyword = default
    catch-all = true
    max-messages = 0
    get-url = "https://continuity.example.org/hooks/<hook>/?from=%p&text=%a&id=%I&at=%T"

Kannel signs nothing: the secret path and ``from=`` say who calls.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from notifications.gateways import wire
from notifications.gateways.interface import HookRefused, HookRequest, Inbound, Receipt, Report
from notifications.models.delivery import Failure
from notifications.models.receipt import ReceiptState

ALL_EVENTS = 31
EVENT = "status=%d&answer=%A&id=%F&at=%T"
# gw/dlr.h; later versions say 34 (2 + 32) for "expired".
_DELIVERED, _FAILED, _BUFFERED, _AT_SMSC, _REFUSED_BY_SMSC, _EXPIRED = 1, 2, 4, 8, 16, 32
# What an SMSC answers to Kannel: command_status, SMPP 3.4, section 5.1.3.
_NACKS = {0x0B: Failure.INVALID_NUMBER}
# What an SMSC reports to Kannel: message states, SMPP 3.4, appendix B.
_STATES = {
    "UNDELIV": Failure.UNREACHABLE,
    "DELETED": Failure.REJECTED,
    "REJECTD": Failure.REJECTED,
    "UNKNOWN": Failure.UNREACHABLE,
}


def read_call(request: HookRequest) -> Sequence[Report]:
    """Return the one report in a call.

    Raises:
        HookRefused: not a GET, or neither a receipt nor a reply.
    """
    said = request.query
    report = _receipt(said) if "status" in said else _inbound(said)
    if request.method != "GET" or report is None:
        raise HookRefused("neither a report nor a reply")
    return [report]


def _receipt(said: Mapping[str, str]) -> Receipt | None:
    reference = wire.reference(said.get("reference"))
    number = wire.word(said.get("id", ""), wire.LONGEST_ID)
    status = said["status"]
    known = status.isascii() and status.isdigit() and len(status) <= 4
    if not known or not (reference or number):
        return None
    answer = wire.word(said.get("answer", ""), wire.LONGEST_TEXT)
    read = _state(int(status), answer)
    if read is None:
        return None
    return Receipt(
        state=read[0],
        reference=reference,
        provider_ids=(number,) if number else (),
        failure=read[1],
        remark=_without_text(answer)[: wire.LONGEST_REMARK].rstrip(),
        happened_at=_moment(said.get("at", "")),
    )


def _state(status: int, answer: str) -> tuple[ReceiptState, Failure | str] | None:
    said = re.search(r"\bstat:([A-Z]+)", answer)
    word = said[1] if said else ""
    if status & _DELIVERED:
        return ReceiptState.DELIVERED, ""
    if status & _FAILED:
        if status & _EXPIRED or word == "EXPIRED":
            return ReceiptState.EXPIRED, Failure.EXPIRED
        return ReceiptState.FAILED, _STATES.get(word, Failure.UNREACHABLE)
    if status & _REFUSED_BY_SMSC:
        return ReceiptState.FAILED, _failure_of_nack(answer)
    if status & (_BUFFERED | _AT_SMSC):
        return ReceiptState.ON_ITS_WAY, ""
    return None


def _failure_of_nack(answer: str) -> Failure:
    """Name what is in ``NACK/0x0000000b/Invalid Destination Address``."""
    code = re.match(r"NACK/0x([0-9a-fA-F]{1,8})\b", answer)
    return _NACKS.get(int(code[1], 16), Failure.REJECTED) if code else Failure.REJECTED


def _without_text(answer: str) -> str:
    """Leave out the beginning of the patient's SMS, which receipts of SMPP repeat."""
    return re.sub(r"\s*\btext:.*", "", answer, flags=re.IGNORECASE | re.DOTALL)


def _inbound(said: Mapping[str, str]) -> Inbound | None:
    phone = wire.phone(said.get("from", ""))
    text = wire.word(said.get("text", ""), wire.LONGEST_TEXT)
    if not phone or not text:
        return None
    return Inbound(
        phone=phone,
        text=text,
        happened_at=_moment(said.get("at", "")),
        key=wire.key(said.get("id", "")),
    )


def _moment(text: str) -> dt.datetime | None:
    """Read Unix seconds (``%T``)."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return dt.datetime.fromtimestamp(int(text), dt.UTC)
