"""Registration: the known patients of record numbers, new and changed ones, their telephones."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.db import transaction
from django.db.models import Q, prefetch_related_objects
from django.utils.translation import gettext as _

from patients import national_number, phones
from patients.identity import (
    Holder,
    Holders,
    Person,
    is_worse_number,
    names_and_birth,
    valid_number,
)
from patients.models import (
    Language,
    Likeness,
    LinkProposal,
    Patient,
    PatientIdentifier,
    PatientPhone,
    PhoneKind,
)
from patients.names import search_given_name, search_name, search_sound
from patients.phones import Phone
from staff import clock
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

MOST_HOLDERS = 2_000  # that a few hundred people resemble; a copied number has many
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
    "search_sound",
]


@dataclass(frozen=True, slots=True)
class Description:
    """The values of one patient in a source; missing ones are empty.

    Attributes:
        number: the source's number of the patient (record number).
        phones: as written or E.164, one number each, in the source's order.
        is_name_certain: if not, the family name is used for a new patient only.
        same_as: for a new number, the patient that it belongs to: a patient's id, or another record
            number of the source; the two are linked (``identity.link``).
        like: a patient that it may belong to, in the same form but for any number, and why; nothing
            is linked.
        is_newest: if not, the stored values may be newer: empty ones are filled, none replaced.
    """

    number: str
    family_name: str
    given_name: str = ""
    birth_date: dt.date | None = None
    language: str = ""
    national_number: str = ""
    phones: tuple[str, ...] = ()
    is_name_certain: bool = True
    same_as: int | str | None = None
    like: tuple[int | str, Likeness] | None = None
    is_newest: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the description of a linked number, to make a patient of it again."""
        return {
            "family_name": self.family_name if self.is_name_certain else "",
            "given_name": self.given_name,
            "birth_date": self.birth_date.isoformat() if self.birth_date else "",
            "language": self.language,
            "national_number": self.national_number,
            "phones": list(self.phones),
        }

    @classmethod
    def from_json(cls, number: str, says: Mapping[str, Any]) -> Self:
        """Return the description of a linked number from its ``as_json``."""
        birth_date = dt.date.fromisoformat(says["birth_date"]) if says["birth_date"] else None
        again = {"birth_date": birth_date, "phones": tuple(says["phones"])}
        return cls(number, **(dict(says) | again))


@dataclass(frozen=True, slots=True)
class KnownPatient:
    """The patient of a record number."""

    identifier: PatientIdentifier

    @property
    def patient(self) -> Patient:
        """The patient of the number."""
        return self.identifier.patient

    @property
    def since(self) -> dt.datetime | None:
        """When a source first named the number; None if that was not stored."""
        return self.identifier.known_since

    @property
    def person(self) -> Person:
        """The identifying values of the patient."""
        return person_of(self.patient)


def person_of(patient: Patient) -> Person:
    """Return the identifying values of a patient."""
    return Person(
        patient.family_name, patient.given_name, patient.birth_date, patient.national_number
    )


def known_patients(*, system: str, numbers: Iterable[str]) -> dict[str, KnownPatient]:
    """Return the patients of the record numbers of a source (one query)."""
    known = PatientIdentifier.objects.filter(system=system, value__in=set(numbers))
    return {
        identifier.value: KnownPatient(identifier) for identifier in known.select_related("patient")
    }


def known_holders(people: Iterable[Person]) -> Holders:
    """Return the patients who share a valid national number, or names and birth date (one query).

    Args:
        people: a few hundred; those with too few values are skipped.
    """
    holders = Holders()
    meant = _meant(list(people))
    if not meant:
        return holders
    rows = Patient.objects.filter(meant, left_records=None).order_by("id", "identifiers__id")
    seen = set()
    for pk, record, family_name, given_name, birth_date, number in rows.values_list(
        "id",
        "identifiers__value",
        "family_name",
        "given_name",
        "birth_date",
        "national_number",
    )[:MOST_HOLDERS]:
        if pk not in seen:
            seen.add(pk)
            person = Person(family_name, given_name, birth_date, number)
            holders.add(Holder(pk, person, record or ""))
    return holders


def _meant(people: Sequence[Person]) -> Q:
    numbers, names, births = set(), set(), set()
    for person in people:
        if digits := valid_number(person.national_number):
            numbers |= {person.national_number, digits, _dotted(digits)}
        if names_and_birth(person):
            names.add(search_name(person.family_name, person.given_name))
            births.add(person.birth_date)
    meant = Q()
    if numbers:
        meant |= Q(national_number__in=numbers)
    if names:
        meant |= Q(search_name__in=names, birth_date__in=births)
    return meant


def _dotted(n: str) -> str:
    """The number as the identity card prints it."""
    return f"{n[:2]}.{n[2:4]}.{n[4:6]}-{n[6:9]}.{n[9:]}"


@transaction.atomic
def register(
    *,
    system: str,
    described: Sequence[Description],
    known: Mapping[str, KnownPatient] | None = None,
) -> dict[str, int]:
    """Create the patients with a new record number and update the others.

    The last description of a number counts, value by value. An empty value does not erase a known
    one: an export without telephone columns must not make every patient unreachable. A national
    number that fails its checks does not replace a valid one.
    The caller has checked that each description is of the known person (``patients/identity.py``).
    The description of a linked number only adds telephones to its patient.

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
    own = {n: known[n].patient for n in newest if n in known and not known[n].identifier.linked_at}
    _update(own, newest)
    new = {number: one for number, one in newest.items() if number not in known}
    found = {number: known[number].patient.pk for number in newest if number in known}
    told_apart = {number: one for number, one in new.items() if one.same_as is None}
    found |= _create(system, told_apart)
    others = _resolved(system, newest.values(), found)
    linked = {
        number: others[one.same_as]
        for number, one in new.items()
        if one.same_as is not None and one.same_as in others
    }
    found |= linked
    found |= _create(system, {number: one for number, one in new.items() if number not in found})
    _link(system, known, newest, linked)
    _propose(system, newest, others)
    return found


def _after(earlier: Description | None, one: Description) -> Description:
    """Return a description with its empty values filled from an earlier one."""
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
        same_as=one.same_as if earlier.same_as is None else earlier.same_as,
        like=earlier.like or one.like,
    )


def _create(system: str, described: dict[str, Description]) -> dict[str, int]:
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
    return {number: patient.pk for number, patient in created.items()}


def _resolved(
    system: str, described: Iterable[Description], found: Mapping[str, int]
) -> dict[int | str, int]:
    """Return the certain and possible patients of new numbers; those of earlier chunks are read."""
    listed = list(described)
    named = {one.same_as for one in listed} | {one.like[0] for one in listed if one.like}
    others: dict[int | str, int] = {}
    elsewhere = []
    for other in named:
        if other is None:
            continue
        if isinstance(other, int):
            others[other] = other
        elif other in found:
            others[other] = found[other]
        else:
            elsewhere.append(other)
    if elsewhere:
        rows = PatientIdentifier.objects.filter(system=system, value__in=elsewhere)
        others |= dict(rows.values_list("value", "patient_id"))
    return others


def _link(
    system: str,
    known: Mapping[str, KnownPatient],
    newest: Mapping[str, Description],
    new: Mapping[str, int],
) -> None:
    """Store the descriptions of linked numbers, and their telephones after the patient's own."""
    now = clock.now()
    says = {number: newest[number].as_json() for number in newest}
    changed = [
        PatientIdentifier(
            system=system,
            value=number,
            patient_id=patient_id,
            known_since=now,
            linked_at=now,
            linked_says=says[number],
        )
        for number, patient_id in new.items()
    ]
    for number in newest:
        identifier = known[number].identifier if number in known else None
        if identifier and identifier.linked_at:
            before = identifier.linked_says or {}
            is_newest = newest[number].is_newest
            kept = _kept(before, says[number]) if is_newest else _kept(says[number], before)
            if kept != identifier.linked_says:
                identifier.linked_says = kept
                changed.append(identifier)
    if not changed:
        return
    patients = Patient.objects.filter(pk__in={one.patient_id for one in changed})
    people = {patient.pk: patient for patient in patients.prefetch_related("phones")}
    telephones: dict[int, tuple[Phone, ...]] = {}
    for identifier in changed:
        patient = people[identifier.patient_id]
        before = telephones.get(patient.pk, patient.numbers)
        said = phones.merged(_said(newest[identifier.value]), ())
        after = phones.merged(before, said) if before else said
        if after != before:
            telephones[patient.pk] = after
        own = {one.number for one in before}
        added = (one.number for one in after if one.number not in own)
        identifier.linked_numbers = [*dict.fromkeys([*identifier.linked_numbers, *added])]
    for pk, numbers in telephones.items():
        for column, number in main_numbers(numbers).items():
            setattr(people[pk], column, number)
    Patient.objects.bulk_create(
        [people[pk] for pk in telephones],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["mobile", "landline"],
    )
    write_numbers(telephones)
    PatientIdentifier.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["system", "value"],
        update_fields=["linked_says", "linked_numbers"],
    )


def _kept(older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """Return the newer values; a value left empty stays."""
    return {key: value or older.get(key, value) for key, value in newer.items()}


def _propose(
    system: str, described: Mapping[str, Description], others: Mapping[int | str, int]
) -> None:
    """Store the possible matches of numbers, for people to check."""
    likely = {
        number: (others[one.like[0]], one.like[1])
        for number, one in described.items()
        if one.like and one.like[0] in others
    }
    if not likely:
        return
    now = clock.now()
    records = PatientIdentifier.objects.filter(system=system, value__in=likely)
    LinkProposal.objects.bulk_create(
        (
            LinkProposal(
                record=record,
                other_id=likely[record.value][0],
                likeness=likely[record.value][1],
                proposed_at=now,
            )
            for record in records
        ),
        ignore_conflicts=True,  # proposed once, and dismissed once
    )


def _update(known: dict[str, Patient], described: dict[str, Description]) -> None:
    prefetch_related_objects([*known.values()], "phones")
    changed: dict[int, Patient] = {}  # one patient may have several numbers
    telephones: dict[int, tuple[Phone, ...]] = {}
    for number, patient in known.items():
        before = telephones.get(patient.pk, patient.numbers)
        values, after = values_after(described[number], patient, before)
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


def says_nothing_new(one: Description, known: KnownPatient) -> bool:
    """Whether a description changes nothing of the patient.

    Args:
        one: the description of a number.
        known: the patient of that number; prefetch the telephones.
    """
    if known.identifier.linked_at or one.same_as is not None or one.like:
        return False
    patient = known.patient
    values, numbers = values_after(one, patient, patient.numbers)
    same = all(getattr(patient, name) == value for name, value in values.items())
    return same and numbers == patient.numbers


def values_after(
    one: Description, patient: Patient, before: tuple[Phone, ...]
) -> tuple[dict[str, Any], tuple[Phone, ...]]:
    """Return the fields and the telephones of a known patient after a description."""
    said = _said(one)
    after = phones.merged(said, before) if one.is_newest else phones.merged(before, said)
    return _values(one, patient) | main_numbers(after), after


def _values(one: Description, patient: Patient) -> dict[str, Any]:
    """Return the fields of a patient after this description, without telephones."""
    if not one.is_newest:
        one = replace(
            one,
            family_name=patient.family_name or one.family_name,
            given_name=patient.given_name or one.given_name,
            birth_date=patient.birth_date or one.birth_date,
            language=patient.language or one.language,
            national_number=patient.national_number or one.national_number,
        )
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
        "search_sound": search_sound(family_name, given_name),
    }


def _said(one: Description) -> list[Phone]:
    """Return the valid numbers of a description, in order."""
    return [phone for text in one.phones for phone in phones.read_cell(text).phones]


def main_numbers(numbers: Sequence[Phone]) -> dict[str, str]:
    """Return the columns of ``Patient`` for a list of numbers."""
    mobile = phones.first_of(numbers, is_mobile=True)
    landline = phones.first_of(numbers, is_mobile=False)
    return {
        "mobile": mobile.number if mobile else "",
        "landline": landline.number if landline else "",
    }


def write_numbers(numbers: Mapping[int, Sequence[Phone]], *, are_new: bool = False) -> None:
    """Replace the numbers of some patients (two queries).

    ``main_numbers`` goes into ``Patient`` in the same transaction: the caller writes that row.

    Args:
        numbers: by id of the patient, in order.
        are_new: they have no numbers yet.
    """
    if not numbers:
        return
    if not are_new:
        PatientPhone.objects.filter(patient__in=numbers).delete()
    PatientPhone.objects.bulk_create(
        PatientPhone(
            patient_id=patient_id,
            position=position,
            number=one.number,
            kind=PhoneKind.MOBILE if one.is_mobile else PhoneKind.LANDLINE,
            label=one.label,
        )
        for patient_id, of_one in numbers.items()
        for position, one in enumerate(of_one, start=1)
    )


@transaction.atomic
def add_number(*, patient_id: int, text: str, label: str = "", by: User) -> Phone:
    """Add a number that somebody found for a patient, after the known ones.

    Args:
        patient_id: the patient.
        text: one number, as a person writes it.
        label: its owner or where it was found.
        by: the user who found it.

    Raises:
        Refusal: it cannot be dialled, or is more than one number.
    """
    found = phones.read_cell(text).phones
    if len(found) != 1:
        raise Refusal(
            _(
                "« %(text)s » n'est pas un numéro que l'on peut composer : écrivez un seul numéro, "
                "par exemple 0495 12 34 56 ou +352 621 123 456."
            )
            % {"text": text[:60]},
            field="found_number",
        )
    new = Phone(found[0].number, found[0].is_mobile, (label or found[0].label)[:40])
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    known = patient.numbers
    numbers = phones.merged(known, [new]) if known else (new,)
    if new.number not in {one.number for one in numbers}:  # a person's number always stays
        numbers = (*numbers[:-1], new)
    for column, number in main_numbers(numbers).items():
        setattr(patient, column, number)
    patient.save(update_fields=["mobile", "landline"])
    write_numbers({patient_id: numbers})
    audit.record(action="patient.number_added", by=by, subject=patient, number=new.number)
    return new
