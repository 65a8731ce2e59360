"""What a withdrawn notice also said, and the one that took its place does not.

Of two appointments of one day a doctor keeps one while the SMS about both is on its way: the
newer notice speaks of that one only, since the other was told. When it turns out that it was
not, or that nobody knows, the newer notice has to say it too.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from django.db.models import Exists, Max, OuterRef

from notifications.models import Delivery, Notice, NoticeItem, NoticeState
from notifications.services.opening_calls import open_calls

Pair = tuple[int, dt.date]
"""A patient and a day."""
Items = Mapping[Pair, list[NoticeItem]]


def carry_over(withdrawn: Collection[int], *, at: dt.datetime) -> None:
    """Say by phone what only these notices said; inside the transaction that withdrew them.

    A fixed number of queries, whatever the number of patients.

    Args:
        withdrawn: ids of notices that a newer one replaces, under lock.
        at: when calls are due.
    """
    left = _unsaid(withdrawn)
    if not left:
        return
    notices = _pending(left)
    without = {pair: items for pair, items in left.items() if pair not in notices}
    if without:
        notices |= _opened(without, at=at)
    _add(left, notices)


def _unsaid(withdrawn: Collection[int]) -> Items:
    """Return the items of which no newer notice speaks."""
    newer = NoticeItem.objects.filter(
        subject_id=OuterRef("subject_id"),
        notice__patient=OuterRef("notice__patient"),
        notice__day=OuterRef("notice__day"),
        notice__version__gt=OuterRef("notice__version"),
    ).exclude(notice__state=NoticeState.WITHDRAWN)
    found = NoticeItem.objects.filter(~Exists(newer), notice__in=withdrawn)
    items = defaultdict(list)
    for item in found.select_related("notice__patient").order_by("id"):
        items[_pair(item.notice)].append(item)
    return items


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


def _opened(left: Items, *, at: dt.datetime) -> dict[Pair, Notice]:
    """Open a notice with its call for each pair."""
    versions, before = _versions(left), {pair: items[0].notice for pair, items in left.items()}
    notices = Notice.objects.bulk_create(
        Notice(
            patient=one.patient,
            day=one.day,
            version=versions[pair] + 1,
            site_id=one.site_id,
            first_at=min(item.starts_at for item in left[pair]),
            created_at=at,
        )
        for pair, one in before.items()
    )
    tries = _last_tries([one.pk for one in before.values()])
    open_calls({notice.pk: tries[before[_pair(notice)].pk] for notice in notices}, at=at)
    return {_pair(notice): notice for notice in notices}


def _versions(pairs: Collection[Pair]) -> dict[Pair, int]:
    counted = Notice.objects.filter(**_of(pairs)).order_by().values_list("patient", "day")
    return {(patient, day): last for patient, day, last in counted.annotate(Max("version"))}


def _last_tries(notice_ids: Collection[int]) -> dict[int, Delivery]:
    tries = Delivery.objects.filter(notice__in=notice_ids).select_related("notice__patient")
    return {one.notice_id: one for one in tries.order_by("number")}


def _add(left: Items, notices: Mapping[Pair, Notice]) -> None:
    """Let the notices say these too; they are for a call agent now, not for the doctor alone."""
    NoticeItem.objects.bulk_create(_copies(left, notices))
    added_to = [notices[pair] for pair in left]
    for notice in added_to:
        said = (item.starts_at for item in left[_pair(notice)])
        notice.first_at, notice.reserved_for = min(notice.first_at, *said), None
    Notice.objects.bulk_update(added_to, ["first_at", "reserved_for"])


def _copies(left: Items, notices: Mapping[Pair, Notice]) -> Iterator[NoticeItem]:
    for pair, items in left.items():
        for item in items:
            item.pk, item.notice = None, notices[pair]
            yield item
