"""How a receipt is read, which delivery it means, and what it does to it.

Pure: no Django, no clock. States are the codes of ``DeliveryState`` and ``ReceiptState``.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from patients import phones

_LONGEST_KEY = 64

_AFTER: Mapping[str, Mapping[str, str]] = {
    # ``delivered`` wins however late it comes: the patient knows.
    "delivered": dict.fromkeys(
        ("submitting", "accepted", "unknown", "failed", "expired"), "delivered"
    ),
    "failed": dict.fromkeys(("submitting", "accepted", "unknown"), "failed"),
    "expired": dict.fromkeys(("submitting", "accepted", "unknown"), "expired"),
    "on_its_way": dict.fromkeys(("submitting", "unknown"), "accepted"),
}


def after_receipt(state: str, says: str, *, may_have_left: bool = False) -> str:
    """Return a delivery's state after a receipt.

    A delivery that was never handed over (held, queued, claimed, withdrawn, suppressed) stays as it
    is. A queued or claimed one with a client reference may have left before, and only waits to be
    repeated: it counts as unknown, and the receipt makes the repetition needless.

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
    return says if state == "on_its_way" or says == "delivered" else state


def sum_of_parts(states: Iterable[str], *, one_is_enough: bool = False) -> str:
    """Return what the receipts of all parts say of the message: a missing part makes it unreadable.

    ``one_is_enough``: the gateway reports one part only, whatever becomes of the others.
    """
    found = set(states)
    for bad in ("failed", "expired"):
        if bad in found:
            return bad
    is_complete = found == {"delivered"} or (one_is_enough and "delivered" in found)
    return "delivered" if is_complete else "on_its_way"


class Candidate(NamedTuple):
    """A delivery that a receipt may speak of; ``submitted_at`` only has to be comparable.

    ``number`` is that of the gateway by which it was found.
    """

    delivery_id: int
    notice_id: int
    address: str
    submitted_at: Any
    number: str = ""


def plain(number: str) -> str:
    """Return a gateway's number without what differs between an answer and a report of it."""
    return number.lower().lstrip("0")


def meant_by(
    number: str,
    phone: str,
    candidates: Sequence[Candidate],
    *,
    notices_of_phone: Collection[int] | None = None,
) -> Candidate | None:
    """Return the delivery that a receipt means, of those with its number in any form.

    The number as it was said wins over what else it may be read as (hexadecimal as decimal, and
    the other way round): two messages to one phone may have 16 and 22. Gateways use their numbers
    again (in SMPP 3.4, section 5.2.23, they are opaque and up to the SMSC), so of several the
    newest to that phone is meant. A lone one is believed although the receipt names another phone,
    unless that is another patient's: SMSCs name the sender instead, or leave out the country. A
    number that is only read as something else must match the phone.

    Args:
        number: as the receipt says it.
        phone: E.164 of whom the receipt is about; empty if the gateway does not say.
        candidates: the deliveries at its gateway with the receipt's number, in any of its forms.
        notices_of_phone: of the patients whose number the receipt's phone is; None if nobody's.
    """
    exact = [one for one in candidates if plain(one.number) == plain(number)]
    for some in ([one for one in exact if one.number == number], exact):
        if best := _newest([one for one in some if not phone or one.address == phone]):
            return best
    if len({one.delivery_id for one in exact}) == 1:
        only = exact[0]
        if notices_of_phone is None or only.notice_id in notices_of_phone:
            return only
    others = [one for one in candidates if one not in exact]
    if phone:
        return _newest([one for one in others if one.address == phone])
    return others[0] if len({one.delivery_id for one in others}) == 1 and not exact else None


def _newest(candidates: Sequence[Candidate]) -> Candidate | None:
    return max(candidates, key=lambda one: (one.submitted_at, one.delivery_id), default=None)


# --- what a gateway wrote, as the database can keep it ----------------------------------------


def one_line(text: str, longest: int) -> str:
    """Return text without what no column takes (NUL, half a surrogate pair) or no line holds."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text[:longest]


def international(phone: str) -> str:
    """Return a number as E.164 as far as that can be told; gateways like to leave the plus out."""
    if not phone or (phone[0] == "+" and phone[1:].isdecimal()):
        return phone[:20]
    if phone.isdecimal() and phone[0] != "0":
        return f"+{phone}"[:20]
    read = phones.read(phone)
    return read.number if read else one_line(phone, 20)


def key_of(given: str, *content: str) -> str:
    """Return what makes two reports the same one: the gateway's key, or a hash of the content."""
    if given and len(given) <= _LONGEST_KEY and given.isprintable():
        return given
    text = given or "\x1f".join(content)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
