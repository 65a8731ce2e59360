"""What follows when a try ended: the next one, a call, or a newer notice that says it too.

Called inside the transaction that ended the try, with the notices under lock. A notice that was
replaced while its SMS was out is withdrawn when that SMS turns out not to have arrived.

An example: a doctor keeps one of two appointments of a day while the SMS about both is out. The
newer notice is about that one only, since the other was told. If the SMS fails, or nobody knows,
the newer notice has to say both (``carry_over``). If a late receipt says that it arrived, the newer
one need not say the other again (``drop_heard``).
"""

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q

from notifications import rules
from notifications.lifecycle import delivery_states, notice_states
from notifications.lifecycle.delivery_states import Next
from notifications.lifecycle.notice_states import Pair
from notifications.models import (
    WITHDRAWABLE,
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeItem,
    NoticeState,
    Reply,
    ToAskAgain,
    Word,
)
from staff import clock
from staff.sentences import Stored

Items = Mapping[Pair, list[NoticeItem]]
Kept = dict[str, Any]


def superseded(tries: Iterable[Delivery]) -> set[int]:
    """Return the ids of the notices that a newer one replaces, or of which an item lapsed."""
    lapsed = NoticeItem.objects.filter(notice=OuterRef("pk"), has_lapsed=True)
    replaced = Exists(notice_states.newer_than_outer()) | Exists(lapsed)
    mine = Notice.objects.filter(pk__in=[one.notice_id for one in tries])
    return set(mine.filter(replaced).values_list("pk", flat=True))


def take_back(tries: Sequence[Delivery], *, at: dt.datetime) -> set[int]:
    """Note that nothing of these tries left: their notices may be withdrawn again.

    A notice that was superseded while it was out is withdrawn now.

    Returns:
        the ids of the notices that are still to be told.
    """
    gone = withdraw_superseded(tries, at=at)
    return notice_states.take_back([one.notice_id for one in tries], replaced=gone)


def withdraw_superseded(tries: Sequence[Delivery], *, at: dt.datetime) -> set[int]:
    """Withdraw the open notices that a newer version replaces, which then says what only they said.

    Returns:
        the ids of all notices that are replaced.
    """
    gone = superseded(tries)
    replaced = Notice.objects.filter(pk__in=gone)
    notice_states.ask_again(replaced.values_list("patient", "day") if gone else ())
    ending = list(replaced.filter(state=NoticeState.OPEN).values_list("pk", flat=True))
    notice_states.withdraw(ending, at=at)
    if ending:
        carry_over(ending, at=at)
    return gone


def call_instead(tries: Sequence[Delivery], *, at: dt.datetime, as_planned: bool = False) -> int:
    """Put the patients of ended tries on the call list, due at a moment; return how many.

    A notice that was settled meanwhile needs no call; one that a newer version replaces is
    withdrawn. The tries come with notice and patient. ``as_planned``: no call is due before its SMS
    was, since until then a doctor may keep the patient.
    """
    gone = withdraw_superseded(tries, at=at)
    still_open = {
        one.notice_id: one
        for one in tries
        if one.notice.state == NoticeState.OPEN and one.notice_id not in gone
    }
    return open_calls(still_open, at=at, as_planned=as_planned)


def end_and_call(
    tries: Sequence[Delivery],
    *,
    state: DeliveryState,
    failure: Failure | str = "",
    remark: Stored = "",
    as_planned: bool = False,
) -> None:
    """End tries that reach nobody any more, and have the patients called; as ``call_instead``."""
    now = clock.now()
    ids = [one.pk for one in tries]
    delivery_states.end(ids, state=state, at=now, failure=failure, remark=remark)
    call_instead(tries, at=now, as_planned=as_planned)


def open_calls(tries: Mapping[int, Delivery], *, at: dt.datetime, as_planned: bool = False) -> int:
    """Open a call for each notice, as urgent as the try before (two queries); return how many.

    The landline is called first: it is another way than the SMS that failed.

    Args:
        tries: by the id of the notice, the try that the call takes the place of, with notice and
            patient; it may belong to a notice that this one replaces.
        at, as_planned: as for ``call_instead``.
    """
    calls = []
    for notice_id, before in tries.items():
        patient = before.notice.patient
        number = patient.landline or patient.mobile or before.address
        due = max(at, before.not_before) if as_planned else at
        calls.append(Next(notice_id, before, due, number))
    return delivery_states.open_next(Channel.PHONE, calls)


def open_retries(tries: Iterable[Delivery]) -> set[Delivery]:
    """Open the next SMS of ended tries of which nothing left, with backoff and jitter.

    Returns:
        the tries that are retried; for the others a later SMS is of no more use.
    """
    retries = {}
    for one in tries:
        jitter = random.uniform(0.8, 1.2)  # noqa: S311  # not a secret
        then = notice_states.later(rules.seconds_before_try(one.number, jitter=jitter))
        if then < notice_states.latest_departure(one.notice.first_at):
            retries[one] = Next(one.notice_id, one, then, one.address)
    delivery_states.open_next(Channel.SMS, retries.values())
    return set(retries)


def carry_over(withdrawn: Collection[int], *, at: dt.datetime) -> None:
    """Say by phone, due at a moment, what only these notices said (a fixed number of queries).

    The notices are withdrawn, replaced by a newer one, and under lock.
    """
    left = _unsaid(withdrawn)
    if not left:
        return
    pending = _pending(left)
    without = {pair: items for pair, items in left.items() if pair not in pending}
    if without:
        pending |= _opened(without, at=at)
    _add(left, pending)


def drop_heard(delivered: Collection[int], *, at: dt.datetime) -> None:
    """Remove what was heard after all from the notices that wait to say it again.

    A notice that has nothing else to say is withdrawn. One query if nothing was replaced.
    ``delivered`` are the notices, under lock, of which an SMS arrived.
    """
    withdrawn = NoticeItem.objects.filter(notice__in=delivered, notice__state=NoticeState.WITHDRAWN)
    heard = list(withdrawn.select_related("notice"))
    if not heard:
        return
    pairs = {_pair(item.notice) for item in heard}
    notice_states.ask_again(pairs)
    last = _heard_since(heard)
    newest = {
        (_pair(item.notice), item.subject_id): item
        for item in heard
        if last[item.subject_id] == item.notice_id
    }
    silent = []
    for pair, notice in _waiting(pairs).items():
        items = notice.items.all()
        left = [item for item in items if not _repeats(item, newest.get((pair, item.subject_id)))]
        if not left:
            silent.append(notice.pk)
        elif len(left) < len(items):
            items.exclude(pk__in=[item.pk for item in left]).delete()
            notice.first_at = min(item.starts_at for item in left)
            notice.save(update_fields=["first_at"])
    delivery_states.withdraw(silent, at=at)
    notice_states.withdraw(silent, at=at)


def _repeats(item: NoticeItem, heard: NoticeItem | None) -> bool:
    """Whether an item says what was heard; the hour is no part of ``cancelled``."""
    if heard is None or (item.word, item.postponed_to) != (heard.word, heard.postponed_to):
        return False
    return item.word == Word.CANCELLED or item.starts_at == heard.starts_at


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
    """Return the pending notice of each pair, unless somebody is making its call."""
    taken = Delivery.objects.filter(notice=OuterRef("pk"), state=DeliveryState.CLAIMED)
    waiting = _pending(pairs, ~Exists(taken))
    return {pair: notice for pair, notice in waiting.items() if pair in pairs}


def _unsaid(withdrawn: Collection[int]) -> Items:
    """Return the items that still hold and that no newer notice says."""
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


def _of(pairs: Collection[Pair]) -> dict[str, Any]:
    patients, days = zip(*pairs, strict=True)
    return {"patient__in": patients, "day__in": days}


def _pending(pairs: Collection[Pair], *narrowed: Any) -> dict[Pair, Notice]:
    """Return the notice of each pair that is still to be handed over, under lock."""
    pending = Notice.objects.filter(
        *narrowed, state=NoticeState.OPEN, handed_over_at__isnull=True, **_of(pairs)
    )
    locked = pending.select_for_update().order_by("id").prefetch_related("items")
    return {_pair(notice): notice for notice in locked}


def _opened(left: Items, *, at: dt.datetime) -> dict[Pair, Notice]:
    """Open a notice with its call for each pair."""
    before = {pair: items[0].notice for pair, items in left.items()}
    same_days = Notice.objects.filter(**_of(left)).order_by().values_list("patient", "day")
    versions = {(patient, day): last for patient, day, last in same_days.annotate(Max("version"))}
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
    tries = Delivery.objects.filter(notice__in=before.values()).select_related("notice__patient")
    last_try = {one.notice_id: one for one in tries.order_by("number")}
    open_calls({notice.pk: last_try[before[_pair(notice)].pk] for notice in notices}, at=at)
    return {_pair(notice): notice for notice in notices}


def _add(left: Items, notices: Mapping[Pair, Notice]) -> None:
    """Add items to the notices, which call agents tell from now on, not the doctor alone."""
    for pair, items in left.items():
        notice = notices[pair]
        notice.first_at = min(notice.first_at, *(item.starts_at for item in items))
        notice.reserved_for = None
        for item in items:
            item.pk, item.notice = None, notice
    NoticeItem.objects.bulk_create(item for items in left.values() for item in items)
    Notice.objects.bulk_update([notices[pair] for pair in left], ["first_at", "reserved_for"])


# --- two patients are merged, or a merge is undone --------------------------------------------


def hand_on(*, leaving: int, staying: int) -> Kept:
    """Give the history of one patient to another, inside the transaction that merges them.

    What waits is withdrawn: the caller brings the patient who stays in line with what is owed, so
    that one notice says it. An SMS that is out counts as heard.

    Returns:
        what ``hand_back`` needs, as JSON.
    """
    _lock_history(leaving, staying)
    _withdraw_waiting(leaving)
    kept_days = Notice.objects.filter(patient=staying).order_by("version")
    versions: dict[dt.date, int] = dict(kept_days.values_list("day", "version"))
    moved = list(Notice.objects.filter(patient=leaving).order_by("day", "version"))
    kept = [[notice.pk, notice.version] for notice in moved]
    for notice in moved:
        versions[notice.day] = notice.version = versions.get(notice.day, 0) + 1
        notice.patient_id = staying
        notice.save(update_fields=["patient", "version"])
    replies = Reply.objects.filter(patient=leaving)
    answered = list(replies.values_list("pk", flat=True))
    replies.update(patient=staying)
    asked = ToAskAgain.objects.filter(patient=leaving)
    notice_states.ask_again((staying, day) for day in asked.values_list("day", flat=True))
    asked.delete()
    return {"notices": kept, "replies": answered}


def hand_back(kept: Kept, *, shared: int, back_to: int) -> list[tuple[int, Any]]:
    """Give a patient their history back; what was told since stays with the other.

    Args:
        kept: from ``hand_on``.
        shared: id of the patient who has it.
        back_to: id of the patient whose it was.

    Returns:
        the patients and days to bring in line with what is owed.
    """
    _lock_history(shared, back_to)
    versions: dict[int, int] = dict(kept.get("notices", ()))
    moved = list(Notice.objects.filter(pk__in=versions, patient=shared))
    for notice in moved:
        notice.patient_id, notice.version = back_to, versions[notice.pk]
        notice.save(update_fields=["patient", "version"])
    Reply.objects.filter(pk__in=kept.get("replies", ()), patient=shared).update(patient=back_to)
    days = {notice.day for notice in moved}
    return [(who, day) for who in (shared, back_to) for day in sorted(days)]


def _lock_history(*patient_ids: int) -> None:
    for patient_id in sorted(patient_ids):
        notice_states.lock_patient(patient_id)
    theirs = Notice.objects.filter(patient__in=patient_ids)
    notice_states.lock(theirs.values_list("pk", flat=True))


def _withdraw_waiting(patient_id: int) -> None:
    """Withdraw what waits for a patient; their locks are held."""
    waiting = Delivery.objects.filter(
        notice__patient=patient_id, notice__state=NoticeState.OPEN, state__in=WITHDRAWABLE
    )
    in_hand = Q(notice__handed_over_at__isnull=True)
    ending = list(waiting.filter(in_hand | Q(channel=Channel.PHONE)))
    now = clock.now()
    delivery_states.end([one.pk for one in ending], state=DeliveryState.WITHDRAWN, at=now)
    waits = Q(handed_over_at__isnull=True) | Q(pk__in={one.notice_id for one in ending})
    silent = Notice.objects.filter(waits, patient=patient_id, state=NoticeState.OPEN)
    notice_states.withdraw(silent.values_list("pk", flat=True), at=now)
