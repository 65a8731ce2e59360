"""Put patients on the call list in place of tries that ended. Called inside a transaction."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Max

from notifications.models import Channel, Delivery, DeliveryState


def open_calls(tries: Mapping[int, Delivery], *, at: dt.datetime, as_planned: bool = False) -> int:
    """Open a call for each notice, due at once, as urgent as the try before (two queries).

    Args:
        tries: by the id of the notice, the try that the call takes the place of, with notice and
            patient; it may belong to a notice that this one replaces.
        at: when the calls are due.
        as_planned: no call is due before its try was: until then a doctor may keep the patient.

    Returns:
        how many calls were opened.
    """
    calls = Delivery.objects.filter(notice__in=tries, channel=Channel.PHONE)
    numbers = dict(calls.values_list("notice").annotate(last=Max("number")))
    opened = Delivery.objects.bulk_create(
        Delivery(
            notice_id=notice_id,
            channel=Channel.PHONE,
            number=numbers.get(notice_id, 0) + 1,
            state=DeliveryState.QUEUED,
            address=_number_to_call(before),
            not_before=max(at, before.not_before) if as_planned else at,
            urgency=before.urgency,
        )
        for notice_id, before in tries.items()
    )
    return len(opened)


def _number_to_call(before: Delivery) -> str:
    """Return the number to ring after an SMS failed: the landline first, it is another way."""
    patient = before.notice.patient
    return patient.landline or patient.mobile or before.address
