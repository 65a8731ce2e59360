"""Write a patient's telephone numbers: ``PatientPhone``, ``mobile`` and ``landline``."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from patients import phones
from patients.models import Patient, PatientPhone, PhoneKind
from patients.phones import Phone
from staff.errors import Refusal
from staff.models import User
from staff.services import audit


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
