"""The rules of telling: when an SMS is of use, what it carries, whom to call next, what a receipt
means. Pure: no Django, no clock; moments are aware.
"""

import datetime as dt
import hashlib
import hmac
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from gsm0338 import Codec

from patients import phones

# --- when an SMS is of use --------------------------------------------------------------------

URGENCY_COUNTS_FROM = dt.date(2000, 1, 1)
RANKS = 10
FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 3600.0
LONGEST_TROUBLE_SECONDS = 960.0
"""The longest backoff from a gateway that reports failures of its own."""


def latest_departure(first_at: dt.datetime, *, seconds_before: float) -> dt.datetime:
    """Return the moment after which an SMS is too late: the patient may be on the way already."""
    return first_at.astimezone(dt.UTC) - dt.timedelta(seconds=seconds_before)


def seconds_before_try(number: int, *, jitter: float) -> float:
    """Return how long to wait before another try: doubling, at most an hour.

    Args:
        number: of the try that failed, from 1.
        jitter: a factor near 1, so that a crowd does not come back together.
    """
    doubled = FIRST_RETRY_SECONDS * 2.0 ** min(number - 1, 12)
    return min(doubled, LONGEST_RETRY_SECONDS) * jitter


def urgency(day: dt.date, rank: int) -> int:
    """Return how urgent a message is, the smallest first: by day, then by rank (0 to 9)."""
    return (day - URGENCY_COUNTS_FROM).days * RANKS + rank


def rank_of(urgency: int) -> int:
    """Return the kind of act that an urgency was made of: 0 is the most urgent."""
    return urgency % RANKS


# --- quiet hours, in which no SMS leaves ------------------------------------------------------
#
# They follow the wall clock of Brussels, also on the two nights on which it jumps. An hour that the
# clock skips has passed when it jumps. In the hour that happens twice, quiet hours last from the
# first time that their start is shown until the last time that their end is.

BRUSSELS = ZoneInfo("Europe/Brussels")
_WRITTEN = re.compile(r"\s*(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)\s*", re.ASCII)
_MINUTE = dt.timedelta(minutes=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Quiet hours on the wall clock; without ``hours`` it is never quiet.

    ``hours`` are start (quiet) and end (no longer quiet); over midnight when the end is earlier.
    """

    hours: tuple[dt.time, dt.time] | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the quiet hours written as ``21:00-08:00``; an empty text is never quiet.

        Raises:
            ValueError: it is none; the message is a French sentence.
        """
        if not text.strip():
            return cls()
        written = _WRITTEN.fullmatch(text)
        try:
            start, end = (
                dt.time.fromisoformat(one.zfill(5)) for one in (written.groups() if written else ())
            )
        except ValueError:
            raise ValueError(
                f"« {text[:40]} » ne dit pas des heures calmes : donnez deux heures comme "
                "21:00-08:00, ou rien pour envoyer à toute heure."
            ) from None
        if start == end:
            raise ValueError(
                f"« {text[:40]} » commence et finit à la même heure : donnez deux heures "
                "différentes, ou rien pour envoyer à toute heure."
            )
        return cls((start, end))

    def __str__(self) -> str:
        if self.hours is None:
            return ""
        return "–".join(f"{one:%H:%M}" for one in self.hours)

    def is_quiet(self, moment: dt.datetime) -> bool:
        """Whether no SMS should leave at a moment."""
        return self._end(moment) is not None

    def next_allowed(self, moment: dt.datetime) -> dt.datetime:
        """Return the moment if it is not quiet, else the end of the quiet hours, in Brussels."""
        return (self._end(moment) or moment).astimezone(BRUSSELS)

    def _end(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the end of the quiet hours that a moment is in, if any."""
        until = self._end_of_one(moment)
        # Where the clock jumps, the next quiet hours may begin when these end, or before.
        while until is not None and (later := self._end_of_one(until)):
            until = later
        return until

    def _end_of_one(self, moment: dt.datetime) -> dt.datetime | None:
        if self.hours is None:
            return None
        start, end = self.hours
        today = moment.astimezone(BRUSSELS).date()
        for first_day in (today - _DAY, today):
            last_day = first_day if start < end else first_day + _DAY
            until = max(_shown(last_day, end))
            if min(_shown(first_day, start)) <= moment < until:
                return until
        return None


def _shown(day: dt.date, time: dt.time) -> tuple[dt.datetime, dt.datetime]:
    """Return the first and the last moment (UTC) at which the clock shows a time, or jumps it."""
    wall = dt.datetime.combine(day, time)
    # Before and after a change of offset (PEP 495): in this order twice, in the other never.
    first, last = (wall.replace(tzinfo=BRUSSELS, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if last < first:
        jump = last
        while jump.astimezone(BRUSSELS).replace(tzinfo=None) < wall:
            jump += _MINUTE
        return jump, jump
    return first, last


# --- what an SMS can carry and what it costs, to the septet -----------------------------------
#
# Facts from 3GPP TS 23.038 (alphabet, 6.2.1; UCS-2, 6.2.3) and TS 23.040 (user data, 9.2.3.24):
# one message holds 140 octets, that is 160 septets or 70 UTF-16 units. A part of a longer one
# gives some of them to a header, and its septets begin on a septet boundary after it (fill bits).
# The header takes 6 octets with a reference of 8 bits (9.2.3.24.1), which leaves 153 septets or 67
# units, and 7 octets with one of 16 bits (9.2.3.24.8), which leaves 152 or 66. Neither an escape
# sequence nor a surrogate pair may be cut in two. The table is that of the ``gsm0338`` package.
#
# ``count`` and ``segments`` cut in the same way, both with 6 octets unless told otherwise, since
# gateways that cut texts themselves use those. If a 16-bit reference would make more parts than
# were counted, the 8-bit one is used (``header_for``), so that the operator pays what was shown.

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


def _costs(text: str, alphabet: Alphabet) -> tuple[Encoding, list[int]]:
    # ISO 8859-1 has no € and no Greek capitals, which are in the SMS alphabet.
    is_held = alphabet == "gsm7" or all(ord(character) < 256 for character in text)
    if is_held and SEPTETS.keys() >= set(text):
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


# --- the reference in an SMS: an agent can check it, and a forger cannot guess it -------------
#
# Form ``XXXX-CCC``: the notice's number and a code made from it with the site's secret key
# (HMAC-SHA256, RFC 2104), both in an alphabet of 30 characters without 0/O, 1/I/L and U. A
# forger hits a code once in 27,000 tries.

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 3
_NUMBER_LENGTH = 4


def reference_of(notice_id: int, key: str) -> str:
    """Return the reference that a key makes for a notice, for example ``223K-7QF``."""
    return f"{_in_letters(notice_id)}-{_code(notice_id, key)}"


def notice_id_of(reference: str, keys: Iterable[str]) -> int | None:
    """Return the number of the notice if a key made this reference, in any case and spacing."""
    characters = re.sub(r"[\s-]", "", reference).upper()
    number, code = characters[:-_CODE_LENGTH], characters[-_CODE_LENGTH:]
    if len(number) < _NUMBER_LENGTH or not set(characters) <= set(REFERENCE_ALPHABET):
        return None
    notice_id = 0
    for letter in number:
        notice_id = notice_id * len(REFERENCE_ALPHABET) + REFERENCE_ALPHABET.index(letter)
    return notice_id if any(hmac.compare_digest(_code(notice_id, k), code) for k in keys) else None


def may_be_reference(text: str) -> bool:
    """Whether a typed text is meant as a reference, ours or forged, and not as a name."""
    characters = re.sub(r"[\s-]", "", text).upper()
    fewest = _NUMBER_LENGTH + _CODE_LENGTH
    mixed = not characters.isalpha() and not characters.isdecimal()
    written = re.fullmatch(r"\s*\w{4,6}\s*-\s*\w{3}\s*", text) is not None
    is_short = fewest <= len(characters) <= fewest + 2 and characters.isalnum()
    return is_short and (mixed or written)


def _in_letters(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, len(REFERENCE_ALPHABET))
        digits = REFERENCE_ALPHABET[rest] + digits
    return digits.rjust(_NUMBER_LENGTH, REFERENCE_ALPHABET[0])


def _code(notice_id: int, key: str) -> str:
    digest = hmac.digest(key.encode(), f"notice:{notice_id}".encode(), "sha256")
    return _in_letters(int.from_bytes(digest[:8]) % len(REFERENCE_ALPHABET) ** _CODE_LENGTH)[
        -_CODE_LENGTH:
    ]


# --- which number to call next ----------------------------------------------------------------


def next_number(
    numbers: Sequence[str], *, tried: Sequence[tuple[str, bool]], last: str, moves_on: bool
) -> str | None:
    """Return which of a patient's numbers the next call dials; None when none is left.

    A wrong number is never dialled again. The last number stays, unless nobody answered: then the
    one least often dialled follows, in the order in which they are kept.

    Args:
        numbers: of the patient, in calling order.
        tried: of each call about the notice, the number and whether it was wrong.
        last: the number of the last call.
        moves_on: the last call was not answered.
    """
    wrong = {number for number, was_wrong in tried if was_wrong}
    left = [number for number in numbers if number not in wrong]
    if not left:
        return None
    if last in left and not moves_on:
        return last
    others = [number for number in left if number != last] or left
    counts = Counter(number for number, _was_wrong in tried)
    return min(others, key=lambda number: (counts[number], left.index(number)))


def tries_before_giving_up(numbers: int, *, tries: int) -> int:
    """Return how many unanswered calls end the trying: one for each right number at least."""
    return max(numbers, tries)


# --- which delivery a receipt means, and what it does to it -----------------------------------
#
# States are the codes of ``DeliveryState`` and ``ReceiptState``.

_LONGEST_KEY = 64

_AFTER: Mapping[str, Mapping[str, str]] = {
    # ``delivered`` wins however late it comes: the patient knows.
    "delivered": dict.fromkeys(
        ("submitting", "accepted", "unknown", "failed", "expired"), "delivered"
    ),
    "failed": dict.fromkeys(("submitting", "accepted", "unknown"), "failed"),
    "expired": dict.fromkeys(("submitting", "accepted", "unknown"), "expired"),
    "on_its_way": dict.fromkeys(("submitting", "unknown"), "accepted"),
}


def after_receipt(state: str, says: str, *, may_have_left: bool = False) -> str:
    """Return a delivery's state after a receipt.

    A delivery that was never handed over (held, queued, claimed, withdrawn, suppressed) stays as it
    is. A queued or claimed one with a client reference may have left before, and only waits to be
    repeated: it counts as unknown, and the receipt makes the repetition needless.

    Args:
        state: of the delivery.
        says: what the receipt says.
        may_have_left: the delivery has a client reference.
    """
    if may_have_left and state in ("queued", "claimed"):
        return _AFTER[says].get("unknown", state)
    return _AFTER[says].get(state, state)


def part_after_receipt(state: str, says: str) -> str:
    """Return the state of one part of a long message after a receipt about it."""
    return says if state == "on_its_way" or says == "delivered" else state


def sum_of_parts(states: Iterable[str], *, one_is_enough: bool = False) -> str:
    """Return what the receipts of all parts say of the message: a missing part makes it unreadable.

    ``one_is_enough``: the gateway reports one part only, whatever becomes of the others.
    """
    found = set(states)
    for bad in ("failed", "expired"):
        if bad in found:
            return bad
    is_complete = found == {"delivered"} or (one_is_enough and "delivered" in found)
    return "delivered" if is_complete else "on_its_way"


class Candidate(NamedTuple):
    """A delivery that a receipt may speak of; ``submitted_at`` only has to be comparable.

    ``number`` is that of the gateway by which it was found.
    """

    delivery_id: int
    notice_id: int
    address: str
    submitted_at: Any
    number: str = ""


def plain_number(number: str) -> str:
    """Return a gateway's number without what differs between an answer and a report of it."""
    return number.lower().lstrip("0")


def meant_by(
    number: str,
    phone: str,
    candidates: Sequence[Candidate],
    *,
    notices_of_phone: Collection[int] | None = None,
) -> Candidate | None:
    """Return the delivery that a receipt means, of those with its number in any form.

    The number as it was said wins over what else it may be read as (hexadecimal as decimal, and
    the other way round): two messages to one phone may have 16 and 22. Gateways use their numbers
    again (in SMPP 3.4, section 5.2.23, they are opaque and up to the SMSC), so of several the
    newest to that phone is meant. A lone one is believed although the receipt names another phone,
    unless that is another patient's: SMSCs name the sender instead, or leave out the country. A
    number that is only read as something else must match the phone.

    Args:
        number: as the receipt says it.
        phone: E.164 of whom the receipt is about; empty if the gateway does not say.
        candidates: the deliveries at its gateway with the receipt's number, in any of its forms.
        notices_of_phone: of the patients whose number the receipt's phone is; None if nobody's.
    """
    exact = [one for one in candidates if plain_number(one.number) == plain_number(number)]
    for some in ([one for one in exact if one.number == number], exact):
        if best := _newest([one for one in some if not phone or one.address == phone]):
            return best
    if len({one.delivery_id for one in exact}) == 1:
        only = exact[0]
        if notices_of_phone is None or only.notice_id in notices_of_phone:
            return only
    others = [one for one in candidates if one not in exact]
    if phone:
        return _newest([one for one in others if one.address == phone])
    return others[0] if len({one.delivery_id for one in others}) == 1 and not exact else None


def _newest(candidates: Sequence[Candidate]) -> Candidate | None:
    return max(candidates, key=lambda one: (one.submitted_at, one.delivery_id), default=None)


# --- what a gateway wrote, as the database can keep it ----------------------------------------


def one_line(text: str, longest: int) -> str:
    """Return text without what no column takes (NUL, half a surrogate pair) or no line holds."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text[:longest]


def international(phone: str) -> str:
    """Return a number as E.164 as far as that can be told; some gateways leave the plus out."""
    if not phone or (phone[0] == "+" and phone[1:].isdecimal()):
        return phone[:20]
    if phone.isdecimal() and phone[0] != "0":
        return f"+{phone}"[:20]
    read = phones.read(phone)
    return read.number if read else one_line(phone, 20)


def key_of(given: str, *content: str) -> str:
    """Return what makes two reports the same one: the gateway's key, or a hash of the content."""
    if given and len(given) <= _LONGEST_KEY and given.isprintable():
        return given
    text = given or "\x1f".join(content)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
