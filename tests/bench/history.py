"""What the past of a hospital leaves behind: decisions, notices, tries, receipts, notes, the trail.

Three in five of the appointments that are over were cancelled by some bulletin of old and their
patients told, nineteen in twenty by SMS; all of that is closed. Each was looked at once.
"""

from appointments.models import Appointment, Attendance, Bulletin, Clause, Decision
from notifications.models import Delivery, Notice, NoticeItem, Question, Receipt, Reply
from staff.models import AuditEvent, AuditHead, User
from tests.bench import sql
from tests.bench.hospital import FIRST

CANCELLED = "a.id % 10 < 6"
MINUTES_OF_A_DAY = 1440


def remember(first: int, last: int, *, by: User, bulletin: Bulletin) -> None:
    """Write what is left of the appointments with these numbers, which are all in the past.

    Args:
        first, last: their numbers; what is written takes numbers on the same side of ``FIRST``.
        by: who noted, answered and looked.
        bulletin: which cancelled; no longer in force.
    """
    table = Appointment._meta.db_table
    those, below = f"a.id BETWEEN {first} AND {last}", FIRST if first < FIRST else None
    _decisions(f"FROM {table} a WHERE {those} AND {CANCELLED}", bulletin, below)
    sql.run(
        f"UPDATE {table} AS a SET outcome = 'cancelled', outcome_basis = 'clause',"
        f" decision_version = 1 WHERE {those} AND {CANCELLED}"
    )
    _attendance(f"FROM {table} a WHERE {those} AND NOT ({CANCELLED})", by, below)
    told = f"FROM {table} a JOIN staff_unit u ON u.id = a.unit_id WHERE {those} AND {CANCELLED}"
    _notices(told, below)
    _answers(by, below)
    look_at(first, last, by=by)


def _decisions(source: str, bulletin: Bulletin, below: int | None) -> None:
    clause = Clause.objects.get(bulletin=bulletin, position=1)
    values = {"appointment_id": "a.id", "version": "1", "day": "a.day", "reason": "''"}
    values |= {
        "outcome": "'cancelled'",
        "basis": "'clause'",
        "decided_at": _days_before("a.day", 2),
    }
    values |= {"bulletin_id": str(bulletin.pk), "clause_id": str(clause.pk)}
    sql.insert(Decision, values, source, below=below)


def _attendance(source: str, by: User, below: int | None) -> None:
    values = {"appointment_id": "a.id", "day": "a.day", "version": "1", "remark": "''"}
    values |= {"noted_by_id": str(by.pk)}
    values |= {"what": "CASE WHEN a.id % 20 = 3 THEN 'absent' ELSE 'arrived' END"}
    values |= {"happened_at": "a.starts_at", "noted_at": "a.starts_at"}
    values |= {"from_paper": sql.boolean(False)}
    sql.insert(Attendance, values, source, below=below)


def _notices(source: str, below: int | None) -> None:
    before, told = sql.last_id(Notice, below=below), "CASE WHEN a.patient_id % 20 = 0 THEN"
    sql.insert(
        Notice,
        {
            "patient_id": "a.patient_id",
            "day": "a.day",
            "version": "1",
            "state": f"{told} 'unreachable' ELSE 'told' END",
            "site_id": "MIN(u.site_id)",
            "first_at": "MIN(a.starts_at)",
            "created_at": _days_before("a.day", 2),
            "handed_over_at": _days_before("a.day", 1),
            "settled_at": _days_before("a.day", 1),
        },
        f"{source} GROUP BY a.patient_id, a.day",
        below=below,
    )
    those = f"n.id > {before} AND n.id < {below or 10 * FIRST}"
    items = {"notice_id": "n.id", "subject_id": "a.id", "starts_at": "a.starts_at"}
    items |= {"site_id": "n.site_id", "word": "'cancelled'"}
    of_it = f"a.patient_id = n.patient_id AND a.day = n.day AND {CANCELLED}"
    sql.insert(
        NoticeItem,
        items,
        f"FROM notifications_notice n JOIN appointments_appointment a ON {of_it} WHERE {those}",
        below=below,
    )
    _tries(f"FROM notifications_notice n WHERE {those}", below)
    _receipts(
        f"FROM notifications_delivery d JOIN notifications_notice n ON n.id = d.notice_id"
        f" WHERE {those}",
        below,
    )


def _tries(notices: str, below: int | None) -> None:
    """One SMS for each, by a gateway that gives receipts; one in twenty did not arrive."""
    failed = "CASE WHEN n.state = 'unreachable' THEN"
    sql.insert(
        Delivery,
        {
            "notice_id": "n.id",
            "channel": "CASE WHEN n.patient_id % 12 = 0 THEN 'phone' ELSE 'sms' END",
            "number": "1",
            "state": f"{failed} 'failed' ELSE 'delivered' END",
            "address": f"'+3247' || {sql.padded('n.patient_id', 7)}",
            "not_before": "n.created_at",
            "urgency": "0",
            "ignores_quiet_hours": sql.boolean(False),
            "body": "'Vivalia: votre rendez-vous est ANNULE. Ne venez pas. Ref. ' || n.id",
            "parts": "1",
            "gateway": "'smpp bench'",
            "client_reference": sql.padded("n.id", 32),
            "provider_id": "'p' || n.id",
            "claimed_by": "''",
            "submitted_at": "n.handed_over_at",
            "finished_at": "n.settled_at",
            "failure": f"{failed} 'unreachable' ELSE '' END",
            "remark": "''",
        },
        notices,
        below=below,
    )


def _receipts(source: str, below: int | None) -> None:
    values = {"gateway": "'smpp bench'", "key": "'k' || d.id", "delivery_id": "d.id"}
    values |= {"state": "CASE WHEN d.state = 'failed' THEN 'failed' ELSE 'delivered' END"}
    values |= {"failure": "d.failure", "reference": "d.client_reference", "remark": "''"}
    values |= {"provider_id": "d.provider_id", "other_ids": "''", "phone": "d.address"}
    values |= {"temporary": sql.boolean(False), "received_at": "d.finished_at"}
    sql.insert(Receipt, values, source, below=below)


def _answers(by: User, below: int | None) -> None:
    """Of a hundred patients told, one wrote back and one rang in; both were answered."""
    told = "FROM notifications_notice n WHERE n.state = 'told' AND n.settled_at IS NOT NULL"
    reply = {"gateway": "'smpp bench'", "key": "'r' || n.id", "text": "'OK merci'"}
    reply |= {"phone": f"'+3247' || {sql.padded('n.patient_id', 7)}", "meaning": "'other'"}
    reply |= {"patient_id": "n.patient_id", "notice_id": "n.id", "received_at": "n.settled_at"}
    reply |= {"outcome": "'seen'", "handled_at": "n.settled_at", "handled_by_id": str(by.pk)}
    known = "SELECT notice_id FROM notifications_reply WHERE notice_id IS NOT NULL"
    sql.insert(Reply, reply, f"{told} AND n.id % 100 = 1 AND n.id NOT IN ({known})", below=below)
    asked = {"patient_id": "n.patient_id", "notice_id": "n.id", "day": "n.day"}
    asked |= {"asked_at": "n.settled_at", "answered_by_id": str(by.pk), "found_by": "'name'"}
    asked |= {"reference": "''", "answer": "'in_force'", "said": "'Annulé.'", "remark": "''"}
    known = "SELECT notice_id FROM notifications_question WHERE notice_id IS NOT NULL"
    sql.insert(Question, asked, f"{told} AND n.id % 100 = 2 AND n.id NOT IN ({known})", below=below)


def look_at(first: int, last: int, *, by: User) -> None:
    """Write into the trail that each of these was opened, without a valid chain of hashes."""
    is_old = first < FIRST
    head = AuditHead.objects.get()
    begins = sql.last_id(AuditEvent, below=FIRST) if is_old else head.sequence
    sequence = f"{begins} + a.id - {first} + 1"
    values = {"id": sequence, "sequence": sequence, "at": "a.starts_at", "detail": "'{}'"}
    values |= {"actor_id": str(by.pk), "actor_name": f"'{by}'", "object_id": "'' || a.id"}
    values |= {"action": "'appointment.viewed'", "object_type": "'appointment'"}
    values |= {"previous_hash": "''", "hash": sql.padded(sequence, 64)}
    sql.insert(
        AuditEvent,
        values,
        f"FROM appointments_appointment a WHERE a.id BETWEEN {first} AND {last}",
    )
    if not is_old:
        sql.continue_numbers(AuditEvent)
        head.sequence = begins + last - first + 1
        head.hash = str(head.sequence).rjust(64, "0")
        head.save()


def _days_before(day: str, days: int) -> str:
    return sql.moment(day, f"{600 - days * MINUTES_OF_A_DAY}")
