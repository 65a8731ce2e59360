"""What follows from a call: how its try ends, and which one comes next. Called under lock."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from typing import NoReturn

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from notifications import rules
from notifications.calls.queries import being_made, tries
from notifications.lifecycle import call_states, delivery_states, notice_states
from notifications.lifecycle.delivery_states import Next
from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeState,
)
from patients.phones import in_calling_order
from staff import clock
from staff.errors import Refusal
from staff.models import User
from staff.sentences import Stored


class CallResult(enum.StrEnum):
    """What came of a call."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    CALL_BACK_LATER = "call_back_later"


_FAILURES = {
    CallResult.NO_ANSWER: Failure.NO_ANSWER,
    CallResult.WRONG_NUMBER: Failure.WRONG_NUMBER,
    CallResult.CALL_BACK_LATER: Failure.CALL_LATER,
}


def was_withdrawn_in_hand(call: Delivery) -> bool:
    """Whether its notice was withdrawn while the call was to be made, or being made."""
    return (
        call.notice.state == NoticeState.WITHDRAWN
        and call.state == DeliveryState.WITHDRAWN
        and call.finished_at == call.notice.settled_at
    )


def refuse(call: Delivery, *, heard: bool = False) -> NoReturn:
    """Say why a call cannot be taken, logged or given back, and what to do.

    Args:
        call: with its notice.
        heard: whether the person says that the patient heard it.

    Raises:
        Refusal: always.
    """
    notice = call.notice
    if notice.state == NoticeState.WITHDRAWN and heard and call.state == DeliveryState.DELIVERED:
        raise Refusal(
            _(
                "C'est déjà noté : le patient a entendu cet avis, qui est retiré depuis. Regardez "
                "ce qui vaut maintenant."
            )
        )
    if notice.state == NoticeState.WITHDRAWN:
        raise Refusal(
            _(
                "La décision a changé entre-temps et cet avis est retiré : cet appel n'est plus à "
                "passer, et rien n'est noté."
            )
        )
    if notice.state != NoticeState.OPEN:
        raise Refusal(
            _(
                "C'est déjà réglé : ce patient est noté « %s ». Ne le rappelez pas : revenez à "
                "la liste et prenez l'appel suivant."
            )
            % notice.get_state_display()
        )
    of_patient = being_made().filter(notice__patient=notice.patient_id)
    if other := of_patient.exclude(caller=None).select_related("caller").first():
        raise Refusal(_("%s est en train d'appeler ce patient.") % other.caller)
    raise Refusal(_("Cet appel n'est plus à faire : prenez le suivant."))


def must_be_in_time(calls: Iterable[Delivery], call_at: dt.datetime | None) -> None:
    """Refuse to ring again when the patient may be on the way already.

    Raises:
        Refusal: until when ringing is of use.
    """
    first_at = min(one.notice.first_at for one in calls)
    latest = notice_states.latest_departure(first_at)
    if call_at and call_at > latest:
        moment = date_format(latest.astimezone(clock.BRUSSELS), "l j F H:i")
        raise Refusal(
            _(
                "Trop tard : le patient serait déjà en route. Choisissez une heure jusqu'à "
                "%(moment)s, ou prévenez-le maintenant."
            )
            % {"moment": moment},
            field="call_at",
        )


def must_have_happened(call: Delivery, at: dt.datetime) -> None:
    """Refuse a moment at which the call cannot have been made.

    Raises:
        Refusal: between which moments it was.
    """
    earliest, now = call.printed_at or call.not_before, clock.now()
    if not earliest <= at <= now:
        raise Refusal(
            _(
                "L'appel a eu lieu entre %(earliest)s et maintenant : corrigez l'heure notée sur "
                "la feuille."
            )
            % {"earliest": date_format(earliest.astimezone(clock.BRUSSELS), "l j F H:i")},
            field="happened_at",
        )


def end(call: Delivery, by: User, result: CallResult, remark: Stored, at: dt.datetime) -> None:
    """End a try; a patient who was reached is told.

    A notice that was withdrawn meanwhile stays so; its words are heard (ADR 0014).
    """
    call_states.end(call, by=by, at=at, failure=_FAILURES.get(result, ""), remark=remark)
    if result != CallResult.REACHED:
        return
    if call.notice.state == NoticeState.WITHDRAWN:
        notice_states.note_heard([call.notice_id], at=at)
    else:
        notice_states.tell([call.notice_id], at=at, by=by)


def keep_answers(notice: Notice, new_days: Mapping[int, bool], at: dt.datetime) -> None:
    """Keep what the patient said to the days given instead; an answer to another notice is none."""
    for suits in (True, False):
        asked = [pk for pk, answer in new_days.items() if answer is suits]
        if asked:
            notice.items.filter(pk__in=asked, postponed_to__isnull=False).update(
                new_day_suits=suits, new_day_answered_at=at
            )


def answers_of(notice: Notice) -> dict[str, list[dt.date]]:
    """Return the new days that suit a patient and those that do not, for the trail."""
    answered = notice.items.filter(new_day_suits__isnull=False).order_by("postponed_to")
    said = [(item.postponed_to, item.new_day_suits) for item in answered if item.postponed_to]
    return {
        "new_days_that_suit": [day for day, suits in said if suits],
        "new_days_refused": [day for day, suits in said if not suits],
    }


def go_on(
    call: Delivery,
    by: User,
    result: CallResult,
    call_at: dt.datetime | None,
    at: dt.datetime,
) -> None:
    """Open the next call, or close the notice as unreachable when none is left to try."""
    history = [one for one in tries(call.notice) if one.channel == Channel.PHONE]
    unanswered = sum(one.failure == Failure.NO_ANSWER for one in history)
    tried = [(one.address, one.failure == Failure.WRONG_NUMBER) for one in history]
    numbers = [one.number for one in in_calling_order(call.notice.patient.numbers)]
    left = set(numbers) - {number for number, was_wrong in tried if was_wrong}
    address = rules.next_number(
        numbers, tried=tried, rung=call.address, moves_on=result == CallResult.NO_ANSWER
    )
    most = rules.tries_before_giving_up(len(left), tries=settings.CALL_TRIES)
    if address is None or unanswered >= most:
        notice_states.give_up([call.notice_id], at=at, by=by)
        return
    soon = at.astimezone(dt.UTC) + dt.timedelta(seconds=settings.CALL_AGAIN_SECONDS)
    again = {
        CallResult.NO_ANSWER: soon,
        CallResult.WRONG_NUMBER: at,
        CallResult.CALL_BACK_LATER: call_at or soon,
    }
    then = Next(call.notice_id, call, again[result], address)
    delivery_states.open_next(Channel.PHONE, [then])
