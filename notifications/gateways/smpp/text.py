"""What of an SMS goes into submit_sm: alphabet, header and octets of each part.

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

from collections.abc import Sequence
from typing import NamedTuple

from gsm0338 import Codec

from notifications.sms_text import HEADER_16_BIT, SEPTETS, Alphabet, header_for, is_latin1, segments

GSM7, LATIN1, UCS2 = 0, 3, 8
WITH_HEADER = 0x40  # esm_class, SMPP 3.4, 5.2.12
MOST_PARTS = 255
_SINGLE = {GSM7: 160, UCS2: 140}  # octets of one message; most need no further counting

_encode = Codec().encode
_GSM = {character: _encode(character)[0] for character in SEPTETS}


class Part(NamedTuple):
    """One submission of a message; ``payload``: its data goes into message_payload."""

    esm_class: int
    coding: int
    data: bytes
    payload: bool = False


def parts_of(text: str, *, reference: int, alphabet: Alphabet, whole: bool) -> Sequence[Part]:
    """Return the submissions of one text.

    Args:
        text: as ``sms_text.transliterate`` leaves it.
        reference: of long messages, any number; its last 16 or 8 bits are used.
        alphabet: ``gsm7`` or ``latin1``.
        whole: leave the cutting of long texts to the SMSC.
    """
    coding = _coding(text, alphabet)
    whole_text = encode(text, coding)
    if len(whole_text) <= _SINGLE.get(coding, 0):
        return [Part(0, coding, whole_text)]
    octets = header_for(text, alphabet=alphabet)
    pieces = segments(text, header_octets=octets, alphabet=alphabet)
    if len(pieces) == 1:
        return [Part(0, coding, whole_text)]
    if whole:
        return [Part(0, coding, whole_text, payload=True)]
    return [
        Part(
            WITH_HEADER, coding, _header(octets, reference, len(pieces), n) + encode(piece, coding)
        )
        for n, piece in enumerate(pieces, start=1)
    ]


def encode(text: str, coding: int) -> bytes:
    """Return the octets of a text in one of the three alphabets."""
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
