"""The call list: one agent takes a patient's calls, calls once, and records the result.

One patient, one agent: an agent who takes a call takes all due calls of that patient, so that a
patient with Monday and Tuesday cancelled is called once. When the screens fail, agents take calls
on paper for some hours, and enter the results afterwards. The order of locks is that of
``notice_states``.
"""

import datetime as dt
import enum
from collections.abc import Collection, Iterable, Mapping
from typing import NoReturn

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from notifications import rules
from notifications.calls import queries
from notifications.calls.queries import BY_URGENCY, being_made, due_calls, free_calls
from notifications.lifecycle import call_states, delivery_states, notice_states
from notifications.lifecycle.delivery_states import Next
from notifications.lifecycle.notice_states import Pair
from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeItem,
    NoticeState,
)
from patients.phones import in_calling_order
from patients.services.registration import add_number
from staff import clock
from staff.access import Capability, require
from staff.errors import Refusal
from staff.models import User
from staff.sentences import Stored
from staff.services import audit

CANDIDATES = 20
MOST_ON_PAPER = 100
_OPEN_CALLS = (DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.CLAIMED)


class CallResult(enum.StrEnum):
    """The result of a call."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    CALL_BACK_LATER = "call_back_later"


_FAILURES = {
    CallResult.NO_ANSWER: Failure.NO_ANSWER,
    CallResult.WRONG_NUMBER: Failure.WRONG_NUMBER,
    CallResult.CALL_BACK_LATER: Failure.CALL_LATER,
}


def take_next(*, by: User) -> Delivery | None:
    """Give an agent the most urgent call of their sites, or the one that they hold already.

    Calls that they have on paper do not count. Each candidate is a transaction of its own: a call
    must not stay locked without its notice while this waits for the next one, or a receipt that
    ends both would wait for this, and this for the receipt. Colleagues may be faster with all
    candidates, so it looks again until there are no more.

    Returns:
        the call, theirs until its lease runs out; None when nothing is due.
    """
    held = queries.taken_by(by, on_paper=False).filter(lease_until__gt=clock.real())
    if mine := held.order_by("lease_until", *BY_URGENCY).first():
        return mine
    too_late: set[int] = set()
    while candidates := _candidates(by, too_late):
        for delivery_id in candidates:
            if _claim(delivery_id, by):
                return Delivery.objects.get(pk=delivery_id)
        too_late |= set(candidates)
    return None


def take_on_paper(*, by: User, number: int) -> int:
    """Take the calls of the next patients on paper: no screen offers them for some hours.

    Each patient is a transaction of its own, as in ``take_next``.

    Args:
        by: who will call, and enter the results.
        number: of patients, at most ``MOST_ON_PAPER``.

    Returns:
        the number of patients taken.

    Raises:
        AccessRefused: the person does not work the call list.
        Refusal: too many, or none.
    """
    require(by, Capability.WORK_CALL_LIST)
    if not 1 <= number <= MOST_ON_PAPER:
        raise Refusal(
            _("Prenez de 1 à %(most)d patients à la fois.") % {"most": MOST_ON_PAPER},
            field="number",
        )
    taken: set[int] = set()
    looked_at: set[int] = set()
    while len(taken) < number and (candidates := _candidates(by, looked_at)):
        for delivery_id, patient_id in candidates.items():
            is_new = patient_id not in taken and len(taken) < number
            if is_new and _claim(delivery_id, by, on_paper=True):
                taken.add(patient_id)
        looked_at |= set(candidates)
    if taken:
        audit.record(action="calls.printed", by=by, patients=sorted(taken))
    return len(taken)


def _candidates(by: User, too_late: Collection[int]) -> dict[int, int]:
    """Return the next few free calls with their patients."""
    free = due_calls(by).filter(free_calls()).exclude(pk__in=too_late).order_by(*BY_URGENCY)
    # Finding a number takes long: it is done when the others are called.
    with_number = free.exclude(address="")
    for some in (with_number, free):
        if found := dict(some.values_list("id", "notice__patient")[:CANDIDATES]):
            return found
    return {}


@transaction.atomic
def take(*, delivery_id: int, by: User) -> Delivery:
    """Give an agent the call they picked, and with it the patient's other calls that are due.

    Raises:
        Refusal: somebody else has the patient, or it is no longer to be made; says which.
    """
    if not _claim(delivery_id, by):
        _refuse(Delivery.objects.select_related("caller", "notice").get(pk=delivery_id))
    return Delivery.objects.get(pk=delivery_id)


@transaction.atomic
def give_back(*, delivery_id: int, by: User) -> int:
    """Put a call that was taken back on the list, with all that was taken together.

    Returns:
        how many calls are free again.

    Raises:
        Refusal: it is not theirs any more; says who has it or what became of it.
    """
    call, calls = _locked(delivery_id)
    mine = [one for one in calls if _is_theirs(one, by)]
    if call not in mine:
        _refuse(call)
    delivery_states.give_back([one.pk for one in mine], is_off_paper=True)
    audit.record(
        action="call.given_back", by=by, subject=call.notice, calls=[one.pk for one in mine]
    )
    return len(mine)


@transaction.atomic
def log(
    *,
    delivery_id: int,
    by: User,
    result: CallResult | str,
    remark: Stored = "",
    number: str = "",
    new_days: Mapping[int, bool] | None = None,
    call_at: dt.datetime | None = None,
    at: dt.datetime | None = None,
    said: Collection[int] = (),
) -> Delivery:
    """Record the result of a call, and open the next try if one is needed.

    The result holds for all calls that were taken together. If a notice was withdrawn during the
    call, a patient who was reached heard it all the same: it stays withdrawn and counts as heard,
    and what is owed is asked again (``notice_states.ask_again``).

    Args:
        delivery_id: the call.
        by: who called; a doctor may log ``reached`` for a call that nobody took.
        result: of the call.
        remark: for colleagues; at most 200 characters of what somebody typed.
        number: which of the patient's numbers was called; the one proposed when it is empty.
        new_days: by item of the notices, whether the day given instead suits the patient.
        call_at: when to call again, for ``call_back_later``; half an hour later by default.
        at: when it happened, of a call noted on paper; now by default.
        said: the calls of the patient whose sentences were shown together with this one.

    Raises:
        Refusal: the decision changed and nothing was heard, somebody else settled it meanwhile,
            ``call_at`` is too late to be of use, or ``at`` is no moment at which this call was
            made; says what to do.
    """
    result = CallResult(result)
    reached = result == CallResult.REACHED
    call, calls = _locked(delivery_id, said=said if reached else ())
    too_late = [one for one in calls if queries.was_withdrawn_in_hand(one)]
    if not reached or call not in too_late:
        _must_be_open(call, by, result)
    together = _noted_together(call, calls, too_late, by=by, said=said)
    if result == CallResult.CALL_BACK_LATER:
        _must_be_in_time(together, call_at)
    if at is not None:
        _must_have_happened(call, at)
    happened_at = at or clock.now()
    _note_number(together, call, number)
    for one in together:
        _end(one, by, result, remark, happened_at)
        if reached:
            _keep_answers(one.notice, new_days or {}, happened_at)
        else:
            _go_on(one, by, result, call_at, happened_at)
    for one in together:
        answers = _answers_of(one.notice) if new_days else {}
        audit.record(action=f"call.{result}", by=by, subject=one.notice, call=one.number, **answers)
    notice_states.ask_again(_days_spoken_of([one for one in together if one in too_late]))
    return call


@transaction.atomic
def found_number(*, delivery_id: int, by: User, text: str, label: str = "") -> Delivery:
    """Keep a number that was found for a patient, and use it in the calls that had none.

    Args:
        delivery_id: one of the patient's calls.
        by: who found it.
        text: the number as a person writes it.
        label: whose it is or where it was found.

    Raises:
        Refusal: no number that can be dialled, or the call is no longer to be made.
    """
    require(by, Capability.WORK_CALL_LIST)
    call, _calls = _locked(delivery_id)
    _must_be_open(call, by, CallResult.NO_ANSWER)
    patient_id = call.notice.patient_id
    phone = add_number(patient_id=patient_id, text=text, label=label, by=by)
    Delivery.objects.filter(
        notice__patient=patient_id,
        notice__state=NoticeState.OPEN,
        channel=Channel.PHONE,
        state__in=_OPEN_CALLS,
        address="",
    ).update(address=phone.number)
    call.refresh_from_db()
    return call


@transaction.atomic
def _claim(delivery_id: int, by: User, *, on_paper: bool = False) -> bool:
    """Take all due calls of a patient, unless another agent has one of them."""
    asked = due_calls(by).filter(pk=delivery_id)
    patient_id = asked.values_list("notice__patient", flat=True).first()
    if patient_id is None:
        return False
    notice_states.lock_patient(patient_id)
    if being_made().filter(notice__patient=patient_id).exclude(caller=by).exists():
        return False
    due = [one.pk for one in delivery_states.lock(due_calls(by).filter(notice__patient=patient_id))]
    if delivery_id not in due:
        return False
    seconds = settings.CALL_PAPER_SECONDS if on_paper else settings.CALL_LEASE_SECONDS
    call_states.claim(due, by=by, seconds=seconds, on_paper=on_paper)
    return True


def _days_spoken_of(calls: Collection[Delivery]) -> set[Pair]:
    """Return patient and day of each call, also for each day that it gave instead."""
    items = NoticeItem.objects.filter(notice__in=[one.notice_id for one in calls])
    given = items.values_list("notice__patient", "postponed_to")
    days = {(patient_id, day) for patient_id, day in given if day}
    return days | {(one.notice.patient_id, one.notice.day) for one in calls}


def _locked(delivery_id: int, *, said: Collection[int] = ()) -> tuple[Delivery, list[Delivery]]:
    """Lock a call and whatever is claimed of the same patient; return it, and all by notice.

    Also what was withdrawn while somebody was saying it.
    """
    calls = Delivery.objects.filter(channel=Channel.PHONE)
    patient_id = calls.filter(pk=delivery_id).values_list("notice__patient", flat=True).first()
    if patient_id is None:
        raise Refusal(_("Cet appel n'existe pas : revenez à la liste et prenez le suivant."))
    notice_states.lock_patient(patient_id)
    claimed = Q(state=DeliveryState.CLAIMED, notice__state=NoticeState.OPEN)
    wanted = claimed | Q(pk=delivery_id) | (Q(pk__in=list(said)) & queries.withdrawn_in_hand())
    locked = delivery_states.lock(calls.filter(wanted, notice__patient=patient_id))
    return next(one for one in locked if one.pk == delivery_id), locked


def _is_theirs(call: Delivery, by: User) -> bool:
    return call.state == DeliveryState.CLAIMED and call.caller_id == by.pk


def _must_be_open(call: Delivery, by: User, result: CallResult) -> None:
    if call.state not in _OPEN_CALLS or call.notice.state != NoticeState.OPEN:
        _refuse(call, heard=result == CallResult.REACHED)
    is_others = call.is_being_made and call.caller_id not in (None, by.pk)
    if is_others and result != CallResult.REACHED:
        _refuse(call)


# --- what follows from a result; called under lock ----------------------------------------------


def _refuse(call: Delivery, *, heard: bool = False) -> NoReturn:
    """Say why a call cannot be taken, logged or given back, and what to do.

    ``heard``: the agent says that the patient heard it.
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


def _must_be_in_time(calls: Iterable[Delivery], call_at: dt.datetime | None) -> None:
    """Refuse to call again when the patient may be on the way already."""
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


def _must_have_happened(call: Delivery, at: dt.datetime) -> None:
    """Refuse a moment at which the call cannot have been made."""
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


def _noted_together(
    call: Delivery,
    calls: Collection[Delivery],
    too_late: Collection[Delivery],
    *,
    by: User,
    said: Collection[int],
) -> list[Delivery]:
    """Return the calls for which the result of one holds: those that this agent took with it.

    If the call itself is too late, what was heard holds for the calls shown with it, no others.
    """
    shown = calls if call not in too_late else [one for one in calls if one.pk in said]
    return [
        one
        for one in calls
        if one == call
        or (one in too_late and one.caller_id == by.pk)
        or (one in shown and _is_theirs(one, by))
    ]


def _note_number(together: Iterable[Delivery], call: Delivery, number: str) -> None:
    """Note which of the patient's numbers was called; the one proposed if it is none of them."""
    if number in [one.number for one in call.notice.patient.numbers]:
        call.address = number
    for one in together:
        one.address = call.address or one.address


def _end(call: Delivery, by: User, result: CallResult, remark: Stored, at: dt.datetime) -> None:
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


def _keep_answers(notice: Notice, new_days: Mapping[int, bool], at: dt.datetime) -> None:
    """Keep the patient's answers to the new days of a notice."""
    for suits in (True, False):
        asked = [pk for pk, answer in new_days.items() if answer is suits]
        if asked:
            notice.items.filter(pk__in=asked, postponed_to__isnull=False).update(
                new_day_suits=suits, new_day_answered_at=at
            )


def _answers_of(notice: Notice) -> dict[str, list[dt.date]]:
    """Return the new days that suit a patient and those that do not, for the trail."""
    answered = notice.items.filter(new_day_suits__isnull=False).order_by("postponed_to")
    said = [(item.postponed_to, item.new_day_suits) for item in answered if item.postponed_to]
    return {
        "new_days_that_suit": [day for day, suits in said if suits],
        "new_days_refused": [day for day, suits in said if not suits],
    }


def _go_on(
    call: Delivery,
    by: User,
    result: CallResult,
    call_at: dt.datetime | None,
    at: dt.datetime,
) -> None:
    """Open the next call, or close the notice as unreachable when none is left to try."""
    history = call.notice.deliveries.filter(channel=Channel.PHONE).order_by("id")
    unanswered = sum(one.failure == Failure.NO_ANSWER for one in history)
    tried = [(one.address, one.failure == Failure.WRONG_NUMBER) for one in history]
    numbers = [one.number for one in in_calling_order(call.notice.patient.numbers)]
    left = set(numbers) - {number for number, was_wrong in tried if was_wrong}
    address = rules.next_number(
        numbers, tried=tried, last=call.address, moves_on=result == CallResult.NO_ANSWER
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
