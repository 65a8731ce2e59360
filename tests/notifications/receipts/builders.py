"""SMS that a gateway took, and what it says of them later."""

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from notifications.gateways import ReceiptReport
from notifications.models import Delivery, DeliveryPart, Notice
from notifications.receipts import receive as receiving
from tests.notifications.builders import SUNDAY, a_notice, an_sms

SMSC = "smpp smsc:2775"
TAKEN_AT = SUNDAY - dt.timedelta(minutes=5)


def a_taken_sms(
    state: str = "accepted", number: str = "", *, notice: Notice | None = None, **fields: Any
) -> Delivery:
    """Return an SMS that was handed over and waits for its receipt, and so does its notice."""
    notice = notice or a_notice(handed_over_at=TAKEN_AT)
    waits = state in {"submitting", "accepted", "unknown"}
    values = {
        "state": state,
        "gateway": SMSC,
        "provider_id": number,
        "client_reference": uuid.uuid4().hex,
        "submitted_at": TAKEN_AT,
        "body": "essai",
        "lease_until": timezone.now() + dt.timedelta(hours=1) if waits else None,
        "finished_at": None if waits else SUNDAY,
    }
    return an_sms(notice, **(values | fields))


def in_parts(sms: Delivery, *numbers: str) -> Delivery:
    """Give the parts of an SMS their own numbers."""
    DeliveryPart.objects.bulk_create(
        DeliveryPart(delivery=sms, part=part, gateway=SMSC, provider_id=number)
        for part, number in enumerate(numbers, 1)
    )
    Delivery.objects.filter(pk=sms.pk).update(provider_id=numbers[0], parts=len(numbers))
    return sms


def says(state: str, sms: Delivery | None = None, **fields: Any) -> ReceiptReport:
    """Return a receipt; with the SMS's own reference unless told otherwise."""
    reference = sms.client_reference if sms else ""
    return ReceiptReport(state=state, **({"reference": reference} | fields))  # type: ignore[arg-type]


def receive(*reports: Any, gateway: str = SMSC) -> receiving.Received:
    """Take reports of the one gateway."""
    return receiving.receive(gateway=gateway, reports=reports)


def life(sms: Delivery) -> tuple[str, list[tuple[str, str]]]:
    """Return the notice's state and (channel, state) of its tries."""
    tries = Delivery.objects.filter(notice=sms.notice_id).order_by("id")
    notice = Notice.objects.get(pk=sms.notice_id)
    return notice.state, list(tries.values_list("channel", "state"))
