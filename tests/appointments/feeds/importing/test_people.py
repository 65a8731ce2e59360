"""Two people under one record number stay two: the second is refused, and both are named."""

import datetime as dt

import pytest
import time_machine

from appointments.feeds.importing import services as importing
from appointments.models import Appointment
from notifications.models import Delivery, Notice
from patients.models import Patient
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import load
from tests.builders import a_unit

pytestmark = pytest.mark.django_db

ANNE = {
    "family_name": "Dupont",
    "given_name": "Anne",
    "birth_date": dt.date(1958, 11, 3),
    "patient_id": "0",
}
JEAN = ANNE | {"family_name": "Lambert", "given_name": "Jean", "birth_date": dt.date(1970, 2, 1)}
LUC = ANNE | {"family_name": "Peeters", "given_name": "Luc", "birth_date": dt.date(1980, 6, 5)}


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    a_unit()


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("chunk", [1, 500])
def test_three_people_under_record_number_0_are_never_one(monkeypatch, chunk, dry_run):
    monkeypatch.setattr(importing, "CHUNK", chunk)
    result = load(a_record(1, **ANNE), a_record(2, **JEAN), a_record(3, **LUC), dry_run=dry_run)
    assert (result.created, result.rows_rejected) == (1, 2)
    for fault, line, name in zip(
        result.rejected,
        (3, 4),
        ("LAMBERT Jean, 01/02/1970", "PEETERS Luc, 05/06/1980"),
        strict=True,
    ):
        assert (fault.line, fault.column, fault.value) == (line, "Numéro de dossier", "0")
        assert "DUPONT Anne, 03/11/1958 (ligne 2)" in str(fault.why)
        assert f"la ligne {line} nomme {name}" in str(fault.why)
        assert len(str(fault.why)) <= 300


def test_a_known_patient_does_not_turn_into_another():
    load(a_record(1, **ANNE))
    with time_machine.travel(SATURDAY_NOON + dt.timedelta(days=1), tick=False):
        result = load(a_record(2, **JEAN))
    assert "DUPONT Anne, 03/11/1958 (connu depuis le chargement du 14/05/2022)" in (
        str(result.rejected[0].why)
    )
    patient = Patient.objects.get()
    assert (patient.family_name, patient.mobile) == ("Dupont", "+32495120001")


def test_an_appointment_of_somebody_refused_has_not_disappeared():
    load(a_record(1, **ANNE))
    assert load(a_record(1, **JEAN)).missing == 0
    assert Appointment.objects.get().patient.family_name == "Dupont"


def test_rows_that_did_not_change_are_compared_too():
    load(a_record(1, **ANNE))
    Patient.objects.update(family_name="Peeters", given_name="Luc", birth_date="1980-06-05")
    assert load(a_record(1, **ANNE)).rows_rejected == 1


def test_a_name_that_alone_changed_lands_with_a_remark_once():
    load(a_record(1, **ANNE))
    married = ANNE | {"family_name": "Lambert"}
    result = load(a_record(1, **married), a_record(2, **married))
    assert (result.updated, result.created) == (1, 1)
    (remark,) = result.remarks
    assert (remark.line, remark.column, remark.value) == (2, "Nom", "Lambert")
    assert "« Dupont Anne »" in str(remark.why)
    assert Patient.objects.get().family_name == "Lambert"


@pytest.mark.parametrize("written", [dt.date(1958, 3, 11), dt.date(1958, 11, 2)])
def test_a_slip_in_a_birth_date_lands_with_a_remark(written):
    result = load(a_record(1, **ANNE), a_record(2, **(ANNE | {"birth_date": written})))
    assert [(one.column, one.landed) for one in result.remarks] == [("Date de naissance", True)]
    assert "03/11/1958" in str(result.remarks[0].why)
    assert Patient.objects.count() == 1


def test_what_a_row_leaves_empty_is_kept_from_the_row_before():
    bare = {"patient_id": "0", "family_name": "Dupont", "phones": ()}
    assert not load(a_record(1, **ANNE), a_record(2, **bare)).rejected
    patient = Patient.objects.get()
    assert (patient.given_name, patient.mobile) == ("Anne", "+32495120001")


def test_a_later_row_is_compared_with_all_that_was_said_before():
    bare = ANNE | {"birth_date": None}
    son = ANNE | {"birth_date": dt.date(1990, 1, 2)}
    result = load(a_record(1, **bare), a_record(2, **ANNE), a_record(3, **son))
    assert [fault.line for fault in result.rejected] == [4]


def test_a_family_that_shares_a_phone_stays_several_people_with_a_message_each():
    in_force()
    shared = {"family_name": "Dupont", "phones": ("0495 12 34 56",)}
    load(
        a_record(1, **shared, given_name="Anne", birth_date=dt.date(1980, 1, 2)),
        a_record(2, **shared, given_name="Léa", birth_date=dt.date(2015, 3, 4)),
        a_record(3, **shared, given_name="Tom", birth_date=dt.date(2015, 3, 4)),
    )
    assert Patient.objects.count() == 3
    assert Notice.objects.count() == 3
    sent_to = Delivery.objects.filter(channel="sms").values_list("address", flat=True)
    assert list(sent_to) == ["+32495123456"] * 3
