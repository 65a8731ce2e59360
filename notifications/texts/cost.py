"""What the characters of an SMS do to its price. No Django in here.

The alphabet and the sizes are those of ``rules``, and so are their sources.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from notifications.rules import (
    HEADER_8_BIT,
    SEPTETS,
    SINGLE,
    Alphabet,
    Encoding,
    capacity,
    count,
    segments,
    transliterate,
)

Effect = Literal["unicode", "doubled", "replaced"]
EFFECTS: tuple[Effect, ...] = ("unicode", "doubled", "replaced")


@dataclass(frozen=True)
class Character:
    """A character that costs, and how many ``times`` it stands in the text.

    Its effect is ``unicode``: not in the SMS alphabet, so that all the message goes out as UCS-2;
    ``doubled``: takes two septets; ``replaced``: goes out as ``becomes``, which is free.
    """

    text: str
    effect: Effect
    times: int
    becomes: str = ""

    @property
    def code(self) -> str:
        """Its code point, for example ``U+263A``."""
        return f"U+{ord(self.text):04X}"

    @property
    def is_visible(self) -> bool:
        """Whether it shows on a screen by itself."""
        return unicodedata.category(self.text)[0] not in "CZM"


@dataclass(frozen=True)
class Part:
    """One part as it is sent; ``units`` of ``room`` septets or UTF-16 units are used."""

    text: str
    units: int
    room: int


@dataclass(frozen=True)
class Reckoning:
    """What a text costs: the text as it arrives, its parts, and its characters, dearest first."""

    sent: str
    encoding: Encoding
    parts: tuple[Part, ...]
    characters: tuple[Character, ...]

    @property
    def units(self) -> int:
        """Septets or UTF-16 units in all."""
        return sum(part.units for part in self.parts)

    @property
    def left(self) -> int:
        """Units that the last part still holds."""
        return self.parts[-1].room - self.parts[-1].units


def reckon(written: str, *, alphabet: Alphabet = "gsm7") -> Reckoning:
    """Return what an SMS costs, whose variables are put in and which is not transliterated yet."""
    sent = transliterate(written)
    encoding = count(sent, alphabet=alphabet).encoding
    cut = segments(sent, alphabet=alphabet)
    room = capacity(encoding, HEADER_8_BIT) if len(cut) > 1 else SINGLE[encoding]
    parts = tuple(Part(text, _units(text, encoding), room) for text in cut)
    dearest_first = sorted(
        _characters(written, alphabet), key=lambda one: EFFECTS.index(one.effect)
    )
    return Reckoning(sent, encoding, parts, tuple(dearest_first))


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "gsm7":
        return sum(SEPTETS[character] for character in text)
    return len(text.encode("utf-16-be")) // 2


def _characters(written: str, alphabet: Alphabet) -> Iterator[Character]:
    for character, times in Counter(unicodedata.normalize("NFC", written)).items():
        becomes = transliterate(character)
        if count(becomes, alphabet=alphabet).encoding != "gsm7":
            yield Character(character, "unicode", times)
        elif SEPTETS.get(character) == 2:
            yield Character(character, "doubled", times)
        elif becomes != character:
            yield Character(character, "replaced", times, becomes)
