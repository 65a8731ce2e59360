"""Open, keep or withdraw notices so that they say what patients must be told: no more, no less.

In order: ``lock_pending``; ``find_known`` fills ``heard`` (the last word on each subject) and
``known`` (the last version and the pending notice of each patient and day); the caller fills
``wanted`` (one row per subject to be told about) for every patient and day in its scope;
``align`` writes. Works set by set; the number of statements does not depend on the rows.
``wanted.rank`` (0 to 9, the smallest first) says how urgent a subject is among those of its
day; a notice is as urgent as its most urgent subject.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from django.db.backends.utils import CursorWrapper

from notifications import rules
from notifications.models import WITHDRAWABLE
from staff.database import analyze, as_parameter, is_postgresql

TABLES = {
    "wanted": """patient_id bigint NOT NULL, day date NOT NULL, subject_id bigint PRIMARY KEY,
        starts_at timestamptz NOT NULL, site_id bigint NOT NULL, word varchar(10) NOT NULL,
        channel varchar(8) NOT NULL, reserved_for_id bigint, not_before timestamptz NOT NULL,
        rank smallint NOT NULL, ignores_quiet_hours smallint NOT NULL, postponed_to date""",
    "heard": """subject_id bigint NOT NULL, day date NOT NULL, word varchar(10) NOT NULL,
        is_in_vain integer NOT NULL, is_unsure integer NOT NULL, postponed_to date,
        PRIMARY KEY (subject_id, day)""",
    "known": """patient_id bigint NOT NULL, day date NOT NULL, version integer NOT NULL,
        pending_id bigint, PRIMARY KEY (patient_id, day)""",
    "stale_notice": "id bigint PRIMARY KEY",
}
# For two days of which either may be missing; a date that no appointment has.
NO_DAY = "'0001-01-01'"
# The SMS may have arrived, nobody knows; now the patient is to be called, and nobody has yet.
TO_CALL_IN_DOUBT = f"""n.state = 'open' AND n.handed_over_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM notifications_delivery d WHERE d.notice_id = n.id AND d.channel = 'phone'
        AND d.state IN ({", ".join(f"'{state.value}'" for state in WITHDRAWABLE)}))"""  # noqa: S608
PENDING = f"n.state = 'open' AND n.handed_over_at IS NULL OR {TO_CALL_IN_DOUBT}"
# Withdrawn although something had left: a newer notice took its place in doubt.
IN_DOUBT = f"""n.state = 'withdrawn' AND n.handed_over_at IS NOT NULL OR {TO_CALL_IN_DOUBT}"""
# SMS if all that a patient is told goes by SMS and they can get one; inside a GROUP BY.
CHANNEL = """CASE WHEN MIN(w.channel) = 'sms' AND MAX(w.channel) = 'sms' AND p.mobile <> ''
    AND p.sms_opt_out_at IS NULL THEN 'sms' ELSE 'phone' END"""
IGNORES_QUIET_HOURS = "MAX(w.ignores_quiet_hours) = 1"


class Scope(Protocol):
    """The patients and days that ``wanted`` speaks for."""

    def condition(self, alias: str) -> str:
        """Return an SQL condition on a table with ``patient_id`` and ``day``."""

    @property
    def parameters(self) -> list:
        """The values of the condition's placeholders."""


@dataclass(frozen=True)
class Aligned:
    """How many notices were withdrawn and opened."""

    withdrawn: int
    opened: int


def lock_pending(cursor: CursorWrapper, scope: Scope) -> None:
    """Lock the notices that may be withdrawn, in the order in which every one locks them.

    From here on a worker that is about to hand one over waits, or has already done so.
    """
    if is_postgresql():
        cursor.execute(
            f"""SELECT n.id FROM notifications_notice n
                WHERE n.state = 'open' AND {scope.condition("n")} ORDER BY n.id FOR UPDATE""",  # noqa: S608
            scope.parameters,
        )


def find_known(cursor: CursorWrapper, scope: Scope) -> None:
    """Fill ``heard`` and ``known`` from the notices of the scope.

    A patient heard what was handed over last; what an unreachable notice said was in vain, and
    of some nobody is sure: whatever holds is then to be said by a person.
    """
    cursor.execute(
        f"""INSERT INTO heard (subject_id, day, word, is_in_vain, is_unsure, postponed_to)
            SELECT subject_id, day, word, is_in_vain, is_unsure, postponed_to FROM (
                SELECT i.subject_id, n.day, i.word, i.postponed_to,
                    CASE WHEN n.state = 'unreachable' THEN 1 ELSE 0 END AS is_in_vain,
                    CASE WHEN {IN_DOUBT} THEN 1 ELSE 0 END AS is_unsure,
                    ROW_NUMBER() OVER (PARTITION BY i.subject_id, n.day ORDER BY n.version DESC)
                        AS place
                FROM notifications_notice n
                JOIN notifications_noticeitem i ON i.notice_id = n.id
                WHERE {scope.condition("n")} AND (n.state IN ('told', 'unreachable')
                    OR n.handed_over_at IS NOT NULL)) t
            WHERE place = 1""",  # noqa: S608
        scope.parameters,
    )
    cursor.execute(
        f"""INSERT INTO known (patient_id, day, version, pending_id)
            SELECT n.patient_id, n.day, MAX(n.version), MAX(CASE WHEN {PENDING} THEN n.id END)
            FROM notifications_notice n WHERE {scope.condition("n")}
            GROUP BY n.patient_id, n.day""",  # noqa: S608
        scope.parameters,
    )
    analyze(cursor, "heard")
    analyze(cursor, "known")


def align(cursor: CursorWrapper, now: dt.datetime) -> Aligned:
    """Make the pending notices equal to ``wanted``.

    Args:
        cursor: the cursor that holds the temporary tables, filled for one scope.
        now: the current moment.
    """
    withdrawn = find_stale(cursor)
    if withdrawn:
        _withdraw_stale(cursor, now)
    _reschedule_waiting(cursor)
    cursor.execute("SELECT COALESCE(MAX(id), 0) FROM notifications_notice")
    (last_id,) = cursor.fetchone()
    opened = _open_notices(cursor, now)
    if opened:
        _add_items(cursor, last_id)
        _add_deliveries(cursor, last_id)
    return Aligned(withdrawn=withdrawn, opened=opened)


def find_stale(cursor: CursorWrapper) -> int:
    """Fill ``stale_notice``: pending notices that do not say exactly what is wanted."""
    cursor.execute("CREATE INDEX wanted_patient_day ON wanted (patient_id, day)")
    analyze(cursor, "wanted")
    cursor.execute(
        f"""INSERT INTO stale_notice SELECT k.pending_id FROM known k
           WHERE k.pending_id IS NOT NULL AND (
               EXISTS (SELECT 1 FROM notifications_noticeitem i LEFT JOIN wanted w
                       ON w.subject_id = i.subject_id AND w.word = i.word
                       AND w.starts_at = i.starts_at AND w.patient_id = k.patient_id
                       AND COALESCE(w.postponed_to, {NO_DAY}) = COALESCE(i.postponed_to, {NO_DAY})
                   WHERE i.notice_id = k.pending_id AND w.subject_id IS NULL)
               OR EXISTS (SELECT 1 FROM wanted w LEFT JOIN notifications_noticeitem i
                       ON i.notice_id = k.pending_id AND i.subject_id = w.subject_id
                   WHERE w.patient_id = k.patient_id AND w.day = k.day AND i.id IS NULL))"""  # noqa: S608
    )
    return cursor.rowcount


def _withdraw_stale(cursor: CursorWrapper, now: dt.datetime) -> None:
    """Withdraw the stale notices and their deliveries: nobody has been handed one yet."""
    cursor.execute(
        f"""UPDATE notifications_delivery
            SET state = 'withdrawn', finished_at = %s, lease_until = NULL
            WHERE state IN ({", ".join(f"'{state.value}'" for state in WITHDRAWABLE)})
                AND notice_id IN (SELECT id FROM stale_notice)""",  # noqa: S608
        [as_parameter(now)],
    )
    cursor.execute(
        """UPDATE notifications_notice SET state = 'withdrawn', settled_at = %s
           WHERE id IN (SELECT id FROM stale_notice)""",
        [as_parameter(now)],
    )


def _reschedule_waiting(cursor: CursorWrapper) -> None:
    """Give what still waits what the bulletin that now rules says of it.

    SMS that are held get its release time; those, and what is queued, its urgency and whether
    quiet hours hold it back.
    """
    cursor.execute(
        f"""UPDATE notifications_delivery SET urgency = t.urgency,
               ignores_quiet_hours = t.ignores_quiet_hours,
               not_before = CASE WHEN notifications_delivery.state = 'held' THEN t.not_before
                   ELSE notifications_delivery.not_before END
           FROM (SELECT k.pending_id, MAX(w.not_before) AS not_before,
                   {_urgency("k.day")} AS urgency, {IGNORES_QUIET_HOURS} AS ignores_quiet_hours
               FROM known k JOIN wanted w ON w.patient_id = k.patient_id AND w.day = k.day
               WHERE k.pending_id IS NOT NULL GROUP BY k.pending_id, k.day) t
           WHERE t.pending_id = notifications_delivery.notice_id
               AND notifications_delivery.state IN ('held', 'queued')
               AND (notifications_delivery.urgency <> t.urgency
                   OR notifications_delivery.ignores_quiet_hours <> t.ignores_quiet_hours
                   OR (notifications_delivery.state = 'held'
                       AND notifications_delivery.not_before <> t.not_before))"""  # noqa: S608
    )


def _urgency(day: str) -> str:
    """Return ``rules.urgency`` as SQL inside a GROUP BY."""
    first = rules.URGENCY_COUNTS_FROM.isoformat()
    days = (
        f"({day} - DATE '{first}')"
        if is_postgresql()
        else f"CAST(julianday({day}) - julianday('{first}') AS integer)"
    )
    return f"{days} * {rules.RANKS} + MIN(w.rank)"


def _open_notices(cursor: CursorWrapper, now: dt.datetime) -> int:
    """Open the next version of a notice wherever something is wanted and nothing is pending.

    The earliest appointment first: SMS released together leave in this order.
    """
    cursor.execute(
        """INSERT INTO notifications_notice (patient_id, day, version, state, site_id, first_at,
               reserved_for_id, created_at)
           SELECT w.patient_id, w.day, 1 + COALESCE(MAX(k.version), 0), 'open', MIN(w.site_id),
               MIN(w.starts_at),
               CASE WHEN COUNT(w.reserved_for_id) = COUNT(*) THEN MIN(w.reserved_for_id) END, %s
           FROM wanted w LEFT JOIN known k ON k.patient_id = w.patient_id AND k.day = w.day
           WHERE k.pending_id IS NULL OR k.pending_id IN (SELECT id FROM stale_notice)
           GROUP BY w.patient_id, w.day ORDER BY MIN(w.starts_at)""",
        [as_parameter(now)],
    )
    return cursor.rowcount


def _add_items(cursor: CursorWrapper, last_id: int) -> None:
    cursor.execute(
        """INSERT INTO notifications_noticeitem
               (notice_id, subject_id, starts_at, site_id, word, postponed_to)
           SELECT n.id, w.subject_id, w.starts_at, w.site_id, w.word, w.postponed_to
           FROM wanted w JOIN notifications_notice n
               ON n.patient_id = w.patient_id AND n.day = w.day
           WHERE n.id > %s""",
        [last_id],
    )


def _add_deliveries(cursor: CursorWrapper, last_id: int) -> None:
    """Give each new notice its first try: SMS if all of it goes by SMS and the patient can."""
    cursor.execute(
        f"""INSERT INTO notifications_delivery (notice_id, channel, number, state, address,
               not_before, urgency, ignores_quiet_hours, body, parts, gateway, client_reference,
               provider_id, claimed_by, failure, remark)
           SELECT c.notice_id, c.channel, 1,
               CASE WHEN c.channel = 'sms' THEN 'held' ELSE 'queued' END,
               CASE WHEN c.channel = 'sms' OR c.landline = '' THEN c.mobile ELSE c.landline END,
               c.not_before, c.urgency, c.ignores_quiet_hours, '', 0, '', '', '', '', '', ''
           FROM (
               SELECT n.id AS notice_id, p.mobile, p.landline, MAX(w.not_before) AS not_before,
                   {_urgency("n.day")} AS urgency, {IGNORES_QUIET_HOURS} AS ignores_quiet_hours,
                   {CHANNEL} AS channel
               FROM wanted w
               JOIN notifications_notice n ON n.patient_id = w.patient_id AND n.day = w.day
               JOIN patients_patient p ON p.id = w.patient_id
               WHERE n.id > %s
               GROUP BY n.id, p.id) c
           ORDER BY c.notice_id""",  # noqa: S608
        [last_id],
    )
