"""The text of a search box: a name, a number, a birth date, or several of them.

Pure: no database and no clock. Digits alone are often ambiguous (``010260`` is a birth date and may
be a record number), so every sensible reading is returned.
"""

import datetime as dt
import re
from dataclasses import dataclass

from patients import phones
from patients.names import fold

OLDEST_AGE_YEARS = 125
_NATIONAL_NUMBER_DIGITS = 11  # NISS/INSZ and BIS: YYMMDD-SSS-CC (law of 8 August 1983)
_FEWEST_PHONE_DIGITS = 8
_MONTHS = [
    "JANVIER",
    "FEVRIER",
    "MARS",
    "AVRIL",
    "MAI",
    "JUIN",
    "JUILLET",
    "AOUT",
    "SEPTEMBRE",
    "OCTOBRE",
    "NOVEMBRE",
    "DECEMBRE",
]
_SEPARATED = re.compile(r"(?<!\d)(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4}|\d{2})(?!\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})(?!\d)")
_WITH_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:er)?\s+([^\W\d_]{3,9})\.?\s+(\d{4})(?!\d)", re.I)


@dataclass(frozen=True)
class SearchText:
    """The readings of a text. Names and birth dates are joined by "and", the rest by "or".

    ``words`` are folded as ``Patient.search_name`` is; ``phone`` is E.164; ``national_number``
    is eleven digits; ``record_number`` is as typed.
    """

    words: tuple[str, ...] = ()
    birth_dates: tuple[dt.date, ...] = ()
    phone: str = ""
    national_number: str = ""
    record_number: str = ""

    def __bool__(self) -> bool:
        return any((self.words, self.birth_dates, self.phone, self.record_number))


def read(text: str, *, today: dt.date) -> SearchText:
    """Return every sensible reading of ``text``.

    Args:
        text: for example ``dupont anne``, ``Dupont 01/02/1960``, ``0495 12 34 56``,
            ``60.02.01-123.45``, ``1 février 1960``, ``010260``, ``D-2041``.
        today: the latest birth date; decides the century of a year of two digits.
    """
    text = " ".join(text.split())
    dates, rest = _written_date(text, today)
    if dates and not any(c.isdigit() for c in rest):
        return SearchText(
            words=tuple(fold(rest).split()),
            birth_dates=dates,
            record_number="" if fold(rest) else text,
        )
    if not any(c.isdigit() for c in text):
        return SearchText(words=tuple(fold(text).split()))
    if any(c.isalpha() for c in text):
        return SearchText(record_number=text)
    digits = re.sub(r"\D", "", text)
    phone = phones.read(text) if len(digits) >= _FEWEST_PHONE_DIGITS else None
    return SearchText(
        birth_dates=_bare_date(text, today),
        phone=phone.number if phone else "",
        national_number=digits if len(digits) == _NATIONAL_NUMBER_DIGITS else "",
        record_number=text,
    )


def _written_date(text: str, today: dt.date) -> tuple[tuple[dt.date, ...], str]:
    """Return the birth dates written with separators or a month's name, and the other text."""
    if found := _ISO.search(text):
        year, month, day = found.groups()
    elif found := _SEPARATED.search(text):
        day, month, year = found.groups()
    elif (found := _WITH_MONTH.search(text)) and (number := _month(found[2])):
        day, month, year = found[1], str(number), found[3]
    else:
        return (), text
    return _dates(year, month, day, today), text[: found.start()] + " " + text[found.end() :]


def _month(name: str) -> int:
    """Return 1–12 for a French month or its unmistakable beginning, else 0."""
    months = [n for n, month in enumerate(_MONTHS, 1) if month.startswith(fold(name))]
    return months[0] if len(months) == 1 else 0


def _bare_date(text: str, today: dt.date) -> tuple[dt.date, ...]:
    """Read ``010260``, ``01021960`` and ``19600201``; a space may separate (``01 02 1960``)."""
    if not re.fullmatch(r"\d{6}|\d{8}|\d{1,2} \d{1,2} (\d{2}|\d{4})", text):
        return ()
    if " " in text:
        day, month, year = text.split()
        return _dates(year, month, day, today)
    dates = _dates(text[4:], text[2:4], text[:2], today)
    if len(text) == len("YYYYMMDD"):
        dates += _dates(text[:4], text[4:6], text[6:], today)
    return dates


def _dates(year: str, month: str, day: str, today: dt.date) -> tuple[dt.date, ...]:
    """Return the possible birth dates of living people; two digits may mean two centuries."""
    centuries = ("19", "20") if len(year) == len("60") else ("",)
    dates = []
    for century in centuries:
        try:
            date = dt.date(int(century + year), int(month), int(day))
        except ValueError:
            continue
        if date <= today and today.year - date.year <= OLDEST_AGE_YEARS:
            dates.append(date)
    return tuple(dates)
