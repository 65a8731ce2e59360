"""Notices and deliveries as applying a bulletin leaves them, and gateways that do as told."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from notifications.gateways import Accepted, Gateway, Message, Options, Result
from notifications.lifecycle import delivery_states
from notifications.models import Delivery, Notice, NoticeItem
from notifications.sending import dispatch
from patients.models import Patient
from staff.models import Site
from tests.builders import a_patient, a_site, at

RELEASE = at("2022-05-14 18:00")
SUNDAY = at("2022-05-15 09:00")
_subjects = count(1000)


def a_notice(
    *,
    patient: Patient | None = None,
    site: Site | None = None,
    items: Sequence[tuple[str, str]] = (("2022-05-16 09:10", "cancelled"),),
    version: int = 1,
    **fields,
) -> Notice:
    """Return an open notice about appointments, each a moment and a word."""
    place = site or a_site()
    moments = sorted(at(moment) for moment, _word in items)
    notice = Notice.objects.create(
        patient=patient or a_patient(),
        day=moments[0].date(),
        version=version,
        site=place,
        first_at=moments[0],
        created_at=RELEASE,
        **fields,
    )
    for moment, word in items:
        NoticeItem.objects.create(
            notice=notice,
            subject_id=next(_subjects),
            starts_at=at(moment),
            site=place,
            word=word,
        )
    return notice


def an_sms(notice: Notice | None = None, **fields) -> Delivery:
    """Return an SMS held until the release on Saturday evening."""
    notice = notice or a_notice()
    values = {"state": "held", "address": notice.patient.mobile, "not_before": RELEASE} | fields
    return Delivery.objects.create(notice=notice, channel="sms", **values)


def a_call(notice: Notice | None = None, **fields) -> Delivery:
    """Return a call on the list."""
    notice = notice or a_notice()
    values = {"state": "queued", "address": notice.patient.mobile, "not_before": RELEASE} | fields
    return Delivery.objects.create(notice=notice, channel="phone", **values)


class FakeGateway(Gateway):
    """Answers what it is told to, and remembers every message it was given."""

    def __init__(
        self,
        answer: Callable[[Message], Result] | Result | None = None,
        *,
        honours_reference: bool = False,
        has_receipts: bool = False,
        seconds: float = 0.0,
        name: str = "fake",
        **options: Any,
    ) -> None:
        super().__init__(name=name, options=Options(**options))
        self._answer = answer or Accepted("p1")
        self._seconds = seconds
        self.honours_reference = honours_reference
        self.has_receipts = has_receipts
        self.messages: list[Message] = []

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Answer each."""
        return [await self._answer_to(message) for message in messages]

    async def _answer_to(self, message: Message) -> Result:
        self.messages.append(message)
        await asyncio.sleep(self._seconds)
        return self._answer(message) if callable(self._answer) else self._answer


def claim_due(worker: str, gateway: str = "fake") -> list[int]:
    """Claim what is due, as a worker does before it hands over."""
    delivery_states.promote()
    return delivery_states.claim(worker=worker, limit=10, gateway=gateway)


def send(gateway: Gateway, worker: str = "w1", limit: int = 500) -> dispatch.DispatchResult:
    """Send what is due, at most so many."""
    return dispatch.run(worker=worker, gateways=[gateway], limit=limit, seconds=20)
