"""What a text becomes on a patient's phone, or read out by an agent, and what that costs."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications.gateways import Gateway, expected_seconds, preferred
from notifications.models import MessageKind, Word
from notifications.texts import wording
from notifications.texts.cost import Reckoning, reckon
from notifications.texts.render import MessageItem, filled
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


@dataclass(frozen=True)
class Draft:
    """A text of one language and kind, in force or being written."""

    language: str
    kind: str
    body: str

    @property
    def is_spoken(self) -> bool:
        """Whether an agent reads the text out, as against a phone that shows it."""
        return self.kind.startswith("call_")

    @property
    def cases(self) -> Sequence[tuple[object, Sequence[Word]]]:
        """The usual cases: a title and the words of the day."""
        return _CASES[self._case]

    @property
    def _case(self) -> str:
        return MessageKind(self.kind).value.removeprefix("call_")

    def message(self, words: Sequence[Word], *, day: dt.date, number: str) -> str:
        """Return the text filled in, not yet in the SMS alphabet.

        ``words`` are one for each appointment of the day, at 9:10, 11:10, …; ``number`` is E.164.
        """
        first = dt.datetime.combine(day, dt.time(9, 10), tzinfo=clock.BRUSSELS)
        new_day = day + _TO_ANOTHER_DAY if self._case == "postponed" else None
        return filled(
            self.body,
            language=self.language,
            day=day,
            lines=[
                MessageItem(first + dt.timedelta(hours=2 * place), word, new_day)
                for place, word in enumerate(words)
            ],
            callback_number=number,
            reference=REFERENCE,
            long_day=self.is_spoken,
        )

    def longest(self, *, day: dt.date, numbers: Sequence[str]) -> str:
        """Return the longest message that the text makes for four appointments on one day.

        It takes the longest name of a day in the week from ``day``, and the longest of the
        call-back ``numbers``.
        """
        number = max(numbers, key=len, default="")
        made = (
            self.message(words, day=day + dt.timedelta(days=later), number=number)
            for words in _MOST[self._case]
            for later in range(_DAYS_OF_A_WEEK)
        )
        return max(made, key=lambda text: (reckon(text).units, len(text)))


def meanings(language: str, kind: str) -> list[tuple[str, object, str]]:
    """Return each variable that a text of this kind may use: its name, what it is, an example."""
    words = (_C, _M) if kind.endswith("mixed") else (_C, _C)
    found: list[tuple[str, object, str]] = []
    for name in (name for name in _MEANINGS if name in wording.variables(kind)):
        variable = Draft(language, kind, f"{{{name}}}")
        if example := variable.message(words, day=dt.date(2022, 5, 16), number=_EXAMPLE_NUMBER):
            found.append((variable.body, _MEANINGS[name], example))
    return found


@dataclass(frozen=True)
class Thousand:
    """A thousand messages: euro (None without a known price) and seconds."""

    euro: float | None
    seconds: float


@dataclass(frozen=True)
class TextSample:
    """A message as it arrives, or as it is read out in so many ``seconds``.

    ``thousand`` is what a thousand such SMS cost.
    """

    title: str
    text: str
    seconds: int = 0
    reckoning: Reckoning | None = None
    thousand: Thousand | None = None


@dataclass(frozen=True)
class Preview:
    """What a text becomes.

    Attributes:
        faults: why it may not be saved.
        samples: the usual cases, then the longest one.
        sender: what phones show; empty when the gateway's operator decides.
        callback_number: of the chosen site, E.164.
    """

    faults: Sequence[str]
    samples: Sequence[TextSample]
    sender: str
    callback_number: str

    @property
    def first(self) -> TextSample:
        """The most usual case."""
        return self.samples[0]

    @property
    def longest(self) -> TextSample:
        """The longest one."""
        return self.samples[-1]


def preview(draft: Draft, *, site: Site | None) -> Preview:
    """Return what a text becomes at a site; of a text with faults, as far as it goes."""
    number = site.callback_number if site else ""
    gateway = preferred()
    day = clock.today() + dt.timedelta(days=1)
    numbers = list(Site.objects.values_list("callback_number", flat=True))
    written = {
        str(title): draft.message(words, day=day, number=number) for title, words in draft.cases
    }
    most = gettext("Le plus long : quatre rendez-vous")
    written[most] = draft.longest(day=day, numbers=numbers)
    return Preview(
        faults=wording.faults(kind=draft.kind, body=draft.body, names=known_names()),
        samples=[_sample(title, text, draft, gateway) for title, text in written.items()],
        sender=(site.sms_sender if site else "") or gateway.options.sender,
        callback_number=number,
    )


def _sample(title: str, written: str, draft: Draft, gateway: Gateway) -> TextSample:
    """Return a sample; a thousand leave at the rate of the first gateway, as in an estimate."""
    if draft.is_spoken:
        return TextSample(title, written, seconds=round(len(written.split()) / _WORDS_A_SECOND))
    reckoning = reckon(written, alphabet=gateway.alphabet)
    parts, price = 1000 * len(reckoning.parts), settings.SMS_PART_COST_EURO
    seconds = expected_seconds(gateway, parts=parts, messages=1000)
    thousand = Thousand(parts * price if price else None, seconds)
    return TextSample(title, reckoning.sent, reckoning=reckoning, thousand=thousand)
