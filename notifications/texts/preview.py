"""What a text becomes on a patient's phone, or in an agent's mouth, and what that costs."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.gateways import Gateway, preferred
from notifications.models import MessageKind, Word
from notifications.sms_text import Alphabet
from notifications.texts import wording
from notifications.texts.cost import Reckoning, reckon
from notifications.texts.render import Line, filled
from notifications.texts.wording import known_names
from staff import clock
from staff.models import Site

REFERENCE = "223K-7QF"
_EXAMPLE_NUMBER = "+3263000000"
_MEANINGS = {
    "hospital": _("l'hôpital"),
    "day": _("le jour"),
    "times": _("les heures"),
    "cancelled_times": _("les heures de ce qui est annulé"),
    "maintained_times": _("les heures de ce qui est maintenu"),
    "new_day": _("le jour auquel c'est reporté"),
    "number": _("le numéro de rappel du site"),
    "reference": _("la référence, que les agents peuvent vérifier"),
}
_DAYS_OF_A_WEEK = 7
_TO_ANOTHER_DAY = dt.timedelta(days=8)
_C, _M = Word.CANCELLED, Word.MAINTAINED
# Title and words of the cases that are shown of each kind; the last ones are the most that a
# patient has on one day.
_CASES = {
    "cancelled": ((_("Un rendez-vous"), (_C,)), (_("Deux rendez-vous"), (_C, _C))),
    "maintained": ((_("Un rendez-vous"), (_M,)), (_("Deux rendez-vous"), (_M, _M))),
    "postponed": ((_("Un rendez-vous"), (_C,)), (_("Deux rendez-vous"), (_C, _C))),
    "mixed": (
        (_("Un annulé, un maintenu"), (_C, _M)),
        (_("Deux annulés, un maintenu"), (_C, _C, _M)),
    ),
}
_MOST = {
    "cancelled": ((_C,) * 4,),
    "maintained": ((_M,) * 4,),
    "postponed": ((_C,) * 4,),
    "mixed": ((_C, _C, _M, _M), (_C, _C, _C, _M), (_C, _M, _M, _M)),
}
_WORDS_A_SECOND = 2.3  # of an agent who wants to be understood, about 140 words a minute


def is_spoken(kind: str) -> bool:
    """Whether an agent reads the text out, as against a phone that shows it."""
    return kind.startswith("call_")


def cases(kind: str) -> Sequence[tuple[object, Sequence[Word]]]:
    """Return what a text of this kind is mostly about: a title and the words of the day."""
    return _CASES[_told(kind)]


def meanings(language: str, kind: str) -> list[tuple[str, object, str]]:
    """Return each variable that a text of this kind may use: its name, what it is, an example."""
    day = dt.date(2022, 5, 16)
    words = (_C, _M) if _told(kind) == "mixed" else (_C, _C)
    return [
        (f"{{{name}}}", what, made)
        for name, what in _MEANINGS.items()
        if name in wording.variables(kind)
        and (
            made := message(
                f"{{{name}}}",
                language=language,
                kind=kind,
                words=words,
                day=day,
                callback_number=_EXAMPLE_NUMBER,
            )
        )
    ]


def message(
    body: str,
    *,
    language: str,
    kind: str,
    words: Sequence[Word],
    day: dt.date,
    callback_number: str,
) -> str:
    """Return a text filled in, not yet in the SMS alphabet.

    Args:
        body: with its variables.
        words: one for each appointment: at 9:10, 11:10, …
        day: of the appointments.
        callback_number: E.164.
    """
    first = dt.datetime.combine(day, dt.time(9, 10), tzinfo=clock.BRUSSELS)
    new_day = day + _TO_ANOTHER_DAY if _told(kind) == "postponed" else None
    lines = [
        Line(first + dt.timedelta(hours=2 * place), word, new_day)
        for place, word in enumerate(words)
    ]
    return filled(
        body,
        language=language,
        day=day,
        lines=lines,
        callback_number=callback_number,
        reference=REFERENCE,
        long_day=is_spoken(kind),
    )


def longest(
    body: str, *, language: str, kind: str, day: dt.date, callback_numbers: Sequence[str]
) -> str:
    """Return the longest message that a text makes for four appointments on one day.

    Args:
        day: the first of the week from which the longest name of a day is taken.
        callback_numbers: of the sites, E.164.
    """
    number = max(callback_numbers, key=len, default="")
    made = (
        message(
            body,
            language=language,
            kind=kind,
            words=words,
            day=day + dt.timedelta(days=later),
            callback_number=number,
        )
        for words in _MOST[_told(kind)]
        for later in range(_DAYS_OF_A_WEEK)
    )
    return max(made, key=lambda text: (reckon(text).units, len(text)))


def _told(kind: str) -> str:
    return MessageKind(kind).value.removeprefix("call_")


@dataclass(frozen=True)
class Sample:
    """A message as it arrives, or as it is read out.

    Attributes:
        title: which case it shows.
        text: what is read or heard.
        reckoning: what it costs; None for a call.
        seconds: to read it out; 0 for an SMS.
    """

    title: str
    text: str
    reckoning: Reckoning | None
    seconds: int = 0


@dataclass(frozen=True)
class Thousand:
    """A thousand messages: euro (None while nobody told the price) and seconds."""

    euro: float | None
    seconds: float


@dataclass(frozen=True)
class Preview:
    """What a text becomes.

    Attributes:
        faults: why it may not be saved.
        samples: the usual cases, then the longest one.
        sender: what phones show; empty when the gateway's operator decides.
        callback_number: of the chosen site, E.164.
        thousand: messages of the first case; None for a call.
        thousand_longest: messages of the longest case; None for a call.
    """

    faults: tuple[str, ...]
    samples: tuple[Sample, ...]
    sender: str
    callback_number: str
    thousand: Thousand | None
    thousand_longest: Thousand | None

    @property
    def first(self) -> Sample:
        """The most usual case."""
        return self.samples[0]

    @property
    def longest(self) -> Sample:
        """The longest one."""
        return self.samples[-1]


def preview(*, language: str, kind: str, body: str, site: Site | None) -> Preview:
    """Return what a text becomes at a site; of a text with faults, as far as it goes.

    Args:
        language, kind: which text.
        body: with its variables.
        site: whose sender and call-back number are shown; None where there is no site yet.
    """
    number = site.callback_number if site else ""
    gateway = preferred()
    alphabet = gateway.alphabet if gateway else "gsm7"
    made = tuple(_samples(language, kind, body, number, alphabet))
    return Preview(
        faults=tuple(wording.faults(kind=kind, body=body, names=known_names())),
        samples=made,
        sender=(site.sms_sender if site else "") or (gateway.options.sender if gateway else ""),
        callback_number=number,
        thousand=_thousand(made[0].reckoning, gateway),
        thousand_longest=_thousand(made[-1].reckoning, gateway),
    )


def _samples(
    language: str, kind: str, body: str, number: str, alphabet: Alphabet
) -> Sequence[Sample]:
    day = clock.today() + dt.timedelta(days=1)

    def made(words: Sequence[Word]) -> str:
        return message(
            body, language=language, kind=kind, words=words, day=day, callback_number=number
        )

    usual = [_sample(str(title), kind, made(words), alphabet) for title, words in cases(kind)]
    numbers = list(Site.objects.values_list("callback_number", flat=True))
    most = longest(body, language=language, kind=kind, day=day, callback_numbers=numbers)
    return [*usual, _sample(gettext("Le plus long : quatre rendez-vous"), kind, most, alphabet)]


def _sample(title: str, kind: str, written: str, alphabet: Alphabet) -> Sample:
    if is_spoken(kind):
        return Sample(title, written, None, round(len(written.split()) / _WORDS_A_SECOND))
    reckoning = reckon(written, alphabet=alphabet)
    return Sample(title, reckoning.sent, reckoning)


def _thousand(reckoning: Reckoning | None, gateway: Gateway | None) -> Thousand | None:
    """Return what a thousand take at the rate of the first gateway, as an estimate does."""
    if reckoning is None:
        return None
    parts, price = 1000 * len(reckoning.parts), settings.SMS_PART_COST_EURO
    pace = gateway.options.seconds_for(parts=parts, messages=1000) if gateway else 0.0
    return Thousand(
        euro=parts * price if price else None,
        seconds=pace or parts / settings.SMS_PARTS_PER_SECOND,
    )
