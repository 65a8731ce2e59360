"""The statements behind ``receiving``: each moves a whole set, handed over as one JSON text.

One parameter instead of thousands: binding them one by one would cost more than all the rest.
Both databases read such a text as rows (json_to_recordset, json_each). They are asked for by
``IN``, since SQLite would rather read the whole table once for each row of a join; and
``NOT (x = '')`` is how Django writes the condition of the partial indexes, which SQLite takes by
the letter.
"""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection

from notifications.models import Channel, DeliveryState
from notifications.receipts.rules import Candidate, plain
from staff.database import as_list, as_parameter, is_one_of, is_postgresql, json_rows

Row = Mapping[str, Any]
_WAITING = ", ".join(
    f"'{state.value}'"
    for state in (DeliveryState.SUBMITTING, DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)
)
_RECEIPT = {
    "key": "text",
    "state": "text",
    "failure": "text",
    "reference": "text",
    "provider_id": "text",
    "other_ids": "text",
    "phone": "text",
    "remark": "text",
    "temporary": "boolean",
    "happened_at": "timestamptz",
}
_CANDIDATE = "d.id, d.notice_id, d.address, d.submitted_at"


def _run(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def stored_moment(moment: dt.datetime | None) -> str | None:
    """Return a moment as the database reads it in a JSON text."""
    if moment is None:
        return None
    return moment.isoformat() if is_postgresql() else str(as_parameter(moment))


def store(gateway: str, rows: Sequence[Row], *, at: dt.datetime) -> dict[str, int]:
    """Keep receipts that are not kept yet; return key → id of the new ones.

    In the order of their keys, so that two who store the same ones do not wait for each other.
    """
    names = ", ".join(_RECEIPT)
    payload = json.dumps(sorted(rows, key=lambda row: row["key"]))
    new = _run(
        f"""INSERT INTO notifications_receipt (gateway, received_at, {names})
            SELECT %s, %s, {names} FROM {json_rows(**_RECEIPT)} WHERE TRUE
            ON CONFLICT (gateway, key) DO NOTHING RETURNING key, id""",  # noqa: S608
        [gateway, as_parameter(at), payload],
    )
    return dict(new)


def by_reference(references: Collection[str]) -> dict[str, Candidate]:
    """Return the delivery of each of our references."""
    found = _run(
        f"""SELECT d.client_reference, {_CANDIDATE}
            FROM notifications_delivery d
            WHERE d.client_reference IN (SELECT r.reference FROM {json_rows(reference="text")})
                AND NOT (d.client_reference = '') AND d.channel = '{Channel.SMS.value}'""",  # noqa: S608
        [json.dumps([{"reference": one} for one in references])],
    )
    return {row[0]: Candidate(*row[1:]) for row in found}


def by_number(numbers: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[Candidate]]:
    """Return the deliveries with each number of a gateway, their own or that of a part.

    Keys and comparison are ``receipt_rules.plain``, for which there are indexes. One question per
    gateway, with its numbers as a list: so PostgreSQL looks each up in the index even while its
    statistics still say that no message has a number.
    """
    by_gateway: dict[str, set[str]] = {}
    for gateway, number in numbers:
        by_gateway.setdefault(gateway, set()).add(plain(number))
    found: dict[tuple[str, str], list[Candidate]] = {}
    for gateway, some in by_gateway.items():
        for row in _numbered(gateway, sorted(some)):
            found.setdefault((gateway, plain(row[-1])), []).append(Candidate(*row))
    return found


def _numbered(gateway: str, numbers: Sequence[str]) -> list[tuple[Any, ...]]:
    some = as_list(numbers)
    own, of_part = (is_one_of(f"LTRIM(LOWER({table}.provider_id), '0')") for table in "dp")
    return _run(
        f"""SELECT {_CANDIDATE}, d.provider_id
            FROM notifications_delivery d
            WHERE d.gateway = %s AND {own} AND NOT (d.provider_id = '')
            UNION SELECT {_CANDIDATE}, p.provider_id
            FROM notifications_deliverypart p
            JOIN notifications_delivery d ON d.id = p.delivery_id
            WHERE p.gateway = %s AND {of_part} AND p.provider_id <> ''""",  # noqa: S608
        [gateway, some, gateway, some],
    )


def belonging_to(phones: Collection[str]) -> dict[str, set[int]]:
    """Return the patients who have each phone, and the notices that they got."""
    found: dict[str, set[int]] = {}
    some = as_list(phones)
    for phone, notice in _run(
        f"""SELECT o.number, n.id FROM (
                SELECT mobile AS number, id FROM patients_patient WHERE {is_one_of("mobile")}
                UNION SELECT landline, id FROM patients_patient WHERE {is_one_of("landline")}
                UNION SELECT number, patient_id FROM patients_patientphone
                    WHERE {is_one_of("number")}) o
            LEFT JOIN notifications_notice n ON n.patient_id = o.id""",  # noqa: S608
        [some, some, some],
    ):
        found.setdefault(phone, set()).add(notice)
    return found


def waiting_for(
    phones: Collection[tuple[str, str]], *, answered_without_number: bool = False
) -> dict[tuple[str, str], list[Candidate]]:
    """Return the deliveries to each phone over a gateway that wait for a receipt.

    Args:
        phones: (gateway, phone).
        answered_without_number: only those whose answer is in, or will not come any more, and
            brought no number of the gateway's, or of a long one none for some part.
    """
    unnumbered = ""
    if answered_without_number:
        part = "SELECT 1 FROM notifications_deliverypart p WHERE p.delivery_id = d.id"
        unnumbered = f"""AND d.state <> '{DeliveryState.SUBMITTING.value}'
            AND (EXISTS ({part} AND p.provider_id = '')
                OR (d.provider_id = '' AND NOT EXISTS ({part})))"""  # noqa: S608
    found = _run(
        f"""SELECT d.gateway, d.address, {_CANDIDATE}
            FROM notifications_delivery d
            WHERE (d.gateway, d.address) IN (
                    SELECT r.gateway, r.phone FROM {json_rows(gateway="text", phone="text")})
                AND d.lease_until IS NOT NULL AND d.state IN ({_WAITING})
                AND d.channel = '{Channel.SMS.value}' {unnumbered}""",  # noqa: S608
        [json.dumps([{"gateway": gateway, "phone": phone} for gateway, phone in phones])],
    )
    grouped: dict[tuple[str, str], list[Candidate]] = {}
    for gateway, name, *candidate in found:
        grouped.setdefault((gateway, name), []).append(Candidate(*candidate))
    return grouped


def lock(delivery_ids: Collection[int]) -> list[tuple[Any, ...]]:
    """Lock deliveries, whose notices are locked, as ``delivery_states.lock`` does.

    Returns:
        (delivery, notice, state, whether it has a client reference, whether a number) of each.
    """
    locking = "FOR UPDATE" if is_postgresql() else ""
    return _run(
        f"""SELECT id, notice_id, state, client_reference <> '', provider_id <> ''
            FROM notifications_delivery
            WHERE {is_one_of("id")} ORDER BY notice_id, id {locking}""",  # noqa: S608
        [as_list(delivery_ids)],
    )


def parts_of(delivery_ids: Collection[int]) -> list[tuple[Any, ...]]:
    """Return (delivery, part's id, number at the gateway, state) of the parts with own numbers."""
    return _run(
        f"""SELECT delivery_id, id, provider_id, state FROM notifications_deliverypart
            WHERE {is_one_of("delivery_id")} ORDER BY delivery_id, part""",  # noqa: S608
        [as_list(delivery_ids)],
    )


def assign(deliveries: Mapping[int, int]) -> None:
    """Note of which delivery each receipt (id) speaks."""
    _run(
        f"""UPDATE notifications_receipt SET delivery_id = r.delivery_id
            FROM {json_rows(id="bigint", delivery_id="bigint")}
            WHERE notifications_receipt.id = r.id""",  # noqa: S608
        [json.dumps([{"id": pk, "delivery_id": one} for pk, one in deliveries.items()])],
    )


def write_parts(parts: Mapping[int, tuple[str, str]]) -> None:
    """Write the states of parts, and the numbers that a receipt brought of those without one."""
    said = [{"id": pk, "state": one[0], "number": one[1]} for pk, one in parts.items()]
    _run(
        f"""UPDATE notifications_deliverypart SET state = r.state, provider_id = CASE
                WHEN notifications_deliverypart.provider_id = '' THEN r.number
                ELSE notifications_deliverypart.provider_id END
            FROM {json_rows(id="bigint", state="text", number="text")}
            WHERE notifications_deliverypart.id = r.id""",  # noqa: S608
        [json.dumps(said)],
    )


def reports_each_part(gateways: Collection[str], *, at: dt.datetime) -> None:
    """Note of gateways that they reported two parts of one message; the first time stays."""
    _run(
        f"""UPDATE notifications_gatewaystate SET two_receipts_at = %s
            WHERE {is_one_of("name")} AND two_receipts_at IS NULL""",  # noqa: S608
        [as_parameter(at), as_list(gateways)],
    )


def heard_from(gateway: str, *, at: dt.datetime) -> None:
    """Note that a gateway reported; at most once a second, since all workers write this row."""
    recently = at - dt.timedelta(seconds=1)
    _run(
        """INSERT INTO notifications_gatewaystate
               (name, parts_of_day, failures_in_a_row, complaint, reported_at)
           VALUES (%s, 0, 0, '', %s)
           ON CONFLICT (name) DO UPDATE SET reported_at = excluded.reported_at
           WHERE notifications_gatewaystate.reported_at IS NULL
               OR notifications_gatewaystate.reported_at < %s""",
        [gateway, as_parameter(at), as_parameter(recently)],
    )
