"""What receipts do to deliveries: lock them, apply receipt after receipt, write what changed."""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from notifications.gateways import configured
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import (
    Delivery,
    DeliveryPart,
    DeliveryState,
    Failure,
    GatewayState,
    Receipt,
    ReceiptState,
)
from notifications.receipts import rules as receipt_rules
from notifications.receipts.rules import Candidate, plain
from notifications.rules import LONGEST_TROUBLE_SECONDS
from staff import clock
from staff.database import among, json_rows

OWN_FAILURES = 3
"""After so many failures of its own in a row a gateway is left alone …"""
OWN_FAILURES_WITHIN = dt.timedelta(hours=1)
FIRST_ABSENCE_SECONDS = 60.0
"""… for so long, and twice as long with each one more."""
_FAILURES: Mapping[str, str] = {
    ReceiptState.FAILED.value: Failure.UNREACHABLE.value,
    ReceiptState.EXPIRED.value: Failure.EXPIRED.value,
}


@dataclass(slots=True)
class LockedDelivery:
    """A delivery under lock while receipts are applied to it, in their order.

    Attributes:
        before, state: before the receipts, and after them.
        number: at the gateway, that a receipt brought and the answer did not.
        parts: of a long message whose parts have their own numbers, in their order.
        one_is_enough: see ``receipt_rules.sum_of_parts``.
    """

    id: int
    notice_id: int
    before: str
    reference: str
    number_before: str
    gateway: str
    state: str = ""
    failure: str = ""
    remark: str = ""
    number: str = ""
    temporary: bool = False
    in_trouble: bool = False
    parts: list[DeliveryPart] = field(default_factory=list)
    changed_parts: set[DeliveryPart] = field(default_factory=set)
    one_is_enough: bool = False

    def __post_init__(self) -> None:
        self.state = self.before

    def apply(self, receipt: Receipt) -> None:
        """Apply one receipt."""
        says = self._all_parts_say(receipt) if self.parts else receipt.state
        after = receipt_rules.after_receipt(self.state, says, may_have_left=bool(self.reference))
        if receipt.numbers and not self.number_before and not self.number:
            self.number = receipt.numbers[0]
        if after == self.state:
            return
        self.state, self.remark = after, receipt.remark
        self.temporary, self.in_trouble = receipt.temporary, receipt.in_trouble
        self.failure = (receipt.failure or _FAILURES[after]) if after in _FAILURES else ""

    def _all_parts_say(self, receipt: Receipt) -> str:
        """Return what all receipts together report, if this one is about a single part."""
        by_number = {plain(part.provider_id): part for part in reversed(self.parts)}
        numbers = [plain(one) for one in receipt.numbers if plain(one) in by_number]
        part = by_number[numbers[0]] if numbers else by_number.get("")
        if part is None or not receipt.numbers:
            return receipt.state
        after = receipt_rules.part_after_receipt(part.state, receipt.state)
        if after != part.state or not part.provider_id:
            self.changed_parts.add(part)
        part.state = ReceiptState(after)
        part.provider_id = part.provider_id or receipt.numbers[0]
        states = [one.state for one in self.parts]
        return receipt_rules.sum_of_parts(states, one_is_enough=self.one_is_enough)


def lock(pairs: Sequence[tuple[Receipt, Candidate]]) -> dict[int, LockedDelivery]:
    """Lock the notices, then the deliveries that receipts mean; return the deliveries by id."""
    notice_states.lock({candidate.notice_id for _receipt, candidate in pairs})
    gateways = {candidate.delivery_id: receipt.gateway for receipt, candidate in pairs}
    deliveries = Delivery.objects.filter(among("id", gateways)).order_by("notice_id", "id")
    rows = deliveries.select_for_update().values_list(
        "id", "notice_id", "state", "client_reference", "provider_id"
    )
    locked = {row[0]: LockedDelivery(*row, gateway=gateways[row[0]]) for row in rows}
    parts = DeliveryPart.objects.filter(among("delivery_id", gateways)).order_by("delivery", "part")
    for part in parts:
        locked[part.delivery_id].parts.append(part)
    if parts:
        one_part_gateways = _one_part_gateways()
        for one in locked.values():
            one.one_is_enough = one.gateway in one_part_gateways
    return locked


def _one_part_gateways() -> set[str]:
    """Return the gateways configured to report one part only, and not proved to report each."""
    try:
        names = {gateway.name for gateway in configured() if gateway.reports_one_part}
    except ImproperlyConfigured:
        return set()
    proved = GatewayState.objects.filter(name__in=names, two_receipts_at__isnull=False)
    return names - set(proved.values_list("name", flat=True))


def write(locked: Collection[LockedDelivery]) -> None:
    """Write deliveries and parts that changed, and what follows for their notices."""
    _write_parts(locked)
    moved = [one for one in locked if one.state != one.before]
    numbers = {one.id: one.number for one in locked if one.number and one.state == one.before}
    if numbers:  # a later receipt may have the number alone
        delivery_states.note_numbers(numbers)
    if not moved:
        return
    now = clock.now()
    written = {one.id: (one.state, one.failure, one.remark, one.number) for one in moved}
    delivery_states.apply_receipts(written, at=now)
    told = {one.notice_id for one in moved if one.state == DeliveryState.DELIVERED}
    if told:  # also ends whatever else was about to tell them
        notice_states.tell(told, at=now)
        delivery_states.withdraw(told, at=now)
        follow_up.drop_heard(told, at=now)
    if lost := {one.id: one for one in moved if one.state in _FAILURES}:
        _follow_up(lost, at=now)


def _write_parts(locked: Collection[LockedDelivery]) -> None:
    """Write the states of parts, and the numbers that receipts brought of those without one."""
    rows = [
        {"id": part.pk, "state": part.state, "number": part.provider_id}
        for one in locked
        for part in one.changed_parts
    ]
    report_each_part = {
        one.gateway
        for one in locked
        if sum(part.state != ReceiptState.ON_ITS_WAY for part in one.parts) > 1
    }
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""UPDATE notifications_deliverypart SET state = r.state, provider_id = CASE
                        WHEN notifications_deliverypart.provider_id = '' THEN r.number
                        ELSE notifications_deliverypart.provider_id END
                    FROM {json_rows(id="bigint", state="text", number="text")}
                    WHERE notifications_deliverypart.id = r.id""",  # noqa: S608  # our own words
                [json.dumps(rows)],
            )
    if rows and report_each_part:  # the first time stays
        first_time = GatewayState.objects.filter(name__in=report_each_part, two_receipts_at=None)
        first_time.update(two_receipts_at=clock.real())


def _follow_up(lost: Mapping[int, LockedDelivery], *, at: dt.datetime) -> None:
    """Retry what failed for a passing reason and never left; have the other patients called."""
    found = Delivery.objects.filter(pk__in=lost).select_related("notice__patient")
    deliveries = list(found.order_by("notice_id"))
    passing = [one for one in deliveries if lost[one.pk].temporary and one.parts <= 1]
    _back_off([one for one in deliveries if lost[one.pk].in_trouble])
    waiting = follow_up.take_back(passing, at=at) if passing else set()
    retried = follow_up.open_retries(one for one in passing if one.notice_id in waiting)
    follow_up.call_instead([one for one in deliveries if one not in retried], at=at)


def _back_off(deliveries: Sequence[Delivery]) -> None:
    """Note failures of the gateway itself, and leave it alone after several in a row.

    A phone in flight mode, without credit or beyond its limit accepts each message and reports
    later that it could not send it. So an accepted message does not end this absence.
    """
    for gateway, last in {one.gateway: one for one in deliveries}.items():
        in_a_row = _own_failures_in_a_row(gateway)
        state, _made = GatewayState.objects.select_for_update().get_or_create(name=gateway)
        state.failed_at, state.complaint = clock.real(), str(last.remark)[:200]
        if in_a_row >= OWN_FAILURES:
            seconds = FIRST_ABSENCE_SECONDS * 2.0 ** (in_a_row - OWN_FAILURES)
            until = clock.real() + dt.timedelta(seconds=min(seconds, LONGEST_TROUBLE_SECONDS))
            state.away_until = max(state.away_until or until, until)
            state.failures_in_a_row = 0
        state.save(update_fields=["failed_at", "complaint", "away_until", "failures_in_a_row"])


def _own_failures_in_a_row(gateway: str) -> int:
    """Count the last messages, at most eight, that the gateway took and could not send."""
    since = clock.now().astimezone(dt.UTC) - OWN_FAILURES_WITHIN
    ended = Delivery.objects.filter(gateway=gateway, finished_at__gt=since)
    last = ended.order_by("-finished_at", "-pk").values_list("state", "failure")[:8]
    refused = (DeliveryState.FAILED.value, Failure.REJECTED.value)
    return next((n for n, one in enumerate(last) if one != refused), len(last))
