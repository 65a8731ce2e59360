"""Messages as patients would get them, made with stand-in appointments: for who writes a text."""

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from notifications.models import MessageKind, Word
from notifications.texts import render as texts
from notifications.texts import wording
from notifications.texts.cost import reckon
from staff.clock import BRUSSELS

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
    first = dt.datetime.combine(day, dt.time(9, 10), tzinfo=BRUSSELS)
    new_day = day + _TO_ANOTHER_DAY if _told(kind) == "postponed" else None
    lines = [
        texts.Line(first + dt.timedelta(hours=2 * place), word, new_day)
        for place, word in enumerate(words)
    ]
    return texts.filled(
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
