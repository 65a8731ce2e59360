"""A small hospital for browsers: ``python -m tests.browser.hospital`` fills an empty installation.

Sites, units, practitioners and sign-ins are the demo's. Of its appointments there are a few:

- Monday 16 May is not loaded yet: the test of the whole day uploads ``MONDAYS_FILE``;
- Tuesday 17 May stands under a bulletin in force, so that every page has something to show;
- Wednesday 18 May stands under a draft, for two people who approve at the same time;
- Thursday 19 May has operations under a bulletin in force, whose calls are due at once;
- Friday 20 May has patients to be told by SMS under a draft, for the crisis cell to watch;
- Saturday 14 May is today: five of docteur1's patients come, the last of them although cancelled.

Where two work at one job, the demo's one has a colleague here: see ``COLLEAGUES``.
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

from appointments.demo.hospital import DemoHospital, build
from appointments.feeds.records import ScheduleRecord
from appointments.vocabulary import Service
from patients import phones

SATURDAY, MONDAY, TUESDAY, WEDNESDAY = (dt.date(2022, 5, day) for day in (14, 16, 17, 18))
THURSDAY, FRIDAY = dt.date(2022, 5, 19), dt.date(2022, 5, 20)
TOLD_BY_SMS = (Service.CONSULTATION, Service.RADIOLOGY)
# Sign-in, whose job and roles they share, first and last name.
COLLEAGUES = (
    ("crise3", "crise2", "Marc", "Approbateur"),
    ("agent2", "agent", "Noé", "Rappelle"),
    ("anesthesiste", "chirurgien", "Ida", "Endort"),
)
MONDAYS_FILE = "lundi.csv"  # in DATA_DIR
PLAYBOOK = Path(__file__).resolve().parents[2] / "docs" / "playbooks" / "2022-05-16.toml"
# What a day has beside the four patients of ``docteur1``: service, site, how many.
OWN = 4
OTHERS = (
    (Service.CONSULTATION, "arlon", 4),
    (Service.SURGERY, "libramont", 3),
    (Service.RADIOLOGY, "arlon", 3),
    (Service.NUCLEAR_MEDICINE, "arlon", 1),
    (Service.BLOOD_SAMPLING, "arlon", 2),
    (Service.COVID_CENTRE, "arlon", 2),
    (Service.EMERGENCY, "arlon", 1),
)


def of_the_day(hospital: DemoHospital, day: dt.date) -> list[ScheduleRecord]:
    """Return a few appointments of a day, of every service some, in the order of time."""
    planned = [
        record
        for record in hospital.records
        if record.starts_at.date() == day and record.status == "booked"
    ]
    doctor = hospital.busiest(Service.CONSULTATION, "arlon").code
    own = [record for record in planned if record.practitioner_code == doctor]
    # Nobody can text these: they go to the call list.
    by_landline = [record for record in planned if record.site == "arlon" and _is_to_call(record)]
    chosen = own[:OWN] + by_landline[:2]
    for service, site, number in OTHERS:
        alike = [one for one in planned if one.service == service.value and one.site == site]
        chosen += [one for one in alike if one not in own][:number]
    once = {record.source_id: record for record in chosen}
    return sorted(once.values(), key=lambda record: (record.starts_at, record.source_id))


def operations_of(hospital: DemoHospital, day: dt.date) -> list[ScheduleRecord]:
    """Return four operations of a day: one for each ruling, and one for two who meet over it."""
    planned = [
        one
        for one in hospital.records
        if (one.starts_at.date(), one.service, one.site) == (day, Service.SURGERY, "libramont")
        and one.status == "booked"
    ]
    return sorted(planned, key=lambda record: (record.starts_at, record.source_id))[:4]


def of_today(hospital: DemoHospital) -> list[ScheduleRecord]:
    """Return five patients of ``docteur1`` for the day of the drill, the last one cancelled."""
    doctor = hospital.busiest(Service.CONSULTATION, "arlon").code
    planned = [one for one in of_the_day(hospital, MONDAY) if one.practitioner_code == doctor]
    others = [one for one in of_the_day(hospital, MONDAY) if one.practitioner_code != doctor]
    chosen = [*planned[:OWN], others[0]]
    return [
        replace(
            record,
            source_id=f"S{record.source_id}",
            unit=chosen[0].unit,
            site=chosen[0].site,
            service=chosen[0].service,
            practitioner_code=doctor,
            starts_at=chosen[0].starts_at - dt.timedelta(days=2, minutes=-20 * number),
            status="cancelled" if number == OWN else "booked",
        )
        for number, record in enumerate(chosen)
    ]


def _is_to_call(record: ScheduleRecord) -> bool:
    read = [phones.read(phone) for phone in record.phones]
    has_mobile = any(phone and phone.is_mobile for phone in read)
    return record.service == Service.CONSULTATION.value and not has_mobile


def write_mondays_file(hospital: DemoHospital, path: Path) -> None:
    """Write the schedule of Monday as a hospital exports it, with four bad rows."""
    from appointments.demo.loading import write_csv

    write_csv(replace(hospital, records=tuple(of_the_day(hospital, MONDAY))), path)


def fill() -> None:
    """Fill an empty installation."""
    from django.conf import settings

    from appointments.bulletins import services as bulletins
    from appointments.bulletins.playbooks import read
    from appointments.demo.loading import FEED, TERMS, load_reference_data
    from appointments.feeds.importing.services import load_records
    from staff import clock
    from staff.models import User
    from vivalia_continuity import embedded

    embedded.make_folders()
    embedded.make_database()
    embedded.gather_static_files()
    hospital = build()
    load_reference_data(hospital)
    write_mondays_file(hospital, settings.DATA_DIR / MONDAYS_FILE)
    records = [*of_the_day(hospital, TUESDAY), *of_the_day(hospital, WEDNESDAY)]
    records += operations_of(hospital, THURSDAY)
    records += [one for one in of_the_day(hospital, FRIDAY) if one.service in TOLD_BY_SMS]
    load_records(feed_name=FEED, records=records, terms=TERMS)
    load_records(feed_name=FEED, records=of_today(hospital), terms=TERMS)
    for sign_in, alike, first_name, last_name in COLLEAGUES:
        _engage(sign_in, alike, first_name, last_name)
    first, second = (User.objects.get(username=name) for name in ("crise1", "crise2"))
    order = read(PLAYBOOK.read_text(encoding="utf-8"))
    tuesday = drafted(first, moved(order, TUESDAY))
    bulletins.approve(bulletin_id=tuesday.pk, by=second)
    drafted(first, moved(order, WEDNESDAY))
    at_once = {"release_at": clock.now() - dt.timedelta(minutes=1)}
    thursday = drafted(first, moved(order, THURSDAY) | at_once)
    bulletins.approve(bulletin_id=thursday.pk, by=second)
    drafted(first, moved(order, FRIDAY))
    _hear_back()
    _lose_one()
    _load_a_file(first)


def drafted(author: Any, content: dict[str, Any]) -> Any:
    """Return a draft that its author calls ready."""
    from appointments.bulletins import services as bulletins

    draft = bulletins.draft(by=author, **content)
    return bulletins.ready(bulletin_id=draft.pk, by=author)


def _engage(sign_in: str, alike: str, first_name: str, last_name: str) -> None:
    """Give somebody a colleague with the same roles."""
    from staff.models import User

    colleague = User.objects.get(username=alike)
    roles = list(colleague.role_assignments.values("role", "site", "unit"))
    colleague.pk, colleague.username = None, sign_in
    colleague.first_name, colleague.last_name = first_name, last_name
    colleague.save(force_insert=True)
    for one in roles:
        colleague.role_assignments.create(
            role=one["role"], site_id=one["site"], unit_id=one["unit"]
        )


def _hear_back() -> None:
    """Let the gateway report what belongs to nobody here, so that the pages about it show it."""
    from notifications.gateways import Inbound, ReceiptReport
    from notifications.models import Failure, ReceiptState
    from notifications.receipts.receive import receive
    from patients.models import Patient
    from staff import clock

    lost = ReceiptReport(
        state=ReceiptState.FAILED,
        provider_ids=("1a2b3c4d5e6f" * 4, "18446744073709551615"),
        phone="+32470999999",
        failure=Failure.BARRED,
        remark="id:1a2b3c sub:001 dlvrd:000 stat:UNDELIV err:021",
        happened_at=clock.now(),
    )
    patient = Patient.objects.exclude(mobile="").order_by("id")[0]
    thanks = Inbound(phone=patient.mobile, text="Merci, mais quand puis-je revenir ? " * 4)
    receive(gateway="console", reports=[lost, thanks, Inbound(phone=lost.phone, text="STOP")])


def _lose_one() -> None:
    """Let one SMS be handed over and its receipt not come, so that there is something to settle.

    The gateway gave it a number: without one it would simply be submitted again.
    """
    from django.utils import timezone

    from notifications import rules
    from notifications.models import Delivery, Notice
    from notifications.telling.outbox import lines_of
    from notifications.texts import render as texts
    from staff import clock

    held = Delivery.objects.filter(channel="sms", state="held").order_by("-id")
    lost = held.select_related("notice__patient", "notice__site")[0]
    text = texts.of_notice(lost.notice, lines_of(lost.notice))
    now = clock.now()
    Delivery.objects.filter(pk=lost.pk).update(
        state="unknown",
        gateway="console",
        client_reference="lost-in-the-hospital-of-browsers"[:32],
        provider_id="lost-in-the-hospital",
        body=text,
        parts=rules.count(text).parts,
        submitted_at=now,
        lease_until=timezone.now() + dt.timedelta(hours=10),  # leases run on the real clock
    )
    Notice.objects.filter(pk=lost.notice_id).update(handed_over_at=now)


def _load_a_file(operator) -> None:
    """Let a file have been loaded, one row of which was refused."""
    from appointments.models import Feed, ImportState
    from staff import clock
    from staff.services import audit

    load = Feed.objects.get().imports.create(
        state=ImportState.LOADED,
        file_name="agenda-du-13-mai.csv",
        rows_total=2,
        rows_created=1,
        rows_rejected=1,
        started_at=clock.now(),
        finished_at=clock.now(),
        started_by=operator,
    )
    load.rejected_rows.create(line=3, column="Date", value="31/02/2022", why="N'existe pas.")
    audit.record(action="schedule.loaded", by=operator, subject=load)


def moved(order: Any, day: dt.date) -> dict[str, Any]:
    """Return what a playbook says, for another day."""
    content = vars(order.starting(day))
    return content | {"title": f"Panne informatique : activité du {day:%d/%m/%Y}"}


if __name__ == "__main__":
    import os

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "vivalia_continuity.settings"
    django.setup()
    fill()
