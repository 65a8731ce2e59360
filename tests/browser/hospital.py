"""A small hospital for browsers: ``python -m tests.browser.hospital`` fills an empty installation.

Sites, units, practitioners and sign-ins are the demo's. Of its appointments there are a few:

- Monday 16 May is not loaded yet: that file is what the test of the whole day uploads;
- Tuesday 17 May stands under a bulletin in force, so that every page has something to show;
- Wednesday 18 May stands under a draft, for two people who approve at the same time; so the
  crisis cell has a third member here.
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path

from appointments.demo.hospital import DemoHospital, build
from appointments.feeds.records import ScheduleRecord
from appointments.vocabulary import Service
from patients import phones

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2022, 5, day) for day in (16, 17, 18))
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


def _is_to_call(record: ScheduleRecord) -> bool:
    read = [phones.read(phone) for phone in record.phones]
    has_mobile = any(phone and phone.is_mobile for phone in read)
    return record.service == Service.CONSULTATION.value and not has_mobile


def write_mondays_file(path: Path) -> None:
    """Write the schedule of Monday as a hospital exports it, with four bad rows."""
    from appointments.demo.export import write_csv

    hospital = build()
    write_csv(replace(hospital, records=tuple(of_the_day(hospital, MONDAY))), path)


def fill() -> None:
    """Fill an empty installation."""
    from appointments.demo.loading import FEED, load_reference_data
    from appointments.playbooks import read
    from appointments.services import bulletins
    from appointments.services.importing import load_records
    from staff.models import Role, User
    from vivalia_continuity import embedded

    embedded.make_folders()
    embedded.make_database()
    embedded.gather_static_files()
    hospital = build()
    load_reference_data(hospital)
    records = [*of_the_day(hospital, TUESDAY), *of_the_day(hospital, WEDNESDAY)]
    load_records(feed_name=FEED, records=records, is_full_export=False)
    third = User.objects.get(username="crise2")
    third.pk, third.username = None, "crise3"
    third.save(force_insert=True)
    third.role_assignments.create(role=Role.CRISIS_CELL)
    first, second = (User.objects.get(username=name) for name in ("crise1", "crise2"))
    order = read(PLAYBOOK.read_text(encoding="utf-8"))
    tuesday = bulletins.draft(by=first, **_moved(order, TUESDAY))
    bulletins.approve(bulletin_id=tuesday.pk, by=second)
    bulletins.draft(by=first, **_moved(order, WEDNESDAY))


def _moved(order, day: dt.date) -> dict:
    moved = vars(order.starting(day))
    return moved | {"title": f"Panne informatique : activité du {day:%d/%m/%Y}"}


if __name__ == "__main__":
    import os

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "vivalia_continuity.settings"
    django.setup()
    fill()
