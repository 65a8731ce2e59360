"""The call list: one agent takes a call, rings, and writes down what came of it."""

import datetime as dt
import enum
from typing import NoReturn

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeState,
)
from notifications.queries.calls import due_calls, free_calls, tries
from notifications.services import settling
from notifications.services.recording import later
from staff import clock
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

CANDIDATES = 20
_OPEN_CALLS = (DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.CLAIMED)


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


@transaction.atomic
def take_next(*, by: User) -> Delivery | None:
    """Give an agent the most urgent call of their sites, or back the one they already hold.

    Returns:
        the call, theirs until its lease runs out; None when nothing is due.
    """
    held = Delivery.objects.filter(
        channel=Channel.PHONE,
        state=DeliveryState.CLAIMED,
        caller=by,
        lease_until__gt=timezone.now(),
        notice__state=NoticeState.OPEN,
    )
    if mine := held.order_by("lease_until").first():
        return mine
    candidates = due_calls(by).filter(free_calls()).order_by("notice__first_at", "id")
    for delivery_id in candidates.values_list("id", flat=True)[:CANDIDATES]:
        if _claim(delivery_id, by):
            return Delivery.objects.get(pk=delivery_id)
    return None


@transaction.atomic
def take(*, delivery_id: int, by: User) -> Delivery:
    """Give an agent the call they picked.

    Raises:
        Refusal: somebody else has it, or it is no longer to be made; says which.
    """
    if not _claim(delivery_id, by):
        _refuse(Delivery.objects.select_related("caller", "notice").get(pk=delivery_id))
    return Delivery.objects.get(pk=delivery_id)


@transaction.atomic
def log(
    *,
    delivery_id: int,
    by: User,
    result: CallResult | str,
    remark: str = "",
    call_at: dt.datetime | None = None,
) -> Delivery:
    """Write down what came of a call, and open the next try where one is needed.

    Args:
        delivery_id: the call.
        by: who rang; a doctor may log ``reached`` for a call that nobody took.
        result: what came of it.
        remark: at most 200 characters, for colleagues.
        call_at: when to ring again, for ``call_back_later``; half an hour from now by default.

    Raises:
        Refusal: the decision changed, or somebody else settled it meanwhile; says what to do.
    """
    result = CallResult(result)
    call = _locked(delivery_id, by, result)
    _end(call, by, result, remark.strip()[:200])
    if result != CallResult.REACHED:
        _go_on(call, by, result, call_at)
    audit.record(action=f"call.{result}", by=by, subject=call.notice, call=call.number)
    return call


def _claim(delivery_id: int, by: User) -> bool:
    """Compare and swap: of two agents, one gets it. A lease that ran out may be taken over."""
    if not due_calls(by).filter(pk=delivery_id).exists():
        return False
    now = timezone.now()
    claimed = Q(state=DeliveryState.CLAIMED)
    free = Q(state=DeliveryState.QUEUED) | claimed & (Q(caller=by) | Q(lease_until__lt=now))
    return bool(
        Delivery.objects.filter(free, pk=delivery_id).update(
            state=DeliveryState.CLAIMED,
            claimed_by=by.get_username()[:80],
            caller=by,
            lease_until=now + dt.timedelta(seconds=settings.CALL_LEASE_SECONDS),
        )
    )


def _locked(delivery_id: int, by: User, result: CallResult) -> Delivery:
    calls = Delivery.objects.filter(pk=delivery_id, channel=Channel.PHONE)
    locked = settling.lock(calls)
    if not locked:
        raise Refusal(_("Cet appel n'existe pas."))
    call = locked[0]
    taken_by_other = (
        call.state == DeliveryState.CLAIMED and call.caller_id != by.pk and call.caller_id
    )
    if call.state not in _OPEN_CALLS or call.notice.state != NoticeState.OPEN:
        _refuse(call)
    if taken_by_other and result != CallResult.REACHED:
        _refuse(call)
    return call


def _refuse(call: Delivery) -> NoReturn:
    notice = call.notice
    if notice.state == NoticeState.WITHDRAWN or call.state == DeliveryState.WITHDRAWN:
        raise Refusal(
            _(
                "La décision a changé entre-temps et cet avis est retiré. Si vous avez déjà parlé "
                "au patient, regardez ce qui vaut maintenant et rappelez-le tout de suite."
            )
        )
    if notice.state != NoticeState.OPEN:
        raise Refusal(
            _("C'est déjà réglé : ce patient est noté « %s ».") % notice.get_state_display()
        )
    if call.state == DeliveryState.CLAIMED and call.caller:
        raise Refusal(_("%s est en train d'appeler ce patient.") % call.caller)
    raise Refusal(_("Cet appel n'est plus à faire : prenez le suivant."))


def _end(call: Delivery, by: User, result: CallResult, remark: str) -> None:
    now = clock.now()
    reached = result == CallResult.REACHED
    call.state = DeliveryState.DELIVERED if reached else DeliveryState.FAILED
    call.failure = "" if reached else _FAILURES[result]
    call.caller, call.remark = by, remark
    call.submitted_at, call.finished_at, call.lease_until = call.submitted_at or now, now, None
    call.save()
    if reached:
        notice = call.notice
        notice.handed_over_at = notice.handed_over_at or now
        notice.state, notice.settled_at, notice.settled_by = NoticeState.TOLD, now, by
        notice.save()


def _go_on(call: Delivery, by: User, result: CallResult, call_at: dt.datetime | None) -> None:
    """Open the next call, or close the notice as unreachable when none is left to try."""
    history = [one for one in tries(call.notice) if one.channel == Channel.PHONE]
    unanswered = sum(one.failure == Failure.NO_ANSWER for one in history)
    wrong = {one.address for one in history if one.failure == Failure.WRONG_NUMBER}
    numbers = [n for n in (call.notice.patient.landline, call.notice.patient.mobile) if n]
    left = [number for number in dict.fromkeys(numbers) if number not in wrong]
    if not left or unanswered >= settings.CALL_TRIES:
        _give_up(call.notice, by)
        return
    if result == CallResult.NO_ANSWER and len(left) > 1:  # the other number, another chance
        left = [number for number in left if number != call.address]
    address = call.address if call.address in left else left[0]
    again = {
        CallResult.NO_ANSWER: later(settings.CALL_AGAIN_SECONDS),
        CallResult.WRONG_NUMBER: clock.now(),
        CallResult.CALL_BACK_LATER: call_at or later(settings.CALL_AGAIN_SECONDS),
    }
    Delivery.objects.create(
        notice=call.notice,
        channel=Channel.PHONE,
        number=call.number + 1,
        state=DeliveryState.QUEUED,
        address=address,
        not_before=again[result],
    )


def _give_up(notice: Notice, by: User) -> None:
    notice.state, notice.settled_at, notice.settled_by = (
        NoticeState.UNREACHABLE,
        clock.now(),
        by,
    )
    notice.save()
