"""Telephone and national numbers that, as far as the plans allow, belong to nobody.

Telephone:

- **Germany** reserves numbers for films; of those, the mobiles here are 0171 39200 00 to 99
  (Bundesnetzagentur, "Rufnummern für Medienproduktionen", Mitteilung 148/2021).
- **France** does too (ARCEP: 03 53 01 and 06 39 98, four free digits each). libphonenumber does
  not take 06 39 98 for a mobile, so the French here have the landline range only.
- **Belgium** has no such range. +32 459 is a mobile range by its form (libphonenumber:
  ``4[5-9]\\d{7}``) that no operator holds in libphonenumber's table of carriers
  (resources/carrier/en/32.txt). For landlines the number after the area code starts with 0,
  which no number did while 0 alone led out of the area; whether such blocks were given out
  since is not known to us.
- **Luxembourg** has none either. +352 679 is a mobile range by its form that no operator holds
  in the table of carriers (resources/carrier/en/352.txt).

"No operator holds" is what the tables say, not a promise: the demo's gateway never sends.

National number: six digits of birth date, three of a daily counter, two check digits (97 minus
the rest of the first nine divided by 97, with a 2 in front for those born from 2000 on). The
counter runs from 001 to 998, odd for men and even for women; the demo uses 999 and 000, so
that the check digits are right and the number is nobody's.
"""

import datetime as dt
from random import Random

AREA_CODES = {
    "arlon": "63",
    "bastogne": "61",
    "bertrix": "61",
    "libramont": "61",
    "marche": "84",
    "virton": "63",
}
CENTURY = 2000


class Numbers:
    """Gives out telephone numbers, each once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def mobile(self, country: str) -> str:
        """Return a mobile of ``be``, ``lu`` or ``de``, as E.164."""
        if country == "lu":
            return self._new("+352679", 6)
        if country == "de" and self._german_left():
            return self._new("+4917139200", 2)
        return self._new("+32459", 6)

    def landline(self, country: str, site: str) -> str:
        """Return a landline of ``be`` (in the area of a site) or ``fr``, as E.164."""
        if country == "fr":
            return self._new("+3335301", 4)
        return self._new(f"+32{AREA_CODES[site]}0", 5)

    def _german_left(self) -> bool:
        return sum(number.startswith("+49") for number in self._given) < 50  # of a hundred

    def _new(self, prefix: str, digits: int) -> str:
        while True:
            number = f"{prefix}{self._rng.randrange(10**digits):0{digits}}"
            if number not in self._given:
                self._given.add(number)
                return number


def national_number(birth_date: dt.date, *, is_female: bool) -> str:
    """Return eleven digits with right check digits and a counter that is never given out."""
    first_nine = f"{birth_date:%y%m%d}{'000' if is_female else '999'}"
    divided = f"2{first_nine}" if birth_date.year >= CENTURY else first_nine
    return f"{first_nine}{97 - int(divided) % 97:02}"


def wrong_national_number(right: str) -> str:
    """Return the number with its last digit mistyped."""
    return right[:-1] + str((int(right[-1]) + 1) % 10)
