"""What a withdrawn notice also said, and the one that took its place does not.

Of two appointments of one day a doctor keeps one while the SMS about both is on its way: the
newer notice speaks of that one only, since the other was told. When it turns out that it was
not, or that nobody knows, the newer notice has to say it too.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from itertools import groupby

from django.db.models import Exists, Max, OuterRef

from notifications.models import Channel, Delivery, DeliveryState, Notice, NoticeItem, NoticeState

Pair = tuple[int, dt.date]


def carry_over(withdrawn: Collection[int], *, at: dt.datetime) -> None:
    """Say by phone what only these notices said; inside the transaction that withdrew them.

    Args:
        withdrawn: ids of notices that a newer one replaces, under lock.
        at: when calls are due.
    """
    left = list(_unsaid(withdrawn))
    if not left:
        return
    pairs = {_pair(item.notice) for item in left}
    pending = _pending(pairs)
    versions = _versions(pairs)
    for pair, of_pair in groupby(left, key=lambda item: _pair(item.notice)):
        items = list(of_pair)
        notice = pending.get(pair) or _open(items, version=versions[pair] + 1, at=at)
        _add(items, notice)


def _unsaid(withdrawn: Collection[int]) -> Iterable[NoticeItem]:
    """Return the items of which no newer notice speaks, by patient and day."""
    newer = NoticeItem.objects.filter(
        subject_id=OuterRef("subject_id"),
        notice__patient=OuterRef("notice__patient"),
        notice__day=OuterRef("notice__day"),
        notice__version__gt=OuterRef("notice__version"),
    ).exclude(notice__state=NoticeState.WITHDRAWN)
    items = NoticeItem.objects.filter(~Exists(newer), notice__in=withdrawn)
    return items.select_related("notice__patient").order_by("notice__patient", "notice__day", "id")


def _pair(notice: Notice) -> Pair:
    return notice.patient_id, notice.day


def _of(pairs: Collection[Pair]) -> dict:
    patients, days = zip(*pairs, strict=True)
    return {"patient__in": patients, "day__in": days}


def _pending(pairs: Collection[Pair]) -> dict[Pair, Notice]:
    """Return the notice of each pair that is still to be handed over, under lock."""
    pending = Notice.objects.filter(
        state=NoticeState.OPEN, handed_over_at__isnull=True, **_of(pairs)
    )
    return {_pair(notice): notice for notice in pending.select_for_update().order_by("id")}


def _versions(pairs: Collection[Pair]) -> dict[Pair, int]:
    counted = Notice.objects.filter(**_of(pairs)).order_by().values_list("patient", "day")
    return {(patient, day): last for patient, day, last in counted.annotate(Max("version"))}


def _open(items: list[NoticeItem], *, version: int, at: dt.datetime) -> Notice:
    """Open a notice with its call."""
    before = items[0].notice
    notice = Notice.objects.create(
        patient=before.patient,
        day=before.day,
        version=version,
        site=before.site,
        first_at=min(item.starts_at for item in items),
        created_at=at,
    )
    urgency = before.deliveries.order_by("-number").values_list("urgency", flat=True).first()
    Delivery.objects.create(
        notice=notice,
        channel=Channel.PHONE,
        number=1,
        state=DeliveryState.QUEUED,
        address=before.patient.landline or before.patient.mobile,
        not_before=at,
        urgency=urgency or 0,
    )
    return notice


def _add(items: list[NoticeItem], notice: Notice) -> None:
    """Let a notice say these too; it is for a call agent now, not for the doctor alone."""
    for item in items:
        item.pk, item.notice = None, notice
    NoticeItem.objects.bulk_create(items)
    notice.first_at = min(notice.first_at, *(item.starts_at for item in items))
    notice.reserved_for = None
    notice.save(update_fields=["first_at", "reserved_for"])
