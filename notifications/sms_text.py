"""What an SMS can carry and what it costs, to the septet. No Django in here.

Facts from 3GPP TS 23.038 (alphabet, 6.2.1; UCS-2, 6.2.3) and TS 23.040 (concatenation,
9.2.3.24.1): one message holds 160 septets or 70 UTF-16 units, a part of a longer one 153 or
67, and neither an escape sequence nor a surrogate pair may be cut in two. The table is that of
the ``gsm0338`` package.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gsm0338 import Codec

_ESCAPE = 0x1B
_LIMITS = {"gsm7": (160, 153), "ucs2": (70, 67)}

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

    encoding: Literal["gsm7", "ucs2"]
    units: int
    parts: int


def transliterate(text: str) -> str:
    """Return the text in the SMS alphabet as far as that can be done without losing meaning.

    é è à ù and the other letters of the alphabet stay; ç, ê, ô, typographic quotes and spaces
    become their plain relatives. What has no relative (Greek capitals apart, other scripts,
    emoji) stays as it is and makes the text UCS-2: dearer, but not wrong.
    """
    return "".join(_plain(character) for character in unicodedata.normalize("NFC", text))


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


def count(text: str) -> TextCount:
    """Return encoding, units and parts of a text as it will be sent (transliterate it first)."""
    if SEPTETS.keys() >= set(text):
        return _count("gsm7", [SEPTETS[character] for character in text])
    return _count("ucs2", [2 if ord(character) > 0xFFFF else 1 for character in text])


def _count(encoding: Literal["gsm7", "ucs2"], costs: list[int]) -> TextCount:
    single, part = _LIMITS[encoding]
    units = sum(costs)
    return TextCount(encoding, units, 1 if units <= single else _parts(costs, part))


def _parts(costs: Iterable[int], capacity: int) -> int:
    parts, filled = 1, 0
    for cost in costs:
        if filled + cost > capacity:
            parts, filled = parts + 1, 0
        filled += cost
    return parts
