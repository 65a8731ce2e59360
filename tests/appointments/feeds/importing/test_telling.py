"""A load that tells patients says so before, with the numbers of what it then does."""

import datetime as dt

import pytest

from appointments.models import Appointment, Feed
from notifications.models import Delivery, Notice
from notifications.sending.estimate import Opened
from patients.models import Patient
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import in_force
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import load
from tests.builders import a_unit, at

pytestmark = pytest.mark.django_db

BY_PHONE = {"phones": ("063223344",)}


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    a_unit()


def checked_and_loaded(*records) -> Opened:
    """Check records, load them, and return whom both say is told."""
    before = load(*records, full=False, dry_run=True).telling
    assert load(*records, full=False).telling == before
    return before


def test_without_a_bulletin_nobody_is_told():
    assert checked_and_loaded(a_record(1)) == Opened()


def test_before_the_release_sms_wait_and_calls_are_counted_apart():
    in_force()
    told = checked_and_loaded(
        a_record(1), a_record(2, **BY_PHONE), a_record(3, service="blood_sampling")
    )
    assert told == Opened(patients=2, sms_later=1, by_phone=1, messages_later=1)


def test_after_the_release_sms_leave_at_once_and_the_check_says_so(saturday_noon):
    in_force()
    saturday_noon.move_to(at("2022-05-15 19:00"))
    told = checked_and_loaded(a_record(1), a_record(2), a_record(3, starts="2022-05-18 09:00"))
    assert told == Opened(patients=2, sms_now=2, messages_now=2)
    assert Delivery.objects.filter(channel="sms").count() == 2


def test_a_patient_with_two_appointments_is_one(saturday_noon):
    in_force()
    saturday_noon.move_to(at("2022-05-15 19:00"))
    twice = a_record(2, starts="2022-05-16 11:00", patient_id="D1", family_name="Dupont1")
    assert checked_and_loaded(a_record(1), twice) == Opened(patients=1, sms_now=1, messages_now=1)


def test_a_patient_with_two_days_is_one_with_two_sms(saturday_noon):
    in_force(last_day=dt.date(2022, 5, 17))
    saturday_noon.move_to(at("2022-05-15 19:00"))
    tuesday = a_record(2, starts="2022-05-17 11:00", patient_id="D1", family_name="Dupont1")
    told = checked_and_loaded(a_record(1), tuesday)
    assert told == Opened(patients=1, sms_now=1, messages_now=2)
    assert Delivery.objects.filter(channel="sms").count() == 2


def test_moves_into_and_out_of_what_is_ruled_are_told_or_not():
    in_force()
    load(a_record(1, starts="2022-05-18 09:10"), a_record(2))
    told = checked_and_loaded(a_record(1), a_record(2, starts="2022-05-18 09:10"))
    assert told.patients == 1


def test_the_same_file_again_tells_nobody():
    in_force()
    load(a_record(1))
    assert checked_and_loaded(a_record(1)) == Opened()


def test_the_check_leaves_nothing_behind():
    in_force()
    held = [Appointment, Feed, Patient, Notice, Delivery, AuditEvent]
    before = [model.objects.count() for model in held]
    assert load(a_record(1), a_record(2), dry_run=True).telling.patients == 2
    assert [model.objects.count() for model in held] == before


def test_patients_of_one_chunk_are_known_in_the_next(monkeypatch):
    monkeypatch.setattr("appointments.feeds.importing.services.CHUNK", 1)
    in_force()
    twice = a_record(2, starts="2022-05-16 11:00", patient_id="D1", family_name="Dupont1")
    assert checked_and_loaded(a_record(1), twice).patients == 1
