"""What gateways said of messages."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from notifications.access import notices_of
from notifications.models import Notice, Receipt, Reply
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


def visible_replies(user: User) -> QuerySet[Reply]:
    """Return the replies to notices of a person's sites, and of patients who have one there.

    Who wrote from an unknown number belongs to no site: those who work for the whole group
    see it.
    """
    if scope_of(user, Capability.WORK_CALL_LIST).everywhere:
        return Reply.objects.all()
    theirs = Notice.objects.filter(
        notices_of(user, Capability.WORK_CALL_LIST), patient=OuterRef("patient")
    )
    without_notice = Q(Exists(theirs), notice=None)
    return Reply.objects.filter(
        notices_of(user, Capability.WORK_CALL_LIST, path="notice__") | without_notice
    )


def reply_list(user: User, *, handled: bool) -> QuerySet[Reply]:
    """Return the rows of the replies page: those that wait, or those that were handled."""
    return (
        visible_replies(user)
        .filter(handled_at__isnull=not handled)
        .select_related("patient", "notice__site", "handled_by")
    )


def replies_waiting(user: User) -> int:
    """Return how many replies wait for somebody."""
    return visible_replies(user).filter(handled_at=None).count()


def replies_of(notice: Notice) -> QuerySet[Reply]:
    """Return what came back on a notice, in order."""
    return notice.replies.select_related("handled_by").order_by("received_at", "id")
