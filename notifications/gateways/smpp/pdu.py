"""PDUs of SMPP 3.4 as bytes: smpplib makes what is written, this module reads what comes.

smpplib makes a submission once for each form (sender, alphabet, header); then only its sequence
and text are filled in, which takes 2 µs instead of 32. What comes is read here because smpplib
drops the last character of an id without its final zero, reads numbers by the length that they
should have, and raises at a truncated or unknown optional parameter; real SMSCs send all three.

``long=udh`` (default): each part of a long text is a submission of its own, whose data begins
with the header of 3GPP TS 23.040, 9.2.3.24.8: a reference of 16 bits, so that parts of two long
texts to one phone are not mixed up. It costs one septet per part; where that would make a part
more than was counted, the header of 9.2.3.24.1 with 8 bits is sent (``sms_text.header_for``).
``long=payload``: one submission with message_payload (SMPP 3.4, 5.3.2.32); the SMSC cuts.

``alphabet=gsm7`` (default): the SMSC's default alphabet (data_coding 0), one septet to an octet;
the SMSC packs them. ``alphabet=latin1``: ISO 8859-1 (data_coding 3), for an SMSC that
translates itself; the few texts that Latin-1 cannot hold, as with €, go as UCS-2, and are counted
so (``sms_text.count``). All else is UCS-2, big-endian (data_coding 8).
"""

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from gsm0338 import Codec
from smpplib import smpp
from smpplib.command_codes import commands

from notifications.sms_text import HEADER_16_BIT, SEPTETS, Alphabet, header_for, is_latin1, segments

ANSWER = 0x80000000
NACK = commands["generic_nack"]
SUBMIT = commands["submit_sm"]
DELIVER = commands["deliver_sm"]
DATA = commands["data_sm"]
ENQUIRE = commands["enquire_link"]
UNBIND = commands["unbind"]

RECEIPTED_MESSAGE_ID = 0x001E
NETWORK_ERROR_CODE = 0x0423
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427

LONGEST_PDU = 0x12000  # a message_payload may hold 64 KiB
LONGEST_SHORT_MESSAGE = 254
LAST_SEQUENCE = 0x7FFFFFFF
_HEADER = struct.Struct(">4L")
_TLV = struct.Struct(">2H")

GSM7, LATIN1, UCS2 = 0, 3, 8
WITH_HEADER = 0x40  # esm_class, SMPP 3.4, 5.2.12
MOST_PARTS = 255
_SINGLE = {GSM7: 160, UCS2: 140}  # octets of one message; most need no further counting

_encode = Codec().encode
_GSM = {character: _encode(character)[0] for character in SEPTETS}


class Garbled(Exception):
    """Bytes that are no PDU, or a PDU with an invalid body."""


class Pdu(NamedTuple):
    """One PDU as it came; ``body`` is what follows the header."""

    command: int
    status: int
    sequence: int
    body: bytes


class DeliverSm(NamedTuple):
    """What deliver_sm and data_sm have in common.

    Attributes:
        source: the address it comes from, as said.
        esm_class: message type and whether ``data`` begins with a header (SMPP 3.4, 5.2.12).
        coding: alphabet of ``data`` (5.2.19).
        data: short_message, or message_payload where that is empty.
        tlvs: the optional parameters by tag.
    """

    source: str
    esm_class: int
    coding: int
    data: bytes
    tlvs: dict[int, bytes]


def take_from(buffer: bytearray) -> Iterator[Pdu]:
    """Yield the whole PDUs at the start of what was received, and remove them from it.

    Raises:
        Garbled: an impossible length; the stream cannot be read any further.
    """
    place, end = 0, len(buffer)
    try:
        while end - place >= 16:
            length, command, status, sequence = _HEADER.unpack_from(buffer, place)
            if not 16 <= length <= LONGEST_PDU:
                raise Garbled(f"length {length}")
            if end - place < length:
                break
            body = bytes(buffer[place + 16 : place + length])
            place += length
            yield Pdu(command, status, sequence, body)
    finally:
        del buffer[:place]


def make(name: str, sequence: int, **fields: str | int | bytes) -> bytes:
    """Return a PDU made by smpplib.

    Args:
        name: of the command, as ``query_sm``.
        sequence: 1 to ``LAST_SEQUENCE``, or that of the request which is answered.
        **fields: of its body, and ``status``.
    """
    pdu = smpp.make_pdu(name, sequence=sequence, **fields)
    pdu.sequence = sequence
    made: bytes = pdu.generate()
    return made


def bare(command: int, sequence: int, status: int = 0) -> bytes:
    """Return a PDU without a body."""
    return _HEADER.pack(16, command, status, sequence)


def acknowledgement(pdu: Pdu, status: int = 0) -> bytes:
    """Return the answer to a deliver_sm or data_sm; its message_id is empty (4.6.2)."""
    return _HEADER.pack(17, pdu.command | ANSWER, status, pdu.sequence) + b"\0"


class Form(NamedTuple):
    """All of a submit_sm but header, destination and text.

    Attributes:
        start: up to the destination.
        end: from behind the destination's zero up to sm_length.
    """

    start: bytes
    end: bytes

    def fill(self, sequence: int, to: bytes, data: bytes, payload: bool) -> bytes:
        """Return the PDU for one destination (digits) and text (octets)."""
        if payload:
            tail = b"\0" + _TLV.pack(MESSAGE_PAYLOAD, len(data)) + data
        else:
            tail = bytes((len(data),)) + data
        body = b"".join((self.start, to, b"\0", self.end, tail))
        return _HEADER.pack(16 + len(body), SUBMIT, 0, sequence) + body


@lru_cache(maxsize=256)
def submit_form(
    *,
    source: str,
    source_ton: int,
    source_npi: int,
    esm_class: int,
    coding: int,
    receipts: bool,
    validity: int | None,
) -> Form:
    """Return the form of the submissions that share all this (SMPP 3.4, 4.4.1).

    Args:
        source: the sender, with its type of number and its plan.
        source_ton: the same.
        source_npi: the same.
        esm_class: 4.4.1 and 5.2.12.
        coding: of the text.
        receipts: ask for one.
        validity: minutes for which the SMSC tries; None for its own default.
    """
    made = make(
        "submit_sm",
        1,
        source_addr=source,
        source_addr_ton=source_ton,
        source_addr_npi=source_npi,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="",
        esm_class=esm_class,
        data_coding=coding,
        registered_delivery=int(receipts),
        validity_period=_relative_time(validity),
        short_message=b"",
    )
    body = made[16:-1]
    destination_at = 1 + 2 + len(source) + 1 + 2
    return Form(body[:destination_at], body[destination_at + 1 :])


def _relative_time(minutes: int | None) -> str:
    """Return minutes as ``YYMMDDhhmmsstnnR`` (7.1.1.2); empty for none."""
    if minutes is None:
        return ""
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}00000R"


def text_of(body: bytes) -> str:
    """Return the C-octet string at the start of a body; its final zero may be missing."""
    return body.partition(b"\0")[0].decode("latin-1")


def read_delivery(pdu: Pdu) -> DeliverSm:
    """Return what a deliver_sm (4.6.1) or data_sm (4.7.1) from the SMSC holds.

    Raises:
        Garbled: the mandatory part is cut short.
    """
    body = pdu.body
    try:
        place = body.index(0) + 3
        source_end = body.index(0, place)
        source = body[place:source_end].decode("latin-1")
        place = body.index(0, source_end + 3) + 1
        esm_class = body[place]
        if pdu.command == DATA:
            coding, data, place = body[place + 2], b"", place + 3
        else:
            place = body.index(0, place + 3) + 1  # protocol_id, priority_flag, delivery time
            place = body.index(0, place) + 1  # validity
            coding, length = body[place + 2], body[place + 4]
            place += 5 + length
            data = body[place - length : place]
    except (ValueError, IndexError) as error:
        raise Garbled("cut short") from error
    tlvs = read_tlvs(body[place:])
    return DeliverSm(source, esm_class, coding, data or tlvs.get(MESSAGE_PAYLOAD, b""), tlvs)


def read_tlvs(rest: bytes) -> dict[int, bytes]:
    """Return optional parameters by tag (5.3); what is cut short at the end is left out."""
    found, place = {}, 0
    while place + 4 <= len(rest):
        tag, length = _TLV.unpack_from(rest, place)
        place += 4 + length
        if place <= len(rest):
            found[tag] = rest[place - length : place]
    return found


class SubmitPart(NamedTuple):
    """One submission of a message; ``payload``: its data goes into message_payload."""

    esm_class: int
    coding: int
    data: bytes
    payload: bool = False


def parts_of(text: str, *, reference: int, alphabet: Alphabet, whole: bool) -> Sequence[SubmitPart]:
    """Return the submissions of one text.

    Args:
        text: as ``sms_text.transliterate`` leaves it.
        reference: of long messages, any number; its last 16 or 8 bits are used.
        alphabet: ``gsm7`` or ``latin1``.
        whole: let the SMSC cut long texts.
    """
    coding = _coding(text, alphabet)
    whole_text = encode(text, coding)
    if len(whole_text) <= _SINGLE.get(coding, 0):
        return [SubmitPart(0, coding, whole_text)]
    octets = header_for(text, alphabet=alphabet)
    pieces = segments(text, header_octets=octets, alphabet=alphabet)
    if len(pieces) == 1:
        return [SubmitPart(0, coding, whole_text)]
    if whole:
        return [SubmitPart(0, coding, whole_text, payload=True)]
    return [
        SubmitPart(
            WITH_HEADER, coding, _header(octets, reference, len(pieces), n) + encode(piece, coding)
        )
        for n, piece in enumerate(pieces, start=1)
    ]


def encode(text: str, coding: int) -> bytes:
    """Return the octets of a text in one of the three codings."""
    if coding == GSM7:
        return b"".join(map(_GSM.__getitem__, text))
    return text.encode("latin-1" if coding == LATIN1 else "utf-16-be", "replace")


def decode(data: bytes, coding: int, *, alphabet: str = "gsm7") -> str:
    """Return the text of octets that a phone sent; what cannot be read becomes ``�``.

    Args:
        data: without header.
        coding: data_coding (SMPP 3.4, 5.2.19); with a message class as in 3GPP TS 23.038, 4.
        alphabet: what data_coding 0 is at this SMSC.
    """
    if coding == UCS2 or coding & 0xFC == 0x18:
        text = data.decode("utf-16-be", "replace")
    elif (coding == GSM7 and alphabet == "gsm7") or coding & 0xFC in (0x10, 0xF0):
        text = Codec().decode(data, "replace")[0]
    else:
        text = data.decode("ascii" if coding == 1 else "latin-1", "replace")
    return text.replace("\0", "")  # which PostgreSQL cannot store


def _coding(text: str, alphabet: Alphabet) -> int:
    if not SEPTETS.keys() >= set(text):
        return UCS2
    if alphabet == "gsm7":
        return GSM7
    return LATIN1 if is_latin1(text) else UCS2


def _header(octets: int, reference: int, parts: int, number: int) -> bytes:
    if octets == HEADER_16_BIT:
        return bytes((6, 8, 4, reference >> 8 & 0xFF, reference & 0xFF, parts, number))
    return bytes((5, 0, 3, reference & 0xFF, parts, number))
