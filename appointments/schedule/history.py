"""The whole history of one appointment, merged in time, newest first."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from appointments.models import Appointment, Basis, Decision
from notifications.models import Delivery, Notice, NoticeItem, NoticeState, Question
from staff.access import Capability, may
from staff.models import AuditEvent, User
from staff.trail_words import sentence_of

SEEN = "appointment.viewed"
MOST_EVENTS = 200
# Events of decisions, opinions and attendance, which are listed themselves.
_LISTED_ITSELF = (
    "appointment.kept",
    "appointment.let_go",
    "appointment.keep_undone",
    "operation.opinion",
    "operation.ruled",
    "operation.ruling_undone",
    "appointment.sent_back",
    "attendance.noted",
)


@dataclass(frozen=True)
class HistoryEntry:
    """One thing that happened.

    ``kind`` is source, decision, opinion, notice, delivery, question, attendance or trail;
    ``outcome`` is the code of a decision, ``postponed_to`` the day that it gave instead.
    """

    at: dt.datetime
    kind: str
    title: str
    who: str = ""
    detail: str = ""
    outcome: str = ""
    basis: str = ""
    postponed_to: dt.date | None = None


def history_of(appointment: Appointment, user: User) -> list[HistoryEntry]:
    """Return everything known about an appointment (seven queries, whatever its length).

    Who looked at it is shown to those who may read the trail.
    """
    entries = [
        *_source(appointment),
        *_decisions(appointment),
        *_opinions(appointment),
        *_telling(appointment),
        *_questions(appointment),
        *_attendance(appointment),
        *_trail(appointment, user),
    ]
    entries.sort(key=lambda entry: entry.at)
    return entries[::-1]


def _source(appointment: Appointment) -> Iterator[HistoryEntry]:
    feed = _("source %(feed)s") % {"feed": appointment.feed.name}
    yield HistoryEntry(appointment.loaded_at, "source", _("Lu à la source"), feed)
    if appointment.moved_at and appointment.moved_from:
        moment = date_format(appointment.moved_from.astimezone(), "l j F Y H:i")
        detail = _("était prévu le %(moment)s") % {"moment": moment}
        yield HistoryEntry(appointment.moved_at, "source", _("Déplacé par la source"), feed, detail)
    if appointment.missing_since:
        yield HistoryEntry(appointment.missing_since, "source", _("Disparu de la source"), feed)


def _decisions(appointment: Appointment) -> Iterator[HistoryEntry]:
    decisions = appointment.decisions.select_related("decided_by", "bulletin", "clause")
    for decision in decisions.order_by("version"):
        yield HistoryEntry(
            at=decision.decided_at,
            kind="decision",
            title=_("Décision"),
            who=str(decision.decided_by or ""),
            detail=ground_of(decision),
            outcome=decision.outcome,
            basis=decision.basis,
            postponed_to=decision.postponed_to,
        )


def ground_of(decision: Decision) -> str:
    """Return on what a decision rests, in words; the bulletin and decider must be loaded."""
    if decision.basis == Basis.PERSON:
        return decision.reason
    words = {"number": decision.bulletin_id, "title": decision.bulletin and decision.bulletin.title}
    if decision.basis == Basis.LAPSE or decision.clause is None:
        return _("bulletin %(number)s (%(title)s) levé") % words
    words["position"] = decision.clause.position
    return _("bulletin %(number)s (%(title)s), point %(position)s") % words


def _opinions(appointment: Appointment) -> Iterator[HistoryEntry]:
    for opinion in appointment.opinions.select_related("given_by").order_by("given_at", "id"):
        yield HistoryEntry(
            at=opinion.given_at,
            kind="opinion",
            title=f"{opinion.get_role_display()} : {opinion.get_view_display()}",
            who=str(opinion.given_by),
            detail=opinion.comment,
        )


def _telling(appointment: Appointment) -> Iterator[HistoryEntry]:
    items = (
        NoticeItem.objects.filter(subject_id=appointment.pk)
        .select_related("notice__settled_by", "notice__reserved_for")
        .order_by("notice_id")
    )
    notices = {item.notice_id: item.notice for item in items}
    for item in items:
        yield from _notice(item.notice, item.said)
    deliveries = Delivery.objects.filter(notice__in=notices).select_related("caller")
    for delivery in deliveries.order_by("notice_id", "number"):
        yield _delivery(delivery, notices[delivery.notice_id])


def _notice(notice: Notice, word: str) -> Iterator[HistoryEntry]:
    title = _("Avis à donner : %(word)s") % {"word": word}
    reserved = notice.reserved_for
    detail = _("à donner par %(doctor)s") % {"doctor": reserved} if reserved else ""
    yield HistoryEntry(notice.created_at, "notice", title, detail=detail)
    if notice.settled_at:
        state = NoticeState(notice.state).label
        title = _("Avis %(reference)s : %(state)s") % {
            "reference": notice.reference,
            "state": state,
        }
        yield HistoryEntry(notice.settled_at, "notice", title, who=str(notice.settled_by or ""))


def _delivery(delivery: Delivery, notice: Notice) -> HistoryEntry:
    failure = delivery.get_failure_display() if delivery.failure else ""
    way = f"{delivery.get_channel_display()} {delivery.address}".strip()
    return HistoryEntry(
        at=delivery.finished_at or delivery.submitted_at or notice.created_at,
        kind="delivery",
        title=f"{way} : {delivery.get_state_display()}",
        who=str(delivery.caller or ""),
        detail=", ".join(filter(None, [failure, str(delivery.remark)])),
    )


def _questions(appointment: Appointment) -> Iterator[HistoryEntry]:
    """Yield the answers to callers about the patient's day."""
    asked = Question.objects.filter(patient=appointment.patient_id, day=appointment.day)
    for question in asked.select_related("answered_by").order_by("asked_at", "id"):
        yield HistoryEntry(
            at=question.asked_at,
            kind="question",
            title=_("Appel reçu : %(answer)s") % {"answer": question.get_answer_display()},
            who=str(question.answered_by),
            detail=", ".join(filter(None, [question.said, question.remark])),
        )


def _attendance(appointment: Appointment) -> Iterator[HistoryEntry]:
    rows = appointment.attendances.select_related("noted_by").order_by("day", "version")
    for row in rows:
        noted = date_format(row.noted_at.astimezone(), "D j/m/Y H:i")
        paper = _("d'après le papier, encodé le %(moment)s") % {"moment": noted}
        other_day = _("pour le %(day)s") % {"day": date_format(row.day, "D j/m/Y")}
        details = [
            other_day if row.day != appointment.day else "",
            paper if row.from_paper else "",
            "" if row.hour_is_known else _("heure non notée"),
            row.remark,
        ]
        yield HistoryEntry(
            at=row.happened_at,
            kind="attendance",
            title=_("Accueil : %(what)s") % {"what": row.get_what_display()},
            who=str(row.noted_by),
            detail=", ".join(filter(None, details)),
        )


def _trail(appointment: Appointment, user: User) -> Iterator[HistoryEntry]:
    events = AuditEvent.objects.filter(
        object_type=appointment._meta.model_name, object_id=str(appointment.pk)
    ).exclude(action__in=_LISTED_ITSELF)
    if not may(user, Capability.SEE_TRAIL):
        events = events.exclude(action=SEEN)
    for event in reversed(events.order_by("-sequence")[:MOST_EVENTS]):
        yield HistoryEntry(event.at, "trail", capfirst(sentence_of(event)), event.actor_name)
