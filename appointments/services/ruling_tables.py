"""The set-based SQL of a ruling: what each statement reads and writes, and nothing else.

Four temporary tables carry one ruling from the rules to the database:

- ``ruled_pair``: the (patient, day) pairs concerned, when it is not whole days;
- ``ruled_facts``: the verdict for each distinct combination of facts (decided in Python);
- ``ruled_change``: the decisions to append;
- ``wanted``: what patients must be told (read by ``notifications.services.opening``).

The preview fills the same tables with the same statements and writes nothing else.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from notifications.services import opening
from notifications.services.opening import NO_DAY
from staff.database import as_date, as_parameter

TABLES = {
    "ruled_pair": "patient_id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (patient_id, day)",
    "ruled_facts": """service varchar(20) NOT NULL, unit_id bigint NOT NULL, day date NOT NULL,
        protected_groups varchar(80) NOT NULL, clause_id bigint, bulletin_id bigint,
        outcome varchar(12) NOT NULL, release_at timestamptz,
        tell_cancelled varchar(8) NOT NULL, tell_maintained varchar(8) NOT NULL,
        tell_kept varchar(8) NOT NULL, tell_change varchar(8) NOT NULL,
        rank smallint NOT NULL, ignores_quiet_hours smallint NOT NULL,
        PRIMARY KEY (unit_id, day, service, protected_groups)""",
    "ruled_change": """appointment_id bigint PRIMARY KEY, version integer NOT NULL,
        day date NOT NULL, outcome varchar(12) NOT NULL, basis varchar(8) NOT NULL,
        clause_id bigint, bulletin_id bigint NOT NULL""",
    **opening.TABLES,
}

# What the source still plans; a fulfilled or cancelled act is no longer ruled on.
LIVE = "a.status IN ('booked', 'arrived')"
SAME_FACTS = """f.unit_id = a.unit_id AND f.day = a.day AND f.service = a.service
    AND f.protected_groups = a.protected_groups"""


@dataclass(frozen=True)
class Scope:
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
        return (
            []
            if self.first_day is None or self.last_day is None
            else [self.first_day, self.last_day]
        )


def distinct_facts(cursor: CursorWrapper, scope: Scope) -> list[tuple[str, int, dt.date, str]]:
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


def find_changes(cursor: CursorWrapper, scope: Scope) -> None:
    """Fill ``ruled_change``: who gets a new decision.

    A clause's verdict replaces another clause's, never a person's for the same day. Where no
    clause speaks any more, a clause's decision lapses: the appointment stands as planned.
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
                    OR (d.basis <> 'person'
                        AND (COALESCE(d.clause_id, 0) <> f.clause_id OR d.outcome <> f.outcome))))
                OR (f.clause_id IS NULL AND d.id IS NOT NULL AND d.basis <> 'lapse'
                    AND (d.basis = 'clause' OR d.day <> a.day)))""",  # noqa: S608
        scope.parameters,
    )


def find_wanted(cursor: CursorWrapper, scope: Scope, now: dt.datetime) -> None:
    """Fill ``wanted``: what patients must be told once the changes hold.

    The four ``tell_*`` columns are ``rules.told_over``, ``rank`` is ``rules.telling_rank``,
    worked out once per combination of facts. What an unreachable notice already tried to say in
    vain is not tried again.

    Args:
        now: the current moment.
    """
    cursor.execute(
        f"""INSERT INTO wanted (patient_id, day, subject_id, starts_at, site_id, word, channel,
                reserved_for_id, not_before, rank, ignores_quiet_hours, postponed_to)
            SELECT patient_id, day, id, starts_at, site_id, outcome, channel,
                CASE WHEN is_kept = 1 THEN practitioner_id END,
                CASE WHEN (channel = 'sms' OR is_kept = 1) AND release_at > %s
                    THEN release_at ELSE %s END,
                rank, ignores_quiet_hours, postponed_to
            FROM (
                SELECT b.*, CASE
                    WHEN is_unsure = 1 THEN 'phone'
                    WHEN last_word = outcome
                        AND COALESCE(last_day, {NO_DAY}) = COALESCE(postponed_to, {NO_DAY}) THEN ''
                    WHEN postponed_to IS NOT NULL
                        OR (heard IS NOT NULL AND last_day IS NOT NULL) THEN 'phone'
                    WHEN heard IS NOT NULL AND outcome = 'maintained' THEN 'phone'
                    WHEN heard IS NOT NULL THEN tell_change
                    WHEN outcome = 'cancelled' THEN tell_cancelled
                    WHEN basis = 'lapse' THEN ''
                    WHEN basis = 'person' THEN tell_kept
                    ELSE tell_maintained END AS channel,
                    CASE WHEN heard IS NULL AND basis = 'person' AND outcome = 'maintained'
                        AND practitioner_id IS NOT NULL AND tell_cancelled <> ''
                        AND clause_outcome = 'cancelled' THEN 1 ELSE 0 END AS is_kept
                FROM ({_standing(scope)}) b
                WHERE outcome IN ('cancelled', 'maintained')
            ) c
            WHERE channel <> ''""",  # noqa: S608
        [as_parameter(now), as_parameter(now), *scope.parameters],
    )


def _standing(scope: Scope) -> str:
    """Return the query of what holds for each appointment, and what its patient heard."""
    return f"""
        SELECT a.id, a.patient_id, a.day, a.starts_at, a.practitioner_id, u.site_id,
            COALESCE(c.outcome, a.outcome) AS outcome,
            COALESCE(c.basis, a.outcome_basis) AS basis, f.release_at,
            f.outcome AS clause_outcome,
            f.tell_cancelled, f.tell_maintained, f.tell_kept, f.tell_change,
            f.rank, f.ignores_quiet_hours,
            CASE WHEN c.appointment_id IS NULL THEN a.postponed_to END AS postponed_to,
            CASE WHEN h.is_in_vain = 0 THEN h.word END AS heard,
            h.word AS last_word, h.postponed_to AS last_day, h.is_unsure
        FROM appointments_appointment a
        JOIN staff_unit u ON u.id = a.unit_id
        JOIN ruled_facts f ON {SAME_FACTS}
        LEFT JOIN ruled_change c ON c.appointment_id = a.id
        LEFT JOIN heard h ON h.subject_id = a.id AND h.day = a.day
        WHERE {LIVE} AND {scope.condition("a")}"""  # noqa: S608


def append_decisions(cursor: CursorWrapper, now: dt.datetime) -> None:
    """Append the decisions of ``ruled_change`` and repeat them beside the appointments."""
    cursor.execute(
        """INSERT INTO appointments_decision (appointment_id, version, day, outcome, basis,
               bulletin_id, clause_id, decided_by_id, decided_at, reason)
           SELECT appointment_id, version, day, outcome, basis, bulletin_id, clause_id,
               NULL, %s, '' FROM ruled_change""",
        [as_parameter(now)],
    )
    cursor.execute(
        """UPDATE appointments_appointment SET outcome = c.outcome, outcome_basis = c.basis,
               decision_version = c.version, postponed_to = NULL
           FROM ruled_change c WHERE c.appointment_id = appointments_appointment.id"""
    )
