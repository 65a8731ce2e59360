"""Deliveries under lock while receipts are applied to them, and what is written of them then."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import configured
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import Delivery, DeliveryState, Failure, GatewayState, ReceiptState
from notifications.receipts import receive_sql as sql
from notifications.receipts import rules as receipt_rules
from notifications.receipts import trouble
from notifications.receipts.rules import Candidate
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
    gateway: str = ""
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
    """The parts of a long message: number → id, and their states before and now.

    Attributes:
        ids: by number, as ``receipt_rules.plain``.
        unnumbered: parts whose answer brought no number, in their order.
        numbers: that receipts brought of these.
        before, states: by id.
        one_is_enough: see ``receipt_rules.sum_of_parts``.
    """

    one_is_enough: bool = False
    ids: dict[str, int] = field(default_factory=dict)
    unnumbered: list[int] = field(default_factory=list)
    numbers: dict[int, str] = field(default_factory=dict)
    before: dict[int, str] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)

    def hear(self, said: Said) -> str:
        """Return what all receipts together say, if this one is about a single part."""
        numbers = [receipt_rules.plain(one) for one in said.numbers]
        part = next((self.ids[one] for one in numbers if one in self.ids), None)
        if part is None and numbers and self.unnumbered:
            part = self.ids[numbers[0]] = self.unnumbered.pop(0)
            self.numbers[part] = said.numbers[0]
        if part is None:
            return said.state
        self.states[part] = receipt_rules.part_after_receipt(self.states[part], said.state)
        return receipt_rules.sum_of_parts(self.states.values(), one_is_enough=self.one_is_enough)

    @property
    def reported(self) -> int:
        """How many parts have a fate."""
        return sum(state != ReceiptState.ON_ITS_WAY for state in self.states.values())

    @property
    def changed(self) -> dict[int, tuple[str, str]]:
        """The state and number of the parts that are not what they were."""
        moved = {pk for pk, state in self.states.items() if state != self.before[pk]}
        return {pk: (self.states[pk], self.numbers.get(pk, "")) for pk in moved | {*self.numbers}}


def locked(pairs: Sequence[tuple[Said, Candidate]]) -> dict[int, Standing]:
    """Lock the deliveries that receipts speak of, and return them by id."""
    notice_states.lock({candidate.notice_id for _said, candidate in pairs})
    gateways = {candidate.delivery_id: said.gateway for said, candidate in pairs}
    standing = {
        pk: Standing(pk, notice_id, state, bool(has_reference), bool(has_number), state)
        for pk, notice_id, state, has_reference, has_number in sql.lock(gateways.keys())
    }
    parts = sql.parts_of(gateways.keys())
    believed = _that_report_one_part() if parts else set()
    for delivery_id, part_id, number, state in parts:
        one = standing[delivery_id]
        one.gateway = gateways[delivery_id]
        one.parts = one.parts or _Parts(one.gateway in believed)
        if number:
            one.parts.ids[receipt_rules.plain(number)] = part_id
        else:
            one.parts.unnumbered.append(part_id)
        one.parts.before[part_id] = one.parts.states[part_id] = state
    return standing


def _that_report_one_part() -> set[str]:
    """Return the gateways of which the operator says so, and which did not prove otherwise."""
    said = one_part_reporters(settings.SMS_GATEWAY_URL)
    proved = GatewayState.objects.filter(name__in=said, two_receipts_at__isnull=False)
    return {*said} - {*proved.values_list("name", flat=True)} if said else set()


@lru_cache(maxsize=8)
def one_part_reporters(urls: str) -> frozenset[str]:
    """Return the names of the gateways of ``SMS_GATEWAY_URL`` that report one part only."""
    try:
        return frozenset(gateway.name for gateway in configured() if gateway.reports_one_part)
    except ImproperlyConfigured:
        return frozenset()


def write(standing: Collection[Standing]) -> None:
    """Write deliveries and parts that changed, and what follows for their notices."""
    moved = [one for one in standing if one.state != one.before]
    parts: dict[int, tuple[str, str]] = {}
    for one in standing:
        if one.parts:
            parts |= one.parts.changed
    if parts:
        sql.write_parts(parts)
        if twice := {one.gateway for one in standing if one.parts and one.parts.reported > 1}:
            sql.reports_each_part(twice, at=clock.real())
    numbers = {one.id: one.number for one in standing if one.number and one.state == one.before}
    if numbers:  # as when the answer comes after the patient was called: a receipt may yet follow
        delivery_states.note_numbers(numbers)
    if not moved:
        return
    now = clock.now()
    said = {one.id: (one.state, one.failure, one.remark, one.number) for one in moved}
    delivery_states.apply_receipts(said, at=now)
    told = {one.notice_id for one in moved if one.state == DeliveryState.DELIVERED}
    if told:  # also whatever else was about to tell them has an end
        notice_states.tell(told, at=now)
        delivery_states.withdraw(told, at=now)
        follow_up.drop_heard(told, at=now)
    if lost := {one.id: one for one in moved if one.state in _FAILURES}:
        _follow_up(lost, at=now)


def _follow_up(lost: Mapping[int, Standing], *, at: dt.datetime) -> None:
    """Try again what only a passing trouble of the gateway kept back; have the others called."""
    found = Delivery.objects.filter(pk__in=lost).select_related("notice__patient")
    deliveries = list(found.order_by("notice_id"))
    passing = [one for one in deliveries if lost[one.pk].temporary and one.parts <= 1]
    trouble.note([one for one in deliveries if lost[one.pk].in_trouble])
    waiting = follow_up.take_back(passing, at=at) if passing else set()
    retried = follow_up.open_retries(one for one in passing if one.notice_id in waiting)
    follow_up.call_instead([one for one in deliveries if one not in retried], at=at)
