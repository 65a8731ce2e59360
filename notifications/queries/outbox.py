"""What was sent, what waits, and one notice's life."""

from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet

from notifications import texts
from notifications.models import (
    CLAIMABLE,
    Channel,
    Delivery,
    Notice,
    NoticeItem,
    Sending,
)
from notifications.queries.scope import notices_of
from staff import clock
from staff.access import Capability
from staff.models import User


def anything_due() -> bool:
    """Whether a sender would find work."""
    due = Delivery.objects.filter(
        channel=Channel.SMS, state__in=CLAIMABLE, not_before__lte=clock.now()
    )
    return due.exists() and not Sending.is_paused()


def messages(user: User) -> QuerySet[Delivery]:
    """Return the SMS that a person may see, with what a page shows of each."""
    return (
        Delivery.objects.filter(
            notices_of(user, Capability.SEE_OUTBOX, path="notice__"), channel=Channel.SMS
        )
        .select_related("notice__patient", "notice__site")
        .prefetch_related(Prefetch("notice__items", NoticeItem.objects.order_by("starts_at")))
    )


def visible_notices(user: User) -> QuerySet[Notice]:
    """Return the notices that a person may open, for the outbox or for calling."""
    return Notice.objects.filter(
        notices_of(user, Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST)
    ).select_related("patient", "site", "reserved_for", "settled_by")


def text_of(delivery: Delivery) -> str:
    """Return what was sent, or what would be sent now; the items are best prefetched."""
    if delivery.body:
        return delivery.body
    return texts.of_notice(delivery.notice, lines_of(delivery.notice))


def lines_of(notice: Notice) -> list[texts.Line]:
    """Return the lines of a notice's text."""
    return [texts.Line(item.starts_at, item.word) for item in notice.items.all()]


@dataclass(frozen=True)
class Life:
    """One notice with everything that was tried, and the patient's other notices of that day."""

    notice: Notice
    items: list[NoticeItem]
    tries: list[Delivery]
    others: list[Notice]


def life_of(notice: Notice) -> Life:
    """Return what the timeline of a notice shows."""
    same_day = Notice.objects.filter(patient=notice.patient_id, day=notice.day)
    return Life(
        notice=notice,
        items=list(notice.items.select_related("site").order_by("starts_at")),
        tries=list(notice.deliveries.select_related("caller").order_by("id")),
        others=list(same_day.exclude(pk=notice.pk).order_by("version")),
    )
