"""Somebody rings in: what they were answered is written down, and whoever was told is told.

Who hears at the phone what an SMS was to say gets no SMS and no call about it any more.
"""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _noop

from notifications.models import (
    LIVE,
    Answer,
    Channel,
    Delivery,
    DeliveryState,
    FoundBy,
    Notice,
    NoticeState,
    Question,
)
from notifications.queries.scope import notices_of
from notifications.services import call_results, calls, settling
from staff import clock
from staff.access import Capability, require
from staff.errors import Refusal
from staff.languages import in_house
from staff.models import User
from staff.services import audit

_REMARK = Delivery._meta.get_field("remark").max_length or 200
_RANG_IN = _noop("Le patient a appelé lui-même.")


@transaction.atomic
def log(
    *,
    by: User,
    answer: Answer | str,
    patient_id: int | None = None,
    notice_id: int | None = None,
    day: dt.date | None = None,
    found_by: FoundBy | str = "",
    reference: str = "",
    said: str = "",
    remark: str = "",
) -> Question:
    """Write down what somebody who rang in was answered; nothing else changes.

    Args:
        by: who answered.
        answer: what, in kind.
        patient_id, notice_id, day: whom and what it was about, as far as known.
        found_by: how the caller was found; empty when they were not.
        reference: as the caller read it out, also when it is not ours.
        said: the sentence that was read out.
        remark: at most 200 characters, for colleagues.

    Raises:
        AccessRefused: the person does not work the call list.
    """
    require(by, Capability.WORK_CALL_LIST)
    question = Question.objects.create(
        patient_id=patient_id,
        notice_id=notice_id,
        day=day,
        asked_at=clock.now(),
        answered_by=by,
        found_by=FoundBy(found_by) if found_by else "",
        reference=reference.strip()[:20],
        answer=Answer(answer),
        said=said,
        remark=remark.strip()[:200],
    )
    audit.record(
        action="question.answered", by=by, subject=question, answer=answer, notice=notice_id
    )
    return question


@transaction.atomic
def answer_and_tell(
    *,
    notice_id: int,
    by: User,
    said: str,
    found_by: FoundBy | str = "",
    reference: str = "",
    remark: str = "",
) -> Question:
    """Write down that a notice was read out to the patient, who is told by that.

    An SMS that has not left does not leave any more; a call that waits counts as made; who was
    unreachable is reached. Of what was handed over already, or told, only the question is kept.

    Args:
        notice_id: a notice of the person's sites.
        by: who read it out.
        said: the sentence.
        found_by, reference, remark: as for ``log``.

    Raises:
        AccessRefused: the person does not work the call list.
        Refusal: no such notice at their sites, or what holds changed while they spoke.
    """
    require(by, Capability.WORK_CALL_LIST)
    notice = _locked(notice_id, by)
    is_to_tell = notice.state in (NoticeState.OPEN, NoticeState.UNREACHABLE)
    is_told_now = is_to_tell and _tell(notice, by, remark)
    return log(
        by=by,
        answer=Answer.TOLD if is_told_now else Answer.IN_FORCE,
        patient_id=notice.patient_id,
        notice_id=notice.pk,
        day=notice.day,
        found_by=found_by,
        reference=reference,
        said=said,
        remark=remark,
    )


def _locked(notice_id: int, by: User) -> Notice:
    """Lock the patient, then the notice: the order of ``calls``, which may come after."""
    mine = Notice.objects.filter(notices_of(by, Capability.WORK_CALL_LIST), pk=notice_id)
    patient_id = mine.values_list("patient", flat=True).first()
    if patient_id is None:
        raise Refusal(_("Cet avis n'existe pas sur vos sites : cherchez le patient à nouveau."))
    settling.lock_patient(patient_id)
    settling.lock_notices([notice_id])
    notice = Notice.objects.select_related("patient", "site").get(pk=notice_id)
    if notice.state == NoticeState.WITHDRAWN or settling.replaced([notice_id]):
        raise Refusal(
            _(
                "La décision a changé pendant l'appel : rien n'est noté. Lisez au patient ce qui "
                "vaut maintenant."
            )
        )
    return notice


def _tell(notice: Notice, by: User, remark: str) -> bool:
    """End what still was to tell the patient; False when it was handed over already."""
    live = notice.deliveries.select_for_update().filter(state__in=LIVE).first()
    said = f"{in_house(_RANG_IN)} {remark.strip()}".strip()[:_REMARK]
    if live is not None and live.channel == Channel.PHONE:
        calls.log(delivery_id=live.pk, by=by, result=calls.CallResult.REACHED, remark=said)
        return True
    if live is not None and live.may_have_left:
        return False
    now = clock.now()
    if live is not None:
        settling.finish([live], state=DeliveryState.SUPPRESSED, at=now, remark=said)
    _add_call(notice, by, said, urgency=live.urgency if live else 0)
    call_results.tell(notice, by, now)
    return True


def _add_call(notice: Notice, by: User, remark: str, *, urgency: int) -> None:
    now = clock.now()
    last = notice.deliveries.filter(channel=Channel.PHONE).order_by("-number").first()
    Delivery.objects.create(
        notice=notice,
        channel=Channel.PHONE,
        number=last.number + 1 if last else 1,
        state=DeliveryState.DELIVERED,
        not_before=now,
        urgency=urgency,
        submitted_at=now,
        finished_at=now,
        caller=by,
        remark=remark,
    )
