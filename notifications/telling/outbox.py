"""The SMS that were sent or wait, what is known of a reference, and the history of one notice."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Max, Min, Prefetch, QuerySet

from notifications.access import notices_of
from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Notice,
    NoticeItem,
    NoticeState,
    Question,
    Receipt,
    Reply,
    notice_id_of,
)
from notifications.telling.progress import UNSENT
from notifications.texts import render as texts
from staff.access import Capability
from staff.models import User

# What comes first of what happened at the same moment: a receipt ends a try, that closes a notice.
_ORDER = ("submitted", "receipt", "ended", "called", "closed", "reply", "question")


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


# --- the history of a notice ------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """Something that happened, or is still to come.

    Attributes:
        kind: ``opened``, ``submitted``, ``receipt``, ``reply``, ``question``, ``ended``,
            ``called``, ``closed``, ``waiting`` or ``unsettled``.
        at: when; for ``waiting`` the earliest moment.
        person: who did it.
    """

    kind: str
    at: dt.datetime | None
    delivery: Delivery | None = None
    receipt: Receipt | None = None
    reply: Reply | None = None
    question: Question | None = None
    person: User | None = None


@dataclass(frozen=True)
class Life:
    """A notice with all that was tried, and the patient's other notices of that day."""

    notice: Notice
    items: list[NoticeItem]
    tries: list[Delivery]
    receipts: list[Receipt]
    replies: list[Reply]
    questions: list[Question]
    others: list[Notice]

    @property
    def events(self) -> list[Event]:
        """What happened, the oldest first, and then what is waited for."""
        happened = sorted(
            self._happened(),
            key=lambda event: (event.at or self.notice.created_at, _ORDER.index(event.kind)),
        )
        return [Event("opened", self.notice.created_at), *happened, *self._to_come()]

    def _happened(self) -> Iterator[Event]:
        for one in self.tries:
            yield from _of_try(one)
        yield from (Event("receipt", one.received_at, receipt=one) for one in self.receipts)
        yield from (
            Event("reply", one.received_at, reply=one, person=one.handled_by)
            for one in self.replies
        )
        yield from (
            Event("question", one.asked_at, question=one, person=one.answered_by)
            for one in self.questions
        )
        if self.notice.settled_at:
            yield Event("closed", self.notice.settled_at, person=self.notice.settled_by)

    def _to_come(self) -> Iterator[Event]:
        for one in self.tries:
            if one.state in UNSENT:
                yield Event("waiting", one.not_before, delivery=one, person=one.caller)
            elif one.state == DeliveryState.UNKNOWN:
                yield Event("unsettled", one.lease_until, delivery=one)


def _of_try(delivery: Delivery) -> Iterator[Event]:
    if delivery.channel == Channel.PHONE:
        if delivery.finished_at:
            yield Event("called", delivery.finished_at, delivery=delivery, person=delivery.caller)
        return
    if delivery.submitted_at:
        yield Event("submitted", delivery.submitted_at, delivery=delivery)
    # Without receipts the hand-over is the end: no second event.
    if delivery.finished_at and delivery.state != DeliveryState.ACCEPTED:
        yield Event("ended", delivery.finished_at, delivery=delivery)


def life_of(notice: Notice) -> Life:
    """Return what the page of a notice shows, in seven queries."""
    tries = notice.deliveries.select_related("caller").prefetch_related("numbered_parts")
    receipts = Receipt.objects.filter(delivery__notice=notice).select_related("delivery")
    return Life(
        notice=notice,
        items=list(notice.items.select_related("site").order_by("starts_at")),
        tries=list(tries.order_by("id")),
        receipts=list(receipts.order_by("received_at", "id")),
        replies=list(notice.replies.select_related("handled_by").order_by("received_at", "id")),
        questions=list(notice.questions.select_related("answered_by").order_by("asked_at", "id")),
        others=list(_others(notice)),
    )


def _others(notice: Notice) -> QuerySet[Notice]:
    """Return the notices before and after this one, with a try by which each opens."""
    same_day = Notice.objects.filter(patient=notice.patient_id, day=notice.day)
    return same_day.exclude(pk=notice.pk).annotate(a_try=Min("deliveries")).order_by("version")
