"""Make patients known, or bring what is known of them up to date, many at a time."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from patients import national_number, phones
from patients.identity import Person, is_worse_number
from patients.models import Language, Patient, PatientIdentifier
from patients.names import search_given_name, search_name
from patients.phones import Phone
from patients.services.numbers import main_numbers, write_numbers
from staff import clock

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
        phones: as written or E.164, one number each, in the source's order.
        is_name_certain: when not, the family name only serves to create; it never replaces one.
    """

    number: str
    family_name: str
    given_name: str = ""
    birth_date: dt.date | None = None
    language: str = ""
    national_number: str = ""
    phones: tuple[str, ...] = ()
    is_name_certain: bool = True


@dataclass(frozen=True, slots=True)
class KnownPatient:
    """Who is known under a record number, and since when (None: that was not kept)."""

    patient: Patient
    since: dt.datetime | None

    @property
    def person(self) -> Person:
        """What tells the patient from others."""
        who = self.patient
        return Person(who.family_name, who.given_name, who.birth_date, who.national_number)


def known_patients(*, system: str, numbers: Iterable[str]) -> dict[str, KnownPatient]:
    """Return who is known under the record numbers of a source (two queries)."""
    known = PatientIdentifier.objects.filter(system=system, value__in=set(numbers))
    return {
        identifier.value: KnownPatient(identifier.patient, identifier.known_since)
        for identifier in known.select_related("patient").prefetch_related("patient__phones")
    }


@transaction.atomic
def register(
    *,
    system: str,
    described: Sequence[Description],
    known: Mapping[str, KnownPatient] | None = None,
) -> dict[str, int]:
    """Create the patients that a source names for the first time and update the others.

    The last description of a number counts, value by value. What a source leaves empty does not
    erase what is known: an export without telephone columns must not make every patient
    unreachable. Neither does a national number that fails its checks replace a valid one.
    Whether a description is of the person known is asked before (``patients/identity.py``).

    Args:
        system: the source, as in ``PatientIdentifier.system``.
        described: a few hundred patients; a fixed number of queries each time.
        known: of these record numbers, read in this transaction; None to read them here.

    Returns:
        Number at the source → id of the patient.
    """
    newest: dict[str, Description] = {}
    for one in described:
        newest[one.number] = _after(newest.get(one.number), one)
    if known is None:
        known = known_patients(system=system, numbers=newest)
    old = {number: known[number].patient for number in newest if number in known}
    _update(old, newest)
    new = {number: one for number, one in newest.items() if number not in known}
    return {number: patient.pk for number, patient in (old | _create(system, new)).items()}


def _after(earlier: Description | None, one: Description) -> Description:
    """Return a description with what it leaves empty taken from an earlier one."""
    if earlier is None:
        return one
    number = one.national_number
    if is_worse_number(number, earlier.national_number):
        number = ""
    is_certain = one.is_name_certain
    return replace(
        one,
        family_name=one.family_name if is_certain else earlier.family_name,
        is_name_certain=is_certain or earlier.is_name_certain,
        given_name=one.given_name or earlier.given_name,
        birth_date=one.birth_date or earlier.birth_date,
        language=one.language or earlier.language,
        national_number=number or earlier.national_number,
        phones=tuple(dict.fromkeys((*one.phones, *earlier.phones))),
    )


def _create(system: str, described: dict[str, Description]) -> dict[str, Patient]:
    told = {number: phones.merged(_said(one), ()) for number, one in described.items()}
    patients = [
        Patient(**_values(one, Patient()), **main_numbers(told[number]))
        for number, one in described.items()
    ]
    created = dict(zip(described, Patient.objects.bulk_create(patients), strict=True))
    write_numbers({created[number].pk: told[number] for number in told}, are_new=True)
    now = clock.now()
    PatientIdentifier.objects.bulk_create(
        PatientIdentifier(patient=patient, system=system, value=number, known_since=now)
        for number, patient in created.items()
    )
    return created


def _update(known: dict[str, Patient], described: dict[str, Description]) -> None:
    changed: dict[int, Patient] = {}  # one patient may have several numbers
    telephones: dict[int, tuple[Phone, ...]] = {}
    for number, patient in known.items():
        values = _values(described[number], patient)
        before = telephones.get(patient.pk, patient.numbers)
        after = phones.merged(_said(described[number]), before)
        values |= main_numbers(after)
        if after != before:
            telephones[patient.pk] = after
        if any(getattr(patient, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(patient, name, value)
            changed[patient.pk] = patient
    # An upsert on the primary key: one statement, where bulk_update is ten times slower.
    Patient.objects.bulk_create(
        changed.values(), update_conflicts=True, unique_fields=["id"], update_fields=_DESCRIBED
    )
    write_numbers(telephones)


def _values(one: Description, patient: Patient) -> dict:
    """Return the fields of a patient after this description, but for the telephones."""
    keeps_name = not one.is_name_certain and patient.family_name
    family_name = patient.family_name if keeps_name else one.family_name
    given_name = one.given_name or patient.given_name
    number = one.national_number or patient.national_number
    if is_worse_number(one.national_number, patient.national_number):
        number = patient.national_number
    return {
        "family_name": family_name,
        "given_name": given_name,
        "birth_date": one.birth_date or patient.birth_date,
        "language": one.language or patient.language or Language.FRENCH.value,
        "national_number": number,
        "national_number_valid": not number or national_number.is_valid(number),
        "search_name": search_name(family_name, given_name),
        "search_given_name": search_given_name(family_name, given_name),
    }


def _said(one: Description) -> list[Phone]:
    """Return the numbers that a description names, in order; what cannot be dialled is none."""
    return [phone for text in one.phones for phone in phones.read_cell(text).phones]
