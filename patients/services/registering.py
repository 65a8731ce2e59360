"""Make patients known, or bring what is known of them up to date, many at a time."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from patients import national_number, phones
from patients.models import Language, Patient, PatientIdentifier
from patients.names import search_given_name, search_name

_DESCRIBED = [
    "family_name",
    "given_name",
    "birth_date",
    "language",
    "national_number",
    "national_number_valid",
    "mobile",
    "landline",
    "search_name",
    "search_given_name",
]


@dataclass(frozen=True, slots=True)
class Description:
    """What a source says of one patient; what it does not say is empty.

    Attributes:
        number: by which the source knows the patient (record number).
        phones: as written or E.164, in the source's order.
    """

    number: str
    family_name: str
    given_name: str = ""
    birth_date: dt.date | None = None
    language: str = ""
    national_number: str = ""
    phones: tuple[str, ...] = ()


@transaction.atomic
def register(*, system: str, described: Sequence[Description]) -> dict[str, int]:
    """Create the patients that a source names for the first time and update the others.

    The last description of a number counts. What a source leaves empty does not erase what is
    known: an export without telephone columns must not make every patient unreachable.

    Args:
        system: the source, as in ``PatientIdentifier.system``.
        described: a few hundred patients; a fixed number of queries each time.

    Returns:
        Number at the source → id of the patient.
    """
    newest = {one.number: one for one in described}
    known = {
        identifier.value: identifier.patient
        for identifier in PatientIdentifier.objects.filter(
            system=system, value__in=newest
        ).select_related("patient")
    }
    _update(known, newest)
    new = {number: one for number, one in newest.items() if number not in known}
    return {number: patient.pk for number, patient in (known | _create(system, new)).items()}


def _create(system: str, described: dict[str, Description]) -> dict[str, Patient]:
    patients = [Patient(**_values(one, Patient())) for one in described.values()]
    created = dict(zip(described, Patient.objects.bulk_create(patients), strict=True))
    PatientIdentifier.objects.bulk_create(
        PatientIdentifier(patient=patient, system=system, value=number)
        for number, patient in created.items()
    )
    return created


def _update(known: dict[str, Patient], described: dict[str, Description]) -> None:
    changed: dict[int, Patient] = {}  # one patient may have several numbers
    for number, patient in known.items():
        values = _values(described[number], patient)
        if any(getattr(patient, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(patient, name, value)
            changed[patient.pk] = patient
    # An upsert on the primary key: one statement, where bulk_update is ten times slower.
    Patient.objects.bulk_create(
        changed.values(), update_conflicts=True, unique_fields=["id"], update_fields=_DESCRIBED
    )


def _values(one: Description, patient: Patient) -> dict:
    """Return the fields of a patient after this description."""
    mobile, landline = _mobile_and_landline(one.phones)
    given_name = one.given_name or patient.given_name
    number = one.national_number or patient.national_number
    return {
        "family_name": one.family_name,
        "given_name": given_name,
        "birth_date": one.birth_date or patient.birth_date,
        "language": one.language or patient.language or Language.FRENCH.value,
        "national_number": number,
        "national_number_valid": not number or national_number.is_valid(number),
        "mobile": mobile or patient.mobile,
        "landline": landline or patient.landline,
        "search_name": search_name(one.family_name, given_name),
        "search_given_name": search_given_name(one.family_name, given_name),
    }


def _mobile_and_landline(written: Iterable[str]) -> tuple[str, str]:
    """Return the first mobile and the first landline, E.164, empty where there is none."""
    read = [phone for phone in map(phones.read, written) if phone is not None]
    mobiles = (phone.number for phone in read if phone.is_mobile)
    landlines = (phone.number for phone in read if not phone.is_mobile)
    return next(mobiles, ""), next(landlines, "")
