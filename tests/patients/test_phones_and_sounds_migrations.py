"""What was known before is found by its sound, and its telephones are the first of the list."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from patients.models import Patient, PatientPhone
from tests.builders import a_patient

pytestmark = pytest.mark.django_db
telephones = import_module("patients.migrations.0005_telephones")
sounds = import_module("patients.migrations.0007_search_sound")


def test_the_telephones_known_so_far_are_the_first_ones():
    a_patient(mobile="+32495123456", landline="+3263223344")
    a_patient(mobile="", landline="+3263223355")
    a_patient(mobile="")
    with connection.cursor() as cursor:
        cursor.execute(telephones.FILL)
    found = PatientPhone.objects.order_by("patient", "position")
    assert list(found.values_list("position", "number", "kind")) == [
        (1, "+32495123456", "mobile"),
        (2, "+3263223344", "landline"),
        (1, "+3263223355", "landline"),
    ]


def test_every_patient_gets_the_sound_of_their_name_however_few_at_a_time(monkeypatch):
    monkeypatch.setattr(sounds, "_AT_ONCE", 2)
    expected = [a_patient(family_name=name).search_sound for name in ("Dupont", "Claes", "Weber")]
    Patient.objects.update(search_sound="")
    sounds.fill(apps, SimpleNamespace(connection=connection))
    assert list(Patient.objects.order_by("pk").values_list("search_sound", flat=True)) == expected
