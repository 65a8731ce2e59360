"""What an SMSC sends us: delivery receipts, and what patients write; and how both are stored.

A receipt is known by its message type (SMPP 3.4, 5.2.12) or by receipted_message_id, both of
which only the SMSC sets. Some SMSCs leave both out: a text alone that looks like a receipt may
come from any phone, so it is one only if its id is one of ours (``ReceiptReport.otherwise``). The
text of a receipt is that of appendix B, "specific to the vendor": fields are found by name in any
case and order, any may be missing, brackets or a stray octet may stand before them, and the
optional parameters receipted_message_id and message_state win over it.

The reader of the connection never waits for the database: each deliver_sm is a task. Beyond
``MOST`` of them the SMSC is told to retry (ESME_RX_T_APPN), and also for what could not be
stored, so that a flood or a database that is down loses no receipt.
"""

import asyncio
import contextlib
import datetime as dt
import hashlib
import logging
import re
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

from smpplib import consts

from notifications.gateways.base import Inbound, OnReport, ReceiptReport, Report, Sent
from notifications.gateways.smpp.pdu import (
    MESSAGE_STATE,
    NETWORK_ERROR_CODE,
    RECEIPTED_MESSAGE_ID,
    WITH_HEADER,
    DeliverSm,
    Garbled,
    Pdu,
    decode,
    read_delivery,
    text_of,
)
from notifications.gateways.smpp.session import Session
from notifications.models import Failure, ReceiptState
from staff import clock
from staff.clock import BRUSSELS

MOST = 2_000
_TYPE, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20
_FIELD = re.compile(
    r"(?:^|[^0-9a-z])(id|sub|dlvrd|submit ?date|done ?date|stat|err|text):", re.IGNORECASE
)
_STRAY = re.compile(r"^.(?=\W?id:)", re.IGNORECASE | re.DOTALL)
_AROUND = "{}[]()<>;,\"' \t\r\n"
_ABSOLUTE = re.compile(r"[0-9]{13}(?P<ahead>[0-9]{2})(?P<sign>[+-])")
_CLOCK = "%Y%m%d%H%M%S"
_LONGEST_NUMBER = 20  # digits of an id that may be a number of 64 bits
_SMSC_MAY_BE_AHEAD = dt.timedelta(minutes=10)
_log = logging.getLogger(__name__)

_Meaning = tuple[ReceiptState, Failure | str]
_ON_ITS_WAY: _Meaning = (ReceiptState.ON_ITS_WAY, "")
_STATS: Mapping[str, _Meaning] = {  # appendix B, by the letters that vendors agree on
    "ENROU": _ON_ITS_WAY,
    "DELIV": (ReceiptState.DELIVERED, ""),
    "EXPIR": (ReceiptState.EXPIRED, Failure.EXPIRED),
    "DELET": (ReceiptState.FAILED, Failure.REJECTED),
    "UNDEL": (ReceiptState.FAILED, Failure.UNREACHABLE),
    "ACCEP": _ON_ITS_WAY,
    "UNKNO": _ON_ITS_WAY,
    "REJEC": (ReceiptState.FAILED, Failure.REJECTED),
}
_STATES = dict(enumerate(_STATS, start=1))  # message_state, 5.2.28, counts them in this order
_STATE_UNKNOWN = 7


def read(delivery: DeliverSm, *, now: dt.datetime, alphabet: str) -> Report:
    """Return what a deliver_sm or data_sm says.

    Args:
        delivery: as received.
        now: when it was received; aware.
        alphabet: what data_coding 0 is at this SMSC.
    """
    kind = delivery.esm_class & _TYPE
    if kind in (_RECEIPT, _INTERMEDIATE) or RECEIPTED_MESSAGE_ID in delivery.tlvs:
        return _receipt(delivery, now)
    inbound = _inbound(delivery, now, alphabet)
    if _fields_of(delivery).keys() >= {"id", "stat"}:
        return replace(_receipt(delivery, now), otherwise=inbound)
    return inbound


def read_query(body: bytes, sent: Sent) -> ReceiptReport | None:
    """Return what a query_sm_resp says (4.8.2); None where the SMSC does not know either.

    Args:
        body: message_id, final_date, message_state, error_code.
        sent: what was queried. Of a long message that is one part.
    """
    _number, final, rest = (*body.split(b"\0", 2), b"", b"")[:3]
    state = rest[0] if rest else _STATE_UNKNOWN
    if state not in _STATES or state == _STATE_UNKNOWN:
        return None
    meaning, failure = _STATS[_STATES[state]]
    error = f" error_code {rest[1]}" if len(rest) > 1 and rest[1] else ""
    return ReceiptReport(
        state=meaning,
        reference=sent.reference,
        provider_ids=(sent.provider_id,),
        phone=sent.phone,
        failure=failure,
        remark=f"message_state {state}{error}",
        happened_at=absolute_moment_of(final.decode("latin-1")),
    )


def e164(address: str) -> str:
    """Return an address as E.164; a short number, a national one or a name stays as it is."""
    digits = address.removeprefix("+").removeprefix("00")
    is_long = digits.isascii() and digits.isdigit() and 6 < len(digits) <= 15
    is_national = address.startswith("0") and not address.startswith("00")
    return f"+{digits}" if is_long and not is_national else address[:20]


def forms_of(number: str) -> tuple[str, ...]:
    """Return an id in every form it may have had in the answer to the submission.

    In this order: as it came; without leading zeros; read as hexadecimal, in decimal (bare, then of
    10 digits as in appendix B); read as decimal, in hexadecimal (lower case, upper case, then
    both of 8 digits). SMSCs answer in one form and report in the other. Two messages may share a
    form, so the phone must match too. Empty for an empty id.
    """
    forms = [number, number.lstrip("0"), number.lower(), number.upper()]
    # A longer id is no number, but a name such as a UUID.
    if len(number) <= _LONGEST_NUMBER and number.isascii() and number.isalnum():
        with contextlib.suppress(ValueError):
            value = int(number, 16)
            forms += [str(value), f"{value:010d}"]
        if number.isdigit():
            value = int(number)
            forms += [f"{value:x}", f"{value:X}", f"{value:08x}", f"{value:08X}"]
    return tuple(dict.fromkeys(form for form in forms if form))


def moment_of(text: str, *, now: dt.datetime) -> dt.datetime | None:
    """Return when something happened, of ``YYMMDDhhmm`` or ``YYMMDDhhmmss``; None if unreadable.

    It names no zone: Europe/Brussels is assumed. In the hour that happens twice in October it is
    the later of the two moments if that is past, else the earlier one: a receipt comes seconds
    after the event, never before it (ten minutes are allowed for a wrong clock).
    """
    digits = text[:12] if len(text) >= 12 else text + "00"
    if not (digits.isascii() and digits.isdigit() and len(digits) == 12):
        return None
    try:
        local = dt.datetime.strptime(f"20{digits}", _CLOCK).replace(tzinfo=BRUSSELS)
    except ValueError:
        return None
    later = local.replace(fold=1).astimezone(dt.UTC)
    earlier = local.astimezone(dt.UTC)
    return later if later > earlier and later <= now + _SMSC_MAY_BE_AHEAD else earlier


def absolute_moment_of(text: str) -> dt.datetime | None:
    """Return the moment of ``YYMMDDhhmmsstnnp`` (7.1.1.1); None if it is none.

    ``nn`` is how many quarters of an hour local time is ahead of UTC (``p`` is +) or behind (-).
    """
    match = _ABSOLUTE.fullmatch(text)
    if not match:
        return None
    quarters = int(match["ahead"]) * (1 if match["sign"] == "+" else -1)
    try:
        zone = dt.timezone(dt.timedelta(minutes=15 * quarters))
        return dt.datetime.strptime(f"20{text[:12]}", _CLOCK).replace(tzinfo=zone)
    except ValueError:
        return None


def _receipt(delivery: DeliverSm, now: dt.datetime) -> ReceiptReport:
    fields = _fields_of(delivery)
    said = text_of(delivery.tlvs.get(RECEIPTED_MESSAGE_ID, b"")) or fields.get("id", "")
    number = (said.split() or [""])[0]
    state = delivery.tlvs.get(MESSAGE_STATE, b"")
    stat = _STATES.get(state[-1], "") if state else fields.get("stat", "").upper()[:5]
    meaning, failure = _STATS.get(stat, _ON_ITS_WAY)
    return ReceiptReport(
        state=meaning,
        provider_ids=forms_of(number[:100]),
        phone=e164(delivery.source),
        failure=failure,
        remark=_remark(fields, delivery.tlvs),
        happened_at=moment_of(fields.get("donedate", ""), now=now),
    )


def _fields_of(delivery: DeliverSm) -> dict[str, str]:
    """Return the fields by name, up to ``text``, the start of our message."""
    has_header = delivery.data[:1] < b" "  # some SMSCs set the bit and send no header
    data = delivery.data[len(_header_of(delivery)) :] if has_header else delivery.data
    text = _STRAY.sub("", data.decode("latin-1").replace("\0", ""))
    _before, *pieces = _FIELD.split(text)
    fields: dict[str, str] = {}
    for said, value in zip(pieces[::2], pieces[1::2], strict=True):
        name = said.lower().replace(" ", "")
        if name == "text":
            break
        fields.setdefault(name, value.strip(_AROUND))
    return fields


def _header_of(delivery: DeliverSm) -> bytes:
    """Return the user data header (3GPP TS 23.040, 9.2.3.24) at the start of the data."""
    data = delivery.data
    return data[: 1 + data[0]] if delivery.esm_class & WITH_HEADER and data else b""


def _remark(fields: Mapping[str, str], tlvs: Mapping[int, bytes]) -> str:
    said = [fields.get("stat", "")]
    if MESSAGE_STATE in tlvs and tlvs[MESSAGE_STATE]:
        said.append(f"message_state {tlvs[MESSAGE_STATE][-1]}")
    if error := fields.get("err", ""):
        said.append(f"err:{error}")
    if network := tlvs.get(NETWORK_ERROR_CODE, b""):
        said.append(f"network_error_code {network.hex()}")
    return " ".join(filter(None, said))[:200] or "accusé sans état"


def _inbound(delivery: DeliverSm, now: dt.datetime, alphabet: str) -> Inbound:
    """Return a reply; each part of a long one by itself, so that none waits for another.

    SMPP gives replies no id. The same text from the same phone in the same hour counts as one
    reply that came twice: "STOP" written again next week must count again.
    """
    header = _header_of(delivery)
    text = decode(delivery.data[len(header) :], delivery.coding, alphabet=alphabet)
    witness = f"{delivery.source}|{header.hex()}|{text}|{now.astimezone(dt.UTC):%Y%m%d%H}"
    key = hashlib.sha256(witness.encode("utf-8", "replace")).hexdigest()
    return Inbound(phone=e164(delivery.source), text=text, happened_at=now, key=key)


class Reports:
    """Stores what the SMSC delivers by ``on_report``, then acknowledges it."""

    def __init__(self, on_report: OnReport, alphabet: str) -> None:
        self._on_report = on_report
        self._alphabet = alphabet
        self._tasks: set[asyncio.Task[object]] = set()
        self._closing = False

    def deliver(self, session: Session, pdu: Pdu) -> None:
        """Store what a deliver_sm or data_sm says, then acknowledge it over its session."""
        if self._closing or len(self._tasks) >= MOST:
            session.answer(pdu, consts.SMPP_ESME_RX_T_APPN)
        else:
            self._start(self._deliver(session, pdu))

    def add(self, report: Report) -> None:
        """Store a report that came in no deliver_sm: a late answer."""
        self._start(self._store(report))

    async def settle(self, seconds: float) -> None:
        """Accept no more, and wait for what is being stored; the SMSC keeps what takes too long."""
        self._closing = True
        if self._tasks:
            _done, left = await asyncio.wait(self._tasks, timeout=seconds)
            for task in left:
                task.cancel()

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, session: Session, pdu: Pdu) -> None:
        try:
            delivery = read_delivery(pdu)
        except Garbled:
            _log.warning("SMPP: a deliver_sm of %s octets cannot be read", len(pdu.body))
            session.answer(pdu, consts.SMPP_ESME_RX_P_APPN)
            return
        report = read(delivery, now=clock.real(), alphabet=self._alphabet)
        session.answer(pdu, 0 if await self._store(report) else consts.SMPP_ESME_RX_T_APPN)

    async def _store(self, report: Report) -> bool:
        try:
            await self._on_report(report)
        except Exception as error:
            _log.warning("SMPP: a report could not be stored (%s)", type(error).__name__)
            return False
        return True
