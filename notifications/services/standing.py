"""Deliveries under lock while receipts are applied to them, and what is written of them then."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from notifications import receipt_rules
from notifications.models import Delivery, DeliveryState, Failure, ReceiptState
from notifications.receipt_rules import Candidate
from notifications.services import carrying_over, recording, settling, trouble
from notifications.services import receiving_sql as sql
from staff import clock

_FAILURES: Mapping[str, str] = {
    ReceiptState.FAILED.value: Failure.UNREACHABLE.value,
    ReceiptState.EXPIRED.value: Failure.EXPIRED.value,
}


class Said(NamedTuple):
    """A kept receipt that looks for its delivery; ``by``: only one submitted before that.

    ``in_trouble`` is not kept: of a phone in trouble a while ago nothing follows.
    """

    id: int
    gateway: str
    state: str
    failure: str
    remark: str
    reference: str
    numbers: tuple[str, ...]
    phone: str
    by: dt.datetime | None = None
    temporary: bool = False
    in_trouble: bool = False


@dataclass(slots=True)
class Standing:
    """A delivery under lock while receipts are applied to it, in their order."""

    id: int
    notice_id: int
    before: str
    may_have_left: bool
    had_number: bool
    state: str
    failure: str = ""
    remark: str = ""
    number: str = ""
    parts: "_Parts | None" = None
    temporary: bool = False
    in_trouble: bool = False

    def hear(self, said: Said) -> None:
        """Apply one receipt."""
        says = self.parts.hear(said) if self.parts else said.state
        after = receipt_rules.after_receipt(self.state, says, may_have_left=self.may_have_left)
        if said.numbers and not self.had_number and not self.number:
            self.number = said.numbers[0]
        if after == self.state:
            return
        self.state, self.remark = after, said.remark
        self.temporary, self.in_trouble = said.temporary, said.in_trouble
        self.failure = (said.failure or _FAILURES[after]) if after in _FAILURES else ""


@dataclass(slots=True)
class _Parts:
    """The parts of a long message: number → id, and their states before and now."""

    ids: dict[str, int] = field(default_factory=dict)
    before: dict[int, str] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)

    def hear(self, said: Said) -> str:
        """Return what all receipts together say, if this one is about a single part."""
        part = next((self.ids[one] for one in said.numbers if one in self.ids), None)
        if part is None:
            return said.state
        self.states[part] = receipt_rules.part_after_receipt(self.states[part], said.state)
        return receipt_rules.sum_of_parts(self.states.values())

    @property
    def changed(self) -> dict[int, str]:
        """The parts that are not what they were."""
        return {pk: state for pk, state in self.states.items() if state != self.before[pk]}


def locked(pairs: Sequence[tuple[Said, Candidate]]) -> dict[int, Standing]:
    """Lock the deliveries that receipts speak of, and return them by id."""
    notices = {candidate.notice_id for _said, candidate in pairs}
    deliveries = {candidate.delivery_id for _said, candidate in pairs}
    standing = {
        pk: Standing(pk, notice_id, state, bool(has_reference), bool(has_number), state)
        for pk, notice_id, state, has_reference, has_number in sql.lock(notices, deliveries)
    }
    for delivery_id, part_id, number, state in sql.parts_of(deliveries):
        one = standing[delivery_id]
        one.parts = one.parts or _Parts()
        one.parts.ids[number] = part_id
        one.parts.before[part_id] = one.parts.states[part_id] = state
    return standing


def write(standing: Collection[Standing]) -> None:
    """Write deliveries and parts that changed, and what follows for their notices."""
    moved = [one for one in standing if one.state != one.before]
    parts: dict[int, str] = {}
    for one in standing:
        if one.parts:
            parts |= one.parts.changed
    if parts:
        sql.write_parts(parts)
    numbers = {one.id: one.number for one in standing if one.number and one.state == one.before}
    if numbers:  # as when the answer comes after the patient was called: a receipt may yet follow
        sql.write_numbers(numbers)
    if not moved:
        return
    now = clock.now()
    names = ("id", "state", "failure", "remark", "number")
    rows = [{name: getattr(one, name) for name in names} for one in moved]
    sql.write_deliveries(rows, at=now)
    told = {one.notice_id for one in moved if one.state == DeliveryState.DELIVERED}
    if told:
        sql.tell(told, at=now)
        carrying_over.drop_heard(told, at=now)
    if lost := {one.id: one for one in moved if one.state in _FAILURES}:
        _follow_up(lost, at=now)


def _follow_up(lost: Mapping[int, Standing], *, at: dt.datetime) -> None:
    """Try again what only a passing trouble of the gateway kept back; have the others called."""
    found = Delivery.objects.filter(pk__in=lost).select_related("notice__patient")
    deliveries = list(found.order_by("notice_id"))
    passing = [one for one in deliveries if lost[one.pk].temporary and one.parts <= 1]
    trouble.note([one for one in deliveries if lost[one.pk].in_trouble])
    hopeless = recording.try_again(passing, at=at) if passing else []
    to_call = set(deliveries) - set(passing) | set(hopeless)
    settling.call_instead([one for one in deliveries if one in to_call], at=at)
