"""The week of the bulletin at a hospital, Monday morning: most are told, some are not.

The bulletin is written and approved by the services themselves; how far the telling is, is
written over it.
"""

import dataclasses
import datetime as dt

import time_machine
from django.core.files.base import ContentFile

from appointments.bulletins import services as bulletins
from appointments.decisions import keeping
from appointments.models import (
    Appointment,
    Attendance,
    Bulletin,
    Clause,
    Decision,
    Feed,
    Opinion,
    RejectedRow,
    Roster,
    ScheduleImport,
)
from notifications.models import Delivery, Notice, NoticeItem, Question, Receipt, Reply
from staff.models import AuditEvent, AuditHead, Practitioner, Site, Unit, User
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, THE_DAY
from tests.bench import history, sql
from tests.bench.hospital import FIRST, ONE_DAY, TODAY, build, grow
from tests.builders import a_user, at

NOW = at("2022-05-16 08:00")
LAST_DAY = TODAY + 4 * ONE_DAY
# Of forty SMS: those that arrived, wait for their receipt, and of which nobody knows; one failed.
ARRIVED, AWAITED, UNKNOWN, FAILED = 30, 32, 33, 34
NUMBERED = (
    *(Bulletin, Decision, Attendance, Roster, ScheduleImport, RejectedRow),
    *(Notice, NoticeItem, Delivery, Receipt, Reply, Question, AuditEvent),
)


def at_once(rows: int) -> None:
    """Write a hospital of ``rows`` appointments around today, in its crisis."""
    for model in NUMBERED:
        sql.begin_numbers(model, FIRST)
    AuditHead.objects.create(id=1, sequence=FIRST - 1)
    build(rows)
    users = _people()
    old = [_bulletin_of_old(TODAY - days * ONE_DAY) for days in range(40, 2, -1)][-1]
    over = Appointment.objects.filter(day__lt=TODAY).order_by("pk").values_list("pk", flat=True)
    history.remember(over.first(), over.last(), by=users["clerk"], bulletin=old)
    with time_machine.travel(SATURDAY_NOON, tick=False):
        _rule(users)
    _tell()
    _answer(users)
    last = Appointment.objects.latest("pk").pk
    history.look_at(over.last() + 1, last, by=users["crisis"])
    _paper(over.first(), last, users["clerk"])
    _loads([TODAY - days * ONE_DAY for days in range(40, -1, -1)], users["operator"], first=FIRST)
    sql.continue_numbers(*NUMBERED)
    sql.settle()


def for_years(rows: int, *, per_day: int) -> None:
    """Add ``rows`` appointments of the past and the future, with all that the past leaves."""
    clerk, operator = (User.objects.get(username=name) for name in ("clerk", "operator"))
    past, future = grow(rows, per_day=per_day)
    days = Appointment.objects.filter(pk__range=past).order_by("day").values_list("day", flat=True)
    days = list(days.distinct())
    old = [_bulletin_of_old(day, number) for number, day in enumerate(days[::10], 1)]
    history.remember(*past, by=clerk, bulletin=old[0])
    history.look_at(*future, by=clerk)
    _paper(*past, clerk)
    _loads(days, operator, first=1)
    sql.settle()


def _people() -> dict[str, User]:
    """Return one person of each job, by the name under which they sign in."""
    arlon, unit = Site.objects.get(code="arlon"), Unit.objects.get(code="arlon-0")
    theatre = Unit.objects.get(code="arlon-4")
    users = {
        "crisis": a_user("crisis", "crisis_cell"),
        "crisis of a site": a_user("crisis of a site", "crisis_cell", site=arlon),
        "second": a_user("second", "crisis_cell"),
        "auditor": a_user("auditor", "auditor"),
        "director": a_user("director", "medical_director"),
        "agent": a_user("agent", "call_agent"),
        "agent of a site": a_user("agent of a site", "call_agent", site=arlon),
        "clerk": a_user("clerk", "ward_clerk"),
        "clerk of a unit": a_user("clerk of a unit", "ward_clerk", unit=unit),
        "nurse": a_user("nurse", "nurse", site=arlon),
        "operator": a_user("operator", "feed_operator"),
        "doctor": a_user("doctor", "doctor"),
        "surgeon": a_user("surgeon", "surgeon", site=arlon),
    }
    for name, place in (("doctor", unit), ("surgeon", theatre)):
        expected = Appointment.objects.filter(unit=place, day=TODAY, status="booked")
        Practitioner.objects.filter(pk=expected[0].practitioner_id).update(user=users[name])
    return users


def _bulletin_of_old(day: dt.date, number: int | None = None) -> Bulletin:
    """Return a bulletin about one day of the past that no longer rules."""
    moment = dt.datetime.combine(day - ONE_DAY, dt.time(12), tzinfo=dt.UTC)
    bulletin = Bulletin.objects.create(
        id=number,
        title=f"Bulletin du {day:%d/%m/%Y}",
        state="superseded",
        first_day=day,
        last_day=day,
        release_at=moment,
        drafted_by=User.objects.get(username="crisis"),
        drafted_at=moment,
        ready_by=User.objects.get(username="crisis"),
        ready_at=moment,
        approved_by=User.objects.get(username="second"),
        approved_at=moment,
    )
    Clause.objects.create(bulletin=bulletin, position=1, ruling="cancel", tell="cancelled")
    return bulletin


def _rule(users: dict[str, User]) -> None:
    """Put this week's bulletin in force, let the doctor keep three, draft another."""
    clauses = [dataclasses.replace(clause, keep_until=None) for clause in THE_DAY]
    window = {"by": users["crisis"], "first_day": TODAY, "last_day": LAST_DAY}
    drafted = bulletins.draft(title="Semaine", release_at=RELEASE, clauses=clauses, **window)
    bulletins.ready(bulletin_id=drafted.pk, by=users["crisis"])
    bulletins.approve(bulletin_id=drafted.pk, by=users["second"])
    later = bulletins.draft(title="La suite", release_at=RELEASE, clauses=clauses[1:], **window)
    bulletins.ready(bulletin_id=later.pk, by=users["crisis"])
    mine = Appointment.objects.filter(practitioner__user=users["doctor"], outcome="cancelled")
    for appointment in mine.filter(status="booked", day__gt=TODAY).order_by("starts_at")[:3]:
        keeping.keep(appointment_id=appointment.pk, by=users["doctor"])
    Opinion.objects.bulk_create(
        Opinion(
            appointment=one,
            role="surgeon",
            view="maintain",
            given_by=users["surgeon"],
            given_at=SATURDAY_NOON,
        )
        for one in Appointment.objects.filter(service="surgery", outcome="under_review")
        if one.pk % 3 == 0
    )


def _tell() -> None:
    """Let the SMS leave from Sunday evening on; whose failed is on the call list."""
    left = sql.moment("'2022-05-15'", "960 + id % 840")
    sent = f"""gateway = 'smpp bench', provider_id = 'q' || id, parts = 1, submitted_at = {left},
        client_reference = 'q' || id, body = 'Vivalia: votre rendez-vous est ANNULE. Ref. ' || id"""
    ended = f"{sent}, finished_at = {left}"
    ours = "channel = 'sms' AND state = 'held' AND id % 40"
    lease = sql.moment("'2022-05-16'", "600")
    for changes in (
        f"{ended}, state = 'delivered' WHERE {ours} < {ARRIVED}",
        f"{sent}, state = 'accepted', lease_until = {lease} WHERE {ours} < {AWAITED}",
        f"{sent}, state = 'unknown', lease_until = {lease} WHERE {ours} < {UNKNOWN}",
        f"{ended}, state = 'failed', failure = 'invalid_number' WHERE {ours} < {FAILED}",
        f"state = 'queued' WHERE {ours} < 40",
    ):
        sql.run(f"UPDATE notifications_delivery SET {changes}")
    week = f"day >= '{TODAY}' AND state = 'open'"
    sms = "SELECT notice_id FROM notifications_delivery WHERE channel = 'sms' AND state"
    gone = sql.moment("'2022-05-15'", "1200")
    sql.run(
        f"UPDATE notifications_notice SET state = 'told', handed_over_at = {gone},"
        f" settled_at = {gone} WHERE {week} AND id IN ({sms} = 'delivered')"
    )
    sql.run(
        f"UPDATE notifications_notice SET handed_over_at = {gone}"
        f" WHERE {week} AND id IN ({sms} IN ('accepted', 'unknown', 'failed'))"
    )
    sql.run(
        f"""INSERT INTO notifications_delivery (notice_id, channel, number, state, address,
            not_before, urgency, ignores_quiet_hours, body, parts, gateway, client_reference,
            provider_id, claimed_by, failure, remark)
        SELECT d.notice_id, 'phone', 1, 'queued', d.address, d.finished_at, d.urgency,
            d.ignores_quiet_hours, '', 0, '', '', '', '', '', ''
        FROM notifications_delivery d JOIN notifications_notice n ON n.id = d.notice_id
        WHERE d.state = 'failed' AND d.channel = 'sms' AND n.day >= '{TODAY}'"""
    )


def _answer(users: dict[str, User]) -> None:
    """Let an agent have calls on paper; let some patients write, and a gateway speak in riddles."""
    agent = users["agent"].pk
    lease, printed = (sql.moment("'2022-05-16'", minutes) for minutes in ("600", "350"))
    sql.run(
        f"""UPDATE notifications_delivery SET state = 'claimed', claimed_by = 'agent',
            caller_id = {agent}, lease_until = {lease}, printed_at = {printed}
        WHERE id IN (SELECT id FROM notifications_delivery
            WHERE channel = 'phone' AND state = 'queued' ORDER BY id DESC LIMIT 10)"""
    )
    told = {"gateway": "smpp bench", "received_at": NOW}
    Receipt.objects.bulk_create(
        Receipt(key=f"u{n}", state="delivered", provider_id=f"?{n}", **told) for n in range(30)
    )
    Reply.objects.bulk_create(
        Reply(key=f"w{n}", phone=f"+32479{n:06d}", text="STOP", meaning="stop", **told)
        for n in range(60)
    )
    answered = {"outcome": "seen", "handled_at": NOW, "handled_by": users["agent"], **told}
    Reply.objects.bulk_create(
        Reply(key=f"h{n}", phone=f"+32478{n:06d}", text="OK", meaning="other", **answered)
        for n in range(60)
    )


def _paper(first: int, last: int, by: User) -> None:
    """Write a printed sheet for each unit and day of these appointments."""
    name = ContentFile(b"%PDF-1.7")
    saved = Roster(day=TODAY, version=1)
    saved.file.save("bench.pdf", name, save=False)
    values = {"unit_id": "unit_id", "day": "day", "version": "1", "state": "'ready'"}
    values |= {"content_digest": "''", "plan_digest": "''", "pages": "1", "message": "''"}
    values |= {"file": f"'{saved.file.name}'", "made_at": sql.moment("day", "-600")}
    values |= {"made_by_id": str(by.pk)}
    rows = "SELECT DISTINCT unit_id, day FROM appointments_appointment"
    below = FIRST if first < FIRST else None
    sheets = f"FROM ({rows} WHERE id BETWEEN {first} AND {last}) AS sheets"
    sql.insert(Roster, values, sheets, below=below)


def _loads(days: list[dt.date], by: User, *, first: int) -> None:
    """Write one loaded file for each day, with five faults."""
    feed = Feed.objects.get(name="bench")
    moments = [dt.datetime.combine(day, dt.time(5), tzinfo=dt.UTC) for day in days]
    loads = ScheduleImport.objects.bulk_create(
        ScheduleImport(
            id=number,
            feed=feed,
            state="loaded",
            file_name=f"agenda-{moment:%Y%m%d}.csv",
            started_at=moment,
            finished_at=moment,
            started_by=by,
        )
        for number, moment in enumerate(moments, first)
    )
    RejectedRow.objects.bulk_create(
        RejectedRow(schedule_import=load, line=n, column="Date", value="?", why="N'existe pas.")
        for load in loads
        for n in range(2, 7)
    )
