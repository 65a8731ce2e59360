"""The patients behind the numbers of ``progress``: to be told, told, not reached."""

from django.db.models import Prefetch, Q, QuerySet

from notifications.models import Delivery, Notice, NoticeState
from notifications.queries.progress import counted_since, last_words
from notifications.queries.scope import notices_of
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
