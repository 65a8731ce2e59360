"""A hospital group of any number of appointments, written by the database itself.

Six sites with ten units each and some 1,300 appointments on a weekday, however many rows there
are: what grows with the years is the past and the far future, not the day. So a hospital begins
with the same rows in the days around *today*, Monday 16 May 2022, and grows only before and
after them. As many patients as appointments; one in four appointments is of somebody who has
another that day.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import count, islice

from appointments.models import Appointment, Feed
from patients.models import Patient, PatientIdentifier
from patients.names import search_name
from staff.database import is_postgresql
from staff.models import Practitioner, Site, Unit
from tests.bench import sql
from tests.builders import MONDAY, at

TODAY = MONDAY
FIRST = 2_000_000
ONE_DAY = dt.timedelta(days=1)
# Of a thousand appointments around today: last Friday, this week (the bulletin's), the next one.
AROUND_TODAY = {-3: 100, 0: 130, 1: 128, 2: 128, 3: 127, 4: 127, **dict.fromkeys(range(7, 12), 52)}
SITES = ("arlon", "bastogne", "bertrix", "libramont", "marche", "virton")
KINDS = (
    *[("clinic", "consultation")] * 4,
    ("operating_theatre", "surgery"),
    ("imaging_room", "radiology"),
    ("imaging_room", "nuclear_medicine"),
    ("sampling_centre", "blood_sampling"),
    ("covid_centre", "covid_centre"),
    ("ward", "dialysis"),
)
WITHOUT_DOCTOR = ("blood_sampling", "covid_centre")
DOCTORS_PER_UNIT = 3
# Two thousand family names, and one that is one per cent of all: a page is full at any size.
COMMON_NAME, ONE_IN = "Dupont", 101
_HEADS = """lam bert mar col hen gil den lou ros van wil fon jac mat nic pir rem sim tho vin
    arn bod cla des eva far gou hub jad kel lef mon nol odo pet que ray ser tir urb"""
_TAILS = """ert ot in eau elle ard y on ier as is ons aux ez et ens ain ol ique uin art os ault
    erie ette ande oux ec el ac igny ois ange our ives ille ance ach eur ise och ugue ant iel ey
    ale ure ost ane ume"""
NAMES = [(head + tail).title() for head in _HEADS.split() for tail in _TAILS.split()]
_GIVEN_HEADS, _GIVEN_TAILS = "an ju ma lu so el no lé ar vi", "ne lie rie cie phie ise ra na mie da"
GIVEN = [head.title() + tail for head in _GIVEN_HEADS.split() for tail in _GIVEN_TAILS.split()]
BIRTHDAYS = 33_000  # days from 1930 on
# Whose birthday is not known is given the first of January.
NO_BIRTHDAY, NO_BIRTHDAY_ONE_IN = "1960-01-01", 103


def build(rows: int) -> None:
    """Write the reference data and the days around today, with ``rows`` appointments in all."""
    for model in (Patient, PatientIdentifier, Appointment):
        sql.begin_numbers(model, FIRST)
    _reference_data()
    _lists()
    number, weights = FIRST, sum(AROUND_TODAY.values())
    for days, weight in AROUND_TODAY.items():
        per_day = round(rows * weight / weights)
        expect([TODAY + days * ONE_DAY], first=number, per_day=per_day)
        number += per_day
    sql.continue_numbers(Patient, PatientIdentifier, Appointment)


def grow(rows: int, *, per_day: int) -> list[tuple[int, int]]:
    """Write ``rows`` appointments more, four fifths in the past, and return their numbers.

    Returns:
        The first and the last number of those in the past, then of those in the future.
    """
    _lists()
    days = -(-rows // per_day)
    past = days * 4 // 5
    future = days - past
    begins, ends = min(AROUND_TODAY), max(AROUND_TODAY)
    earlier = list(islice(_weekdays(TODAY + begins * ONE_DAY, -ONE_DAY), past))
    later = list(islice(_weekdays(TODAY + ends * ONE_DAY, ONE_DAY), future))
    written = expect(earlier[::-1], first=1, per_day=per_day)
    return [written, expect(later, first=written[1] + 1, per_day=per_day)]


def expect(days: Sequence[dt.date], *, first: int, per_day: int) -> tuple[int, int]:
    """Write the patients and the appointments of some days; return the first and last number.

    Patient and appointment have the same number, but for those who come twice a day.
    """
    last = first + len(days) * per_day - 1
    sql.table("bench_day", "n INTEGER PRIMARY KEY, day DATE", list(enumerate(days)))
    numbers = sql.series(first, last)
    _patients(numbers)
    _appointments(f"FROM {numbers} JOIN bench_day d ON d.n = (i - {first}) / {per_day}", per_day)
    return first, last


def _weekdays(after: dt.date, step: dt.timedelta) -> Iterator[dt.date]:
    days = (after + n * step for n in count(1))
    return (day for day in days if day.weekday() < 5)


def _reference_data() -> None:
    Feed.objects.create(name="bench", heard_at=at("2022-05-16 07:00"))
    for site in SITES:
        Site.objects.create(code=site, name=site.title(), callback_number="+3263000000")
    sites = list(Site.objects.order_by("code"))
    Unit.objects.bulk_create(
        Unit(site=site, code=f"{site.code}-{n}", name=f"{service} {n}", kind=kind)
        for site in sites
        for n, (kind, service) in enumerate(KINDS)
    )
    Practitioner.objects.bulk_create(
        Practitioner(code=f"d{n}", family_name=NAMES[n * 11], given_name=GIVEN[n % 100])
        for n in range(DOCTORS_PER_UNIT * len(KINDS) * len(sites))
    )


def _lists() -> None:
    """Give the statements their lists of units and names, which live as long as the connection."""
    units, doctors = (list(model.objects.order_by("pk")) for model in (Unit, Practitioner))
    services = [service for _site in SITES for _kind, service in KINDS]
    columns = "n INTEGER PRIMARY KEY, id BIGINT, service VARCHAR(20), doctor BIGINT"
    sql.table(
        "bench_unit",
        columns,
        [
            (n, unit.pk, services[n], doctors[n * DOCTORS_PER_UNIT].pk)
            for n, unit in enumerate(units)
        ],
    )
    people = [(name, given) for name in (COMMON_NAME, *NAMES) for given in GIVEN]
    sql.table(
        "bench_name",
        "n INTEGER PRIMARY KEY, family VARCHAR(80), given VARCHAR(80), folded VARCHAR(170)",
        [(n, *person, search_name(*person)) for n, person in enumerate(people)],
    )


def _patients(numbers: str) -> None:
    per_name = len(GIVEN)
    family = f"CASE WHEN i % {ONE_IN} = 0 THEN 0 ELSE 1 + i * 7919 % {len(NAMES)} END"
    names = (
        f"bench_name p ON p.n = ({family}) * {per_name} + (i * 31 + i / {len(NAMES)}) % {per_name}"
    )
    sql.insert(
        Patient,
        {
            "id": "i",
            "family_name": "family",
            "given_name": "given",
            "search_name": "folded",
            "birth_date": f"CASE WHEN i % {NO_BIRTHDAY_ONE_IN} = 1 THEN DATE('{NO_BIRTHDAY}')"
            f" ELSE {sql.date('1930-01-01', f'i * 7919 % {BIRTHDAYS}')} END",
            "language": "CASE WHEN i % 20 = 0 THEN 'nl' WHEN i % 10 = 1 THEN 'de' ELSE 'fr' END",
            "national_number": sql.padded("i * 97", 11),
            "national_number_valid": sql.boolean(True),
            "mobile": f"CASE WHEN i % 12 = 0 THEN '' ELSE '+3247' || {sql.padded('i', 7)} END",
            "landline": f"CASE WHEN i % 3 = 0 THEN '+3263' || {sql.padded('i', 7)} ELSE '' END",
        },
        f"FROM {numbers} JOIN {names}",
    )
    json = "::jsonb" if is_postgresql() else ""
    record = {"id": "i", "patient_id": "i", "system": "'bench'", "value": "'D-' || i"}
    record |= {"linked_numbers": f"'[]'{json}", "linked_kept": f"'{{}}'{json}"}
    sql.insert(PatientIdentifier, record, f"FROM {numbers}")


def _appointments(source: str, per_day: int) -> None:
    feed, read_at = Feed.objects.get(name="bench"), sql.moment(f"'{TODAY - ONE_DAY}'", "600")
    units = len(SITES) * len(KINDS)
    is_moved, is_missing = "i % 301 = 0", "i % 499 = 0"
    without_doctor = ", ".join(f"'{service}'" for service in WITHOUT_DOCTOR)
    sql.insert(
        Appointment,
        {
            "id": "i",
            "feed_id": str(feed.pk),
            "source_id": "'A' || i",
            "patient_id": "CASE WHEN i % 4 = 3 THEN i - 1 ELSE i END",
            "unit_id": "u.id",
            "practitioner_id": f"CASE WHEN u.service IN ({without_doctor}) THEN NULL"
            f" ELSE u.doctor + i / {units} % {DOCTORS_PER_UNIT} END",
            "service": "u.service",
            "status": _status(),
            "day": "d.day",
            "starts_at": sql.moment("d.day", f"360 + (i % {per_day}) * 540 / {per_day}"),
            "minutes": "20",
            "act": "'Acte ' || i % 40",
            "priority": "CASE WHEN i % 50 = 7 THEN 'urgent' ELSE 'routine' END",
            "protected_groups": "CASE WHEN i % 60 = 1 THEN 'oncology' WHEN i % 90 = 2"
            " THEN 'pregnancy' ELSE '' END",
            "row_digest": sql.padded("i", 32),
            "loaded_at": read_at,
            "moved_from": f"CASE WHEN {is_moved} THEN {sql.moment('d.day', '300')} END",
            "moved_at": f"CASE WHEN {is_moved} THEN {read_at} END",
            "missing_since": f"CASE WHEN {is_missing} THEN {read_at} END",
            "outcome": "''",
            "outcome_basis": "''",
            "decision_version": "0",
        },
        f"{source} JOIN bench_unit u ON u.n = i * 37 % {units}",
    )


def _status() -> str:
    past = "CASE WHEN i % 20 = 3 THEN 'noshow' WHEN i % 50 = 9 THEN 'cancelled'"
    ahead = "CASE WHEN i % 200 = 9 THEN 'cancelled' ELSE 'booked' END"
    return f"CASE WHEN d.day < '{TODAY}' THEN {past} ELSE 'fulfilled' END ELSE {ahead} END"
