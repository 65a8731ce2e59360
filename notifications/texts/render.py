"""The sentence a patient gets, in their language: sent as an SMS or read out on the phone.

Shipped texts are in ``templates/sms``; a ``MessageText`` in the database replaces one. Each
process keeps the texts for a while, since it renders thousands of messages a second.

``{day}`` in a text is a variable, ``{votre|vos}`` the singular and the plural. There is nothing
else: an edited text can break no page and reach no data.
"""

import datetime as dt
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import phonenumbers
from babel.dates import format_date
from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from notifications.models import MessageText, Notice, Word
from notifications.rules import transliterate
from patients.models import Language, Patient
from staff import clock

REMEMBERED_SECONDS = 20.0
FIELD = re.compile(r"\{([^{}]*)\}")
_AND = {"fr": "et", "nl": "en", "de": "und", "en": "and"}
# A day for an SMS, in patterns of CLDR (UTS 35). One to be read out is written as on the screens.
_SHORT_DAY = {"fr": "EEE dd/MM", "nl": "EEE dd/MM", "de": "EEE dd.MM.", "en": "EEE dd/MM"}
_LONG_DAY = "l j F"


@dataclass(frozen=True)
class MessageItem:
    """One appointment in a message: an aware moment and what is said of it (a ``Word``).

    ``postponed_to`` is the day given instead of a cancelled one. Equal lines are one appointment
    that several sources plan: it is named once.
    """

    starts_at: dt.datetime
    word: str
    postponed_to: dt.date | None = None
    site_id: int = 0


def body(
    *,
    language: str,
    day: dt.date,
    lines: Sequence[MessageItem],
    callback_number: str,
    reference: str,
) -> str:
    """Return the text of an SMS, already in the SMS alphabet.

    Args:
        language: ``fr``, ``nl``, ``de`` or ``en``; anything else is answered in French.
        day: the day told about.
        lines: at least one.
        callback_number: E.164.
        reference: from ``rules.reference_of``.
    """
    written = filled(
        _text(_known(language), _kind(lines)),
        language=_known(language),
        day=day,
        lines=lines,
        callback_number=callback_number,
        reference=reference,
    )
    return transliterate(written)


def of_notice(notice: Notice, lines: Sequence[MessageItem]) -> str:
    """Return the SMS of a notice; patient and site are best fetched with it."""
    return body(lines=lines, **_facts(notice))


def spoken_of_notice(notice: Notice, lines: Sequence[MessageItem]) -> str:
    """Return what an agent says for a notice: what is postponed, each new day, after the rest."""
    facts = _facts(notice)
    facts["language"] = language = _known(facts["language"])
    said = []
    for new_day in (None, *sorted({line.postponed_to for line in lines if line.postponed_to})):
        some = [line for line in lines if line.postponed_to == new_day]
        if some:  # a new day is only ever said by a person
            text = _text(language, f"call_{'postponed' if new_day else _kind(some)}")
            said.append(filled(text, lines=some, long_day=True, **facts))
    return " ".join(said)


def opening_words(patient: Patient, site: str) -> list[str]:
    """Return how a call begins, in the patient's language, at a site: first of all, who answers?

    The agent says nothing of an appointment before the person who answers has given the
    patient's birth date: a mobile is lent, and a number has a new owner.
    """
    with translation.override(patient.language):
        return [
            _("Bonjour, ici %(hospital)s (%(site)s). Puis-je parler à %(name)s ?")
            % {"hospital": settings.HOSPITAL_NAME, "site": site, "name": patient},
            _("Pour être sûr de parler à la bonne personne : quelle est votre date de naissance ?"),
        ]


def filled(
    text: str,
    *,
    language: str,
    day: dt.date,
    lines: Sequence[MessageItem],
    callback_number: str,
    reference: str,
    long_day: bool = False,
) -> str:
    """Return a text with its variables put in; the other arguments are those of ``body``.

    Args:
        text: as edited, without ``wording.faults``.
        long_day: the day as it is said, not as it is abbreviated.
    """
    times = partial(_times, language)
    new_day = next((line.postponed_to for line in lines if line.postponed_to), None)
    values = {
        "hospital": settings.HOSPITAL_NAME,
        "day": _day(language, day, long=long_day),
        "times": times(lines),
        "cancelled_times": times(one for one in lines if one.word == Word.CANCELLED),
        "maintained_times": times(one for one in lines if one.word == Word.MAINTAINED),
        "number": _number(callback_number),
        "reference": reference,
        "new_day": _day(language, new_day, long=True) if new_day else "",
    }
    return fill(text, values, plural=len(set(lines)) > 1)


def fill(text: str, values: Mapping[str, str], *, plural: bool) -> str:
    """Return a text without ``wording.faults`` with its variables and its singular or plural words.

    ``plural``: more than one appointment is meant. An unknown variable is left out.
    """

    def replace(match: re.Match[str]) -> str:
        singular, bar, many = match[1].partition("|")
        if bar:
            return many if plural else singular
        return values.get(match[1], "")

    return FIELD.sub(replace, text)


def _facts(notice: Notice) -> dict[str, Any]:
    return {
        "language": notice.patient.language,
        "day": notice.day,
        "callback_number": notice.site.callback_number,
        "reference": notice.reference,
    }


def _known(language: str) -> str:
    return language if language in _AND else Language.FRENCH.value


def _kind(lines: Sequence[MessageItem]) -> str:
    words = {line.word for line in lines}
    return "mixed" if len(words) > 1 else str(Word(words.pop()).value)


def _times(language: str, lines: Iterable[MessageItem]) -> str:
    moments = sorted(line.starts_at for line in lines)
    times = list(dict.fromkeys(clock.told_hour(moment) for moment in moments))
    if len(times) < 2:
        return "".join(times)
    return f"{', '.join(times[:-1])} {_AND[language]} {times[-1]}"


@lru_cache(maxsize=256)
def _day(language: str, day: dt.date, *, long: bool) -> str:
    if not long:
        return format_date(day, _SHORT_DAY[language], locale=language)
    with translation.override(language):
        return date_format(day, _LONG_DAY)


@lru_cache(maxsize=64)
def _number(number: str) -> str:
    """Return a number as people read it, international: it works from Luxembourg too."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@lru_cache(maxsize=64)
def shipped(language: str, kind: str) -> str:
    """Return the text of a language and a ``MessageKind`` as it came with the application."""
    path: Path = settings.BASE_DIR / "templates" / "sms" / language / f"{kind}.txt"
    return path.read_text(encoding="utf-8").strip()


_remembered: list[tuple[float, dict[tuple[str, str], str]]] = []


def forget() -> None:
    """Read the texts again on the next message (a text was edited in this process)."""
    _remembered.clear()


def _text(language: str, kind: str) -> str:
    now = time.monotonic()
    if not _remembered or now - _remembered[0][0] >= REMEMBERED_SECONDS:
        rows = MessageText.objects.values_list("language", "kind", "body")
        _remembered[:] = [(now, {(language, kind): text for language, kind, text in rows})]
    return _remembered[0][1].get((language, kind)) or shipped(language, kind)
