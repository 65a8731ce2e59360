"""What gateways said of messages."""

from django.db.models import QuerySet

from notifications.models import Notice, Receipt
from staff.access import Capability, scope_of
from staff.models import User


def receipts_of(notice: Notice) -> QuerySet[Receipt]:
    """Return what gateways said of the SMS of a notice, in the order in which it came."""
    return Receipt.objects.filter(delivery__notice=notice).order_by("received_at", "id")


def unmatched_receipts(user: User) -> QuerySet[Receipt]:
    """Return the receipts of which nobody knows the message.

    They belong to no site, so those see them who see the messages of the whole group.
    """
    if not scope_of(user, Capability.SEE_OUTBOX).everywhere:
        return Receipt.objects.none()
    return Receipt.objects.filter(delivery=None)
