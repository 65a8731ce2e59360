"""Questions of people who call in: the answer is recorded, and a patient who heard it is told.

A patient who hears on the phone what an SMS was to say gets no SMS and no call about it any more.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef

from notifications.access import notices_of
from notifications.calls import services as calls
from notifications.lifecycle import call_states, delivery_states, notice_states
from notifications.models import (
    LIVE,
    WITHDRAWABLE,
    Answer,
    Channel,
    Delivery,
    DeliveryState,
    FoundBy,
    Notice,
    NoticeItem,
    NoticeState,
    Question,
)
from staff import clock
from staff.access import Capability, require
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.sentences import joined
from staff.services import audit

_RANG_IN = _("Le patient a appelé lui-même.")


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
    stale: Collection[int] = (),
    words: Sequence[NoticeItem] = (),
) -> Question:
    """Record what a caller was answered.

    Stale notices are withdrawn. What was decided and no notice says counts as heard from now on,
    so that the patient is called should it change.

    Args:
        by: who answered.
        answer: the kind of answer.
        patient_id, notice_id, day: what it was about, as far as known.
        found_by: how the patient was found; empty when they were not.
        reference: as the caller read it out, also when it is not ours.
        said: the sentence that was read out.
        remark: at most 200 characters, for colleagues.
        stale: ids of the patient's notices that no longer say what holds.
        words: unsaved items: what was read out of the day that no notice says.

    Raises:
        AccessRefused: the person does not work the call list.
    """
    require(by, Capability.WORK_CALL_LIST)
    if stale and patient_id is not None:
        _withdraw_stale(patient_id, stale)
    if words and patient_id is not None and day is not None:
        _note_heard(patient_id, day, words, by)
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
    also: Collection[int] = (),
    known: Collection[int] = (),
    stale: Collection[int] = (),
    words: Sequence[NoticeItem] = (),
) -> Question:
    """Record that a notice was read out to the patient, who is told by that.

    An SMS that has not left is suppressed; a waiting call counts as made; an unreachable patient
    is reached. Of a notice that was handed over already, or told, only the question is kept.

    Args:
        notice_id: a notice of the person's sites.
        by: who read it out.
        said: the sentence.
        found_by, reference, remark, stale, words: as for ``log``.
        also: ids of further notices about that day that were read out with it.
        known: ids of all notices about that day that the answer was made from.

    Raises:
        AccessRefused: the person does not work the call list.
        Refusal: no such notice at their sites, or what holds changed while they spoke.
    """
    require(by, Capability.WORK_CALL_LIST)
    if words:
        lock_rulings(shared=True)
    read = _locked([*also, notice_id], by, known={*known, *also, *stale, notice_id})
    to_tell = [one for one in read if one.state in (NoticeState.OPEN, NoticeState.UNREACHABLE)]
    told_now = [one.pk for one in to_tell if _tell(one, by, remark)]
    notice = next(one for one in read if one.pk == notice_id)
    return log(
        by=by,
        answer=Answer.TOLD if told_now else Answer.IN_FORCE,
        patient_id=notice.patient_id,
        notice_id=notice.pk,
        day=notice.day,
        found_by=found_by,
        reference=reference,
        said=said,
        remark=remark,
        stale=stale,
        words=words,
    )


def _note_heard(patient_id: int, day: dt.date, words: Sequence[NoticeItem], by: User) -> None:
    """Keep what a patient heard and no notice said, as a notice told in this call.

    Applying a ruling opens notices too: the lock of rulings comes before the patient's.
    """
    lock_rulings(shared=True)
    notice_states.lock_patient(patient_id)
    now = clock.now()
    first = min(words, key=lambda word: word.starts_at)
    notice = notice_states.open_told(
        patient_id=patient_id,
        day=day,
        site_id=first.site_id,
        first_at=first.starts_at,
        at=now,
        by=by,
    )
    for word in words:
        word.notice = notice
    NoticeItem.objects.bulk_create(words)
    call_states.note(notice.pk, by=by, at=now, remark=_RANG_IN)


def _locked(notice_ids: Collection[int], by: User, *, known: Collection[int]) -> list[Notice]:
    """Lock the patient, then their notices, and check that they are still what holds."""
    seen = Notice.objects.filter(notices_of(by, Capability.WORK_CALL_LIST))
    mine = seen.filter(pk__in=notice_ids)
    patients = set(mine.values_list("patient", flat=True))
    if len(patients) != 1:
        raise Refusal(_("Cet avis n'existe pas sur vos sites : cherchez le patient à nouveau."))
    notice_states.lock_patient(patients.pop())
    notice_states.lock(notice_ids)
    notices = list(mine.select_related("patient", "site").order_by("id"))
    is_gone = any(notice.state == NoticeState.WITHDRAWN for notice in notices)
    # An older SMS may be out beside what says the same again: only what is new since counts.
    newer = seen.filter(
        patient=notices[0].patient_id,
        day=notices[0].day,
        version__gt=max(notice.version for notice in notices),
    ).exclude(state=NoticeState.WITHDRAWN)
    if is_gone or newer.exclude(pk__in=known).exists():
        raise Refusal(
            _(
                "La décision a changé pendant l'appel : rien n'est noté. Lisez au patient ce qui "
                "vaut maintenant."
            )
        )
    return notices


def _withdraw_stale(patient_id: int, notice_ids: Collection[int]) -> None:
    """Withdraw stale notices that wait or were given up; an SMS that is out stays."""
    notice_states.lock_patient(patient_id)
    notice_states.lock(notice_ids)
    out = Delivery.objects.filter(notice=OuterRef("pk"), state__in=LIVE).exclude(
        state__in=WITHDRAWABLE, client_reference=""
    )
    untold = [NoticeState.OPEN, NoticeState.UNREACHABLE]
    notices = Notice.objects.filter(
        ~Exists(out), pk__in=notice_ids, patient=patient_id, state__in=untold
    )
    ids = list(notices.values_list("pk", flat=True))
    waiting = Delivery.objects.filter(notice__in=ids, state__in=WITHDRAWABLE)
    now = clock.now()
    delivery_states.end(waiting.values_list("pk", flat=True), state=DeliveryState.WITHDRAWN, at=now)
    notice_states.withdraw(ids, at=now)


def _tell(notice: Notice, by: User, remark: str) -> bool:
    """Tell a notice, and end the try that was to tell it; False when it was handed over already."""
    live = notice.deliveries.select_for_update().filter(state__in=LIVE).first()
    said = joined([_RANG_IN, remark.strip()])
    if live is not None and live.channel == Channel.PHONE:
        calls.log(delivery_id=live.pk, by=by, result=calls.CallResult.REACHED, remark=said)
        return True
    if live is not None and live.may_have_left:
        return False
    now = clock.now()
    if live is not None:
        delivery_states.end([live.pk], state=DeliveryState.SUPPRESSED, at=now, remark=said)
    call_states.note(notice.pk, by=by, at=now, remark=said, urgency=live.urgency if live else 0)
    notice_states.tell([notice.pk], at=now, by=by)
    return True
