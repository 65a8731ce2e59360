"""What wards and reception read at one appointment of their day."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _

from appointments.models import Basis
from appointments.paper.attended import WardDay, WardLine
from appointments.paper.content import RosterRow
from appointments.paper.words import RowWords, heard_word, in_words, numbers_of
from appointments.vocabulary import KeptBy, Outcome
from notifications.models import NoticeState


@dataclass(frozen=True)
class WardCard:
    """One line in the reader's language.

    ``heard`` and ``whom`` speak of patients who should not come: what they know, and who can
    help them. ``refusal`` says why what was just tried is not so.
    """

    line: WardLine
    words: RowWords
    heard: str = ""
    whom: str = ""
    refusal: str = ""


def cards_of(day: WardDay) -> list[WardCard]:
    """Return a day's lines in the order of the printed sheet."""
    numbers = numbers_of(day.content)
    return [
        card_of(line, day.content.day, number=numbers[line.row.appointment_id])
        for line in day.lines
    ]


def card_of(line: WardLine, day: dt.date, *, refusal: str = "", number: int = 0) -> WardCard:
    """Return one line in words, as the row of that number on the sheet."""
    words = in_words(line.row, day, number)
    if not line.is_called_off:
        return WardCard(line, words, refusal=refusal)
    return WardCard(line, words, _heard(line.row), _whom(line), refusal)


def _heard(row: RosterRow) -> str:
    if row.is_told_otherwise:
        word = {"word": heard_word(row)}
        if row.told_word == Outcome.CANCELLED:
            return (
                _("Ce patient sait qu'il ne devait pas venir, mais a entendu « %(word)s ».") % word
            )
        return _("Ce patient a entendu « %(word)s » et ne sait rien de l'annulation.") % word
    return {
        NoticeState.TOLD: _("Ce patient a été prévenu de l'annulation."),
        NoticeState.OPEN: _("Ce patient n'a pas encore été prévenu."),
        NoticeState.UNREACHABLE: _("Ce patient n'a pas pu être joint : il ne sait rien."),
    }.get(NoticeState(row.told) if row.told else NoticeState.WITHDRAWN, _("Rien ne lui a été dit."))


def _whom(line: WardLine) -> str:
    row = line.row
    if row.is_off_at_source:
        return _("C'est l'agenda qui l'a annulé, pas un bulletin : voyez %(who)s.") % {
            "who": _with_article(row.practitioner) or _("la personne qui tient l'agenda")
        }
    if row.basis == Basis.PERSON:
        return _("Voyez %(who)s, qui l'a décidé.") % {"who": row.decided_by}
    if line.kept_by == KeptBy.DOCTOR and row.practitioner:
        return _("Voyez %(who)s : aucun autre médecin ne peut garder ce patient.") % {
            "who": _with_article(row.practitioner)
        }
    if line.kept_by == KeptBy.MEDICAL_DIRECTOR:
        return _("Voyez la direction médicale, qui seule peut maintenir ce rendez-vous.")
    return _("Voyez la cellule de crise : personne d'autre ne peut maintenir ce rendez-vous.")


def _with_article(doctor: object) -> str:
    """Return a doctor as a sentence names them: "le Dr Weber", where the language says so."""
    name = str(doctor or "")
    if not name.startswith(_TITLES):
        return name
    return _("le %(doctor)s") % {"doctor": name}


_TITLES = ("Dr ", "Dr. ", "Pr ", "Pr. ", "Prof")
