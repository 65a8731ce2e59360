"""What gateways report afterwards: store each receipt once, find its delivery, move it on.

Receipts come late, twice, before the answer to the submission, out of order, and for messages
that are not ours. Each one is kept; a repeated one changes nothing. ``rules`` decides which
delivery a receipt means and which state follows. Everything works set by set.

Raw SQL is left where the ORM has no equivalent: ``_store`` (``bulk_create`` does not say which
rows are new), ``_numbered`` (the index is on an expression with a literal, which SQLite takes by
the letter), ``_assign`` and the parts in ``effects`` (a value for each row; ``bulk_update`` takes
twenty times as long). It gets a set as one JSON text, since binding each value costs more.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from notifications.gateways import Inbound, ReceiptReport, Report
from notifications.models import (
    Channel,
    Delivery,
    DeliveryPart,
    DeliveryState,
    GatewayState,
    Receipt,
)
from notifications.receipts import effects, replies
from notifications.receipts import rules as receipt_rules
from notifications.receipts.rules import Candidate, international, key_of, one_line, plain
from patients.models import Patient, PatientPhone
from staff import clock
from staff.database import among, as_list, as_moment, as_parameter, is_one_of, json_rows

LOOK_AGAIN_SECONDS = 3600.0
"""How long an unmatched receipt is looked at again: an answer is not later than that."""
YOUNG_SECONDS = 120.0
"""How long it is looked at each time."""
YOUNG_AT_ONCE, OLD_AT_ONCE = 5000, 500
AT_ONCE = 1000
_WAITING = (DeliveryState.SUBMITTING, DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
_CANDIDATE = ("pk", "notice_id", "address", "submitted_at")
_STORED = {
    **dict.fromkeys(("key", "state", "failure", "reference", "provider_id"), "text"),
    **dict.fromkeys(("other_ids", "phone", "remark"), "text"),
    "temporary": "boolean",
    "happened_at": "timestamptz",
}
GatewayAnd = tuple[str, str]
"""The name of a gateway, and one of its numbers or a phone."""


@dataclass(frozen=True)
class Received:
    """What was new: receipts, how many of them found their delivery, and replies of patients."""

    receipts: int = 0
    matched: int = 0
    replies: int = 0


def receive(*, gateway: str, reports: Sequence[Report]) -> Received:
    """Take what a gateway reports; doing it again with the same reports changes nothing.

    Receipts are one transaction and replies another: a STOP locks patients, which comes before
    notices in the order of the locks. If this raises, all of it is to be reported again.
    """
    reports = _without_doubtful(gateway, reports)
    receipts = [one for one in reports if isinstance(one, ReceiptReport)]
    inbound = [one for one in reports if isinstance(one, Inbound)]
    new, matched = _take(gateway, receipts) if receipts else (0, 0)
    arrived = replies.arrive(gateway=gateway, inbound=inbound) if inbound else 0
    return Received(receipts=new, matched=matched, replies=arrived)


def _without_doubtful(gateway: str, reports: Sequence[Report]) -> list[Report]:
    """Take what only looks like a receipt as a reply, unless it means a message to that phone.

    While the answer with the number is still to come, a message that waits at that phone will do.
    """
    doubtful = [one for one in reports if isinstance(one, ReceiptReport) and one.otherwise]
    if not doubtful:
        return list(reports)
    ours = _with_number({(gateway, each) for one in doubtful for each in one.provider_ids})
    waiting = _waiting_at({(gateway, international(one.phone)) for one in doubtful})

    def is_ours(one: ReceiptReport) -> bool:
        phone = international(one.phone)
        numbered = [c for each in one.provider_ids for c in ours.get((gateway, plain(each)), ())]
        return any(c.address == phone for c in numbered) or (gateway, phone) in waiting

    replied = {id(one): one.otherwise for one in doubtful if not is_ours(one)}
    return [replied.get(id(one)) or one for one in reports]


@transaction.atomic
def _take(gateway: str, reports: Sequence[ReceiptReport]) -> tuple[int, int]:
    """Store receipts and move their deliveries; return how many are new, and how many matched."""
    at = clock.now()
    read: dict[str, Receipt] = {}
    for report in reports:
        receipt = _read(gateway, report, at=at)
        read.setdefault(receipt.key, receipt)
    new = _store(gateway, list(read.values()), at=at)
    matched = _settle(new)
    _note_report(gateway, at=clock.real())
    return len(new), matched


def _read(gateway: str, report: ReceiptReport, *, at: dt.datetime) -> Receipt:
    numbers = [one_line(number, 100) for number in report.provider_ids if number]
    happened_at = report.happened_at.isoformat() if report.happened_at else ""
    others = " ".join(number for number in numbers[1:] if " " not in number)
    receipt = Receipt(
        gateway=gateway,
        key=key_of(
            report.key,
            *(report.state, report.reference, *report.provider_ids),
            *(report.phone, report.failure, happened_at),
        ),
        state=str(report.state),
        failure=str(report.failure),
        reference=one_line(report.reference, 32),
        provider_id=numbers[0] if numbers else "",
        other_ids=others if len(others) <= 200 else "",
        phone=international(report.phone),
        remark=one_line(report.remark, 200),
        temporary=report.temporary,
        happened_at=report.happened_at,
        received_at=at,
    )
    receipt.in_trouble, receipt.is_new = report.in_trouble, True
    return receipt


def _store(gateway: str, receipts: Collection[Receipt], *, at: dt.datetime) -> list[Receipt]:
    """Keep the receipts that are not kept yet; return those, with their ids.

    In the order of their keys, so that two who store the same ones do not wait for each other.
    """
    names = ", ".join(_STORED)
    rows = [{name: getattr(one, name) for name in _STORED} for one in receipts]
    payload = json.dumps(sorted(rows, key=lambda row: row["key"]), default=_stored)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO notifications_receipt (gateway, received_at, {names})
                SELECT %s, %s, {names} FROM {json_rows(**_STORED)} WHERE TRUE
                ON CONFLICT (gateway, key) DO NOTHING RETURNING key, id""",  # noqa: S608
            [gateway, as_parameter(at), payload],
        )
        ids = dict(cursor.fetchall())
    for one in receipts:
        one.pk = ids.get(one.key)
    return [one for one in receipts if one.pk]


def _stored(moment: dt.datetime) -> str:
    """Return a moment as the database reads it in a JSON text."""
    return str(as_parameter(moment))


def _note_report(gateway: str, *, at: dt.datetime) -> None:
    """Note that a gateway reported; at most once a second, since all workers write this row."""
    recently = at - dt.timedelta(seconds=1)
    is_old = Q(reported_at=None) | Q(reported_at__lt=recently)
    if not GatewayState.objects.filter(is_old, name=gateway).update(reported_at=at):
        GatewayState.objects.bulk_create(
            [GatewayState(name=gateway, reported_at=at)], ignore_conflicts=True
        )


# --- unmatched receipts are looked at again ---------------------------------------------------


class Rounds:
    """Rounds by name: a page of rows at each look, and the first page again after the last.

    Where a round stands is known to this process alone; each process begins its own.
    """

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, dt.datetime]] = {}

    def next_page(
        self, name: str, rows: QuerySet[Any, tuple[Any, ...]], *, by: str, most: int
    ) -> list[tuple[Any, ...]]:
        """Return the next rows of a round; after the last ones, the first.

        Args:
            name: of the round.
            rows: as tuples, of which the first values are the primary key and ``by``.
            by: a column of moments, the order of the round.
            most: how many.
        """
        ordered = rows.order_by(by, "pk")
        page: list[tuple[Any, ...]] = []
        if place := self._places.pop(name, None):
            pk, moment = place
            beyond = ordered.filter(**{f"{by}__gte": moment})
            page = list(beyond.exclude(**{by: moment, "pk__lte": pk})[:most])
        page = page or list(ordered[:most])
        if len(page) == most:
            self._places[name] = page[-1][:2]
        return page

    def forget(self) -> None:
        """Begin all of them anew."""
        self._places.clear()


_rounds = Rounds()


def match_late() -> int:
    """Look again for the deliveries of unmatched receipts; return how many were found.

    A receipt may be faster than the answer to the submission, which brings the gateway's number.
    Receipts of the last minutes are looked at each time, older ones page by page.
    """
    old = _unmatched(after=LOOK_AGAIN_SECONDS).filter(received_at__lte=_ago(YOUNG_SECONDS))
    return match_young() + _match("old", old, most=OLD_AT_ONCE)


def match_young() -> int:
    """Look again only for what came just now, as a sender does; return how many were found."""
    return _match("young", _unmatched(after=YOUNG_SECONDS), most=YOUNG_AT_ONCE)


def _unmatched(*, after: float) -> QuerySet[Receipt]:
    return Receipt.objects.filter(delivery=None, received_at__gt=_ago(after))


def _ago(seconds: float) -> dt.datetime:
    return clock.now().astimezone(dt.UTC) - dt.timedelta(seconds=seconds)


def _match(name: str, unmatched: QuerySet[Receipt], *, most: int) -> int:
    rows = unmatched.values_list("pk", "received_at")
    page = [pk for pk, _at in _rounds.next_page(name, rows, by="received_at", most=most)]
    matched = 0
    for start in range(0, len(page), AT_ONCE):
        some = Receipt.objects.filter(among("id", page[start : start + AT_ONCE]))
        with transaction.atomic():
            matched += _settle(list(some.order_by("received_at", "id")))
    return matched


def forget() -> None:
    """Look at all receipts from the first on."""
    _rounds.forget()


# --- which delivery a receipt means -----------------------------------------------------------


def _settle(receipts: Sequence[Receipt]) -> int:
    """Find the deliveries, move them on, and draw the consequences; return how many were found."""
    found = _find(receipts)
    pairs = [(one, found[one.pk]) for one in receipts if one.pk in found]
    if not pairs:
        return 0
    locked = effects.lock(pairs)
    for receipt, candidate in pairs:
        locked[candidate.delivery_id].apply(receipt)
    _assign({receipt.pk: candidate.delivery_id for receipt, candidate in pairs})
    effects.write(locked.values())
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
    ours = _with_number({(one.gateway, each) for one in receipts for each in one.numbers})
    possible: dict[int, list[Candidate]] = {}
    for one in receipts:
        forms = dict.fromkeys((one.gateway, plain(each)) for each in one.numbers)
        possible[one.pk] = _in_time(one, [each for form in forms for each in ours.get(form, ())])
    strange = {
        one.phone
        for one in receipts
        if one.phone and any(each.address != one.phone for each in possible[one.pk])
    }
    owners = _notices_of(strange) if strange else {}
    # A phone that no patient has, as the sender's, does not count against a match.
    best = {
        one.pk: receipt_rules.meant_by(
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
    waiting = _waiting_at(phones, answered_without_number=numbered) if phones else {}
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


def _with_number(numbers: Collection[GatewayAnd]) -> dict[GatewayAnd, list[Candidate]]:
    """Return the deliveries with each number of a gateway, their own or that of a part.

    Keys and comparison are ``receipt_rules.plain``, for which there are indexes. One question per
    gateway, with its numbers as a list: so PostgreSQL looks each up in the index even while its
    statistics still say that no message has a number.
    """
    by_gateway: dict[str, set[str]] = {}
    for gateway, number in numbers:
        by_gateway.setdefault(gateway, set()).add(plain(number))
    found: dict[GatewayAnd, list[Candidate]] = {}
    for gateway, some in by_gateway.items():
        for row in _numbered(gateway, some):
            found.setdefault((gateway, plain(row[-1])), []).append(Candidate(*row))
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


def _waiting_at(
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
