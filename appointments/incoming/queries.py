"""Incoming calls: which patient calls, and what they may be told."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.access import from_today, schedule_for
from appointments.models import CALLED_OFF, RULED, Appointment, Outcome, Status
from notifications.access import notices_of
from notifications.models import (
    LIVE,
    Answer,
    Channel,
    Delivery,
    FoundBy,
    Notice,
    NoticeItem,
    NoticeState,
    Question,
    Word,
    notice_id_of,
)
from notifications.rules import may_be_reference
from notifications.telling.outbox import Asked, asked_about, lines_of
from notifications.texts import render as texts
from patients import search_text
from patients.models import Patient
from patients.queries import first_meant, first_sounding
from staff import clock
from staff.access import Capability
from staff.models import User

MOST_FOUND = 20
BY_NAME = ("search_name", "id")
MOST_QUESTIONS = 20
_STILL_ASKED_ABOUT = (*RULED, Status.CANCELLED)


def spoken_of_appointment(appointment: Appointment, language: str) -> str:
    """Return the sentence about one appointment.

    Args:
        appointment: with its standing outcome.
        language: the patient's.
    """
    starts_at = appointment.starts_at.astimezone(clock.BRUSSELS)
    with translation.override(language):
        return _sentence(appointment) % {
            "day": date_format(starts_at, "l j F"),
            "time": clock.told_hour(starts_at),
            "new_day": date_format(appointment.postponed_to, "l j F")
            if appointment.postponed_to
            else "",
        }


def spoken_of_nothing(language: str) -> str:
    """Return the sentence for somebody of whom nothing is planned."""
    with translation.override(language):
        return _("Nous ne trouvons pas de rendez-vous à venir à votre nom.")


def _sentence(appointment: Appointment) -> str:
    if appointment.status == Status.CANCELLED:
        return _("Votre rendez-vous du %(day)s à %(time)s avait déjà été annulé : ne venez pas.")
    if appointment.outcome == Outcome.MAINTAINED:
        return _("Votre rendez-vous du %(day)s à %(time)s est maintenu : venez comme prévu.")
    if appointment.postponed_to:
        return _(
            "Votre rendez-vous du %(day)s à %(time)s est reporté au %(new_day)s : ne venez pas "
            "avant ce jour. Nous vous dirons l'heure."
        )
    if appointment.outcome == Outcome.CANCELLED:
        return _(
            "Votre rendez-vous du %(day)s à %(time)s est annulé : ne venez pas. Nous vous "
            "recontacterons pour fixer une nouvelle date."
        )
    if appointment.outcome == Outcome.UNDER_REVIEW:
        return _(
            "Pour votre rendez-vous du %(day)s à %(time)s, la décision n'est pas encore prise : "
            "nous vous préviendrons dès qu'elle l'est."
        )
    return _(
        "Votre rendez-vous du %(day)s à %(time)s est toujours prévu : venez, sauf si nous vous "
        "prévenons du contraire."
    )


@dataclass(frozen=True)
class IncomingSearch:
    """The result of a search on the page of incoming calls.

    Attributes:
        patients: by name, each with ``next_at``; at most ``MOST_FOUND``.
        alike: others whose names sound alike; none if too many have the name as typed.
        is_more: there are others, of whom nothing is shown.
        asked: what is known of the reference that was typed, if it was one.
    """

    patients: list[Patient] = field(default_factory=list)
    is_more: bool = False
    asked: Asked | None = None
    alike: list[Patient] = field(default_factory=list)

    @property
    def is_nobody(self) -> bool:
        """Whether nothing was found."""
        return not self.patients and not self.alike and self.asked is None


@dataclass(frozen=True)
class IncomingDay:
    """One day about which a patient may ask.

    Attributes:
        day: None for somebody of whom nothing is planned.
        appointments: of the places where the reader sees the schedule.
        notice: the newest that says just what holds, with its ``tries``; if any.
        also: others that do and of which the patient is not told yet.
        known: ids of all of that day that are not withdrawn.
        stale: what waits, or was given up, and says something that no longer holds.
        words: what else is decided and read out, and was not told before.
        sent: the SMS about that day that left, the newest first, also of earlier decisions.
        sentences: what to read out, in the patient's language.
        answer: what reading it out amounts to.
    """

    day: dt.date | None
    sentences: list[str]
    answer: Answer
    appointments: list[Appointment] = field(default_factory=list)
    notice: Notice | None = None
    also: list[Notice] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    stale: list[Notice] = field(default_factory=list)
    words: list[NoticeItem] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)

    @property
    def said(self) -> str:
        """All that is read out."""
        return " ".join(self.sentences)

    @property
    def seen(self) -> str:
        """Changes with what is read out: an answer counts only for what the agent saw."""
        facts = f"{self.notice and self.notice.pk}|{self.day}|{self.said}"
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    @property
    def may_change_until(self) -> dt.datetime | None:
        """Until when the telling is held, so that a doctor may still keep the patient."""
        waits = [one.not_before for one in _live(self.notice) if one.not_before > clock.now()]
        return max(waits, default=None)

    @property
    def has_left(self) -> bool:
        """Whether an SMS of the notice is out, so that noting holds nothing back."""
        return _has_left(self.notice)


def search(user: User, typed: str) -> IncomingSearch:
    """Return the patients of the reader's places who may be calling.

    Args:
        user: who looks.
        typed: a name, a birth date, a number, or the reference of an SMS.
    """
    asked = asked_about(user, typed) if may_be_reference(typed) or notice_id_of(typed) else None
    if asked is not None and asked.is_ours:
        known = [asked.notice.patient_id] if asked.notice else []
        return IncomingSearch(patients=list(_listed(user).filter(pk__in=known)), asked=asked)
    meant = search_text.read(typed, today=clock.today())
    if len("".join(typed.split())) < 2 or not meant:
        return IncomingSearch(asked=asked)
    # Find the few patients to show among hundreds first, then load what the page shows of them.
    some = first_meant(meant)
    seen = patients_of(user).filter(pk__in=some.ids).order_by(*BY_NAME)
    first = list(seen.values_list("pk", flat=True)[: MOST_FOUND + 1])
    is_more = len(first) > MOST_FOUND or some.is_more
    found = list(_listed(user).filter(pk__in=first[:MOST_FOUND]))
    alike = [] if is_more else _alike(user, meant, some.ids)
    # A text that is not one of our references may be a record number.
    return IncomingSearch(found, is_more, None if found else asked, alike)


def _alike(user: User, meant: search_text.SearchText, found: Sequence[int]) -> list[Patient]:
    """Return patients whose names sound as what was typed, beside those found (two queries)."""
    others = first_sounding(meant, but=found).ids
    return list(_listed(user).filter(pk__in=others)[:MOST_FOUND]) if others else []


def patients_of(user: User) -> QuerySet[Patient]:
    """Return the patients with an appointment or a notice at the reader's places."""
    planned = schedule_for(user).filter(patient=OuterRef("pk")).order_by()
    noticed = Notice.objects.filter(_mine(user), patient=OuterRef("pk"))
    return Patient.objects.filter(Q(Exists(planned)) | Q(Exists(noticed)))


def found_by(patient: Patient, typed: str) -> str:
    """Return how a patient was found by what was typed (``FoundBy``); empty without a search."""
    if not typed.strip():
        return ""
    if notice_id_of(typed) is not None:
        return FoundBy.REFERENCE
    meant = search_text.read(typed, today=clock.today())
    if meant.words:
        return FoundBy.NAME
    return FoundBy.BIRTH if patient.birth_date in meant.birth_dates else FoundBy.NUMBER


def days_of(patient: Patient, user: User) -> list[IncomingDay]:
    """Return the days ahead with what to read out about each, the next one first (five queries).

    Of somebody of whom nothing is planned: one day without a date that says so.
    """
    appointments: dict[dt.date, list[Appointment]] = {}
    planned = from_today(schedule_for(user)).filter(patient=patient, status__in=_STILL_ASKED_ABOUT)
    for appointment in planned.order_by("starts_at", "id"):
        appointments.setdefault(appointment.day, []).append(appointment)
    notices: dict[dt.date, list[Notice]] = {}
    for notice in _in_force(patient, user):
        notices.setdefault(notice.day, []).append(notice)
    planned_for = _planned(patient, notices)
    days = [
        _day(patient, day, appointments.get(day, []), notices.get(day, []), planned_for)
        for day in sorted(appointments.keys() | notices.keys())
    ]
    nothing = IncomingDay(None, [spoken_of_nothing(patient.language)], Answer.NOT_KNOWN)
    return days or [nothing]


def questions_of(patient: Patient) -> list[Question]:
    """Return what the patient was answered before, newest first."""
    asked = patient.questions.select_related("answered_by").order_by("-asked_at", "-id")
    return list(asked[:MOST_QUESTIONS])


def _listed(user: User) -> QuerySet[Patient]:
    ahead = from_today(schedule_for(user)).filter(patient=OuterRef("pk"), status=Status.BOOKED)
    next_at = ahead.order_by("starts_at").values("starts_at")[:1]
    return patients_of(user).annotate(next_at=Subquery(next_at)).order_by(*BY_NAME)


def _mine(user: User) -> Q:
    return notices_of(user, Capability.WORK_CALL_LIST)


def _in_force(patient: Patient, user: User) -> Iterable[Notice]:
    """Return the notices that hold from today on, the newest version of a day last."""
    return (
        Notice.objects.filter(_mine(user), patient=patient, day__gte=clock.today())
        .exclude(state=NoticeState.WITHDRAWN)
        .select_related("patient", "site", "settled_by")
        .prefetch_related(
            Prefetch("items", NoticeItem.objects.order_by("starts_at")),
            Prefetch("deliveries", Delivery.objects.order_by("id"), to_attr="tries"),
        )
        .order_by("day", "version")
    )


def _planned(
    patient: Patient, notices: Mapping[dt.date, Sequence[Notice]]
) -> dict[int, Appointment]:
    """Return the planned appointments that notices announce, at any place."""
    listed = [one for of_day in notices.values() for one in of_day]
    subjects = {item.subject_id for notice in listed for item in notice.items.all()}
    planned = Appointment.objects.filter(pk__in=subjects, patient=patient)
    return planned.exclude(status__in=CALLED_OFF).in_bulk()


def _holds(item: NoticeItem, day: dt.date, planned: Mapping[int, Appointment]) -> bool:
    """Whether a word says what holds of that day (ADR 0014)."""
    one = planned.get(item.subject_id)
    if one is None or one.day != day:
        return (item.word, item.postponed_to) == (Word.CANCELLED, None)
    is_hour = item.word == Word.CANCELLED or item.starts_at == one.starts_at
    return is_hour and (item.word, item.postponed_to) == (one.outcome, one.postponed_to)


def _day(
    patient: Patient,
    day: dt.date,
    appointments: list[Appointment],
    notices: list[Notice],
    planned: Mapping[int, Appointment],
) -> IncomingDay:
    """Return what to read out for a day: what holds, even if an older notice said otherwise."""
    true = [one for one in notices if all(_holds(item, day, planned) for item in one.items.all())]
    untold = (NoticeState.OPEN, NoticeState.UNREACHABLE)
    newest = true[-1] if true else None
    also = [one for one in true[:-1] if one.state in untold]
    stale = [one for one in notices if one not in true and one.state in untold]
    read = [*also, newest] if newest else []
    said = {item.subject_id for one in read for item in one.items.all()}
    others = [one for one in appointments if one.pk not in said]
    sentences = [texts.spoken_of_notice(one, lines_of(one)) for one in read]
    sentences += [spoken_of_appointment(one, patient.language) for one in others]
    return IncomingDay(
        day=day,
        sentences=[*dict.fromkeys(sentences)],  # one act of several sources is read out once
        answer=_answer(newest, others),
        appointments=appointments,
        notice=newest,
        also=also,
        known=[one.pk for one in notices],
        stale=stale,
        words=_words(others, notices),
        sent=_sent(notices),
    )


def _words(others: Iterable[Appointment], notices: Iterable[Notice]) -> list[NoticeItem]:
    """Return the words that are read out and that the patient has not heard yet."""
    heard = {
        item.subject_id: (item.word, item.postponed_to)
        for notice in notices
        if notice.handed_over_at
        for item in notice.items.all()
    }
    return [
        NoticeItem(
            subject_id=one.pk,
            starts_at=one.starts_at,
            site_id=one.unit.site_id,
            word=one.outcome,
            postponed_to=one.postponed_to,
        )
        for one in others
        if one.status in RULED
        and one.outcome in (Outcome.CANCELLED, Outcome.MAINTAINED)
        and heard.get(one.pk) != (one.outcome, one.postponed_to)
    ]


def _tries(notice: Notice | None) -> list[Delivery]:
    return getattr(notice, "tries", [])


def _live(notice: Notice | None) -> list[Delivery]:
    return [one for one in _tries(notice) if one.state in LIVE]


def _has_left(notice: Notice | None) -> bool:
    return any(one.channel == Channel.SMS and one.may_have_left for one in _live(notice))


def _sent(notices: Iterable[Notice]) -> list[Delivery]:
    """Return the SMS that the patient has or may have, the newest first."""
    tries = [one for notice in notices for one in _tries(notice)]
    left = [one for one in tries if one.channel == Channel.SMS and one.may_have_left]
    dated = [(one.submitted_at, one) for one in left if one.submitted_at]
    return [one for _at, one in sorted(dated, key=itemgetter(0), reverse=True)]


def _answer(notice: Notice | None, others: list[Appointment]) -> Answer:
    if notice is not None:
        is_told = notice.state == NoticeState.TOLD or _has_left(notice)
        return Answer.IN_FORCE if is_told else Answer.TOLD
    is_open = any(one.outcome in ("", Outcome.UNDER_REVIEW) for one in others)
    return Answer.NOT_KNOWN if is_open else Answer.IN_FORCE
