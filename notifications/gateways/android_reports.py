"""What android-sms-gateway says of messages: in its webhooks, and when it is asked.

Sources: docs.sms-gate.app, webhooks and status tracking; ``SmsEventPayload``, ``ProcessingState``
and ``Message`` in the sources of the app.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from notifications import sms_text
from notifications.gateways import wire
from notifications.gateways.android_errors import cause_of
from notifications.gateways.interface import Inbound, Receipt, Report, Sent
from notifications.models.receipt import ReceiptState

_EVENTS = {
    "sms:sent": (ReceiptState.ON_ITS_WAY, "sentAt"),
    "sms:delivered": (ReceiptState.DELIVERED, "deliveredAt"),
    "sms:failed": (ReceiptState.FAILED, "failedAt"),
    "sms:cancelled": (ReceiptState.FAILED, "cancelledAt"),
}
_STATES = {
    "Pending": ReceiptState.ON_ITS_WAY,
    "Cancelling": ReceiptState.ON_ITS_WAY,
    "Processed": ReceiptState.ON_ITS_WAY,
    "Sent": ReceiptState.ON_ITS_WAY,
    "Delivered": ReceiptState.DELIVERED,
    "Failed": ReceiptState.FAILED,
    "Cancelled": ReceiptState.FAILED,
}
_CANCELLED = "annulé sur le téléphone"


def reports_in(event: str, said: Mapping[str, Any]) -> Sequence[Report]:
    """Return what an event says of messages.

    Args:
        event: its name, as ``sms:sent``; those of other things say nothing.
        said: its payload.
    """
    if event == "sms:received":
        return _inbound(said)
    number = wire.word(said.get("messageId"), wire.LONGEST_ID)
    if event not in _EVENTS or not number:
        return []
    state, at = _EVENTS[event]
    happened_at = wire.word(said.get(at), wire.LONGEST_KEY)
    reason = wire.word(said.get("reason"), wire.LONGEST_REMARK)
    return [
        _receipt(
            state,
            reason or (_CANCELLED if event == "sms:cancelled" else ""),
            reference=wire.reference(number),
            provider_ids=(number,),
            phone=wire.phone(said.get("recipient") or said.get("phoneNumber")),
            happened_at=wire.moment(happened_at),
            # The same for a repetition and for a webhook registered twice, another for each part.
            key=wire.key(f"{event} {number} {happened_at}"),
        )
    ]


def _inbound(said: Mapping[str, Any]) -> Sequence[Report]:
    phone = wire.phone(said.get("sender") or said.get("phoneNumber"))
    text = wire.word(said.get("message"), wire.LONGEST_TEXT)
    if not phone or not text:
        return []
    happened_at = wire.word(said.get("receivedAt"), wire.LONGEST_KEY)
    # The app makes its number from the content: not unique without the moment.
    number = wire.word(said.get("messageId"), wire.LONGEST_ID)
    key = wire.key(f"{number} {phone} {happened_at}") if number and happened_at else ""
    return [Inbound(phone=phone, text=text, happened_at=wire.moment(happened_at), key=key)]


def receipt_in_answer(said: Mapping[str, Any], sent: Sent) -> Receipt | None:
    """Return what the phone says of a message when it is asked; None where it says nothing new.

    That a message whose number we have is on its way is nothing new, and must not make us wait
    for its receipt once more: it was asked about because that is overdue.

    Args:
        said: its answer.
        sent: what was asked about.
    """
    recipients = said.get("recipients")
    recipient = wire.fields_of(recipients[0]) if isinstance(recipients, list) and recipients else {}
    state = recipient.get("state", said.get("state"))
    if said.get("id") != sent.reference or not isinstance(state, str) or state not in _STATES:
        return None
    if sent.provider_id and _STATES[state] == ReceiptState.ON_ITS_WAY:
        return None
    error = wire.word(recipient.get("error"), wire.LONGEST_REMARK)
    words = _CANCELLED if state == "Cancelled" else error
    return _receipt(
        _STATES[state],
        words if _STATES[state] == ReceiptState.FAILED else _about_parts(state, said),
        reference=sent.reference,
        provider_ids=(sent.reference,),
        phone=sent.phone,
        happened_at=wire.moment(wire.fields_of(said.get("states")).get(state)),
    )


def _about_parts(state: str, said: Mapping[str, Any]) -> str:
    text = wire.fields_of(said.get("textMessage")).get("text")
    parts = sms_text.count(text).parts if isinstance(text, str) else 1
    return f"au moins une des {parts} parties" if state == "Delivered" and parts > 1 else ""


def _receipt(state: ReceiptState, words: str, **rest: Any) -> Receipt:
    if state != ReceiptState.FAILED:
        return Receipt(state=state, remark=words, **rest)
    return Receipt(**cause_of(words)._asdict(), **rest)
