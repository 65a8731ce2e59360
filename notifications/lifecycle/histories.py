"""What two patients were told becomes the history of one, and of two again.

Two record numbers turned out to be one person, or one person turned out to be two. Notices know
patients: whoever was told once is not told again, and what still waits is said in one message.
"""

from typing import Any

from django.db.models import Q

from notifications.lifecycle import looking_again, settling
from notifications.models import (
    WITHDRAWABLE,
    Channel,
    Delivery,
    DeliveryState,
    Notice,
    NoticeState,
    Reply,
    ToAskAgain,
)
from staff import clock

Kept = dict[str, Any]


def hand_on(*, leaving: int, staying: int) -> Kept:
    """Make the history of one patient that of another, inside the transaction that joins them.

    What nobody has been handed yet is withdrawn: the caller has the patient who stays asked what
    is owed, and one notice says it. An SMS that is out stays out, and counts as heard.

    Args:
        leaving: id of the patient who joins the other.
        staying: id of the other.

    Returns:
        what ``hand_back`` needs, as JSON.
    """
    for patient_id in sorted((leaving, staying)):
        settling.lock_patient(patient_id)
    settling.lock_notices(Notice.objects.filter(patient__in=[leaving, staying]).values("pk"))
    _withdraw_waiting(leaving)
    versions: dict[Any, int] = {}
    for day, version in Notice.objects.filter(patient=staying).values_list("day", "version"):
        versions[day] = max(versions.get(day, 0), version)
    moved = list(Notice.objects.filter(patient=leaving).order_by("day", "version"))
    kept = [[notice.pk, notice.version] for notice in moved]
    for notice in moved:
        versions[notice.day] = notice.version = versions.get(notice.day, 0) + 1
        notice.patient_id = staying
        notice.save(update_fields=["patient", "version"])
    replies = Reply.objects.filter(patient=leaving)
    answered = list(replies.values_list("pk", flat=True))
    replies.update(patient=staying)
    _ask_of(leaving, staying)
    return {"notices": kept, "replies": answered}


def hand_back(kept: Kept, *, shared: int, back_to: int) -> list[tuple[int, Any]]:
    """Give a patient their history back; what was told since stays with the other.

    Args:
        kept: from ``hand_on``.
        shared: id of the patient who had it.
        back_to: id of the patient whose it was.

    Returns:
        the patients and days of which is to be asked what is owed.
    """
    for patient_id in sorted((shared, back_to)):
        settling.lock_patient(patient_id)
    settling.lock_notices(Notice.objects.filter(patient__in=[shared, back_to]).values("pk"))
    versions: dict[int, int] = dict(kept.get("notices", ()))
    moved = list(Notice.objects.filter(pk__in=versions, patient=shared))
    for notice in moved:
        notice.patient_id, notice.version = back_to, versions[notice.pk]
        notice.save(update_fields=["patient", "version"])
    Reply.objects.filter(pk__in=kept.get("replies", ()), patient=shared).update(patient=back_to)
    days = {notice.day for notice in moved}
    return [(who, day) for who in (shared, back_to) for day in sorted(days)]


def _withdraw_waiting(patient_id: int) -> None:
    """Withdraw what waits for a patient; their locks are held."""
    waiting = Delivery.objects.filter(
        notice__patient=patient_id, notice__state=NoticeState.OPEN, state__in=WITHDRAWABLE
    )
    in_hand = waiting.filter(notice__handed_over_at__isnull=True)
    in_doubt = waiting.filter(notice__handed_over_at__isnull=False, channel=Channel.PHONE)
    to_call = list(in_doubt)
    ending = [*in_hand, *to_call]
    now = clock.now()
    settling.finish(ending, state=DeliveryState.WITHDRAWN, at=now)
    waits = Q(handed_over_at__isnull=True) | Q(pk__in={one.notice_id for one in to_call})
    Notice.objects.filter(waits, patient=patient_id, state=NoticeState.OPEN).update(
        state=NoticeState.WITHDRAWN, settled_at=now, settled_by=None
    )


def _ask_of(leaving: int, staying: int) -> None:
    """Ask of the patient who stays what was to be asked of the other."""
    kept = ToAskAgain.objects.filter(patient=leaving)
    looking_again.ask_again((staying, day) for day in kept.values_list("day", flat=True))
    kept.delete()
