"""The whole demo hospital from a seed, and its schedule as records of a feed."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from random import Random

from appointments.demo.agenda import Agenda, DemoAppointment
from appointments.demo.people import (
    SITES,
    DemoPatient,
    DemoPractitioner,
    DemoSite,
    DemoUnit,
    make_patients,
    make_practitioners,
    make_units,
)
from appointments.feeds.records import ScheduleRecord
from appointments.vocabulary import Service
from staff import clock

SEED = 20220514
PATIENTS = 9_000
BULLETIN_DAY = dt.date(2022, 5, 16)
# The last export before the attack: on the evening before the demo's day.
EXPORTED_AT = dt.datetime(2022, 5, 13, 23, 30, tzinfo=clock.BRUSSELS)


@dataclass(frozen=True)
class DemoHospital:
    """Reference data, people, and the records of four weeks in order of time."""

    sites: tuple[DemoSite, ...]
    units: tuple[DemoUnit, ...]
    practitioners: tuple[DemoPractitioner, ...]
    patients: tuple[DemoPatient, ...]
    records: tuple[ScheduleRecord, ...]

    @cached_property
    def _planned_on_the_day(self) -> dict[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = {}
        for record in self.records:
            if record.starts_at.date() == BULLETIN_DAY and record.status == "booked":
                key = (record.service, record.practitioner_code)
                counts[key] = counts.get(key, 0) + 1
        return counts

    def busiest(self, service: Service, site: str) -> DemoPractitioner:
        """Return the doctor of a site with the most acts of a service on the bulletin's day."""
        units = {unit.code for unit in self.units if unit.site == site}
        doctors = [doctor for doctor in self.practitioners if doctor.unit in units]
        return max(doctors, key=lambda d: self._planned_on_the_day.get((service.value, d.code), 0))


def build(seed: int = SEED, *, patients: int = PATIENTS) -> DemoHospital:
    """Return the hospital of a seed; the same seed gives the same one on every Python.

    ``random.Random`` promises that only for ``random()`` and a seed, and what is used here
    (choice, choices, sample, shuffle, randrange) has not changed since Python 3.11.
    """
    rng = Random(seed)  # noqa: S311 - reproducible, not secret
    units = make_units()
    practitioners = make_practitioners(units, rng)
    people = make_patients(patients, rng)
    appointments = sorted(
        Agenda(units, practitioners, people, rng).fill(),
        key=lambda one: (one.starts_at, one.unit.code, one.patient.number),
    )
    return DemoHospital(
        sites=SITES,
        units=units,
        practitioners=practitioners,
        patients=tuple(people),
        records=tuple(_record(line, planned) for line, planned in enumerate(appointments, 2)),
    )


def _record(line: int, planned: DemoAppointment) -> ScheduleRecord:
    patient, doctor = planned.patient, planned.practitioner
    return ScheduleRecord(
        line=line,
        source_id=f"RV{line - 1:06}",
        patient_id=patient.number,
        family_name=patient.family_name,
        given_name=patient.given_name,
        birth_date=patient.birth_date,
        language=patient.language,
        national_number=patient.national_number,
        phones=patient.phones,
        site=planned.unit.site,
        unit=planned.unit.code,
        unit_name=planned.unit.name,
        service=planned.unit.service.value,
        practitioner_code=doctor.code if doctor else "",
        practitioner_name=doctor.full_name if doctor else "",
        starts_at=planned.starts_at,
        minutes=planned.minutes,
        act=planned.act,
        status=planned.status,
        priority=planned.priority,
        protected_groups=frozenset(group.value for group in planned.groups),
    )
