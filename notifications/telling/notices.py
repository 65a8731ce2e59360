"""The patients behind the numbers of ``progress``, and which notices still say something."""

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from notifications.access import notices_of
from notifications.models import Delivery, DeliveryState, Notice, NoticeState
from notifications.telling.progress import counted_since, last_words
from staff.access import Capability
from staff.models import User

BY_APPOINTMENT = ("day", "first_at", "id")


def notices_in(user: User, state: NoticeState) -> QuerySet[Notice]:
    """Return the last word to each patient and day in a state, those that ``progress`` counts.

    Each comes with its patient and site and, as ``tries``, the tries in their order.

    Args:
        user: who looks.
        state: which of them.
    """
    # As ``progress.current`` counts: of what is open every day, so that the index finds the order.
    days = Q() if state == NoticeState.OPEN else Q(day__gte=counted_since())
    tries = Delivery.objects.select_related("caller").order_by("id")
    return (
        Notice.objects.filter(
            days, last_words(), notices_of(user, Capability.SEE_OUTBOX), state=state
        )
        .select_related("patient", "site", "reserved_for", "settled_by")
        .prefetch_related(Prefetch("deliveries", tries, to_attr="tries"))
    )


def standing_or_heard() -> Q:
    """Return the filter for items whose notice stands, or was withdrawn and arrived all the same.

    What a withdrawn notice said was heard then (ADR 0014).
    """
    arrived = Delivery.objects.filter(notice=OuterRef("notice"), state=DeliveryState.DELIVERED)
    was_heard = Q(Exists(arrived), notice__handed_over_at__isnull=False)
    return ~Q(notice__state=NoticeState.WITHDRAWN) | was_heard
