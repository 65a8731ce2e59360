"""What ends or turns a try, and with it the duty behind it. Called inside a transaction.

The lock order that keeps the promises: notices first, by id, then their deliveries
(``lock``). Whoever withdraws notices does the same, so one of the two always comes first.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Exists, OuterRef, QuerySet

from notifications.lifecycle import looking_again
from notifications.lifecycle.carry_over import carry_over
from notifications.lifecycle.opening_calls import open_calls
from notifications.models import (
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeItem,
    NoticeState,
)
from patients.models import Patient
from staff.sentences import Stored


def lock(deliveries: QuerySet[Delivery]) -> list[Delivery]:
    """Lock the notices of some deliveries, then the deliveries, and read both again.

    Returns:
        the deliveries that still fit the queryset, by notice, with notice, patient and site.
    """
    locked = lock_notices(list(deliveries.values_list("notice_id", flat=True)))
    return list(
        deliveries.filter(notice_id__in=locked)
        .select_related("notice__patient", "notice__site")
        .select_for_update(of=("self",))
        .order_by("notice_id")
    )


def lock_notices(notices: Iterable[int] | QuerySet) -> list[int]:
    """Lock notices by id, the order in which everyone does; return the ids of those that exist."""
    found = Notice.objects.filter(pk__in=notices).order_by("id")
    return list(found.select_for_update().values_list("id", flat=True))


def lock_patient(patient_id: int) -> None:
    """Lock a patient, before their notices; who writes a notice about them needs not wait."""
    patients = Patient.objects.select_for_update(no_key=True)
    list(patients.filter(pk=patient_id).values_list("pk", flat=True))


def superseded(deliveries: Iterable[Delivery]) -> set[int]:
    """Return the ids of their notices after which the patient was, or will be, told otherwise.

    Or is not to be told all of it any more: something of it has lapsed.
    """
    lapsed = NoticeItem.objects.filter(notice=OuterRef("pk"), has_lapsed=True)
    newer = Notice.objects.filter(
        patient=OuterRef("patient"), day=OuterRef("day"), version__gt=OuterRef("version")
    ).exclude(state=NoticeState.WITHDRAWN)
    notices = Notice.objects.filter(pk__in=[delivery.notice_id for delivery in deliveries])
    return set(notices.filter(Exists(newer) | Exists(lapsed)).values_list("pk", flat=True))


def finish(
    deliveries: Iterable[Delivery],
    *,
    state: DeliveryState,
    at: dt.datetime,
    failure: Failure | str = "",
    remark: Stored = "",
) -> None:
    """End tries: all the same way."""
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries]).update(
        state=state, finished_at=at, lease_until=None, failure=failure, remark=remark
    )


def take_back(deliveries: Sequence[Delivery], *, at: dt.datetime) -> set[int]:
    """Note that these tries left nothing with the patient: their notices may be withdrawn again.

    A notice that was superseded while it was out is withdrawn now.

    Returns:
        the ids of the notices that are still to be told.
    """
    gone = withdraw_superseded(deliveries, at=at)
    mine = Notice.objects.filter(pk__in=[delivery.notice_id for delivery in deliveries])
    mine.filter(pk__in=gone, state=NoticeState.WITHDRAWN).update(handed_over_at=None)
    waiting = mine.filter(state=NoticeState.OPEN)
    waiting.update(handed_over_at=None)
    return set(waiting.values_list("pk", flat=True))


def withdraw_superseded(deliveries: Sequence[Delivery], *, at: dt.datetime) -> set[int]:
    """Withdraw the open notices that a newer version replaces; return the ids of those replaced.

    What only they said is said by the newer one.
    """
    gone = superseded(deliveries)
    replaced_ones = Notice.objects.filter(pk__in=gone)
    looking_again.ask_again(replaced_ones.values_list("patient", "day") if gone else ())
    still_open = Notice.objects.filter(pk__in=gone, state=NoticeState.OPEN)
    ending = list(still_open.values_list("pk", flat=True))
    still_open.update(state=NoticeState.WITHDRAWN, settled_at=at)
    if ending:
        carry_over(ending, at=at)
    return gone


def call_instead(
    deliveries: Sequence[Delivery], *, at: dt.datetime, as_planned: bool = False
) -> int:
    """Put the patients of ended tries on the call list, due at once.

    A notice that was settled meanwhile needs no call; one that a newer version replaces is
    withdrawn, for the newer one is told.

    Args:
        deliveries: with notice and patient, all of which may be settled or superseded.
        at: when the calls are due.
        as_planned: no call is due before its SMS was: until then a doctor may keep the patient.

    Returns:
        how many calls were opened.
    """
    gone = withdraw_superseded(deliveries, at=at)
    open_ones = {
        delivery.notice_id: delivery
        for delivery in deliveries
        if delivery.notice.state == NoticeState.OPEN and delivery.notice_id not in gone
    }
    return open_calls(open_ones, at=at, as_planned=as_planned)
