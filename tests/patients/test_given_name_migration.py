"""Patients who were known before they could be found by a given name are found by it too."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from patients.models import Patient
from tests.builders import a_patient

pytestmark = pytest.mark.django_db
migration = import_module("patients.migrations.0003_search_given_name")


def test_every_patient_gets_the_given_name_first_however_few_at_a_time(monkeypatch):
    monkeypatch.setattr(migration, "_AT_ONCE", 2)
    for number in range(5):
        a_patient(family_name=f"D'Hôte {number}", given_name="Zoé", mobile="")
    Patient.objects.update(search_given_name="")
    migration.fill(apps, SimpleNamespace(connection=connection))
    found = Patient.objects.order_by("pk").values_list("search_given_name", "mobile")
    assert list(found) == [(f"ZOE D HOTE {number}", "") for number in range(5)]
