"""Which delivery a receipt means, and what it does to it: receipt after receipt, under lock.

``rules`` decides which delivery is meant and which state follows. Raw SQL is left where the ORM has
no equivalent: ``_numbered`` (the index is on an expression with a literal, which SQLite takes by
the letter), ``_assign`` and ``_write_parts`` (a value for each row; ``bulk_update`` takes twenty
times as long).
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from notifications import rules
from notifications.gateways import configured
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import (
    Channel,
    Delivery,
    DeliveryPart,
    DeliveryState,
    Failure,
    GatewayState,
    Receipt,
    ReceiptState,
)
from notifications.rules import LONGEST_TROUBLE_SECONDS, Candidate, plain_number
from patients.models import Patient, PatientPhone
from staff import clock
from staff.database import among, as_list, as_moment, is_one_of, json_rows

OWN_FAILURES = 3
"""After so many failures of its own in a row a gateway is left alone …"""
OWN_FAILURES_WITHIN = dt.timedelta(hours=1)
FIRST_ABSENCE_SECONDS = 60.0
"""… for so long, and twice as long with each one more."""
_WAITING = (DeliveryState.SUBMITTING, DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
_CANDIDATE = ("pk", "notice_id", "address", "submitted_at")
GatewayAnd = tuple[str, str]
"""The name of a gateway, and one of its numbers or a phone."""
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
        one_is_enough: see ``rules.sum_of_parts``.
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
        after = rules.after_receipt(self.state, says, may_have_left=bool(self.reference))
        if receipt.numbers and not self.number_before and not self.number:
            self.number = receipt.numbers[0]
        if after == self.state:
            return
        self.state, self.remark = after, receipt.remark
        self.temporary, self.in_trouble = receipt.temporary, receipt.in_trouble
        self.failure = (receipt.failure or _FAILURES[after]) if after in _FAILURES else ""

    def _all_parts_say(self, receipt: Receipt) -> str:
        """Return what all receipts together report, if this one is about a single part."""
        by_number = {plain_number(part.provider_id): part for part in reversed(self.parts)}
        numbers = [plain_number(one) for one in receipt.numbers if plain_number(one) in by_number]
        part = by_number[numbers[0]] if numbers else by_number.get("")
        if part is None or not receipt.numbers:
            return receipt.state
        after = rules.part_after_receipt(part.state, receipt.state)
        if after != part.state or not part.provider_id:
            self.changed_parts.add(part)
        part.state = ReceiptState(after)
        part.provider_id = part.provider_id or receipt.numbers[0]
        states = [one.state for one in self.parts]
        return rules.sum_of_parts(states, one_is_enough=self.one_is_enough)


def _lock(pairs: Sequence[tuple[Receipt, Candidate]]) -> dict[int, LockedDelivery]:
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


def _write(locked: Collection[LockedDelivery]) -> None:
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


# --- which delivery a receipt means -----------------------------------------------------------


def settle(receipts: Sequence[Receipt]) -> int:
    """Find the deliveries, move them on, and draw the consequences; return how many were found."""
    found = _find(receipts)
    pairs = [(one, found[one.pk]) for one in receipts if one.pk in found]
    if not pairs:
        return 0
    locked = _lock(pairs)
    for receipt, candidate in pairs:
        locked[candidate.delivery_id].apply(receipt)
    _assign({receipt.pk: candidate.delivery_id for receipt, candidate in pairs})
    _write(locked.values())
    return len(pairs)


def _find(receipts: Sequence[Receipt]) -> dict[int, Candidate]:
    """Return receipt → delivery: by our reference, else by its number, else by a lone phone."""
    ours = _with_reference({one.reference for one in receipts if one.reference})
    found = {one.pk: ours[one.reference] for one in receipts if one.reference in ours}
    if numbered := [one for one in receipts if one.pk not in found and one.numbers]:
        found |= _by_number(numbered)
        found |= _by_phone([one for one in numbered if one.pk not in found], numbered=True)
    nameless = [one for one in receipts if not one.reference and not one.numbers]
    return found | _by_phone(nameless, numbered=False)


def _by_number(receipts: Sequence[Receipt]) -> dict[int, Candidate]:
    ours = with_number({(one.gateway, each) for one in receipts for each in one.numbers})
    possible: dict[int, list[Candidate]] = {}
    for one in receipts:
        forms = dict.fromkeys((one.gateway, plain_number(each)) for each in one.numbers)
        possible[one.pk] = _in_time(one, [each for form in forms for each in ours.get(form, ())])
    strange = {
        one.phone
        for one in receipts
        if one.phone and any(each.address != one.phone for each in possible[one.pk])
    }
    owners = _notices_of(strange) if strange else {}
    # A phone that no patient has, as the sender's, does not count against a match.
    best = {
        one.pk: rules.meant_by(
            one.numbers[0], one.phone, possible[one.pk], notices_of_phone=owners.get(one.phone)
        )
        for one in receipts
    }
    return {pk: candidate for pk, candidate in best.items() if candidate}


def _by_phone(receipts: Sequence[Receipt], *, numbered: bool) -> dict[int, Candidate]:
    """Find the only message that waits at the phone of receipts with no other trace of a message.

    ``numbered``: the receipts have a number; then the message has none, its answer brought none.
    """
    phones = {(one.gateway, one.phone) for one in receipts if one.phone}
    waiting = waiting_at(phones, answered_without_number=numbered) if phones else {}
    in_time = {one.pk: _in_time(one, waiting.get((one.gateway, one.phone), ())) for one in receipts}
    return {pk: candidates[0] for pk, candidates in in_time.items() if len(candidates) == 1}


def _in_time(receipt: Receipt, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Leave out what was submitted after the receipt had come: it means an older message."""
    submitted = [one for one in candidates if one.submitted_at]
    if receipt.is_new:
        return submitted
    return [one for one in submitted if as_moment(one.submitted_at) <= receipt.received_at]


def _with_reference(references: Collection[str]) -> dict[str, Candidate]:
    """Return the delivery of each of our references."""
    if not references:
        return {}
    found = Delivery.objects.filter(
        among("client_reference", references), ~Q(client_reference=""), channel=Channel.SMS
    )
    rows = found.values_list("client_reference", *_CANDIDATE)
    return {reference: Candidate(*candidate) for reference, *candidate in rows}


def with_number(numbers: Collection[GatewayAnd]) -> dict[GatewayAnd, list[Candidate]]:
    """Return the deliveries with each number of a gateway, their own or that of a part.

    Keys and comparison are ``rules.plain_number``, for which there are indexes. One question per
    gateway, with its numbers as a list: so PostgreSQL looks each up in the index even while its
    statistics still say that no message has a number.
    """
    by_gateway: dict[str, set[str]] = {}
    for gateway, number in numbers:
        by_gateway.setdefault(gateway, set()).add(plain_number(number))
    found: dict[GatewayAnd, list[Candidate]] = {}
    for gateway, some in by_gateway.items():
        for row in _numbered(gateway, some):
            found.setdefault((gateway, plain_number(row[-1])), []).append(Candidate(*row))
    return found


def _numbered(gateway: str, numbers: Collection[str]) -> list[tuple[Any, ...]]:
    some = as_list(sorted(numbers))
    own, of_part = (is_one_of(f"LTRIM(LOWER({table}.provider_id), '0')") for table in "dp")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.id, d.notice_id, d.address, d.submitted_at, d.provider_id
                FROM notifications_delivery d
                WHERE d.gateway = %s AND {own} AND NOT (d.provider_id = '')
                UNION SELECT d.id, d.notice_id, d.address, d.submitted_at, p.provider_id
                FROM notifications_deliverypart p
                JOIN notifications_delivery d ON d.id = p.delivery_id
                WHERE p.gateway = %s AND {of_part} AND p.provider_id <> ''""",  # noqa: S608
            [gateway, some, gateway, some],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def waiting_at(
    phones: Collection[GatewayAnd], *, answered_without_number: bool = False
) -> dict[GatewayAnd, list[Candidate]]:
    """Return the deliveries to each phone over a gateway that wait for a receipt.

    ``answered_without_number``: only those whose answer is in, or will not come any more, and
    brought no number of the gateway's, or of a long one none for some part.
    """
    waiting = Delivery.objects.filter(
        among("address", {phone for _gateway, phone in phones}),
        gateway__in={gateway for gateway, _phone in phones},
        lease_until__isnull=False,
        state__in=_WAITING,
        channel=Channel.SMS,
    )
    if answered_without_number:
        parts = DeliveryPart.objects.filter(delivery=OuterRef("pk"))
        waiting = waiting.exclude(state=DeliveryState.SUBMITTING).filter(
            Exists(parts.filter(provider_id="")) | Q(~Exists(parts), provider_id="")
        )
    found: dict[GatewayAnd, list[Candidate]] = {}
    for gateway, *candidate in waiting.values_list("gateway", *_CANDIDATE):
        found.setdefault((gateway, candidate[2]), []).append(Candidate(*candidate))
    return found


def _notices_of(phones: Collection[str]) -> dict[str, set[int]]:
    """Return the notices of the patients who have each phone; a phone nobody has is left out."""
    of_mobile = Patient.objects.filter(mobile__in=phones).values_list("mobile", "notices")
    of_landline = Patient.objects.filter(landline__in=phones).values_list("landline", "notices")
    others = PatientPhone.objects.filter(number__in=phones).order_by()
    of_others = others.values_list("number", "patient__notices")
    found: dict[str, set[int]] = {}
    for phone, notice in of_mobile.union(of_landline, of_others):
        found.setdefault(phone, set()).add(notice)
    return found


def _assign(deliveries: Mapping[int, int]) -> None:
    """Write which delivery each receipt (id) means."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE notifications_receipt SET delivery_id = r.delivery_id
                FROM {json_rows(id="bigint", delivery_id="bigint")}
                WHERE notifications_receipt.id = r.id""",  # noqa: S608
            [json.dumps([{"id": pk, "delivery_id": one} for pk, one in deliveries.items()])],
        )
