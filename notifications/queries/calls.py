"""What is on the call list."""

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from notifications.models import Channel, Delivery, DeliveryState, Notice, NoticeState
from notifications.queries.scope import notices_of
from staff import clock
from staff.access import Capability
from staff.models import User

TO_CALL = (DeliveryState.QUEUED, DeliveryState.CLAIMED)


def open_calls(user: User) -> QuerySet[Delivery]:
    """Return the calls still to be made, also those that are not due yet or being made."""
    return Delivery.objects.filter(
        notices_of(user, Capability.WORK_CALL_LIST, path="notice__"),
        channel=Channel.PHONE,
        state__in=TO_CALL,
        notice__state=NoticeState.OPEN,
    )


def due_calls(user: User) -> QuerySet[Delivery]:
    """Return the open calls whose time has come; a notice reserved for its doctor waits for it."""
    return open_calls(user).filter(not_before__lte=clock.now())


def free_calls() -> Q:
    """Return the filter for open calls that nobody is making."""
    return Q(state=DeliveryState.QUEUED) | Q(lease_until__lt=timezone.now())


def call_list(user: User) -> QuerySet[Delivery]:
    """Return the rows of the call list page."""
    return open_calls(user).select_related(
        "notice__patient", "notice__site", "notice__reserved_for", "caller"
    )


def calls_of(user: User) -> QuerySet[Delivery]:
    """Return every call of a person's sites, made or not, with what the call page shows."""
    return Delivery.objects.filter(
        notices_of(user, Capability.WORK_CALL_LIST, path="notice__"), channel=Channel.PHONE
    ).select_related("notice__patient", "notice__site", "notice__reserved_for", "caller")


def counts(user: User) -> dict[str, int]:
    """Return how many calls are ``open`` and how many of them may be taken now (``due``)."""
    free = Q(not_before__lte=clock.now()) & free_calls()
    return open_calls(user).aggregate(open=Count("pk"), due=Count("pk", filter=free))


def tries(notice: Notice) -> QuerySet[Delivery]:
    """Return all tries of a notice in the order in which they were opened."""
    return notice.deliveries.select_related("caller").order_by("id")
