"""SMS that wait for a person: nobody knows what became of them, or they did not arrive."""

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from notifications.access import notices_of
from notifications.models import LIVE, Channel, Delivery, DeliveryState, Notice, NoticeState
from notifications.telling.progress import NOT_REACHED
from staff.access import Capability
from staff.models import User

UNKNOWN, FAILED = "unknown", "failed"
QUEUES = (UNKNOWN, FAILED)
_STATES = {UNKNOWN: (DeliveryState.UNKNOWN,), FAILED: NOT_REACHED}


def unsettled_sms() -> QuerySet[Delivery]:
    """Return the SMS that a person may settle: the last of an open notice, not under way.

    They are found by the notices that are open now, which are few, and not by the SMS that ever
    failed.
    """
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
    """Return the SMS of a queue that a person may see.

    Args:
        user: who looks.
        name: one of ``QUEUES``.
    """
    return unsettled_sms().filter(_seen_by(user), state__in=_STATES[name])


def with_what_carries_them(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Add patient, site and, as ``notice.under_way``, the try that carries the notice now."""
    under_way = Delivery.objects.filter(state__in=LIVE).select_related("caller")
    return rows.select_related("notice__patient", "notice__site").prefetch_related(
        Prefetch("notice__deliveries", under_way, to_attr="under_way")
    )


def counts(user: User) -> dict[str, int]:
    """Return how many wait in each queue, in one query."""
    filters = {name: Count("pk", filter=Q(state__in=_STATES[name])) for name in QUEUES}
    return unsettled_sms().filter(_seen_by(user)).aggregate(**filters)


def _seen_by(user: User) -> Q:
    return notices_of(user, Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST, path="notice__")
