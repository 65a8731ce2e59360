"""What an SMS can carry and what it costs, to the septet. No Django in here.

Facts from 3GPP TS 23.038 (alphabet, 6.2.1; UCS-2, 6.2.3) and TS 23.040 (user data, 9.2.3.24):
one message holds 140 octets, that is 160 septets or 70 UTF-16 units. A part of a longer one
gives some of them to a header, and its septets begin on a septet boundary after it (fill bits).
The header takes 6 octets with a reference of 8 bits (9.2.3.24.1), which leaves 153 septets or 67
units, and 7 octets with one of 16 bits (9.2.3.24.8), which leaves 152 or 66. Neither an escape
sequence nor a surrogate pair may be cut in two. The table is that of the ``gsm0338`` package.

``count`` and ``segments`` cut in the same way, both with 6 octets unless told otherwise, since
gateways that cut texts themselves use those. If a 16-bit reference would make more parts than were
counted, the 8-bit one is used (``header_for``), so that the operator pays what was shown.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from gsm0338 import Codec

Encoding = Literal["gsm7", "ucs2"]
Alphabet = Literal["gsm7", "latin1"]

_ESCAPE = 0x1B
_OCTETS = 140
SINGLE = {"gsm7": 160, "ucs2": 70}
HEADER_8_BIT = 6
HEADER_16_BIT = 7

_REPLACEMENTS = {
    **dict.fromkeys("’‘‚‛′´`", "'"),
    **dict.fromkeys("«»“”„‟″", '"'),
    **dict.fromkeys("–—‐‑‒―−•·", "-"),
    "œ": "oe",
    "Œ": "OE",
    "…": "...",
    "°": "o",
    "\t": " ",
    "\u00ad": "",  # soft hyphen
    "\u200b": "",  # zero-width space
    "\ufeff": "",  # byte order mark
}


def _septets() -> dict[str, int]:
    decode = Codec().decode
    table = {}
    for code in range(128):
        if code == _ESCAPE:
            continue
        table[decode(bytes([code]))[0]] = 1
        extended = decode(bytes([_ESCAPE, code]), "ignore")[0]
        if extended:
            table[extended] = 2
    return table


SEPTETS = _septets()
"""Character → 1 septet, or 2 with its escape; characters outside force UCS-2."""


@dataclass(frozen=True)
class TextCount:
    """What a text costs: ``units`` are septets (gsm7) or UTF-16 code units (ucs2)."""

    encoding: Encoding
    units: int
    parts: int


def transliterate(text: str) -> str:
    """Return the text in the SMS alphabet as far as that can be done without losing meaning.

    Letters of the alphabet stay (é è à ù); ç, ê, ô, typographic quotes and spaces get their plain
    form. What has none (other scripts, emoji) stays and makes the text UCS-2: dearer, not wrong.
    """
    text = unicodedata.normalize("NFC", text)
    return text if SEPTETS.keys() >= set(text) else "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character in SEPTETS:
        return character
    if character in _REPLACEMENTS:
        return _REPLACEMENTS[character]
    if unicodedata.category(character) == "Zs":
        return " "
    decomposed = unicodedata.normalize("NFKD", character)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return bare if all(c in SEPTETS for c in bare) else character


def count(
    text: str, *, header_octets: int = HEADER_8_BIT, alphabet: Alphabet = "gsm7"
) -> TextCount:
    """Return encoding, units and parts of a text as it will be sent (transliterate it first).

    Args:
        text: any; characters outside the gateway's alphabet make it UCS-2.
        header_octets: of each part of a long message.
        alphabet: of the gateway.
    """
    encoding, costs = _costs(text, alphabet)
    units = sum(costs)
    if units <= SINGLE[encoding]:
        return TextCount(encoding, units, 1)
    parts = 1 + sum(1 for _ in _cuts(costs, capacity(encoding, header_octets)))
    return TextCount(encoding, units, parts)


def segments(
    text: str, *, header_octets: int = HEADER_8_BIT, alphabet: Alphabet = "gsm7"
) -> list[str]:
    """Return the parts in which a text is sent; the arguments are those of ``count``."""
    encoding, costs = _costs(text, alphabet)
    if sum(costs) <= SINGLE[encoding]:
        return [text]
    cuts = [0, *_cuts(costs, capacity(encoding, header_octets)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def header_for(text: str, *, alphabet: Alphabet = "gsm7") -> int:
    """Return the octets of the header with the widest reference that costs no part more."""
    wide = count(text, header_octets=HEADER_16_BIT, alphabet=alphabet).parts
    return HEADER_16_BIT if wide == count(text, alphabet=alphabet).parts else HEADER_8_BIT


def capacity(encoding: Encoding, header_octets: int) -> int:
    """Return how many septets or UTF-16 units a part holds beside its header."""
    bits = 7 if encoding == "gsm7" else 16
    return (_OCTETS - header_octets) * 8 // bits


def is_latin1(text: str) -> bool:
    """Whether ISO 8859-1 holds a text: € and Greek capitals are only in the SMS alphabet."""
    return all(ord(character) < 256 for character in text)


def _costs(text: str, alphabet: Alphabet) -> tuple[Encoding, list[int]]:
    if SEPTETS.keys() >= set(text) and (alphabet == "gsm7" or is_latin1(text)):
        return "gsm7", list(map(SEPTETS.__getitem__, text))
    return "ucs2", [2 if ord(character) > 0xFFFF else 1 for character in text]


def _cuts(costs: Iterable[int], room: int) -> Iterator[int]:
    """Yield the places, in characters, at which a next part begins."""
    filled = 0
    for place, cost in enumerate(costs):
        if filled + cost > room:
            yield place
            filled = 0
        filled += cost
