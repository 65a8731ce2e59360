"""PDUs of SMPP 3.4 as bytes: what is written is made by smpplib, what comes is read here.

A submission is made by smpplib once for each form (sender, alphabet, header) and then only gets
its number and text, which takes 2 µs instead of 32. What comes is read here because smpplib
drops the last character of an id without its final zero, reads numbers by the length that they
should have, and raises at a truncated or unknown optional parameter; real SMSCs send all three.
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from smpplib import smpp
from smpplib.command_codes import commands

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


class Garbled(Exception):
    """Bytes that are no PDU, or a PDU whose body is not what it should be."""


class Pdu(NamedTuple):
    """One PDU as it came; ``body`` is what follows the header."""

    command: int
    status: int
    sequence: int
    body: bytes


class Delivery(NamedTuple):
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
        Garbled: the length is none that a PDU can have; the stream cannot be read any further.
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
        validity: minutes for which the SMSC tries; None for what it does by itself.
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


def read_delivery(pdu: Pdu) -> Delivery:
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
    return Delivery(source, esm_class, coding, data or tlvs.get(MESSAGE_PAYLOAD, b""), tlvs)


def read_tlvs(rest: bytes) -> dict[int, bytes]:
    """Return optional parameters by tag (5.3); what is cut short at the end is left out."""
    found, place = {}, 0
    while place + 4 <= len(rest):
        tag, length = _TLV.unpack_from(rest, place)
        place += 4 + length
        if place <= len(rest):
            found[tag] = rest[place - length : place]
    return found
