"""What gateways report afterwards: store each receipt once, find its delivery, move it on.

Receipts come late, twice, before the answer to the submission, out of order, and for messages
that are not ours. Each one is kept; a repeated one changes nothing. What waits for a receipt is
asked about too, where the gateway has answers. Everything works set by set.

Raw SQL is left where the ORM has no equivalent: ``_store`` (``bulk_create`` does not say which
rows are new). It gets a set as one JSON text, since binding each value costs more.
"""

import datetime as dt
import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from notifications.gateways import Gateway, Inbound, ReceiptReport, Report, Sent
from notifications.lifecycle.notice_states import later
from notifications.models import (
    Delivery,
    DeliveryPart,
    DeliveryState,
    GatewayState,
    Receipt,
    ReceiptState,
)
from notifications.receipts import effects, replies
from notifications.rules import international, key_of, one_line, plain_number
from staff import clock
from staff.database import among, as_parameter, json_rows

LOOK_AGAIN_SECONDS = 3600.0
"""How long an unmatched receipt is looked at again: an answer is not later than that."""
YOUNG_SECONDS = 120.0
"""How long it is looked at each time."""
YOUNG_AT_ONCE, OLD_AT_ONCE = 5000, 500
AT_ONCE = 1000
ASK_AGAIN_SECONDS = 10.0
ASKED_AT_ONCE = 100
_STORED = {
    **dict.fromkeys(("key", "state", "failure", "reference", "provider_id"), "text"),
    **dict.fromkeys(("other_ids", "phone", "remark"), "text"),
    "temporary": "boolean",
    "happened_at": "timestamptz",
}


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
    ours = effects.with_number({(gateway, each) for one in doubtful for each in one.provider_ids})
    waiting = effects.waiting_at({(gateway, international(one.phone)) for one in doubtful})

    def is_ours(one: ReceiptReport) -> bool:
        phone = international(one.phone)
        numbered = [
            c for each in one.provider_ids for c in ours.get((gateway, plain_number(each)), ())
        ]
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
    matched = effects.settle(new)
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
    rows.sort(key=lambda row: row["key"])
    payload = json.dumps(rows, default=lambda moment: str(as_parameter(moment)))
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


def _note_report(gateway: str, *, at: dt.datetime) -> None:
    """Note that a gateway reported; at most once a second, since all workers write this row."""
    recently = at - dt.timedelta(seconds=1)
    is_old = Q(reported_at=None) | Q(reported_at__lt=recently)
    if not GatewayState.objects.filter(is_old, name=gateway).update(reported_at=at):
        GatewayState.objects.bulk_create(
            [GatewayState(name=gateway, reported_at=at)], ignore_conflicts=True
        )


# --- unmatched receipts are looked at again ---------------------------------------------------


_places: dict[str, tuple[int, dt.datetime]] = {}
"""Where each round stands, by its name: known to this process alone."""
_asked_at: dict[str, float] = {}


def _next_page(
    name: str, rows: QuerySet[Any, tuple[Any, ...]], *, by: str, most: int
) -> list[tuple[Any, ...]]:
    """Return the next rows of a round: a page at each look, and the first one after the last.

    Args:
        name: of the round.
        rows: as tuples, of which the first values are the primary key and ``by``.
        by: a column of moments, the order of the round.
        most: how many.
    """
    ordered = rows.order_by(by, "pk")
    page: list[tuple[Any, ...]] = []
    if place := _places.pop(name, None):
        pk, moment = place
        beyond = ordered.filter(**{f"{by}__gte": moment})
        page = list(beyond.exclude(**{by: moment, "pk__lte": pk})[:most])
    page = page or list(ordered[:most])
    if len(page) == most:
        _places[name] = page[-1][:2]
    return page


def match_late() -> int:
    """Look again for the deliveries of unmatched receipts; return how many were found.

    A receipt may be faster than the answer to the submission, which brings the gateway's number.
    Receipts of the last minutes are looked at each time, older ones page by page.
    """
    old = _unmatched(after=LOOK_AGAIN_SECONDS).filter(received_at__lte=later(-YOUNG_SECONDS))
    return match_young() + _match("old", old, most=OLD_AT_ONCE)


def match_young() -> int:
    """Look again only for what came just now, as a sender does; return how many were found."""
    return _match("young", _unmatched(after=YOUNG_SECONDS), most=YOUNG_AT_ONCE)


def _unmatched(*, after: float) -> QuerySet[Receipt]:
    return Receipt.objects.filter(delivery=None, received_at__gt=later(-after))


def _match(name: str, unmatched: QuerySet[Receipt], *, most: int) -> int:
    rows = unmatched.values_list("pk", "received_at")
    page = [pk for pk, _at in _next_page(name, rows, by="received_at", most=most)]
    matched = 0
    for start in range(0, len(page), AT_ONCE):
        some = Receipt.objects.filter(among("id", page[start : start + AT_ONCE]))
        with transaction.atomic():
            matched += effects.settle(list(some.order_by("received_at", "id")))
    return matched


# --- what is unknown is asked about -----------------------------------------------------------


def anything_to_ask(gateways: Iterable[Gateway]) -> bool:
    """Whether a gateway has unknown messages of which it can say what became of them."""
    return any(gateway.can_query and _askable(gateway).exists() for gateway in gateways)


def anything_to_ask_now(gateway: Gateway) -> bool:
    """Whether to ask a gateway now: it has answers, and was not asked some seconds ago."""
    return _may_ask(gateway) and anything_to_ask([gateway])


def next_to_ask_now(gateway: Gateway) -> list[Sent]:
    """Return the unknown messages to ask a gateway about now; none some seconds after the last."""
    if not _may_ask(gateway):
        return []
    _asked_at[gateway.name] = time.monotonic()
    return next_to_ask(gateway)


def _may_ask(gateway: Gateway) -> bool:
    asked_at = _asked_at.get(gateway.name, float("-inf"))
    return gateway.can_query and time.monotonic() - asked_at >= ASK_AGAIN_SECONDS


def heed(gateway: str, *, sent: Sequence[Sent], said: Sequence[ReceiptReport | None]) -> None:
    """Record what a gateway answered.

    Args:
        gateway: its name.
        sent: what it was asked about.
        said: its answers, in the same order.
    """
    # "On its way" is news of a message that may not have reached the gateway. Of one that it
    # accepted long ago it would only start the same wait again, without end.
    news = [
        receipt
        for one, receipt in zip(sent, said, strict=True)
        if receipt and (receipt.state != ReceiptState.ON_ITS_WAY or not one.provider_id)
    ]
    if news:
        receive(gateway=gateway, reports=news)


def _askable(gateway: Gateway) -> QuerySet[Delivery]:
    """Return the unknown messages of which a gateway may be asked.

    What is unknown for longer than its limit is on the call list and asked about no more.
    """
    settled_long_ago = clock.real() - dt.timedelta(seconds=settings.SMS_LEASE_SECONDS)
    unknown = Delivery.objects.filter(
        state=DeliveryState.UNKNOWN, gateway=gateway.name, lease_until__gt=settled_long_ago
    )
    return unknown.exclude(provider_id="") if gateway.asks_by_number else unknown


def next_to_ask(gateway: Gateway) -> list[Sent]:
    """Return the next page of unknown messages of a gateway; after the last page, the first.

    Of a long message whose parts have their own ids, the parts without a final state.
    """
    known = ("client_reference", "provider_id", "address", "notice__site__sms_sender")
    rows = _askable(gateway).values_list("pk", "lease_until", *known)
    page = _next_page(f"at {gateway.name}", rows, by="lease_until", most=ASKED_AT_ONCE)
    parts = _open_parts([pk for pk, *_known in page]) if gateway.asks_by_number else {}
    return [
        Sent(reference, number, phone, sender)
        for pk, _limit, reference, own, phone, sender in page
        for number in parts.get(pk, [own])
    ]


def _open_parts(deliveries: Sequence[int]) -> dict[int, list[str]]:
    """Return the numbers of the parts that may yet arrive, by delivery."""
    parts = DeliveryPart.objects.filter(delivery__in=deliveries, state=ReceiptState.ON_ITS_WAY)
    numbered = parts.exclude(provider_id="").order_by("delivery", "part")
    found: dict[int, list[str]] = {}
    for delivery, number in numbered.values_list("delivery", "provider_id"):
        found.setdefault(delivery, []).append(number)
    return found


def forget() -> None:
    """Look at all receipts from the first on, and ask gateways again at once."""
    _asked_at.clear()
    _places.clear()
