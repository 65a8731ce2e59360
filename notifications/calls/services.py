"""The call list: one agent takes a patient's calls, rings once, and writes down what came of it.

One patient, one agent: whoever takes a call takes all calls of that patient that are due, for a
person with Monday and Tuesday cancelled is rung once. When the screens go, calls are taken on
paper for some hours, and their results entered afterwards. The locks go patient, notices,
deliveries, as in ``replies``; the patient's row is locked so that writing a notice about them
needs not wait.
"""

import datetime as dt
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from notifications.calls import results as call_results
from notifications.calls.queries import (
    BY_URGENCY,
    being_made,
    due_calls,
    free_calls,
    withdrawn_in_hand,
)
from notifications.calls.results import CallResult, refuse
from notifications.lifecycle import call_states, delivery_states, notice_states
from notifications.lifecycle.notice_states import Pair
from notifications.models import Channel, Delivery, DeliveryState, NoticeItem, NoticeState
from patients.services.numbers import add_number
from staff import clock
from staff.access import Capability, require
from staff.errors import Refusal
from staff.models import User
from staff.sentences import Stored
from staff.services import audit

__all__ = [
    "CANDIDATES",
    "CallResult",
    "found_number",
    "give_back",
    "log",
    "take",
    "take_next",
    "take_on_paper",
]

CANDIDATES = 20
MOST_ON_PAPER = 100
_OPEN_CALLS = (DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.CLAIMED)


def take_next(*, by: User) -> Delivery | None:
    """Give an agent the most urgent call of their sites, or back the one they already hold.

    What they have on paper does not count: it is rung without the screen.

    Each candidate is a transaction of its own. PostgreSQL locks a row even where its turn comes
    too late, and a call locked without its notice must not be held while waiting for the next:
    a receipt that ends both would wait for this, and this for the receipt. Others may be faster
    with all of a look's candidates, so it looks again until there are no more.

    Returns:
        the call, theirs until its lease runs out; None when nothing is due.
    """
    held = Delivery.objects.filter(
        channel=Channel.PHONE,
        state=DeliveryState.CLAIMED,
        caller=by,
        lease_until__gt=clock.real(),
        printed_at=None,
        notice__state=NoticeState.OPEN,
    )
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
    """Take the calls of the next patients on paper: no screen rings them for some hours.

    As in ``take_next`` each patient is a transaction of its own.

    Args:
        by: who will ring, and enter the results.
        number: of patients, at most ``MOST_ON_PAPER``.

    Returns:
        of how many patients there were calls.

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
    """Return the next few calls that nobody makes, each of them once, with their patients."""
    free = due_calls(by).filter(free_calls()).exclude(pk__in=too_late).order_by(*BY_URGENCY)
    # Finding a number takes long: it is a job of its own, done when the others are rung.
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
        refuse(Delivery.objects.select_related("caller", "notice").get(pk=delivery_id))
    return Delivery.objects.get(pk=delivery_id)


@transaction.atomic
def give_back(*, delivery_id: int, by: User) -> int:
    """Put a call that was taken back on the list, with all that was taken together.

    Returns:
        how many calls are free again.

    Raises:
        Refusal: it is not theirs any more; says who has it or what became of it.
    """
    calls = _locked(delivery_id)
    mine = [one for one in calls if _is_theirs(one, by)]
    call = next(one for one in calls if one.pk == delivery_id)
    if call not in mine:
        refuse(call)
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
    """Write down what came of a call, and open the next try where one is needed.

    What was taken together was said together: the result holds for all of it. Where a notice was
    withdrawn during the call, a patient who was reached heard it all the same: it stays withdrawn
    and counts as heard, and it is asked again what is owed (``notice_states.ask_again``).

    Args:
        delivery_id: the call.
        by: who rang; a doctor may log ``reached`` for a call that nobody took.
        result: what came of it.
        remark: for colleagues; at most 200 characters of what somebody typed.
        number: which of the patient's numbers was rung; the one proposed when it is empty.
        new_days: by item of the notices, whether the day given instead suits who was reached; a
            day that does not suit goes back to whoever gave it.
        call_at: when to ring again, for ``call_back_later``; half an hour later by default.
        at: when it happened, of a call noted on paper; now by default.
        said: the calls of the patient whose sentences were shown together with this one.

    Raises:
        Refusal: the decision changed and nothing was heard, somebody else settled it meanwhile,
            ``call_at`` is too late to be of use, or ``at`` is no moment at which this call was
            made; says what to do.
    """
    result = CallResult(result)
    reached = result == CallResult.REACHED
    calls = _locked(delivery_id, said=said if reached else ())
    call = next(one for one in calls if one.pk == delivery_id)
    too_late = [one for one in calls if call_results.was_withdrawn_in_hand(one)]
    if not reached or call not in too_late:
        _must_be_open(call, by, result)
    shown = {delivery_id, *said}
    together = [
        one
        for one in calls
        if one == call
        or (one in too_late and one.caller_id == by.pk)
        or (_is_theirs(one, by) and (call not in too_late or one.pk in shown))
    ]
    if result == CallResult.CALL_BACK_LATER:
        call_results.must_be_in_time(together, call_at)
    if at is not None:
        call_results.must_have_happened(call, at)
    happened_at = at or clock.now()
    known = [one.number for one in call.notice.patient.numbers]
    call.address = number if number in known else call.address
    for one in together:
        one.address = call.address or one.address  # of several numbers, the one that was rung
        call_results.end(one, by, result, remark, happened_at)
        if reached:
            call_results.keep_answers(one.notice, new_days or {}, happened_at)
        else:
            call_results.go_on(one, by, result, call_at, happened_at)
    for one in together:
        answers = call_results.answers_of(one.notice) if new_days else {}
        audit.record(action=f"call.{result}", by=by, subject=one.notice, call=one.number, **answers)
    notice_states.ask_again(_days_spoken_of([one for one in together if one in too_late]))
    return call


@transaction.atomic
def found_number(*, delivery_id: int, by: User, text: str, label: str = "") -> Delivery:
    """Keep a number that was found for a patient, and ring it in the calls that had none.

    Args:
        delivery_id: one of the patient's calls.
        by: who found it.
        text: the number as a person writes it.
        label: whose it is or where it was found.

    Raises:
        Refusal: no number that can be dialled, or the call is no longer to be made.
    """
    require(by, Capability.WORK_CALL_LIST)
    calls = _locked(delivery_id)
    call = next(one for one in calls if one.pk == delivery_id)
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
    """Take all of a patient's calls that are due, unless somebody else has one of them."""
    asked = due_calls(by).filter(pk=delivery_id).values_list("notice__patient", flat=True)
    patient_id = asked.first()
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
    pairs = {(one.notice.patient_id, one.notice.day) for one in calls}
    if not calls:
        return pairs
    items = NoticeItem.objects.filter(notice__in=[one.notice_id for one in calls])
    given = items.values_list("notice__patient", "postponed_to")
    return pairs | {(patient_id, day) for patient_id, day in given if day}


def _locked(delivery_id: int, *, said: Collection[int] = ()) -> list[Delivery]:
    """Lock a call and whatever is claimed of the same patient, by notice.

    Also what was withdrawn while somebody was saying it.
    """
    calls = Delivery.objects.filter(channel=Channel.PHONE)
    asked = calls.filter(pk=delivery_id).values_list("notice__patient", flat=True)
    patient_id = asked.first()
    if patient_id is None:
        raise Refusal(_("Cet appel n'existe pas : revenez à la liste et prenez le suivant."))
    notice_states.lock_patient(patient_id)
    claimed = Q(state=DeliveryState.CLAIMED, notice__state=NoticeState.OPEN)
    wanted = claimed | Q(pk=delivery_id) | (Q(pk__in=list(said)) & withdrawn_in_hand())
    return delivery_states.lock(calls.filter(wanted, notice__patient=patient_id))


def _is_theirs(call: Delivery, by: User) -> bool:
    return call.state == DeliveryState.CLAIMED and call.caller_id == by.pk


def _must_be_open(call: Delivery, by: User, result: CallResult) -> None:
    if call.state not in _OPEN_CALLS or call.notice.state != NoticeState.OPEN:
        refuse(call, heard=result == CallResult.REACHED)
    is_others = call.is_being_made and call.caller_id not in (None, by.pk)
    if is_others and result != CallResult.REACHED:
        refuse(call)
