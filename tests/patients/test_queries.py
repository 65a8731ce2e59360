"""Patients are found by name, in any order or half of it, number or birth date, from an index."""

import datetime as dt

import pytest
from django.db import connection

from patients import queries
from patients.models import Patient, PatientIdentifier
from patients.queries import first_meant, is_meant, patient_ids
from patients.search_text import read
from tests.builders import a_patient

pytestmark = pytest.mark.django_db
TODAY = dt.date(2022, 5, 14)


def found(typed: str) -> set[Patient]:
    return set(Patient.objects.filter(pk__in=patient_ids(read(typed, today=TODAY))))


@pytest.fixture
def zoe() -> Patient:
    patient = a_patient(
        family_name="D'Hôte-Lœuvre",
        given_name="Zoé",
        birth_date=dt.date(1960, 2, 1),
        mobile="+32495123456",
        landline="+3263223344",
        national_number="60020112345",
    )
    PatientIdentifier.objects.create(patient=patient, system="essai", value="DX-77")
    a_patient(family_name="Dhaene", given_name="Zoé", birth_date=dt.date(1961, 2, 1))
    return patient


@pytest.mark.parametrize(
    "typed",
    [
        "d'hote",
        "D’HÔTE-LOEUVRE",
        "d hote zoe",
        "zoé d'hôte",
        "Zoe D Hote Loeuvre",
        "d'hote zo",
        "d'hôte 01/02/1960",
        "01/02/1960",
        "1960-02-01",
        "010260",
        "0495/12.34.56",
        "063 22 33 44",
        "60.02.01-123.45",
        "60020112345",
        "DX-77",
        "dx-77",
    ],
)
def test_a_patient_is_found_by(zoe, typed):
    assert found(typed) == {zoe}


@pytest.mark.parametrize("typed", ["zoé 01/02/1960", "lœuvre 1/2/60", "zoe hôte 1960-02-01"])
def test_any_word_of_the_name_is_enough_beside_a_birth_date(zoe, typed):
    assert found(typed) == {zoe}


@pytest.mark.parametrize("typed", ["zoé", "ZO", "zoe d", "zoé dhaene d", "zoe loeuvre"])
def test_a_given_name_is_enough(zoe, typed):
    a_patient(family_name="Dhaene", given_name="Anne")
    other = Patient.objects.get(search_name="DHAENE ZOE")
    expected = {"zoé dhaene d": {other}, "zoe loeuvre": {zoe}}
    assert found(typed) == expected.get(typed, {zoe, other})


def test_of_a_double_given_name_the_first_half_is_enough():
    patient = a_patient(family_name="Lambert", given_name="Marie-Thérèse")
    assert found("marie") == found("marie therese") == {patient}


@pytest.mark.parametrize("written", ["Van den Berg", "Vandenberg", "Vanden Berg", "Van Denberg"])
@pytest.mark.parametrize(
    "typed", ["vandenberg", "Van den Berg", "vanden berg", "anne vandenberg", "van den berg anne"]
)
def test_a_name_with_a_particle_is_found_however_it_is_written(written, typed):
    patient = a_patient(family_name=written)
    a_patient(family_name="Vandenbosch")
    assert found(typed) == {patient}


@pytest.mark.parametrize("typed", ["ote", "d'hote jean", "d'hote 02/02/1960", "0495123457", "X-77"])
def test_others_are_not_found_by(zoe, typed):
    assert found(typed) == set()


def test_a_national_number_kept_with_its_punctuation_is_found():
    patient = a_patient(national_number="60.02.01-123.45")
    assert found("60020112345") == {patient}


def test_no_phone_typed_does_not_find_those_without_a_phone():
    a_patient(mobile="", landline="", birth_date=None)
    assert found("31/02/1960") == set()


def test_a_sign_of_the_database_in_a_name_means_itself(zoe):
    assert found("%") == set() or not read("%", today=TODAY)
    assert found("d_hote") == {zoe}  # folded to two words, never a wildcard


@pytest.mark.parametrize("typed", ["dupont", "01/02/1960"])
def test_no_more_patients_are_looked_up_than_a_page_can_use(monkeypatch, typed):
    monkeypatch.setattr(queries, "MOST_MEANT", 2)
    search = read(typed, today=TODAY)
    for number in range(2):
        a_patient(family_name="Dupont", birth_date=dt.date(1960, 2, 1))
        assert (len(first_meant(search).ids), first_meant(search).is_more) == (number + 1, False)
    a_patient(family_name="Dupont", birth_date=dt.date(1960, 2, 1))
    assert (len(first_meant(search).ids), first_meant(search).is_more) == (2, True)


def test_one_patient_found_twice_counts_once(zoe):
    search = read("DX-77", today=TODAY)
    PatientIdentifier.objects.create(patient=zoe, system="autre", value="DX-77")
    assert first_meant(search).ids == [zoe.pk]


@pytest.mark.parametrize("typed", ["d'hote", "01/02/1960", "0495123456", "dx-77", "60020112345"])
def test_among_few_rows_the_same_patients_are_meant(zoe, typed):
    search = read(typed, today=TODAY)
    assert list(Patient.objects.filter(is_meant(search))) == [zoe]


@pytest.mark.parametrize(
    "typed", ["DUPONT", "ANNE", "ANNE DUPONT", "VANDENBERG ANNE", "010260", "0495123456", "DX-77"]
)
def test_a_search_is_answered_by_indexes(typed):
    query = patient_ids(read(typed, today=TODAY))
    if connection.vendor == "sqlite":
        assert "SCAN patients" not in query.explain()
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "Seq Scan" not in query.explain()
