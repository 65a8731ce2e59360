"""SMS that failed or whose fate is unknown: the queues of them, and how a person settles them.

Each service moves a set at once and leaves alone what changed meanwhile: a receipt came, an agent
is calling, a colleague was faster. A person who may hold sending may move many and send again. A
person who works the call list settles one at a time, at their sites.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from notifications.access import notices_of
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.lifecycle.delivery_states import Next
from notifications.models import (
    LIVE,
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeState,
)
from notifications.sending import switch
from notifications.telling.progress import NOT_REACHED
from staff import clock
from staff.access import Capability, may, require
from staff.errors import Refusal
from staff.models import User
from staff.sentences import Sentence, Stored
from staff.sentences import gettext_stored as _
from staff.services import audit

MOST_AT_ONCE = 2000
_LONGEST_REASON = 200  # is kept beside the SMS; the trail has all of it
UNKNOWN, FAILED = "unknown", "failed"
QUEUES = (UNKNOWN, FAILED)
_STATES = {UNKNOWN: (DeliveryState.UNKNOWN,), FAILED: NOT_REACHED}


def unsettled_sms() -> QuerySet[Delivery]:
    """Return the SMS that a person may settle: the last of an open notice, not under way."""
    # Found by the notices that are open now, which are few, not by the SMS that ever failed.
    still_open = Notice.objects.filter(state=NoticeState.OPEN)
    newer = Delivery.objects.filter(
        notice=OuterRef("notice"), channel=Channel.SMS, number__gt=OuterRef("number")
    )
    return Delivery.objects.filter(
        ~Exists(newer),
        channel=Channel.SMS,
        state__in=[DeliveryState.UNKNOWN, *NOT_REACHED],
        notice__in=still_open.values("pk"),
    )


def queue(user: User, name: str) -> QuerySet[Delivery]:
    """Return the SMS of one of ``QUEUES`` that a person may see."""
    return unsettled_sms().filter(_seen_by(user), state__in=_STATES[name])


def with_what_carries_them(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Add patient, site and, as ``notice.under_way``, the try that carries the notice now."""
    under_way = Delivery.objects.filter(state__in=LIVE).select_related("caller")
    return rows.select_related("notice__patient", "notice__site").prefetch_related(
        Prefetch("notice__deliveries", under_way, to_attr="under_way")
    )


def queue_counts(user: User) -> dict[str, int]:
    """Return how many wait in each queue, in one query."""
    filters = {name: Count("pk", filter=Q(state__in=_STATES[name])) for name in QUEUES}
    return unsettled_sms().filter(_seen_by(user)).aggregate(**filters)


def _seen_by(user: User) -> Q:
    return notices_of(user, Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST, path="notice__")


@dataclass(frozen=True)
class Settled:
    """How many SMS were moved, had changed meanwhile, or are of no use to send again."""

    done: int
    changed: int
    useless: int = 0


@transaction.atomic
def resend(*, delivery_ids: Collection[int], by: User, reason: str) -> Settled:
    """Send SMS again, under a new reference: the patient may get the message twice.

    An ``unknown`` one ends as failed; a call that waits on the list is withdrawn. An SMS that
    would come too late, that the patient does not want or that a newer one replaces stays.

    Raises:
        AccessRefused: the person may not hold sending.
        Refusal: no reason, or too many at once.
    """
    require(by, Capability.HOLD_SENDING)
    reason = _needed(reason)
    unsettled = _locked(delivery_ids, by, Capability.HOLD_SENDING)
    useless = _not_worth_it(unsettled)
    worth_it = [one for one in unsettled if one.pk not in useless]
    moved = _without_call(worth_it, DeliveryState.WITHDRAWN, by, _("SMS renvoyé"))
    said = _said(_("Renvoyé"), by, reason)
    _end_unknown(moved, DeliveryState.FAILED, said, Failure.UNKNOWN)
    now = clock.now()
    delivery_states.open_next(
        Channel.SMS,
        [Next(one.notice_id, one, now, one.notice.patient.mobile or one.address) for one in moved],
    )
    switch.ring()
    return _told_of("sms.resent", delivery_ids, moved, by, reason, useless=len(useless))


@transaction.atomic
def call_instead(*, delivery_ids: Collection[int], by: User, reason: str = "") -> Settled:
    """Put the patients of unknown SMS on the call list; for the others a call is open already.

    Raises:
        AccessRefused: the person neither calls nor holds sending.
        Refusal: more than one, by somebody who may settle them one by one.
    """
    capability = _capability(by, delivery_ids)
    unsettled = _locked(delivery_ids, by, capability)
    moved = [one for one in unsettled if one.state == DeliveryState.UNKNOWN]
    said = _said(_("Appelé à la place"), by, reason)
    follow_up.end_and_call(moved, state=DeliveryState.FAILED, failure=Failure.UNKNOWN, remark=said)
    return _told_of("sms.called_instead", delivery_ids, moved, by, reason)


@transaction.atomic
def count_as_told(*, delivery_ids: Collection[int], by: User, reason: str) -> Settled:
    """Close notices as told, since somebody knows that the patient knows.

    An unknown SMS counts as received; for a failed one the waiting call counts as made.

    Raises:
        AccessRefused: as for ``call_instead``.
        Refusal: no reason, or as for ``call_instead``.
    """
    capability = _capability(by, delivery_ids)
    reason = _needed(reason)
    unsettled = _locked(delivery_ids, by, capability)
    said = _said(_("Compté comme prévenu"), by, reason)
    moved = _without_call(unsettled, DeliveryState.DELIVERED, by, said, must=True)
    _end_unknown(moved, DeliveryState.DELIVERED, said)
    notice_states.tell([one.notice_id for one in moved], at=clock.now(), by=by)
    return _told_of("sms.counted_as_told", delivery_ids, moved, by, reason)


def _capability(by: User, delivery_ids: Collection[int]) -> Capability:
    """Return what lets a person settle: many at once, or one by one."""
    if may(by, Capability.HOLD_SENDING):
        return Capability.HOLD_SENDING
    require(by, Capability.WORK_CALL_LIST)
    if len(delivery_ids) > 1:
        raise Refusal(
            _("Vous réglez ces SMS un par un ; pour plusieurs, voyez la cellule de crise.")
        )
    return Capability.WORK_CALL_LIST


def _needed(reason: str) -> str:
    if not (stripped := reason.strip()):
        raise Refusal(_("Dites pourquoi, en quelques mots."), field="reason")
    return stripped


def _said(what: Sentence, by: User, reason: str) -> Sentence:
    if not reason.strip():
        return _("%(what)s par %(name)s.") % {"what": what, "name": by}
    words = _("%(what)s par %(name)s : %(reason)s")
    return words % {"what": what, "name": by, "reason": reason.strip()[:_LONGEST_REASON]}


def _locked(delivery_ids: Collection[int], by: User, capability: Capability) -> list[Delivery]:
    """Lock the notices, then the SMS, and return those that still may be settled."""
    if len(delivery_ids) > MOST_AT_ONCE:
        raise Refusal(
            _("Au plus %(number)s SMS à la fois : restreignez la liste.") % {"number": MOST_AT_ONCE}
        )
    mine = notices_of(by, capability, path="notice__")
    return delivery_states.lock(unsettled_sms().filter(mine, pk__in=delivery_ids))


def _not_worth_it(deliveries: Sequence[Delivery]) -> set[int]:
    """Return the SMS that would not reach the patient in time, or must not be sent."""
    replaced = follow_up.superseded(deliveries)
    now = clock.now()
    return {
        one.pk
        for one in deliveries
        if one.notice_id in replaced
        or one.notice.patient.sms_opt_out_at
        or notice_states.latest_departure(one.notice.first_at) <= now
    }


def _without_call(
    deliveries: Sequence[Delivery],
    state: DeliveryState,
    by: User,
    remark: Stored,
    *,
    must: bool = False,
) -> list[Delivery]:
    """End the calls that wait in place of these SMS, locked, with their notices.

    A call being made, or another SMS under way, keeps its notice.

    Args:
        state, remark: of the calls afterwards.
        by: the caller of a call that counts as made.
        must: whether a failed SMS needs such a call, which then shows that the patient was told.

    Returns:
        the SMS whose notices have no other try under way.
    """
    ended = [one.notice_id for one in deliveries if one.state != DeliveryState.UNKNOWN]
    live = Delivery.objects.filter(notice__in=ended, state__in=LIVE).order_by("id")
    carried = {one.notice_id: one for one in live.select_for_update()}
    waits = {
        notice_id: one
        for notice_id, one in carried.items()
        if one.channel == Channel.PHONE and one.state == DeliveryState.QUEUED
    }
    free = [
        one
        for one in deliveries
        if one.state == DeliveryState.UNKNOWN
        or one.notice_id in waits
        or (one.notice_id not in carried and not must)
    ]
    calls = [waits[one.notice_id].pk for one in free if one.notice_id in waits]
    delivery_states.end(calls, state=state, at=clock.now(), remark=remark)
    if state == DeliveryState.DELIVERED:
        Delivery.objects.filter(pk__in=calls).update(caller=by)
    return free


def _end_unknown(
    deliveries: Iterable[Delivery],
    state: DeliveryState,
    remark: Stored,
    failure: Failure | str = "",
) -> None:
    unknown = [one.pk for one in deliveries if one.state == DeliveryState.UNKNOWN]
    delivery_states.end(unknown, state=state, at=clock.now(), failure=failure, remark=remark)


def _told_of(
    action: str,
    asked: Collection[int],
    moved: Sequence[Delivery],
    by: User,
    reason: str,
    *,
    useless: int = 0,
) -> Settled:
    """Write the trail, unless nothing happened, and return the counts."""
    if moved:
        ids = sorted(one.pk for one in moved)
        audit.record(action=action, by=by, deliveries=ids, reason=reason.strip())
    return Settled(done=len(moved), changed=len(set(asked)) - len(moved) - useless, useless=useless)
