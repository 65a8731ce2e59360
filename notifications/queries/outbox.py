"""What was sent, and what waits."""

import datetime as dt

from django.db.models import Prefetch, QuerySet

from notifications import texts
from notifications.models import (
    UNSENT,
    Channel,
    Delivery,
    Notice,
    NoticeItem,
    Sending,
)
from notifications.queries.scope import notices_of
from notifications.references import notice_id_of
from patients import search_text
from patients.queries import first_patient_ids, means_many
from staff import clock
from staff.access import Capability
from staff.models import User


def anything_due() -> bool:
    """Whether a sender would find work."""
    due = Delivery.objects.filter(
        channel=Channel.SMS, state__in=UNSENT, not_before__lte=clock.now()
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


def searched(messages: QuerySet[Delivery], typed: str) -> QuerySet[Delivery]:
    """Narrow to the notice whose reference was typed, or else to the patients that are meant."""
    notice_id = notice_id_of(typed)
    if notice_id is not None:
        return messages.filter(notice=notice_id)
    search = search_text.read(typed, today=clock.today())
    return messages.filter(notice__patient__in=first_patient_ids(search)) if search else messages


def means_many_patients(typed: str) -> bool:
    """Whether a text means more patients than ``searched`` looks up."""
    search = search_text.read(typed, today=clock.today())
    return notice_id_of(typed) is None and bool(search) and means_many(search)


def about_days_since(day: dt.date) -> QuerySet:
    """Return the numbers of the notices about a day and later, to be used as a subquery."""
    return Notice.objects.filter(day__gte=day).values("pk")


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
    return [texts.Line(item.starts_at, item.word, item.postponed_to) for item in notice.items.all()]
