"""What a withdrawn notice also said, and the one that took its place does not; or need not.

Of two appointments of one day a doctor keeps one while the SMS about both is on its way: the
newer notice speaks of that one only, since the other was told. When it turns out that it was
not, or that nobody knows, the newer notice has to say it too. When a late receipt says that it
was, the newer one need not say it again.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import Exists, Max, OuterRef

from notifications.lifecycle import looking_again
from notifications.lifecycle.opening_calls import open_calls
from notifications.models import (
    WITHDRAWABLE,
    Delivery,
    DeliveryState,
    Notice,
    NoticeItem,
    NoticeState,
    Word,
)

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


def drop_heard(delivered: Collection[int], *, at: dt.datetime) -> None:
    """Take what was heard after all out of the notices that wait to say it again.

    A notice that has nothing else to say is withdrawn. Two queries where nothing was replaced.

    Args:
        delivered: ids of notices of which an SMS arrived, under lock.
        at: when that was learned.
    """
    heard = list(
        NoticeItem.objects.filter(
            notice__in=delivered, notice__state=NoticeState.WITHDRAWN
        ).select_related("notice")
    )
    if not heard:
        return
    looking_again.ask_again({_pair(item.notice) for item in heard})
    pending = _waiting({_pair(item.notice) for item in heard})
    items = NoticeItem.objects.filter(notice__in=[one.pk for one in pending.values()])
    said = {(item.notice_id, item.subject_id): item for item in items}
    since = _heard_since(heard)
    needless = defaultdict(list)
    for item in heard:
        notice = pending.get(_pair(item.notice))
        again = said.get((notice.pk, item.subject_id)) if notice else None
        if again and _says_the_same(again, item) and since[item.subject_id] == item.notice_id:
            needless[again.notice_id].append(again)
    for notice in pending.values():
        left = [item for (owner, _), item in said.items() if owner == notice.pk]
        gone = needless.get(notice.pk, [])
        if not gone:
            continue
        if len(gone) == len(left):
            _withdraw(notice, at)
            continue
        NoticeItem.objects.filter(pk__in=[item.pk for item in gone]).delete()
        notice.first_at = min(item.starts_at for item in left if item not in gone)
        notice.save(update_fields=["first_at"])


def _says_the_same(one: NoticeItem, other: NoticeItem) -> bool:
    is_hour = one.word == Word.CANCELLED or one.starts_at == other.starts_at
    return is_hour and (one.word, one.postponed_to) == (other.word, other.postponed_to)


def _heard_since(heard: Collection[NoticeItem]) -> Mapping[int, int]:
    """Return subject → the notice that was handed over last, of its patient."""
    notices = {item.notice_id: item.notice for item in heard}
    items = NoticeItem.objects.filter(
        subject_id__in={item.subject_id for item in heard},
        notice__handed_over_at__isnull=False,
        notice__patient__in={one.patient_id for one in notices.values()},
    )
    in_order = items.order_by("notice__handed_over_at", "notice_id")
    return dict(in_order.values_list("subject_id", "notice_id"))


def _waiting(pairs: Collection[Pair]) -> dict[Pair, Notice]:
    """Return the notice of each pair that waits to be said, unless somebody is ringing."""
    taken = Delivery.objects.filter(notice=OuterRef("pk"), state=DeliveryState.CLAIMED)
    return {
        pair: notice for pair, notice in _pending(pairs, ~Exists(taken)).items() if pair in pairs
    }


def _withdraw(notice: Notice, at: dt.datetime) -> None:
    Delivery.objects.filter(notice=notice, state__in=WITHDRAWABLE).update(
        state=DeliveryState.WITHDRAWN, finished_at=at, lease_until=None
    )
    notice.state, notice.settled_at = NoticeState.WITHDRAWN, at
    notice.save(update_fields=["state", "settled_at"])


def _unsaid(withdrawn: Collection[int]) -> Items:
    """Return the items that still hold and of which no newer notice speaks."""
    newer = NoticeItem.objects.filter(
        subject_id=OuterRef("subject_id"),
        notice__patient=OuterRef("notice__patient"),
        notice__day=OuterRef("notice__day"),
        notice__version__gt=OuterRef("notice__version"),
    ).exclude(notice__state=NoticeState.WITHDRAWN)
    found = NoticeItem.objects.filter(~Exists(newer), notice__in=withdrawn, has_lapsed=False)
    items = defaultdict(list)
    for item in found.select_related("notice__patient").order_by("id"):
        items[_pair(item.notice)].append(item)
    return items


def _pair(notice: Notice) -> Pair:
    return notice.patient_id, notice.day


def _of(pairs: Collection[Pair]) -> dict:
    patients, days = zip(*pairs, strict=True)
    return {"patient__in": patients, "day__in": days}


def _pending(pairs: Collection[Pair], *narrowed: Any) -> dict[Pair, Notice]:
    """Return the notice of each pair that is still to be handed over, under lock."""
    pending = Notice.objects.filter(
        *narrowed, state=NoticeState.OPEN, handed_over_at__isnull=True, **_of(pairs)
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
