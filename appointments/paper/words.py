"""The words of a sheet: its codes in the reader's language."""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.models import (
    CALLED_OFF,
    Basis,
    KeptBy,
    Outcome,
    Priority,
    ProtectedGroup,
    Service,
    Status,
)
from appointments.paper.content import RosterContent, RosterRow, WardDay, WardLine
from notifications.models import NoticeState, Word
from patients.models import Language
from patients.phones import display
from staff.paper.styles import STYLESHEET, stylesheet_as_data

_TITLES = ("Dr ", "Dr. ", "Pr ", "Pr. ", "Prof")


@dataclass(frozen=True)
class RowWords:
    """One row in the reader's language; empty where there is nothing to say.

    ``ground`` says on what the decision rests, ``marks`` what is unusual about the row;
    ``phones`` are E.164, as people read them, and their labels. ``tags`` are the urgency and the
    protected groups; ``language`` is named where it is not French; ``number`` is that of the
    row on the sheet, 0 where it stands on none.
    """

    age: str
    act: str
    decision: str
    ground: str
    phones: tuple[tuple[str, str, str], ...]
    told: str
    marks: tuple[str, ...]
    tags: tuple[str, ...] = ()
    language: str = ""
    length: str = ""
    number: int = 0


@dataclass(frozen=True)
class SheetSection:
    """One heading and what stands under it."""

    code: str
    title: str
    lines: list[tuple[RosterRow, RowWords]]


def running_line(content: RosterContent) -> str:
    """Return what every page repeats: unit, site, day and version."""
    version = (
        _("version %(version)s") % {"version": content.version}
        if content.version
        else _("provisoire, sans numéro")
    )
    day = date_format(content.day, "l j F Y")
    return f"{content.unit} ({content.site}) – {day} – {version}"


def sections_of(content: RosterContent) -> list[SheetSection]:
    """Return a sheet's headings with their rows in words."""
    titles = {
        Outcome.MAINTAINED: _("Maintenus ou prévus"),
        Outcome.UNDER_REVIEW: _("À examiner : décision attendue"),
        Outcome.CANCELLED: _("Annulés"),
    }
    numbers = numbers_of(content)
    return [
        SheetSection(
            str(code),
            titles[Outcome(code)],
            [(row, in_words(row, content.day, numbers[row.appointment_id])) for row in rows],
        )
        for code, rows in content.sections
    ]


def numbers_of(content: RosterContent) -> dict[int, int]:
    """Return the number of each row on the sheet, by appointment: the same on paper and screen."""
    return {row.appointment_id: number for number, row in enumerate(content.rows, start=1)}


def in_words(row: RosterRow, day: dt.date, number: int = 0) -> RowWords:
    """Return what a row says on the given day, as the row of that number."""
    decision, ground = _decision(row)
    return RowWords(
        age=_age(row, day),
        act=row.act or str(Service(row.service).label),
        decision=decision,
        ground=ground,
        phones=tuple((number, display(number), label) for number, label in row.phones),
        told=_told(row),
        marks=tuple(_marks(row)),
        tags=tuple(_tags(row)),
        language="" if row.language == Language.FRENCH else str(Language(row.language).label),
        length=_("%(minutes)s min") % {"minutes": row.minutes} if row.minutes else "",
        number=number,
    )


def _tags(row: RosterRow) -> list[str]:
    urgency = [] if row.priority == Priority.ROUTINE else [str(Priority(row.priority).label)]
    return urgency + [str(ProtectedGroup(code).label) for code in row.groups]


def _age(row: RosterRow, day: dt.date) -> str:
    age = row.age_on(day)
    if age is None:
        return ""
    years, months = age
    if years < 2:
        return ngettext("%(count)d mois", "%(count)d mois", months) % {"count": months}
    return ngettext("%(count)d an", "%(count)d ans", years) % {"count": years}


def _decision(row: RosterRow) -> tuple[str, str]:
    """Return the decision and its ground; a cancellation by the source comes first."""
    ruled, ground = _ruled(row), _ground(row)
    if row.is_off_at_source:
        return str(Status(row.status).label), f"{ruled} – {ground}" if ruled else ""
    if not ruled:
        return _("prévu"), _("sans décision")
    return ruled, ground


def _ruled(row: RosterRow) -> str:
    """Return the decision as this sheet says it; empty without one."""
    if not row.outcome:
        return ""
    if row.is_postponed_here:
        return _("reporté à ce jour")
    return _postponed(row.postponed_to) if row.postponed_to else str(Outcome(row.outcome).label)


def _postponed(day: dt.date) -> str:
    return _("reporté au %(day)s") % {"day": date_format(day, "D j/m/Y")}


def _ground(row: RosterRow) -> str:
    if row.basis == Basis.PERSON:
        return _("par %(name)s") % {"name": row.decided_by}
    if row.basis == Basis.LAPSE:
        return _("bulletin %(bulletin)s levé") % {"bulletin": row.bulletin}
    if row.basis == Basis.CLAUSE:
        return _("bulletin %(bulletin)s, point %(clause)s") % {
            "bulletin": row.bulletin,
            "clause": row.clause,
        }
    return ""


def heard_word(row: RosterRow) -> str:
    """Return what the newest notice says, in the words in which a patient was told."""
    return _postponed(row.told_day) if row.told_day else str(Word(row.told_word).label)


def _told(row: RosterRow) -> str:
    if row.is_told_otherwise:
        return _("attention : a entendu « %(word)s »") % {"word": heard_word(row)}
    return str(NoticeState(row.told).label) if row.told else "—"


def _marks(row: RosterRow) -> list[str]:
    marks = []
    if row.is_postponed_here and row.is_off_at_source:
        marks.append(_("était prévu %(moment)s") % {"moment": _moment(row.starts_at)})
    elif row.is_postponed_here:
        marks.append(
            _("était prévu %(moment)s ; heure à fixer") % {"moment": _moment(row.starts_at)}
        )
    if row.status not in (Status.BOOKED, *CALLED_OFF):
        marks.append(str(Status(row.status).label))
    if row.moved_from:
        marks.append(_("déplacé : était le %(moment)s") % {"moment": _moment(row.moved_from)})
    if row.missing_since:
        marks.append(
            _("disparu de la source le %(moment)s") % {"moment": _moment(row.missing_since)}
        )
    if row.also_in:
        marks.append(_("aussi dans : %(sources)s") % {"sources": ", ".join(row.also_in)})
    return marks


def _moment(moment: dt.datetime) -> str:
    return _("%(day)s à %(time)s") % {
        "day": date_format(moment, "D j F"),
        "time": date_format(moment, "H:i"),
    }


def self_contained(content: RosterContent) -> str:
    """Return the sheet as one file that needs no other: for WeasyPrint, or to carry away."""
    return _page(content, stylesheet=stylesheet_as_data(STYLESHEET))


def for_browser(content: RosterContent, *, records_arrivals: bool = False) -> str:
    """Return the sheet as a page of this server, with a button that prints it.

    Args:
        records_arrivals: the reader may enter what was written on it.
    """
    return _page(
        content,
        stylesheet=static(STYLESHEET),
        on_screen=True,
        records_arrivals=records_arrivals,
    )


def _page(content: RosterContent, **context: object) -> str:
    # Paper is read on the ward: it has the hospital's language, whoever prints it.
    with translation.override(settings.LANGUAGE_CODE):
        values = {
            "roster": content,
            "running_line": running_line(content),
            "sections": sections_of(content),
            "callback_number": display(content.callback_number),
            "hospital_name": settings.HOSPITAL_NAME,
            **context,
        }
        return render_to_string("appointments/paper/sheet.html", values)


@dataclass(frozen=True)
class WardCard:
    """One line in the reader's language.

    ``heard`` and ``whom`` speak of patients who should not come: what they know, and who can
    help them. ``refusal`` says why the last tick was refused.
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
