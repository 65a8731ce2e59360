"""Create and update patients, many at a time."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from patients import national_number, phones
from patients.identity import Person, is_worse_number
from patients.models import Language, Likeness, LinkProposal, Patient, PatientIdentifier
from patients.names import search_given_name, search_name
from patients.phones import Phone
from patients.services.numbers import main_numbers, write_numbers
from patients.sounds import search_sound
from staff import clock
from staff.errors import Refusal

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
_OPT_OUTS = ("sms_opt_out_at", "reminder_opt_out_at")


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
    says = {number: _as_json(newest[number]) for number in newest}
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


def _as_json(one: Description) -> dict[str, Any]:
    """Return the description of a linked number as JSON, to make a patient of it again."""
    return {
        "family_name": one.family_name if one.is_name_certain else "",
        "given_name": one.given_name,
        "birth_date": one.birth_date.isoformat() if one.birth_date else "",
        "language": one.language,
        "national_number": one.national_number,
        "phones": list(one.phones),
    }


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


@transaction.atomic
def join(*, leaving_id: int, staying_id: int, kept: Mapping[str, Any]) -> PatientIdentifier:
    """Move the single record number of a patient to another patient, who is the same person.

    The patient who leaves is kept without a number, so that the join can be undone exactly. Their
    telephones come after the other's; a refusal of SMS by either of them holds for both.
    Part of a service that moves the patient's other rows and writes the trail.

    Args:
        leaving_id: the patient with a single record number, which is not linked.
        staying_id: the other.
        kept: the data with which that service undoes the join.

    Raises:
        Refusal: there is more than one number, or a linked one.
    """
    people = Patient.objects.select_for_update().in_bulk([leaving_id, staying_id])
    leaving, staying = people[leaving_id], people[staying_id]
    records = list(leaving.identifiers.select_for_update())
    if len(records) != 1 or records[0].linked_at is not None or leaving == staying:
        raise Refusal(_("Ce patient a plusieurs dossiers : le lien ne se déferait pas exactement."))
    record = records[0]
    before, said = staying.numbers, leaving.numbers
    after = phones.merged(before, said) if before else said
    own = {one.number for one in before}
    refused = [name for name in _OPT_OUTS if getattr(leaving, name) and not getattr(staying, name)]
    for name in refused:
        setattr(staying, name, getattr(leaving, name))
    for column, number in main_numbers(after).items():
        setattr(staying, column, number)
    staying.save(update_fields=["mobile", "landline", *refused])
    write_numbers({staying.pk: after})
    record.patient, record.linked_from = staying, leaving
    record.linked_at = clock.now()
    record.linked_says = _as_json(_description(record.value, leaving))
    record.linked_numbers = [one.number for one in after if one.number not in own]
    record.linked_kept = {**kept, "refused": refused}
    record.save()
    both = [leaving_id, staying_id]
    LinkProposal.objects.filter(record__patient__in=both, other__in=both).delete()
    return record


def _description(number: str, patient: Patient) -> Description:
    """Return the stored values of a patient, without telephones, as a description."""
    return Description(
        number,
        patient.family_name,
        given_name=patient.given_name,
        birth_date=patient.birth_date,
        language=patient.language,
        national_number=patient.national_number,
    )


@transaction.atomic
def part(*, identifier_id: int) -> PatientIdentifier:
    """Give a linked record number its own patient again, as its source describes them.

    It is the former patient of the number if there was one, else a new one.
    Part of a service that moves the rows of that number and writes the trail.

    Raises:
        Refusal: the number is not linked.
    """
    identifier = (
        PatientIdentifier.objects.select_for_update(of=("self",))
        .select_related("patient")
        .get(pk=identifier_id)
    )
    if identifier.linked_at is None:
        raise Refusal(_("Ce dossier n'est pas relié à un autre : rien à défaire."))
    shared = identifier.patient
    says = dict(identifier.linked_says or {})
    birth_date = dt.date.fromisoformat(says["birth_date"]) if says["birth_date"] else None
    again = {"birth_date": birth_date, "phones": tuple(says["phones"])}
    one = Description(identifier.value, **(says | again))
    patient = identifier.linked_from or Patient()
    before = patient.numbers if patient.pk else ()
    values, told = _told(one, patient, before)
    for name, value in values.items():
        setattr(patient, name, value)
    patient.save()
    write_numbers({patient.pk: told})
    for name in identifier.linked_kept.get("refused", ()):
        if identifier.linked_from and getattr(shared, name) == getattr(patient, name):
            setattr(shared, name, None)
    left = tuple(n for n in shared.numbers if n.number not in identifier.linked_numbers)
    for column, number in main_numbers(left).items():
        setattr(shared, column, number)
    shared.save(update_fields=["mobile", "landline", *_OPT_OUTS])
    write_numbers({shared.pk: left})
    identifier.patient = patient
    identifier.linked_at, identifier.linked_says, identifier.linked_numbers = None, None, []
    identifier.linked_from, identifier.linked_kept = None, {}
    identifier.save()
    return identifier


def _update(known: dict[str, Patient], described: dict[str, Description]) -> None:
    prefetch_related_objects([*known.values()], "phones")
    changed: dict[int, Patient] = {}  # one patient may have several numbers
    telephones: dict[int, tuple[Phone, ...]] = {}
    for number, patient in known.items():
        before = telephones.get(patient.pk, patient.numbers)
        values, after = _told(described[number], patient, before)
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
    values, numbers = _told(one, patient, patient.numbers)
    same = all(getattr(patient, name) == value for name, value in values.items())
    return same and numbers == patient.numbers


def _told(
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
