"""PDUs of SMPP 3.4 as a fake SMSC reads and writes them: by hand, to share no mistake with ours."""

import struct
import time
from typing import Any

import gsm0338  # noqa: F401  # registers the codec

HEADER = struct.Struct(">4L")
NACK, BIND_RX, BIND_TX, QUERY, SUBMIT, DELIVER = 0x80000000, 1, 2, 3, 4, 5
UNBIND, BIND_TRX, ENQUIRE, DATA = 6, 9, 0x15, 0x103
ANSWER = 0x80000000


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """Return one PDU."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    """Return one optional parameter."""
    return struct.pack(">HH", tag, len(value)) + value


def deliver_body(source: str, text: bytes, *, esm_class: int, coding: int = 0, tlvs=b"") -> bytes:
    """Return the body of a deliver_sm from a phone to us."""
    head = b"\0\x01\x01" + source.encode() + b"\0\x05\0Vivalia\0"
    middle = bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, coding, 0, len(text)])
    return head + middle + text + tlvs


def receipt_text(number: str, stat: str = "DELIVRD", error: str = "000") -> str:
    """Return a receipt as in appendix B of SMPP 3.4."""
    return (
        f"id:{number} sub:001 dlvrd:001 submit date:2205141200 done date:2205141201 "
        f"stat:{stat} err:{error} text:"
    )


def read_submit(body: bytes) -> dict[str, Any]:
    """Return the fields of a submit_sm (SMPP 3.4, 4.4.1) that a test looks at."""
    end = body.index(0)
    place = end + 3
    end = body.index(0, place)
    source, to_at = body[place:end], end + 3
    end = body.index(0, to_at)
    esm_class = body[end + 1]
    schedule = body.index(0, end + 4)
    validity = body.index(0, schedule + 1)
    registered, _replace, coding, _default, length = body[validity + 1 : validity + 6]
    data = body[validity + 6 : validity + 6 + length]
    rest = body[validity + 6 + length :]
    if rest[:2] == b"\x04\x24":
        data = rest[4:]
    one = {
        "to": f"+{body[to_at:end].decode()}",
        "source": source.decode("latin-1"),
        "source_ton": body[place - 2],
        "source_npi": body[place - 1],
        "esm_class": esm_class,
        "validity": body[schedule + 1 : validity].decode(),
        "registered": registered,
        "coding": coding,
        "data": data,
        "reference": 0,
        "of": 1,
        "part": 1,
        "at": time.monotonic(),
    }
    if esm_class & 0x40:
        header = data[1 : 1 + data[0]]
        one["data"] = data[1 + data[0] :]
        one["reference"] = int.from_bytes(header[2:-2])
        one["header"], one["of"], one["part"] = header, header[-2], header[-1]
    return one


def decode(one: dict[str, Any]) -> str:
    """Return the text of one submission."""
    return one["data"].decode({0: "gsm03.38", 3: "latin-1", 8: "utf-16-be"}[one["coding"]])
