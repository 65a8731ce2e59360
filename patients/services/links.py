"""Links: two record numbers that are one person, joined and parted again exactly."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from patients import phones
from patients.models import LinkProposal, Patient, PatientIdentifier
from patients.services.registration import (
    Description,
    main_numbers,
    values_after,
    write_numbers,
)
from staff import clock
from staff.errors import Refusal

_OPT_OUTS = ("sms_opt_out_at", "reminder_opt_out_at")


def joinable(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the pairs of separate patients that can be joined, and separated again exactly.

    One of them has a single record number, which joins the other. Patients whom a person declared
    two people stay two (two queries).

    Args:
        pairs: (patient id, patient id), of people who are certainly one.

    Returns:
        pair → the patient who leaves, the one who stays.
    """
    everybody = {patient_id for pair in pairs for patient_id in pair}
    records: dict[int, list[bool]] = defaultdict(list)
    rows = PatientIdentifier.objects.filter(patient__in=everybody)
    for patient_id, linked_at in rows.values_list("patient_id", "linked_at"):
        records[patient_id].append(linked_at is not None)
    apart = LinkProposal.objects.filter(
        record__patient__in=everybody, other__in=everybody, dismissed_at__isnull=False
    )
    two = {frozenset(pair) for pair in apart.values_list("record__patient", "other")}
    found = {}
    for one, other in pairs:
        leaving = next((pk for pk in (one, other) if records[pk] == [False]), None)
        if leaving is not None and frozenset((one, other)) not in two:
            found[one, other] = (leaving, other if leaving == one else one)
    return found


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
    record.linked_says = _description(record.value, leaving).as_json()
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
    one = Description.from_json(identifier.value, identifier.linked_says or {})
    patient = identifier.linked_from or Patient()
    before = patient.numbers if patient.pk else ()
    values, told = values_after(one, patient, before)
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
