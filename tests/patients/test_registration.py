"""Patients as a source describes them, many at a time."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import Patient, PatientIdentifier
from patients.services.registration import Description, register

pytestmark = pytest.mark.django_db


def known(**fields) -> Patient:
    """Register one patient of the source "agenda" and return them."""
    values = {"number": "D1", "family_name": "D'Hôte", "given_name": "Noël"} | fields
    (patient_id,) = register(system="agenda", described=[Description(**values)]).values()
    return Patient.objects.get(pk=patient_id)


def test_a_new_patient_is_known_by_the_number_of_the_source():
    patient = known(birth_date=dt.date(1960, 1, 2), language="nl")
    identifier = PatientIdentifier.objects.get()
    assert (identifier.patient, identifier.system, identifier.value) == (patient, "agenda", "D1")
    assert (patient.search_name, patient.language) == ("D HOTE NOEL", "nl")


def test_the_same_number_of_another_source_is_another_patient():
    first = known()
    others = register(system="labo", described=[Description(number="D1", family_name="Autre")])
    assert others["D1"] != first.pk


def test_the_first_mobile_and_the_first_landline_are_told_apart():
    patient = known(phones=("063 22 33 44", "0495/12.34.56", "+352 621 123 456", "12"))
    assert (patient.mobile, patient.landline) == ("+32495123456", "+3263223344")


def test_what_changed_is_updated_and_the_name_found_again():
    known()
    patient = known(family_name="Dupont", phones=("0495123456",))
    assert Patient.objects.count() == 1
    assert (patient.search_name, patient.mobile) == ("DUPONT NOEL", "+32495123456")
    assert patient.search_given_name == "NOEL DUPONT"


def test_what_a_source_leaves_empty_does_not_erase_what_is_known():
    before = known(
        phones=("0495123456", "063223344"), language="de", birth_date=dt.date(1960, 1, 2)
    )
    after = known(phones=("0470111213",), given_name="")
    assert (after.mobile, after.landline) == ("+32470111213", "+3263223344")
    assert (after.given_name, after.language) == ("Noël", "de")
    assert after.birth_date == before.birth_date


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("85.07.30-033 28", True),  # national number
        ("98.47.28-997.65", True),  # BIS
        ("12345678901", False),
        ("inconnu", False),
        ("", True),
    ],
)
def test_a_wrong_national_number_is_kept_and_flagged(number, valid):
    patient = known(national_number=number)
    assert (patient.national_number, patient.national_number_valid) == (number, valid)


def test_the_last_description_of_a_number_counts():
    register(
        system="agenda",
        described=[Description("D1", "Ancien"), Description("D1", "Nouveau")],
    )
    assert Patient.objects.get().family_name == "Nouveau"


def queries_of(*descriptions: Description) -> int:
    with CaptureQueriesContext(connection) as queries:
        register(system="agenda", described=descriptions)
    return len(queries)


def test_queries_do_not_grow_with_the_patients():
    one = queries_of(Description("A", "Un"))
    many = queries_of(*[Description(f"B{n}", f"Nom{n}") for n in range(50)])
    assert many == one
    changed = queries_of(*[Description(f"B{n}", f"Autre{n}") for n in range(50)])
    assert changed <= one


def test_nothing_is_written_when_nothing_changed():
    described = [Description(f"B{n}", f"Nom{n}") for n in range(10)]
    register(system="agenda", described=described)
    with CaptureQueriesContext(connection) as queries:
        register(system="agenda", described=described)
    assert not [q for q in queries if q["sql"].startswith(("INSERT", "UPDATE"))]
