"""Applying a bulletin against the bare SQL that writes the same rows, in the same run.

Ten days of equal size; our code and the bare SQL take turns, a fresh day each, so that neither
profits from the other's warm pages. ``BENCH_ROWS`` appointments in all (default 1,000,000).
"""

import datetime as dt
import statistics
import time

import pytest
from django.db import connection, transaction

from appointments.bulletins.preview import preview
from appointments.decisions import rulings
from appointments.models import Appointment, Bulletin, Clause, Decision
from notifications.models import Delivery, Notice, NoticeItem
from staff.database import is_postgresql
from tests.appointments.bulletins.builders import (
    RELEASE,
    SATURDAY_NOON,
    a_draft,
    somebody_in_the_crisis_cell,
)

# What has begun is told to nobody: the days lie ahead.
pytestmark = [pytest.mark.bench, pytest.mark.usefixtures("saturday_noon")]

BARE = (
    """INSERT INTO appointments_decision (appointment_id, version, day, outcome, basis,
           bulletin_id, clause_id, decided_at, reason)
       SELECT id, 1, day, 'cancelled', 'clause', {bulletin}, {clause}, '{now}', ''
       FROM appointments_appointment WHERE day = '{day}'""",
    """UPDATE appointments_appointment SET outcome = 'cancelled', outcome_basis = 'clause',
           decision_version = 1 WHERE day = '{day}'""",
    """INSERT INTO notifications_notice (patient_id, day, version, state, site_id, first_at,
           created_at)
       SELECT a.patient_id, a.day, 1, 'open', MIN(u.site_id), MIN(a.starts_at), '{now}'
       FROM appointments_appointment a JOIN staff_unit u ON u.id = a.unit_id
       WHERE a.day = '{day}' GROUP BY a.patient_id, a.day""",
    """INSERT INTO notifications_noticeitem (notice_id, subject_id, starts_at, site_id, word)
       SELECT n.id, a.id, a.starts_at, u.site_id, 'cancelled'
       FROM appointments_appointment a JOIN staff_unit u ON u.id = a.unit_id
       JOIN notifications_notice n ON n.patient_id = a.patient_id AND n.day = a.day
       WHERE a.day = '{day}'""",
    """INSERT INTO notifications_delivery (notice_id, channel, number, state, address, not_before,
           urgency, ignores_quiet_hours, body, parts, gateway, client_reference, provider_id,
           claimed_by, failure, remark)
       SELECT n.id, CASE WHEN p.mobile <> '' THEN 'sms' ELSE 'phone' END, 1,
           CASE WHEN p.mobile <> '' THEN 'held' ELSE 'queued' END, p.mobile, '{release}',
           81704, {no}, '', 0, '', '', '', '', '', ''
       FROM notifications_notice n JOIN patients_patient p ON p.id = n.patient_id
       WHERE n.day = '{day}'""",
)


@transaction.atomic
def bare(day: dt.date, clause: Clause) -> None:
    """Write the rows of one day with nothing but SQL."""
    values = {
        "day": day,
        "bulletin": clause.bulletin_id,
        "clause": clause.pk,
        "now": "2022-05-14 10:00:00+00:00" if is_postgresql() else "2022-05-14 10:00:00",
        "release": RELEASE,
        "no": "FALSE",
    }
    with connection.cursor() as cursor:
        for statement in BARE:
            cursor.execute(statement.format(**values))


def written(day: dt.date) -> list[int]:
    """Count the rows of a day."""
    return [
        Decision.objects.filter(day=day).count(),
        Appointment.objects.filter(day=day, outcome="cancelled").count(),
        Notice.objects.filter(day=day).count(),
        NoticeItem.objects.filter(notice__day=day).count(),
        Delivery.objects.filter(notice__day=day).count(),
    ]


def put_in_force_unapplied(days: list[dt.date]) -> Bulletin:
    """Return a bulletin that rules the days but was not applied yet: that is what is timed."""
    draft = a_draft(first_day=days[0], last_day=days[-1])
    Bulletin.objects.update(
        state="in_force",
        approved_by=somebody_in_the_crisis_cell("crise2"),
        approved_at=SATURDAY_NOON,
    )
    return draft


def test_applying_costs_little_more_than_bare_sql(ten_days, bench_rows, capsys):
    clause = put_in_force_unapplied(ten_days).clauses.get(position=1)
    ours, theirs = [], []
    for turn, day in enumerate(ten_days):
        started = time.perf_counter()
        if turn % 2:
            bare(day, clause)
            theirs.append(time.perf_counter() - started)
        else:
            rulings.rule_window(first_day=day, last_day=day)
            ours.append(time.perf_counter() - started)
        assert written(day) == [bench_rows // 10] * 5
    ratio = statistics.median(ours) / statistics.median(theirs)
    with capsys.disabled():
        print(
            f"\napplying to {bench_rows // 10:,} of {bench_rows:,} appointments on "
            f"{connection.vendor}: bare SQL {statistics.median(theirs):.2f} s, "
            f"ours {statistics.median(ours):.2f} s, ratio {ratio:.2f}"
        )


def test_previewing_changes_nothing(ten_days, bench_rows, capsys):
    draft = a_draft(first_day=ten_days[0])
    started = time.perf_counter()
    seen = preview(draft.pk)
    spent = time.perf_counter() - started
    assert seen.appointments_changed == bench_rows // 10
    assert not Decision.objects.exists()
    with capsys.disabled():
        print(f"\npreviewing {bench_rows // 10:,} on {connection.vendor}: {spent:.2f} s")
