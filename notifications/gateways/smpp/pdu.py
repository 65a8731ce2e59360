"""PDUs of SMPP 3.4, and the texts in them.

smpplib makes what we send. What we receive is read here: smpplib drops the last character of an
id without its final zero, reads numbers by the length that they should have, and raises at a
truncated or unknown optional parameter. Real SMSCs send all three.

``long=udh`` (default): each part of a long text is a submission of its own, whose data begins
with the header of 3GPP TS 23.040, 9.2.3.24.8: a reference of 16 bits, so that parts of two long
texts to one phone are not mixed up. It costs one septet per part; where that would make a part
more than was counted, the header of 9.2.3.24.1 with 8 bits is sent (``rules.header_for``).
``long=payload``: one submission with message_payload (SMPP 3.4, 5.3.2.32); the SMSC cuts.

``alphabet=gsm7`` (default): the SMSC's default alphabet (data_coding 0), one septet to an octet;
the SMSC packs them. ``alphabet=latin1``: ISO 8859-1 (data_coding 3), for an SMSC that
translates itself; the few texts that Latin-1 cannot hold, as with €, go as UCS-2, and are counted
so (``rules.count``). All else is UCS-2, big-endian (data_coding 8).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gsm0338 import Codec
from smpplib import consts, smpp
from smpplib.command_codes import commands

from notifications.rules import HEADER_16_BIT, SEPTETS, Alphabet, count, header_for, segments

ANSWER = 0x80000000
NACK = commands["generic_nack"]
DELIVER = commands["deliver_sm"]
DATA = commands["data_sm"]
ENQUIRE = commands["enquire_link"]
UNBIND = commands["unbind"]

RECEIPTED_MESSAGE_ID = 0x001E
NETWORK_ERROR_CODE = 0x0423
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427

LONGEST_PDU = 0x12000  # a message_payload may hold 64 KiB
LAST_SEQUENCE = 0x7FFFFFFF
_HEADER = struct.Struct(">4L")
_TLV = struct.Struct(">2H")

GSM7, LATIN1, UCS2 = 0, 3, 8
WITH_HEADER = 0x40  # esm_class, SMPP 3.4, 5.2.12
MOST_PARTS = 255

Field = str | int | bytes
_GSM = {character: Codec().encode(character)[0] for character in SEPTETS}
_STATUS_NAMES = {
    value: name.removeprefix("SMPP_")
    for name, value in vars(consts).items()
    if name.startswith("SMPP_ESME_")
}


class Garbled(Exception):
    """Bytes that are no PDU, or a PDU with an invalid body."""


class Pdu(NamedTuple):
    """One PDU as received; ``body`` is what follows the header."""

    command: int
    status: int
    sequence: int
    body: bytes


class DeliverSm(NamedTuple):
    """What deliver_sm and data_sm have in common.

    Attributes:
        source: the address it comes from, as received.
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


def named(status: int) -> str:
    """Return a command_status with its name, as the operator's help desk knows it."""
    return f"0x{status:08X} {_STATUS_NAMES.get(status, '')}".strip()


def make(name: str, sequence: int, **fields: Field) -> bytes:
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


def take_from(buffer: bytearray) -> Iterator[Pdu]:
    """Yield the whole PDUs at the start of what was received, and remove them from it.

    Raises:
        Garbled: an impossible length; the stream cannot be read any further.
    """
    while len(buffer) >= _HEADER.size:
        length, command, status, sequence = _HEADER.unpack_from(buffer)
        if not _HEADER.size <= length <= LONGEST_PDU:
            raise Garbled(f"length {length}")
        if len(buffer) < length:
            return
        body = bytes(buffer[_HEADER.size : length])
        del buffer[:length]
        yield Pdu(command, status, sequence, body)


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


def parts_of(
    text: str, *, reference: int, alphabet: Alphabet, whole: bool
) -> list[dict[str, Field]]:
    """Return the submissions of one text, as fields of submit_sm (4.4.1).

    Args:
        text: as ``rules.transliterate`` leaves it.
        reference: of long messages, any number; its last 16 or 8 bits are used.
        alphabet: ``gsm7`` or ``latin1``.
        whole: let the SMSC cut long texts.
    """
    counted = count(text, alphabet=alphabet)
    septets = LATIN1 if alphabet == "latin1" else GSM7
    coding = UCS2 if counted.encoding == "ucs2" else septets
    if counted.parts == 1:
        return [{"data_coding": coding, "short_message": encode(text, coding)}]
    if whole:
        return [{"data_coding": coding, "message_payload": encode(text, coding)}]
    octets = header_for(text, alphabet=alphabet)
    pieces = segments(text, header_octets=octets, alphabet=alphabet)
    return [
        {
            "esm_class": WITH_HEADER,
            "data_coding": coding,
            "short_message": _header(octets, reference, len(pieces), n) + encode(piece, coding),
        }
        for n, piece in enumerate(pieces, start=1)
    ]


def _header(octets: int, reference: int, parts: int, number: int) -> bytes:
    if octets == HEADER_16_BIT:
        return bytes((6, 8, 4, reference >> 8 & 0xFF, reference & 0xFF, parts, number))
    return bytes((5, 0, 3, reference & 0xFF, parts, number))


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
