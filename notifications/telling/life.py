"""The history of one notice: everything that happened to it, in order."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Min, QuerySet

from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Notice,
    NoticeItem,
    Question,
    Receipt,
    Reply,
)
from notifications.telling.progress import UNSENT
from staff.models import User

# What comes first of what happened at the same moment: a receipt ends a try, that closes a notice.
_ORDER = ("submitted", "receipt", "ended", "called", "closed", "reply", "question")


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
