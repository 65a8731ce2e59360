"""What gateways say afterwards: keep each receipt once, find its delivery, draw the consequences.

Receipts come late, twice, before the answer to the submission, out of order, and for messages
that nobody here knows. Whatever comes is kept; what is known already changes nothing; which
state a receipt leads to is said by ``receipt_rules``. Everything goes set by set.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from notifications.gateways import Inbound, ReceiptReport, Report
from notifications.models import Receipt
from notifications.receipts import receive_sql as sql
from notifications.receipts import replies, standing
from notifications.receipts import rules as receipt_rules
from notifications.receipts.report_fields import international, key_of, one_line
from notifications.receipts.rounds import Rounds
from notifications.receipts.rules import Candidate, plain
from notifications.receipts.standing import Said
from staff import clock
from staff.database import as_moment

LOOK_AGAIN_SECONDS = 3600.0
"""How long a receipt without a delivery is looked at again: an answer is not later than that."""
YOUNG_SECONDS = 120.0
"""How long it is looked at each time."""
YOUNG_AT_ONCE, OLD_AT_ONCE = 5000, 500
AT_ONCE = 1000
_rounds = Rounds()


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

    Args:
        gateway: its name.
        reports: in the order in which they came, any number.
    """
    taken = Received()
    reports = _sorted_out(gateway, reports)
    receipts = [one for one in reports if isinstance(one, ReceiptReport)]
    if receipts:
        taken = _take(gateway, receipts)
    inbound = [one for one in reports if isinstance(one, Inbound)]
    if not inbound:
        return taken
    arrived = replies.arrive(gateway=gateway, inbound=inbound)
    return Received(receipts=taken.receipts, matched=taken.matched, replies=arrived)


def _sorted_out(gateway: str, reports: Sequence[Report]) -> list[Report]:
    """Take for a reply what only looks like a receipt, unless it speaks of ours to that phone.

    Where the answer with the number is still to come, a message that waits at that phone will do.
    """
    doubtful = [one for one in reports if isinstance(one, ReceiptReport) and one.otherwise]
    if not doubtful:
        return list(reports)
    phones = {(gateway, international(one.phone)) for one in doubtful}
    known = sql.by_number({(gateway, each) for one in doubtful for each in one.provider_ids})
    waiting = sql.waiting_for(phones)

    def is_ours(one: ReceiptReport) -> bool:
        phone = international(one.phone)
        numbered = [c for each in one.provider_ids for c in known.get((gateway, plain(each)), ())]
        return any(c.address == phone for c in numbered) or (gateway, phone) in waiting

    others = {id(one): one.otherwise for one in doubtful if not is_ours(one)}
    return [others.get(id(one)) or one for one in reports]


@transaction.atomic
def _take(gateway: str, reports: Sequence[ReceiptReport]) -> Received:
    rows: dict[str, dict[str, Any]] = {}
    says: dict[str, ReceiptReport] = {}
    for report in reports:
        row = _row(report)
        rows.setdefault(row["key"], row)
        says.setdefault(row["key"], report)
    new = sql.store(gateway, list(rows.values()), at=clock.now())
    said = [_said(new[key], gateway, row, says[key]) for key, row in rows.items() if key in new]
    matched = _settle(said)
    sql.heard_from(gateway, at=clock.real())
    return Received(receipts=len(new), matched=matched)


def match_late() -> int:
    """Look again for the deliveries of receipts that had none; return how many were found.

    A receipt may be faster than the answer to the submission, which brings the gateway's number.
    What came just now is looked at each time, what is older in its turn; of more than one look
    takes (strangers may come in floods) the next look takes the next ones.
    """
    old = _unmatched(after=LOOK_AGAIN_SECONDS).filter(received_at__lte=_ago(YOUNG_SECONDS))
    return match_young() + _match("old", old, most=OLD_AT_ONCE)


def match_young() -> int:
    """Look again only for what came just now, as a sender does; return how many were found."""
    return _match("young", _unmatched(after=YOUNG_SECONDS), most=YOUNG_AT_ONCE)


def _unmatched(*, after: float) -> QuerySet[Receipt, tuple[Any, ...]]:
    unmatched = Receipt.objects.filter(delivery=None, received_at__gt=_ago(after))
    return unmatched.values_list(*_KEPT)


def _ago(seconds: float) -> dt.datetime:
    return clock.now().astimezone(dt.UTC) - dt.timedelta(seconds=seconds)


_KEPT = (
    *("pk", "received_at", "gateway", "state", "failure", "remark", "reference"),
    *("temporary", "phone", "provider_id", "other_ids"),
)


def _match(name: str, unmatched: QuerySet[Receipt, tuple[Any, ...]], *, most: int) -> int:
    page = _rounds.next_page(name, unmatched, by="received_at", most=most)
    said = [
        Said._make((pk, *says, tuple(f"{number} {others}".split()), phone, by, temporary, False))
        for pk, by, *says, temporary, phone, number, others in page
    ]
    matched = 0
    for start in range(0, len(said), AT_ONCE):
        with transaction.atomic():
            matched += _settle(said[start : start + AT_ONCE])
    return matched


def forget() -> None:
    """Look at all receipts from the first on."""
    _rounds.forget()


def _row(report: ReceiptReport) -> dict[str, Any]:
    """Return a receipt's columns."""
    numbers = [one_line(number, 100) for number in report.provider_ids if number]
    happened_at = report.happened_at.isoformat() if report.happened_at else ""
    others = " ".join(number for number in numbers[1:] if " " not in number)
    return {
        "key": key_of(
            report.key,
            *(report.state, report.reference, *report.provider_ids),
            *(report.phone, report.failure, happened_at),
        ),
        "state": str(report.state),
        "failure": str(report.failure),
        "reference": one_line(report.reference, 32),
        "provider_id": numbers[0] if numbers else "",
        "other_ids": others if len(others) <= 200 else "",
        "phone": international(report.phone),
        "remark": one_line(report.remark, 200),
        "temporary": report.temporary,
        "happened_at": sql.stored_moment(report.happened_at),
    }


def _said(pk: int, gateway: str, row: Mapping[str, Any], report: ReceiptReport) -> Said:
    numbers = (row["provider_id"], *row["other_ids"].split()) if row["provider_id"] else ()
    said = (row["state"], row["failure"], row["remark"], row["reference"])
    passing = (report.temporary, report.in_trouble)
    return Said(pk, gateway, *said, numbers, row["phone"], None, *passing)


def _settle(said: Sequence[Said]) -> int:
    """Find the deliveries, move them on, and draw the consequences; return how many were found."""
    found = _find(said)
    pairs = [(one, found[one.id]) for one in said if one.id in found]
    if not pairs:
        return 0
    under_lock = standing.locked(pairs)
    for one, candidate in pairs:
        under_lock[candidate.delivery_id].hear(one)
    sql.assign({one.id: candidate.delivery_id for one, candidate in pairs})
    standing.write(under_lock.values())
    return len(pairs)


def _find(said: Sequence[Said]) -> dict[int, Candidate]:
    """Return receipt → delivery: by our reference, else by its number, else by a lone phone."""
    found: dict[int, Candidate] = {}
    references = {one.reference for one in said if one.reference}
    if references:
        ours = sql.by_reference(references)
        found = {one.id: ours[one.reference] for one in said if one.reference in ours}
    numbered = [one for one in said if one.id not in found and one.numbers]
    if numbered:
        found |= _by_number(numbered)
        found |= _by_phone([one for one in numbered if one.id not in found], numbered=True)
    nameless = [one for one in said if not one.reference and not one.numbers]
    return found | _by_phone(nameless, numbered=False)


def _by_number(said: Sequence[Said]) -> dict[int, Candidate]:
    known = sql.by_number({(one.gateway, each) for one in said for each in one.numbers})
    possible = {one.id: _candidates(one, known) for one in said}
    strange = {
        one.phone
        for one in said
        if one.phone and any(each.address != one.phone for each in possible[one.id])
    }
    owners = sql.belonging_to(strange) if strange else {}
    found = {}
    for one in said:
        # A phone that nobody has, as the sender's, speaks against nobody.
        best = receipt_rules.meant_by(
            one.numbers[0], one.phone, possible[one.id], notices_of_phone=owners.get(one.phone)
        )
        if best:
            found[one.id] = best
    return found


def _candidates(one: Said, known: Mapping[tuple[str, str], Sequence[Candidate]]) -> list[Candidate]:
    forms = dict.fromkeys(plain(each) for each in one.numbers)
    return _in_time(one, [two for each in forms for two in known.get((one.gateway, each), ())])


def _by_phone(said: Sequence[Said], *, numbered: bool) -> dict[int, Candidate]:
    """Find the only message that waits at a phone.

    Args:
        said: receipts of which nothing else is known.
        numbered: they have a number: then it has none, its answer brought none.
    """
    phones = {(one.gateway, one.phone) for one in said if one.phone}
    waiting = sql.waiting_for(phones, answered_without_number=numbered) if phones else {}
    found = {}
    for one in said:
        candidates = _in_time(one, waiting.get((one.gateway, one.phone), ()))
        if len(candidates) == 1:
            found[one.id] = candidates[0]
    return found


def _in_time(one: Said, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Leave out what was submitted after the receipt had come: it speaks of an older message."""
    submitted = [each for each in candidates if each.submitted_at]
    if one.by is None:
        return submitted
    return [each for each in submitted if as_moment(each.submitted_at) <= one.by]
