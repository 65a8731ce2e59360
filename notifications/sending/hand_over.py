"""The last look before an SMS leaves: committed before the network is touched.

Under the locks of the notices each claimed SMS is looked at again: withdrawn meanwhile, too
late, not wanted, paused? What may go is ``submitting`` and its notice handed over when this
returns, so that a crash from here on is known as ``unknown`` and nobody withdraws it any more.
Rows are read as plain tuples: this and ``recording`` set the pace of all sending.
"""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction

from notifications import sms_text
from notifications.gateways import Gateway, Message
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import Delivery, DeliveryState, Failure
from notifications.models.sending import Sending
from notifications.references import reference_of
from notifications.sending import rate as pacing
from notifications.sms_text import Alphabet
from notifications.texts import render as texts
from staff import clock
from staff.database import as_date, as_list, as_moment, as_parameter, is_one_of

_PLACE = "{}"  # in the SMS alphabet, and in no text: ``wording`` keeps braces for itself
_LARGEST = 20_000
_composed: dict[tuple[Any, ...], tuple[list[str], int]] = {}
_edition: list[object] = [None]


def sms(
    *,
    language: str,
    day: dt.date,
    lines: Sequence[texts.Line],
    callback_number: str,
    notice_id: int,
    alphabet: Alphabet = "gsm7",
) -> tuple[str, int]:
    """Return the text of a notice's SMS and the parts it takes.

    Args:
        language, day, lines, callback_number: as for ``texts.body``.
        notice_id: which it is.
        alphabet: of the gateway.
    """
    reference = reference_of(notice_id)
    words = tuple((line.starts_at, line.word, line.site_id) for line in lines)
    key = (language, day, words, callback_number, len(reference), alphabet)
    _forget_the_old()
    if key not in _composed:
        _composed[key] = _shape(language, day, lines, callback_number, reference, alphabet)
    pieces, parts = _composed[key]
    return reference.join(pieces), parts


def _shape(
    language: str,
    day: dt.date,
    lines: Sequence[texts.Line],
    callback_number: str,
    reference: str,
    alphabet: Alphabet,
) -> tuple[list[str], int]:
    """Return what stands around each place of the reference, and the parts of the whole."""
    text = texts.body(
        language=language,
        day=day,
        lines=lines,
        callback_number=callback_number,
        reference=_PLACE,
    )
    pieces = text.split(_PLACE)
    return pieces, sms_text.count(reference.join(pieces), alphabet=alphabet).parts


def _forget_the_old() -> None:
    edition = texts.edition()
    if edition != _edition[0] or len(_composed) > _LARGEST:
        _composed.clear()
        _edition[0] = edition


DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A message for the gateway; ``again``: it may have left before, under the same reference."""

    delivery_id: int
    notice_id: int
    message: Message
    again: bool


class _Row(NamedTuple):
    """What is looked at of a claimed SMS and its notice."""

    id: int
    notice_id: int
    address: str
    client_reference: str
    body: str
    parts: int
    day: dt.date | str
    language: str
    callback_number: str
    sender: str
    first_at: dt.datetime | str
    is_settled: bool
    is_unwanted: bool
    is_too_late: bool


@transaction.atomic
def hand_over(*, ids: Sequence[int], worker: str, gateway: Gateway) -> list[HandedOver] | None:
    """Mark claimed deliveries as leaving, and return what to submit.

    Args:
        ids: deliveries that ``worker`` claimed.
        worker: as for ``delivery_states.claim``.
        gateway: what they will go through; its rate and cap are taken here.

    Returns:
        the messages to submit; None when sending is paused (the claims are given back).
    """
    if Sending.is_paused():
        delivery_states.unclaim(ids=ids, worker=worker)
        return None
    latest = notice_states.earliest_appointment()
    ready = _set_aside(_locked(ids, worker, latest))
    written = _compose(ready, latest, gateway.alphabet)
    fitting = pacing.spend(gateway, [one.message.parts for one in written])
    delivery_states.unclaim(ids=[one.delivery_id for one in written[fitting:]], worker=worker)
    _commit_to(written[:fitting], gateway)
    return written[:fitting]


def _locked(ids: Sequence[int], worker: str, latest: dt.datetime) -> list[_Row]:
    """Lock the notices, in the order of their ids as everyone does, and read what they hold.

    Whoever else moves a claimed SMS holds its notice, so the deliveries need no lock of theirs.
    """
    delivery_states.lock_notices_of(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.id, d.notice_id, d.address, d.client_reference, d.body, d.parts, n.day,
                    p.language, s.callback_number, s.sms_sender, n.first_at,
                    n.state <> 'open' OR EXISTS (SELECT 1 FROM notifications_notice x
                        WHERE x.patient_id = n.patient_id AND x.day = n.day
                            AND x.version > n.version AND x.state <> 'withdrawn')
                        OR (n.handed_over_at IS NOT NULL AND EXISTS (
                            SELECT 1 FROM notifications_noticeitem i
                            WHERE i.notice_id = n.id AND i.has_lapsed)),
                    p.sms_opt_out_at IS NOT NULL, n.first_at < %s
                FROM notifications_delivery d
                JOIN notifications_notice n ON n.id = d.notice_id
                JOIN patients_patient p ON p.id = n.patient_id
                JOIN staff_site s ON s.id = n.site_id
                WHERE {is_one_of("d.id")} AND d.claimed_by = %s AND d.state = 'claimed'
                ORDER BY d.urgency, d.id""",  # noqa: S608  # our own columns
            [as_parameter(latest), as_list(ids), worker],
        )
        return [_Row(*row) for row in cursor.fetchall()]


def _set_aside(claimed: list[_Row]) -> list[_Row]:
    """End the tries that must not go, and return those that may."""
    ready, withdrawn, too_late, unwanted = [], [], [], []
    for row in claimed:
        if row.is_settled:
            withdrawn.append(row.id)
        elif row.is_unwanted:
            unwanted.append(row.id)
        elif row.is_too_late:
            too_late.append(row.id)
        else:
            ready.append(row)
    _end(withdrawn, DeliveryState.WITHDRAWN)
    _end(unwanted, DeliveryState.SUPPRESSED, Failure.OPTED_OUT)
    _end(too_late, DeliveryState.EXPIRED, Failure.EXPIRED)
    return ready


def _end(ids: list[int], state: DeliveryState, failure: Failure | str = "") -> None:
    if ids:
        at = clock.now()
        deliveries = delivery_states.lock(Delivery.objects.filter(pk__in=ids))
        delivery_states.end(ids, state=state, at=at, failure=failure)
        follow_up.call_instead(deliveries, at=at)


def _compose(ready: list[_Row], latest: dt.datetime, alphabet: Alphabet) -> list[HandedOver]:
    """Write the messages; what may have left before keeps its text and its reference."""
    lines = _lines_of([row.notice_id for row in ready if not row.client_reference])
    references = _references(len(ready))
    return [
        _message(row, lines.get(row.notice_id, []), reference, latest, alphabet)
        for row, reference in zip(ready, references, strict=True)
    ]


def _lines_of(notices: Sequence[int]) -> dict[int, list[texts.Line]]:
    """Return what each notice says."""
    lines: dict[int, list[texts.Line]] = {notice: [] for notice in notices}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT notice_id, starts_at, word, site_id FROM notifications_noticeitem
                WHERE {is_one_of("notice_id")}""",  # noqa: S608
            [as_list(notices)],
        )
        for notice, starts_at, word, site_id in cursor.fetchall():
            lines[notice].append(texts.Line(as_moment(starts_at), word, site_id=site_id))
    return lines


def _references(number: int) -> list[str]:
    """Return so many references of 128 random bits each: unique for ever, as UUIDs are."""
    drawn = os.urandom(16 * number).hex()
    return [drawn[start : start + 32] for start in range(0, 32 * number, 32)]


def _message(
    row: _Row, lines: list[texts.Line], reference: str, latest: dt.datetime, alphabet: Alphabet
) -> HandedOver:
    lasts = _lasts(as_moment(row.first_at), latest)
    if row.client_reference:
        text, parts, reference = row.body, row.parts, row.client_reference
        message = Message(reference, row.address, text, parts, row.sender, lasts, again=True)
        return HandedOver(row.id, row.notice_id, message, True)
    text, parts = sms(
        language=row.language,
        day=as_date(row.day),
        lines=lines,
        callback_number=row.callback_number,
        notice_id=row.notice_id,
        alphabet=alphabet,
    )
    message = Message(reference, row.address, text, parts, row.sender, lasts)
    return HandedOver(row.id, row.notice_id, message, False)


def _lasts(first_at: dt.datetime, latest: dt.datetime) -> int | None:
    """Return for how many seconds an SMS that leaves now is of use; None for more than a day.

    Args:
        first_at: the appointment.
        latest: the earliest one about which an SMS may leave now.
    """
    seconds = int((first_at - latest).total_seconds())
    return max(60, seconds) if seconds < DAY_SECONDS else None


def _commit_to(leaving: Sequence[HandedOver], gateway: Gateway) -> None:
    messages = {
        one.delivery_id: (one.message.text, one.message.parts, one.message.reference)
        for one in leaving
    }
    delivery_states.hand_over(messages, gateway=gateway.name, at=clock.now())
