"""What a receipt does to a delivery, and which delivery it speaks of.

Pure: no Django, no clock. States are the codes of ``DeliveryState`` and ``ReceiptState``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

_AFTER: Mapping[str, Mapping[str, str]] = {
    # Good news wins however late it comes: the patient knows.
    "delivered": dict.fromkeys(
        ("submitting", "accepted", "unknown", "failed", "expired"), "delivered"
    ),
    "failed": dict.fromkeys(("submitting", "accepted", "unknown"), "failed"),
    "expired": dict.fromkeys(("submitting", "accepted", "unknown"), "expired"),
    "on_its_way": dict.fromkeys(("submitting", "unknown"), "accepted"),
}


def after_receipt(state: str, says: str, *, may_have_left: bool = False) -> str:
    """Return a delivery's state after a receipt.

    What nothing was ever handed over of (held, queued, claimed, withdrawn, suppressed) stays as
    it is. A queued or claimed one that may have left before, and only waits to be submitted
    again under its reference, is an unknown one: the receipt makes the repetition needless.

    Args:
        state: of the delivery.
        says: what the receipt says.
        may_have_left: the delivery has a client reference.
    """
    if may_have_left and state in ("queued", "claimed"):
        return _AFTER[says].get("unknown", state)
    return _AFTER[says].get(state, state)


def part_after_receipt(state: str, says: str) -> str:
    """Return the state of one part of a long message after a receipt about it."""
    if state == "delivered" or says == "on_its_way":
        return state
    return says if state == "on_its_way" or says == "delivered" else state


def sum_of_parts(states: Iterable[str]) -> str:
    """Return what the receipts of all parts say of the message: who misses one cannot read it."""
    found = set(states)
    for bad in ("failed", "expired"):
        if bad in found:
            return bad
    return "delivered" if found == {"delivered"} else "on_its_way"


class Candidate(NamedTuple):
    """A delivery that a receipt may speak of; ``submitted_at`` only has to be comparable."""

    delivery_id: int
    notice_id: int
    address: str
    submitted_at: Any


def newest_for(phone: str, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the delivery that a number of the gateway means: the newest to that phone.

    Gateways use their numbers again (in SMPP 3.4, section 5.2.23, they are opaque and up to the
    SMSC), so a delivery to another phone than the receipt's is not meant.

    Args:
        phone: E.164 of whom the receipt is about; empty where the gateway does not say.
        candidates: the deliveries with the receipt's number at its gateway.
    """
    fitting = [one for one in candidates if not phone or one.address == phone]
    if not fitting:
        return None
    return max(fitting, key=lambda one: (one.submitted_at, one.delivery_id))
