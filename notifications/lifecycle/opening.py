"""Open, keep or withdraw notices so that they say what patients must be told: no more, no less.

It works on temporary tables, set by set; the number of statements does not depend on the rows:

1. ``lock_pending``.
2. ``find_known`` fills ``heard`` (the last word that a patient heard on each subject and day),
   ``known`` (the last version and the pending notice of each patient and day) and ``under_way``
   (notices of which an SMS is out).
3. The caller fills, for every patient and day in its scope, ``holds`` (what holds of each subject:
   ``subject_id``, ``patient_id``, ``day``, ``starts_at``, ``word``, ``postponed_to``),
   ``stale_vain`` (unreachable notices that no longer say what holds) and ``wanted`` (one row per
   subject to be told about). ``wanted.rank`` (0 to 9, the smallest first) is the urgency of a
   subject among those of its day; a notice is as urgent as its most urgent subject.
4. ``align`` writes.

The terms are those of ADR 0014.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db.backends.utils import CursorWrapper
from django.db.models.expressions import RawSQL

from notifications import rules
from notifications.lifecycle import delivery_states, notice_states
from notifications.models import WITHDRAWABLE
from notifications.rules import QuietHours
from staff import clock
from staff.database import analyze, as_date, as_moment, as_parameter, earlier, is_postgresql

TABLES = {
    "wanted": """patient_id bigint NOT NULL, day date NOT NULL, subject_id bigint NOT NULL,
        starts_at timestamptz NOT NULL, site_id bigint NOT NULL, word varchar(10) NOT NULL,
        channel varchar(8) NOT NULL, reserved_for_id bigint, not_before timestamptz NOT NULL,
        rank smallint NOT NULL, ignores_quiet_hours smallint NOT NULL, postponed_to date,
        record_number varchar(80) NOT NULL DEFAULT '',
        PRIMARY KEY (subject_id, day, patient_id)""",
    "heard": """patient_id bigint NOT NULL, subject_id bigint NOT NULL, day date NOT NULL,
        notice_id bigint NOT NULL, word varchar(10) NOT NULL,
        starts_at timestamptz NOT NULL, site_id bigint NOT NULL, postponed_to date,
        said_at timestamptz NOT NULL, is_in_doubt integer NOT NULL, is_sure integer NOT NULL,
        PRIMARY KEY (subject_id, day, patient_id)""",
    "claim": """patient_id bigint NOT NULL, subject_id bigint NOT NULL, day date NOT NULL,
        said_on date NOT NULL, starts_at timestamptz NOT NULL, site_id bigint NOT NULL,
        PRIMARY KEY (subject_id, day, patient_id)""",
    "under_way": "id bigint PRIMARY KEY",
    "stale_vain": "id bigint PRIMARY KEY",
    "known": """patient_id bigint NOT NULL, day date NOT NULL, version integer NOT NULL,
        pending_id bigint, PRIMARY KEY (patient_id, day)""",
    "stale_notice": "id bigint PRIMARY KEY",
}
# For two days of which either may be missing; a date that no appointment has.
NO_DAY = "'0001-01-01'"
WAITING = delivery_states.in_sql(WITHDRAWABLE)
# The SMS may have arrived; the patient is to be called, and the call is not made yet.
TO_CALL_IN_DOUBT = f"""n.state = 'open' AND n.handed_over_at IS NOT NULL AND EXISTS (
    SELECT 1 FROM notifications_delivery d WHERE d.notice_id = n.id AND d.channel = 'phone'
        AND d.state IN ({WAITING}))"""  # noqa: S608
PENDING = f"n.state = 'open' AND n.handed_over_at IS NULL OR {TO_CALL_IN_DOUBT}"
# Handed over, and nobody knows if it arrived: given up, replaced in doubt, or now to be called.
IN_DOUBT = f"""n.state = 'unreachable' OR (n.state = 'withdrawn' AND NOT EXISTS (
    SELECT 1 FROM notifications_delivery d WHERE d.notice_id = n.id AND d.state = 'delivered'))
    OR ({TO_CALL_IN_DOUBT})"""  # noqa: S608
# A receipt, or a person, says that it arrived.
ARRIVED = """EXISTS (SELECT 1 FROM notifications_delivery d
    WHERE d.notice_id = n.id AND d.state = 'delivered')"""
# SMS if all that a patient is told goes by SMS and they can get one; inside a GROUP BY.
CHANNEL = """CASE WHEN MIN(w.channel) = 'sms' AND MAX(w.channel) = 'sms' AND p.mobile <> ''
    AND p.sms_opt_out_at IS NULL THEN 'sms' ELSE 'phone' END"""
_STALE = RawSQL("SELECT id FROM stale_notice", ())
_STALE_VAIN = RawSQL("SELECT id FROM stale_vain", ())
IGNORES_QUIET_HOURS = "MAX(w.ignores_quiet_hours) = 1"


class Scope(Protocol):
    """The patients and days of the temporary tables."""

    def condition(self, alias: str) -> str:
        """Return an SQL condition on a table with ``patient_id`` and ``day``."""

    @property
    def parameters(self) -> list[Any]:
        """The values of the condition's placeholders."""


@dataclass(frozen=True)
class Aligned:
    """How many notices were withdrawn and opened."""

    withdrawn: int
    opened: int


def lock_pending(cursor: CursorWrapper, scope: Scope) -> None:
    """Lock the notices that may be withdrawn, by id.

    A worker that is about to hand one over waits for this, or has already done so.
    """
    if is_postgresql():
        cursor.execute(
            f"""SELECT n.id FROM notifications_notice n
                WHERE n.state = 'open' AND {scope.condition("n")} ORDER BY n.id FOR UPDATE""",  # noqa: S608
            scope.parameters,
        )


def find_known(cursor: CursorWrapper, scope: Scope) -> None:
    """Fill ``heard``, ``known`` and ``under_way`` from the notices of the scope.

    A patient heard what was handed over last. If nobody is sure of that, a person is to tell what
    holds.
    """
    cursor.execute(
        f"""INSERT INTO heard (patient_id, subject_id, day, notice_id, word, starts_at,
                site_id, postponed_to, said_at, is_in_doubt, is_sure)
            SELECT patient_id, subject_id, day, notice_id, word, starts_at, site_id,
                postponed_to, said_at, is_in_doubt, is_sure FROM (
                SELECT n.patient_id, i.subject_id, n.day, i.notice_id, i.word,
                    i.starts_at, i.site_id, i.postponed_to, n.handed_over_at AS said_at,
                    CASE WHEN {IN_DOUBT} THEN 1 ELSE 0 END AS is_in_doubt,
                    CASE WHEN {ARRIVED} THEN 1 ELSE 0 END AS is_sure,
                    ROW_NUMBER() OVER (PARTITION BY n.patient_id, i.subject_id, n.day
                        ORDER BY n.handed_over_at DESC, n.version DESC) AS place
                FROM notifications_notice n
                JOIN notifications_noticeitem i ON i.notice_id = n.id
                WHERE {scope.condition("n")} AND n.handed_over_at IS NOT NULL) t
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
    cursor.execute(
        f"""INSERT INTO under_way SELECT n.id FROM notifications_notice n
            WHERE n.state = 'open' AND n.handed_over_at IS NOT NULL AND {scope.condition("n")}
                AND NOT ({TO_CALL_IN_DOUBT})""",  # noqa: S608
        scope.parameters,
    )
    analyze(cursor, "heard")
    analyze(cursor, "known")


def find_claims(cursor: CursorWrapper, scope: Scope) -> None:
    """Fill ``claim``: patients last told to come on a day of the scope, also as a postponed day.

    ``said_on`` is the day that the notice was about.
    """
    cursor.execute(
        """INSERT INTO claim (patient_id, subject_id, day, said_on, starts_at, site_id)
           SELECT patient_id, subject_id, day, day, starts_at, site_id FROM heard
           WHERE word = 'maintained'"""
    )
    cursor.execute(
        f"""SELECT t.patient_id, t.subject_id, t.day, t.said_on, t.starts_at, t.site_id
            FROM (SELECT n.patient_id, i.subject_id, i.postponed_to AS day, n.day AS said_on,
                    i.notice_id, n.handed_over_at AS said_at, i.starts_at, i.site_id
                FROM notifications_noticeitem i
                JOIN notifications_notice n ON n.id = i.notice_id
                WHERE i.postponed_to IS NOT NULL AND n.handed_over_at IS NOT NULL) t
            LEFT JOIN heard h ON h.patient_id = t.patient_id AND h.subject_id = t.subject_id
                AND h.day = t.day
            WHERE {scope.condition("t")} AND (h.notice_id IS NULL
                    OR (h.said_at, h.notice_id) < (t.said_at, t.notice_id))
                AND NOT EXISTS (SELECT 1 FROM notifications_noticeitem x
                    JOIN notifications_notice m ON m.id = x.notice_id
                    WHERE x.subject_id = t.subject_id AND m.patient_id = t.patient_id
                        AND m.day = t.said_on
                        AND (m.handed_over_at, m.id) > (t.said_at, t.notice_id))""",  # noqa: S608
        scope.parameters,
    )
    given = {}
    for patient_id, subject_id, day, said_on, starts_at, site_id in cursor.fetchall():
        days = as_date(day) - as_date(said_on)
        # The hour of the first day: the postponed day has none.
        moment = (as_moment(starts_at).astimezone(clock.BRUSSELS) + days).astimezone(dt.UTC)
        given[subject_id, day, patient_id] = (
            *(patient_id, subject_id, as_date(day), as_date(said_on)),
            *(as_parameter(moment), site_id),
        )
    cursor.executemany(
        """INSERT INTO claim (patient_id, subject_id, day, said_on, starts_at, site_id)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        list(given.values()),
    )
    analyze(cursor, "claim")


def align(cursor: CursorWrapper, now: dt.datetime) -> Aligned:
    """Make the pending notices equal to ``wanted``, for the scope of the temporary tables."""
    withdrawn = find_stale(cursor)
    if withdrawn:  # nobody has been handed one yet
        delivery_states.withdraw(_STALE, at=now)
        notice_states.withdraw(_STALE, at=now)
    if _any(cursor, "stale_vain"):
        notice_states.withdraw(_STALE_VAIN, at=now)
    _mark_lapsed(cursor)
    _reschedule_waiting(cursor)
    cursor.execute("SELECT COALESCE(MAX(id), 0) FROM notifications_notice")
    (last_id,) = cursor.fetchone()
    opened = _open_notices(cursor, now)
    if opened:
        _add_items(cursor, last_id)
        _add_deliveries(cursor, last_id, now)
    return Aligned(withdrawn=withdrawn, opened=opened)


def find_stale(cursor: CursorWrapper) -> int:
    """Fill ``stale_notice``: pending notices that do not say exactly what is wanted.

    Also those that would say it by SMS, though a person is to say it now.
    """
    cursor.execute("CREATE INDEX wanted_patient_day ON wanted (patient_id, day)")
    analyze(cursor, "wanted")
    cursor.execute(
        f"""INSERT INTO stale_notice SELECT k.pending_id FROM known k
           WHERE k.pending_id IS NOT NULL AND (
               EXISTS (SELECT 1 FROM notifications_noticeitem i LEFT JOIN wanted w
                       ON w.subject_id = i.subject_id AND w.word = i.word
                       AND w.starts_at = i.starts_at AND w.patient_id = k.patient_id
                       AND w.day = k.day
                       AND COALESCE(w.postponed_to, {NO_DAY}) = COALESCE(i.postponed_to, {NO_DAY})
                   WHERE i.notice_id = k.pending_id AND w.subject_id IS NULL)
               OR EXISTS (SELECT 1 FROM wanted w LEFT JOIN notifications_noticeitem i
                       ON i.notice_id = k.pending_id AND i.subject_id = w.subject_id
                   WHERE w.patient_id = k.patient_id AND w.day = k.day AND i.id IS NULL)
               OR (EXISTS (SELECT 1 FROM wanted w WHERE w.patient_id = k.patient_id
                       AND w.day = k.day AND w.channel = 'phone')
                   AND EXISTS (SELECT 1 FROM notifications_delivery d
                       WHERE d.notice_id = k.pending_id AND d.channel = 'sms'
                           AND d.state IN ({WAITING}))))"""  # noqa: S608
    )
    return int(cursor.rowcount)


def _any(cursor: CursorWrapper, table: str) -> bool:
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608
    return bool(cursor.fetchone()[0])


def _mark_lapsed(cursor: CursorWrapper) -> None:
    """Mark items of SMS that are out and no longer hold: should the SMS fail, nobody says them.

    The hour is no part of ``cancelled``; a call in place of such an SMS gives the newest one.
    """
    if not _any(cursor, "under_way"):  # nearly always; and both tables below are large
        return
    analyze(cursor, "under_way")
    still = f"""EXISTS (SELECT 1 FROM holds h
        JOIN notifications_notice n ON n.patient_id = h.patient_id AND n.day = h.day
        WHERE n.id = notifications_noticeitem.notice_id
            AND h.subject_id = notifications_noticeitem.subject_id
            AND h.word = notifications_noticeitem.word
            AND (h.word = 'cancelled' OR h.starts_at = notifications_noticeitem.starts_at)
            AND COALESCE(h.postponed_to, {NO_DAY})
                = COALESCE(notifications_noticeitem.postponed_to, {NO_DAY}))"""  # noqa: S608
    for lapsed, condition in ((True, f"NOT {still}"), (False, still)):
        cursor.execute(
            f"""UPDATE notifications_noticeitem SET has_lapsed = %s
                WHERE notice_id IN (SELECT id FROM under_way) AND has_lapsed <> %s
                    AND {condition}""",  # noqa: S608
            [lapsed, lapsed],
        )
    cursor.execute(
        """UPDATE notifications_noticeitem SET starts_at = h.starts_at
           FROM holds h
           WHERE notice_id IN (SELECT id FROM under_way) AND NOT has_lapsed
               AND notifications_noticeitem.word = 'cancelled'
               AND h.subject_id = notifications_noticeitem.subject_id
               AND h.starts_at <> notifications_noticeitem.starts_at"""
    )


def _reschedule_waiting(cursor: CursorWrapper) -> None:
    """Give waiting tries the release time, urgency and quiet hours of the bulletin that rules now.

    Only held SMS get the release time.
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
    """Open the next version of a notice where something is wanted and nothing is pending.

    In the order of appointments: SMS released together leave in this order.
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
    return int(cursor.rowcount)


def _add_items(cursor: CursorWrapper, last_id: int) -> None:
    cursor.execute(
        """INSERT INTO notifications_noticeitem
               (notice_id, subject_id, starts_at, site_id, word, postponed_to, record_number)
           SELECT n.id, w.subject_id, w.starts_at, w.site_id, w.word, w.postponed_to,
               w.record_number
           FROM wanted w JOIN notifications_notice n
               ON n.patient_id = w.patient_id AND n.day = w.day
           WHERE n.id > %s""",
        [last_id],
    )


def find_late(cursor: CursorWrapper) -> tuple[str, list[Any]]:
    """Return the condition that an SMS could only leave when it is of no more use.

    For queries on ``wanted w``, inside a GROUP BY. SMS may leave from few different moments (the
    release, or now), which quiet hours may put off.

    Returns:
        the condition and its parameters.
    """
    hours = QuietHours.parse(settings.SMS_QUIET_HOURS)
    cursor.execute("SELECT DISTINCT not_before FROM wanted WHERE channel = 'sms'")
    conditions, parameters = ["1 = 0"], []
    for (value,) in cursor.fetchall():
        not_before = as_moment(value)
        for ignores, leaves_at in ((0, hours.next_allowed(not_before)), (1, not_before)):
            conditions.append(
                "(MAX(w.not_before) = %s AND MAX(w.ignores_quiet_hours) = %s"
                " AND MIN(w.starts_at) < %s)"
            )
            first_in_time = as_parameter(notice_states.earliest_appointment(leaves_at))
            parameters += [as_parameter(not_before), ignores, first_in_time]
    return f"({' OR '.join(conditions)})", parameters


def _add_deliveries(cursor: CursorWrapper, last_id: int, now: dt.datetime) -> None:
    """Give each new notice its first try: SMS if all of it goes by SMS and the patient can get one.

    An SMS that would come too late becomes a call, due no later than the SMS would have been of
    use: until its release a doctor may keep the patient.
    """
    late, moments = find_late(cursor)
    latest = earlier("MIN(w.starts_at)", settings.SMS_LATEST_SECONDS)
    cursor.execute(
        f"""INSERT INTO notifications_delivery (notice_id, channel, number, state, address,
               not_before, urgency, ignores_quiet_hours, body, parts, gateway, client_reference,
               provider_id, claimed_by, failure, remark)
           SELECT c.notice_id, c.channel, 1,
               CASE WHEN c.channel = 'sms' THEN 'held' ELSE 'queued' END,
               CASE WHEN c.channel = 'sms' OR c.landline = '' THEN c.mobile ELSE c.landline END,
               c.not_before, c.urgency, c.ignores_quiet_hours, '', 0, '', '', '', '', '', ''
           FROM (
               SELECT n.id AS notice_id, p.mobile, p.landline,
                   CASE WHEN MAX(w.not_before) <= {latest} THEN MAX(w.not_before)
                       WHEN %s < {latest} THEN {latest} ELSE %s END AS not_before,
                   {_urgency("n.day")} AS urgency, {IGNORES_QUIET_HOURS} AS ignores_quiet_hours,
                   CASE WHEN {late} THEN 'phone' ELSE {CHANNEL} END AS channel
               FROM wanted w
               JOIN notifications_notice n ON n.patient_id = w.patient_id AND n.day = w.day
               JOIN patients_patient p ON p.id = w.patient_id
               WHERE n.id > %s
               GROUP BY n.id, p.id) c
           ORDER BY c.notice_id""",  # noqa: S608
        [as_parameter(now), as_parameter(now), *moments, last_id],
    )
