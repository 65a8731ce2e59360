"""Telephone numbers: what a file wrote, made international and told mobile from landline.

Numbering facts come from libphonenumber's metadata. ``+32`` numbers of type MOBILE may get an
SMS; near Arlon +352 and +33 are common, so any country's mobile is accepted.
"""

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

HOME = "BE"
_MOBILE = {
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
}


@dataclass(frozen=True)
class Phone:
    """A usable number: E.164 text and whether an SMS can reach it."""

    number: str
    is_mobile: bool


# A load reads each number twice, once to check its row and once to write its patient.
@lru_cache(maxsize=4096)
def read(text: str) -> Phone | None:
    """Return the phone a person or a file wrote, or None when it cannot be dialled.

    Args:
        text: as found, for example ``0495/12.34.56``, ``+352 621 123 456``, ``063 22 33 44``.
    """
    try:
        parsed = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(number=number, is_mobile=_is_mobile(parsed))


def _is_mobile(parsed: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.number_type(parsed) in _MOBILE


def display(number: str) -> str:
    """Return an E.164 number as a person reads it: national for Belgium, else international."""
    try:
        parsed = phonenumbers.parse(number, HOME)
    except phonenumbers.NumberParseException:
        return number
    national = parsed.country_code == phonenumbers.country_code_for_region(HOME)
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, style.NATIONAL if national else style.INTERNATIONAL)
