"""The set-based SQL of a ruling: what each statement reads and writes, and nothing else.

Temporary tables carry one ruling from the rules to the database:

- ``ruled_pair``: the (patient, day) pairs concerned, when it is not whole days;
- ``ruled_facts``: the verdict for each distinct combination of facts (decided in Python);
- ``ruled_change``: the decisions to append;
- ``vain``: what was tried in vain and still holds; ``elsewhere``: appointments of which the last
  word was about another day;
- ``holds``: what holds then for each appointment, and what its patient heard of it;
- ``told_as``: the answer of ``rules.told_over`` for each distinct combination of both;
- ``wanted``: what patients must be told (read by ``notifications.lifecycle.opening``).

The preview fills the same tables with the same statements and writes nothing else.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from appointments.models import CALLED_OFF, RULED, Status
from notifications.lifecycle import opening
from notifications.lifecycle.opening import NO_DAY
from staff.database import analyze, as_date, as_parameter

TABLES = {
    "ruled_pair": "patient_id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (patient_id, day)",
    "ruled_facts": """service varchar(20) NOT NULL, unit_id bigint NOT NULL, day date NOT NULL,
        protected_groups varchar(80) NOT NULL, clause_id bigint, bulletin_id bigint,
        outcome varchar(12) NOT NULL, release_at timestamptz,
        rank smallint NOT NULL, ignores_quiet_hours smallint NOT NULL,
        back_by_sms smallint NOT NULL, PRIMARY KEY (unit_id, day, service, protected_groups)""",
    "ruled_change": """appointment_id bigint PRIMARY KEY, version integer NOT NULL,
        day date NOT NULL, outcome varchar(12) NOT NULL, basis varchar(8) NOT NULL,
        clause_id bigint, bulletin_id bigint NOT NULL""",
    "vain": """patient_id bigint NOT NULL, subject_id bigint NOT NULL, day date NOT NULL,
        tried_at timestamptz NOT NULL, PRIMARY KEY (patient_id, subject_id, day)""",
    "elsewhere": "subject_id bigint PRIMARY KEY",
    "holds": """subject_id bigint PRIMARY KEY, patient_id bigint NOT NULL, day date NOT NULL,
        starts_at timestamptz NOT NULL, site_id bigint NOT NULL, practitioner_id bigint,
        word varchar(12) NOT NULL, basis varchar(8) NOT NULL, postponed_to date,
        release_at timestamptz, rank smallint NOT NULL, ignores_quiet_hours smallint NOT NULL,
        clause_id bigint NOT NULL, service varchar(20) NOT NULL, is_postponed smallint NOT NULL,
        heard_word varchar(12) NOT NULL, says_so smallint NOT NULL, gave_a_day smallint NOT NULL,
        in_doubt smallint NOT NULL, in_vain smallint NOT NULL, of_another_day smallint NOT NULL,
        back_by_sms smallint NOT NULL""",
    "told_as": """clause_id bigint NOT NULL, service varchar(20) NOT NULL,
        word varchar(12) NOT NULL, basis varchar(8) NOT NULL, is_postponed smallint NOT NULL,
        heard_word varchar(12) NOT NULL, says_so smallint NOT NULL, gave_a_day smallint NOT NULL,
        in_doubt smallint NOT NULL, in_vain smallint NOT NULL, of_another_day smallint NOT NULL,
        back_by_sms smallint NOT NULL, channel varchar(8) NOT NULL, by_doctor smallint NOT NULL,
        PRIMARY KEY (clause_id, service, word, basis, is_postponed, heard_word, says_so,
            gave_a_day, in_doubt, in_vain, of_another_day, back_by_sms)""",
    **opening.TABLES,
}
FACTS = (
    *("clause_id", "service", "word", "basis", "is_postponed"),
    *("heard_word", "says_so", "gave_a_day", "in_doubt", "in_vain", "of_another_day"),
    "back_by_sms",
)
"""What ``rules.told_over`` looks at, as columns of ``holds`` and ``told_as``."""
SAME_FACTS = """f.unit_id = a.unit_id AND f.day = a.day AND f.service = a.service
    AND f.protected_groups = a.protected_groups"""


def _in_sql(statuses: Iterable[Status]) -> str:
    return "({})".format(", ".join(f"'{status.value}'" for status in statuses))


LIVE = f"a.status IN {_in_sql(RULED)}"
# What the source called off. Appointments that took place or were missed need no correction.
GONE = _in_sql(CALLED_OFF)


@dataclass(frozen=True)
class RulingScope:
    """Which appointments are ruled: whole days, or the pairs listed in ``ruled_pair``."""

    first_day: dt.date | None = None
    last_day: dt.date | None = None

    def condition(self, alias: str) -> str:
        """Return the SQL condition on a table that has ``patient_id`` and ``day``."""
        if self.first_day is None:
            pairs = "(SELECT patient_id, day FROM ruled_pair)"
            return f"({alias}.patient_id, {alias}.day) IN {pairs}"
        return f"{alias}.day BETWEEN %s AND %s"

    @property
    def parameters(self) -> list[dt.date]:
        """The values of the condition's placeholders."""
        return [day for day in (self.first_day, self.last_day) if day]


def distinct_facts(
    cursor: CursorWrapper, scope: RulingScope
) -> list[tuple[str, int, dt.date, str]]:
    """Return each combination of service, unit, day and protected groups that occurs."""
    cursor.execute(
        f"""SELECT DISTINCT a.service, a.unit_id, a.day, a.protected_groups
            FROM appointments_appointment a WHERE {LIVE} AND {scope.condition("a")}""",  # noqa: S608
        scope.parameters,
    )
    return [
        (service, unit_id, as_date(day), groups)
        for service, unit_id, day, groups in cursor.fetchall()
    ]


def find_changes(cursor: CursorWrapper, scope: RulingScope) -> None:
    """Fill ``ruled_change``: who gets a new decision.

    A clause's verdict replaces another clause's, never a person's for the same day, unless
    that person only sent it back to be decided anew. Where no clause speaks any more, a
    clause's decision lapses: the appointment stands as planned, also on a day that the source
    gives it afterwards.
    """
    cursor.execute(
        f"""INSERT INTO ruled_change
            (appointment_id, version, day, outcome, basis, clause_id, bulletin_id)
            SELECT a.id, a.decision_version + 1, a.day,
                CASE WHEN f.clause_id IS NULL THEN 'maintained' ELSE f.outcome END,
                CASE WHEN f.clause_id IS NULL THEN 'lapse' ELSE 'clause' END,
                f.clause_id, COALESCE(f.bulletin_id, d.bulletin_id)
            FROM appointments_appointment a
            JOIN ruled_facts f ON {SAME_FACTS}
            LEFT JOIN appointments_decision d
                ON d.appointment_id = a.id AND d.version = a.decision_version
            WHERE {LIVE} AND {scope.condition("a")} AND (
                (f.clause_id IS NOT NULL AND (d.id IS NULL OR d.day <> a.day
                    OR ((d.basis <> 'person' OR d.outcome = 'under_review')
                        AND (COALESCE(d.clause_id, 0) <> f.clause_id OR d.outcome <> f.outcome))))
                OR (f.clause_id IS NULL AND d.id IS NOT NULL
                    AND (d.basis = 'clause' OR d.day <> a.day)))""",  # noqa: S608
        scope.parameters,
    )


def find_vain(cursor: CursorWrapper, scope: RulingScope) -> None:
    """Fill ``vain``: what unreachable notices say that still holds; the others become stale.

    On a day on which nothing is planned for the patient any more, ``cancelled`` holds.
    """
    cursor.execute(
        f"""INSERT INTO stale_vain SELECT DISTINCT n.id
            FROM notifications_notice n
            JOIN notifications_noticeitem i ON i.notice_id = n.id
            LEFT JOIN appointments_appointment a ON a.id = i.subject_id
                AND a.patient_id = n.patient_id AND a.day = n.day AND a.status NOT IN {GONE}
            LEFT JOIN ruled_change c ON c.appointment_id = a.id
            WHERE n.state = 'unreachable' AND {scope.condition("n")} AND (
                COALESCE(c.outcome, a.outcome, 'cancelled') <> i.word
                OR COALESCE(CASE WHEN c.appointment_id IS NULL THEN a.postponed_to END, {NO_DAY})
                    <> COALESCE(i.postponed_to, {NO_DAY})
                OR (i.word = 'maintained' AND a.starts_at <> i.starts_at))""",  # noqa: S608
        scope.parameters,
    )
    cursor.execute(
        f"""INSERT INTO vain (patient_id, subject_id, day, tried_at)
            SELECT n.patient_id, i.subject_id, n.day, MAX(COALESCE(n.settled_at, n.created_at))
            FROM notifications_notice n
            JOIN notifications_noticeitem i ON i.notice_id = n.id
            WHERE n.state = 'unreachable' AND {scope.condition("n")}
                AND n.id NOT IN (SELECT id FROM stale_vain)
            GROUP BY n.patient_id, i.subject_id, n.day""",  # noqa: S608
        scope.parameters,
    )


def _same_act(said: str) -> str:
    """Return the condition that ``a`` is another source's entry of the act that was spoken of.

    The rule of ``acts.act_of`` in SQL.

    Args:
        said: alias of a table of what was said; its subject is ``o``, and ``u`` the unit of ``a``.
    """
    return f"""a.patient_id = {said}.patient_id AND a.day = {said}.day
        AND a.starts_at = {said}.starts_at AND a.service = o.service AND a.feed_id <> o.feed_id
        AND u.site_id = {said}.site_id AND {LIVE}"""


def hear_double_entries(cursor: CursorWrapper) -> None:
    """Add to ``heard`` what patients heard of an act through another source's entry of it.

    One moment, service and site is one appointment to the patient (ADR 0014): what was said of
    one entry is not said again of the other.
    """
    cursor.execute(
        f"""INSERT INTO heard (patient_id, subject_id, day, notice_id, word, starts_at, site_id,
                postponed_to, said_at, is_in_doubt, is_sure)
            SELECT patient_id, id, day, notice_id, word, starts_at, site_id,
                postponed_to, said_at, is_in_doubt, is_sure FROM (
                SELECT h.patient_id, a.id, h.day, h.notice_id, h.word, h.starts_at, h.site_id,
                    h.postponed_to, h.said_at, h.is_in_doubt, h.is_sure,
                    ROW_NUMBER() OVER (PARTITION BY a.id, h.day
                        ORDER BY h.said_at DESC, h.notice_id DESC) AS place
                FROM heard h
                JOIN appointments_appointment o ON o.id = h.subject_id
                JOIN appointments_appointment a ON a.patient_id = h.patient_id
                JOIN staff_unit u ON u.id = a.unit_id
                LEFT JOIN heard own ON own.patient_id = a.patient_id AND own.subject_id = a.id
                    AND own.day = h.day
                WHERE {_same_act("h")} AND own.subject_id IS NULL) t
            WHERE place = 1"""  # noqa: S608
    )


def find_holding(cursor: CursorWrapper, scope: RulingScope) -> None:
    """Fill ``holds``: what holds for each appointment once the changes do, and what was heard."""
    # Only an appointment that the source moved can have been announced for another day.
    cursor.execute(
        f"""INSERT INTO elsewhere SELECT DISTINCT a.id
            FROM appointments_appointment a
            JOIN notifications_noticeitem i ON i.subject_id = a.id
            JOIN notifications_notice n ON n.id = i.notice_id AND n.patient_id = a.patient_id
            LEFT JOIN heard h ON h.patient_id = a.patient_id AND h.subject_id = a.id
                AND h.day = a.day
            WHERE {LIVE} AND {scope.condition("a")} AND a.moved_at IS NOT NULL AND n.day <> a.day
                AND n.handed_over_at IS NOT NULL
                AND (h.notice_id IS NULL OR (n.handed_over_at, n.id) > (h.said_at, h.notice_id))""",  # noqa: S608
        scope.parameters,
    )
    cursor.execute(
        f"""INSERT INTO holds (subject_id, patient_id, day, starts_at, site_id, practitioner_id,
                word, basis, postponed_to, release_at, rank, ignores_quiet_hours, clause_id,
                service, is_postponed, heard_word, says_so, gave_a_day, in_doubt, in_vain,
                of_another_day, back_by_sms)
            SELECT id, patient_id, day, starts_at, site_id, practitioner_id,
                outcome, basis, postponed_to, release_at, rank, ignores_quiet_hours, clause_id,
                service, CASE WHEN postponed_to IS NULL THEN 0 ELSE 1 END,
                COALESCE(heard_word, ''),
                CASE WHEN heard_word = outcome
                    AND COALESCE(heard_day, {NO_DAY}) = COALESCE(postponed_to, {NO_DAY})
                    AND (heard_word = 'cancelled' OR heard_at = starts_at) THEN 1 ELSE 0 END,
                CASE WHEN heard_day IS NULL THEN 0 ELSE 1 END,
                in_doubt, in_vain, of_another_day, back_by_sms
            FROM ({_standing(scope)}) t""",  # noqa: S608
        scope.parameters,
    )
    analyze(cursor, "holds")


def _standing(scope: RulingScope) -> str:
    """Return the query of what holds for each appointment, and what its patient heard."""
    return f"""
        SELECT a.id, a.patient_id, a.day, a.starts_at, a.practitioner_id, u.site_id, a.service,
            COALESCE(c.outcome, a.outcome) AS outcome,
            COALESCE(c.basis, a.outcome_basis) AS basis,
            CASE WHEN c.appointment_id IS NULL THEN a.postponed_to END AS postponed_to,
            f.release_at, f.rank, f.ignores_quiet_hours, COALESCE(f.clause_id, 0) AS clause_id,
            h.word AS heard_word, h.postponed_to AS heard_day, h.starts_at AS heard_at,
            COALESCE(h.is_in_doubt, 0) AS in_doubt,
            CASE WHEN v.tried_at >= COALESCE(h.said_at, v.tried_at) THEN 1 ELSE 0 END AS in_vain,
            CASE WHEN e.subject_id IS NULL THEN 0 ELSE 1 END AS of_another_day,
            CASE WHEN h.is_sure = 1 THEN f.back_by_sms ELSE 0 END AS back_by_sms
        FROM appointments_appointment a
        JOIN staff_unit u ON u.id = a.unit_id
        JOIN ruled_facts f ON {SAME_FACTS}
        LEFT JOIN ruled_change c ON c.appointment_id = a.id
        LEFT JOIN heard h ON h.patient_id = a.patient_id AND h.subject_id = a.id AND h.day = a.day
        LEFT JOIN vain v ON v.patient_id = a.patient_id AND v.subject_id = a.id AND v.day = a.day
        LEFT JOIN elsewhere e ON e.subject_id = a.id
        WHERE {LIVE} AND {scope.condition("a")}"""  # noqa: S608


def distinct_holding(cursor: CursorWrapper) -> list[tuple[Any, ...]]:
    """Return each combination of ``FACTS`` of decided appointments that occurs."""
    cursor.execute(
        f"""SELECT DISTINCT {", ".join(FACTS)} FROM holds
            WHERE word IN ('cancelled', 'maintained')"""  # noqa: S608
    )
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def tell_as(cursor: CursorWrapper, rows: Sequence[tuple[Any, ...]]) -> None:
    """Fill ``told_as``: each combination with channel and ``by_doctor``."""
    marks = ", ".join(["%s"] * (len(FACTS) + 2))
    cursor.executemany(f"INSERT INTO told_as VALUES ({marks})", rows)  # noqa: S608
    analyze(cursor, "told_as")


def find_wanted(cursor: CursorWrapper, scope: RulingScope, now: dt.datetime) -> None:
    """Fill ``wanted``: what patients must be told, as ``told_as`` answers, and what to correct.

    What has begun is told to nobody; what already waits about it stays as it is.

    Args:
        now: the current moment.
    """
    same = " AND ".join(f"t.{name} = s.{name}" for name in FACTS)
    waits = "(t.channel = 'sms' OR (t.by_doctor = 1 AND s.practitioner_id IS NOT NULL))"
    cursor.execute(
        f"""INSERT INTO wanted (patient_id, day, subject_id, starts_at, site_id, word, channel,
                reserved_for_id, not_before, rank, ignores_quiet_hours, postponed_to,
                record_number)
            SELECT s.patient_id, s.day, s.subject_id, s.starts_at, s.site_id, s.word, t.channel,
                CASE WHEN t.by_doctor = 1 THEN s.practitioner_id END,
                CASE WHEN {waits} AND s.release_at > %s THEN s.release_at ELSE %s END,
                s.rank, s.ignores_quiet_hours, s.postponed_to, a.record_number
            FROM holds s JOIN told_as t ON {same}
            JOIN appointments_appointment a ON a.id = s.subject_id
            WHERE s.starts_at > %s OR EXISTS (
                SELECT 1 FROM known k JOIN notifications_noticeitem i ON i.notice_id = k.pending_id
                WHERE k.patient_id = s.patient_id AND k.day = s.day
                    AND i.subject_id = s.subject_id AND i.word = s.word
                    AND COALESCE(i.postponed_to, {NO_DAY}) = COALESCE(s.postponed_to, {NO_DAY}))""",  # noqa: S608
        [as_parameter(now)] * 3,
    )
    _find_left(cursor, scope, now)


def _find_left(cursor: CursorWrapper, scope: RulingScope, now: dt.datetime) -> None:
    """Add to ``wanted`` the patients who were told to come and for whom nothing takes place.

    The appointment moved to another day, went to another patient, or was cancelled at the source.
    These patients would travel for nothing, so they are called first of all.
    """
    opening.find_claims(cursor, scope)
    cursor.execute(
        f"""INSERT INTO wanted (patient_id, day, subject_id, starts_at, site_id, word, channel,
                not_before, rank, ignores_quiet_hours)
            SELECT c.patient_id, c.day, c.subject_id, c.starts_at, c.site_id, 'cancelled', 'phone',
                %s, 0, 1
            FROM claim c
            LEFT JOIN appointments_appointment a ON a.id = c.subject_id
                AND a.patient_id = c.patient_id AND a.day = c.day AND a.status NOT IN {GONE}
            LEFT JOIN appointments_appointment o ON o.id = c.subject_id
                AND o.patient_id = c.patient_id AND o.day = c.said_on AND o.status NOT IN {GONE}
            LEFT JOIN vain v ON v.patient_id = c.patient_id AND v.subject_id = c.subject_id
                AND v.day = c.day
            WHERE a.id IS NULL AND o.id IS NULL AND v.tried_at IS NULL AND c.starts_at > %s
                AND NOT EXISTS (SELECT 1 FROM appointments_appointment a
                    JOIN staff_unit u ON u.id = a.unit_id
                    JOIN appointments_appointment o ON o.id = c.subject_id
                    WHERE {_same_act("c")})""",  # noqa: S608
        [as_parameter(now), as_parameter(now)],
    )


def unsaid(cursor: CursorWrapper, now: dt.datetime) -> list[tuple[int, bool]]:
    """Return what patients are owed and no waiting notice says, whatever the hour.

    Nobody is told of an appointment that had begun when it was decided or loaded, nor of a claim
    about a day that is over.

    Returns:
        the id of each such appointment, and whether its patient heard something else.
    """
    cursor.execute(
        f"""SELECT w.subject_id, CASE WHEN h.subject_id IS NULL THEN 0 ELSE 1 END
            FROM wanted w
            LEFT JOIN heard h ON h.patient_id = w.patient_id AND h.subject_id = w.subject_id
                AND h.day = w.day
            LEFT JOIN known k ON k.patient_id = w.patient_id AND k.day = w.day
            LEFT JOIN notifications_noticeitem i ON i.notice_id = k.pending_id
                AND i.subject_id = w.subject_id AND i.word = w.word
                AND COALESCE(i.postponed_to, {NO_DAY}) = COALESCE(w.postponed_to, {NO_DAY})
            LEFT JOIN holds s ON s.subject_id = w.subject_id AND s.patient_id = w.patient_id
                AND s.day = w.day
            LEFT JOIN appointments_appointment a ON a.id = s.subject_id
            LEFT JOIN appointments_decision d
                ON d.appointment_id = a.id AND d.version = a.decision_version
            WHERE i.id IS NULL AND (
                w.starts_at > %s
                OR (a.loaded_at <= a.starts_at AND d.decided_at < a.starts_at))
            ORDER BY w.subject_id""",  # noqa: S608
        [as_parameter(now)],
    )
    return [(subject_id, bool(heard)) for subject_id, heard in cursor.fetchall()]


def append_decisions(cursor: CursorWrapper, now: dt.datetime) -> int:
    """Append the decisions of ``ruled_change`` and repeat them beside the appointments.

    Returns:
        how many.
    """
    cursor.execute(
        """INSERT INTO appointments_decision (appointment_id, version, day, outcome, basis,
               bulletin_id, clause_id, decided_by_id, decided_at, reason)
           SELECT appointment_id, version, day, outcome, basis, bulletin_id, clause_id,
               NULL, %s, '' FROM ruled_change""",
        [as_parameter(now)],
    )
    decisions: int = cursor.rowcount
    cursor.execute(
        """UPDATE appointments_appointment SET outcome = c.outcome, outcome_basis = c.basis,
               decision_version = c.version, postponed_to = NULL
           FROM ruled_change c WHERE c.appointment_id = appointments_appointment.id"""
    )
    return decisions
