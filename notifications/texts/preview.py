"""What a text becomes on a patient's phone, or in an agent's mouth, and what that costs."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from notifications.gateways import Gateway, preferred
from notifications.models import Word
from notifications.sms_text import Alphabet
from notifications.texts import samples, wording
from notifications.texts.cost import Reckoning, reckon, thousand_cost, thousand_seconds
from notifications.texts.queries import known_names
from staff import clock
from staff.models import Site

_WORDS_A_SECOND = 2.3  # of an agent who wants to be understood, about 140 words a minute


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
        return samples.message(
            body, language=language, kind=kind, words=words, day=day, callback_number=number
        )

    usual = [
        _sample(str(title), kind, made(words), alphabet) for title, words in samples.cases(kind)
    ]
    numbers = list(Site.objects.values_list("callback_number", flat=True))
    most = samples.longest(body, language=language, kind=kind, day=day, callback_numbers=numbers)
    return [*usual, _sample(_("Le plus long : quatre rendez-vous"), kind, most, alphabet)]


def _sample(title: str, kind: str, written: str, alphabet: Alphabet) -> Sample:
    if samples.is_spoken(kind):
        return Sample(title, written, None, round(len(written.split()) / _WORDS_A_SECOND))
    reckoning = reckon(written, alphabet=alphabet)
    return Sample(title, reckoning.sent, reckoning)


def _thousand(reckoning: Reckoning | None, gateway: Gateway | None) -> Thousand | None:
    """Return what a thousand take at the rate of the first gateway, as an estimate does."""
    if reckoning is None:
        return None
    parts, price = len(reckoning.parts), settings.SMS_PART_COST_EURO
    rate = settings.SMS_PARTS_PER_SECOND
    pace = gateway.options.seconds_for(parts=1000 * parts, messages=1000) if gateway else 0.0
    return Thousand(
        euro=thousand_cost(parts, euro_per_part=price) if price else None,
        seconds=pace or thousand_seconds(parts, parts_per_second=rate),
    )
