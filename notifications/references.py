"""The short reference in each SMS, which an agent can check and a forger cannot guess.

Form ``XXXX-CCC``: the notice's number and a code made from it with the site's secret key
(HMAC-SHA256, RFC 2104), both in an alphabet of 30 characters without 0/O, 1/I/L and U. A
forger hits a code once in 27,000 tries.
"""

import hmac
import re

from django.conf import settings

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 3
_NUMBER_LENGTH = 4


def reference_of(notice_id: int) -> str:
    """Return the reference of a notice, for example ``223K-7QF``."""
    return f"{_encode(notice_id)}-{_code(notice_id, settings.SECRET_KEY)}"


def notice_id_of(reference: str) -> int | None:
    """Return the notice's number if this is one of our references, in any case and spacing."""
    characters = re.sub(r"[\s-]", "", reference).upper()
    number, code = characters[:-_CODE_LENGTH], characters[-_CODE_LENGTH:]
    if len(number) < _NUMBER_LENGTH or not set(characters) <= set(ALPHABET):
        return None
    notice_id = _decode(number)
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return notice_id if any(hmac.compare_digest(_code(notice_id, k), code) for k in keys) else None


def looks_like_one(text: str) -> bool:
    """Whether a typed text is meant as a reference, ours or forged, and not as a name."""
    characters = re.sub(r"[\s-]", "", text).upper()
    fewest = _NUMBER_LENGTH + _CODE_LENGTH
    mixed = not characters.isalpha() and not characters.isdecimal()
    written = re.fullmatch(r"\s*\w{4,6}\s*-\s*\w{3}\s*", text) is not None
    is_short = fewest <= len(characters) <= fewest + 2 and characters.isalnum()
    return is_short and (mixed or written)


def _encode(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits.rjust(_NUMBER_LENGTH, ALPHABET[0])


def _decode(text: str) -> int:
    number = 0
    for character in text:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return number


def _code(notice_id: int, key: str) -> str:
    digest = hmac.digest(key.encode(), f"notice:{notice_id}".encode(), "sha256")
    return _encode(int.from_bytes(digest[:8]) % len(ALPHABET) ** _CODE_LENGTH)[-_CODE_LENGTH:]
