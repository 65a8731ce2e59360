"""The SMS that were sent or wait, and what is known of a reference."""

from dataclasses import dataclass, field

from django.db.models import Max, Prefetch, QuerySet

from notifications.access import notices_of
from notifications.models import Channel, Delivery, Notice, NoticeItem, NoticeState, notice_id_of
from notifications.texts import render as texts
from staff.access import Capability
from staff.models import User


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


def lines_of(notice: Notice) -> list[texts.MessageItem]:
    """Return the lines of a notice's text."""
    return [
        texts.MessageItem(item.starts_at, item.word, item.postponed_to, item.site_id)
        for item in notice.items.all()
    ]


@dataclass(frozen=True)
class Asked:
    """What a reader may know of a reference.

    ``notice`` is None for one that is not ours, or belongs to a site that the reader does not see.
    ``in_force`` is the notice that holds for that day now, perhaps a newer one, perhaps none.
    ``notices`` are all of that patient, newest first, with ``last_delivery``.
    """

    is_ours: bool
    notice: Notice | None = None
    in_force: Notice | None = None
    site: str = ""
    notices: list[Notice] = field(default_factory=list)


def asked_about(user: User, reference: str) -> Asked:
    """Return what a reader may know of a reference."""
    notice_id = notice_id_of(reference)
    ours = Notice.objects.filter(pk=notice_id).select_related("site").first() if notice_id else None
    if ours is None:
        return Asked(is_ours=False)
    visible = visible_notices(user)
    notice = visible.filter(pk=ours.pk).first()
    if notice is None:
        return Asked(is_ours=True, site=ours.site.name)
    same_patient = visible.filter(patient=notice.patient_id).order_by("-day", "-version")
    standing = same_patient.filter(day=notice.day).exclude(state=NoticeState.WITHDRAWN)
    return Asked(
        is_ours=True,
        notice=notice,
        in_force=standing.first(),
        site=ours.site.name,
        notices=list(same_patient.annotate(last_delivery=Max("deliveries"))[:20]),
    )
