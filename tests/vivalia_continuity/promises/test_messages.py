"""An SMS that should not have left, or says what it should not, is found."""

import datetime as dt

import pytest

from appointments.models import Bulletin
from notifications.models import ClockStep, Delivery, Sending
from notifications.sending import switch as sending
from tests.appointments.bulletins.builders import RELEASE
from tests.vivalia_continuity.promises.day import delivery_of, faults, notice_of
from tests.vivalia_continuity.unguarded import break_by

pytestmark = pytest.mark.django_db


def test_an_sms_handed_over_after_the_patient_was_kept_is_found(day):
    delivery = Delivery.objects.get(notice__items__subject_id=day["kept"].pk, channel="sms")
    break_by(
        Delivery,
        "UPDATE {table} SET state = 'accepted', submitted_at = %s WHERE id = %s",
        RELEASE,
        delivery.pk,
    )
    assert any(f": {day['kept'].pk}" in fault for fault in faults(3))


class TestStopMeansStop:
    def test_an_sms_that_left_during_the_pause_is_found(self, day):
        sending.pause(by=Bulletin.objects.get().drafted_by)
        long_before = Sending.objects.get().paused_at - dt.timedelta(hours=1)
        assert any("en pause" in fault for fault in faults(5)) is True
        break_by(Delivery, "UPDATE {table} SET submitted_at = %s", long_before)
        assert faults(5) == []

    def test_hours_that_came_twice_prove_nothing(self, day):
        sending.pause(by=Bulletin.objects.get().drafted_by)
        paused_at = Sending.objects.get().paused_at
        sent_at = paused_at + dt.timedelta(minutes=40)  # before the pause, by a clock set back
        break_by(Delivery, "UPDATE {table} SET submitted_at = %s", sent_at)
        assert faults(5) != []
        hour = dt.timedelta(hours=1)
        step = ClockStep.objects.create(noticed_at=paused_at, was_at=paused_at + hour)
        assert faults(5) == []
        step.delete()
        ClockStep.objects.create(noticed_at=paused_at - hour, was_at=paused_at)
        assert faults(5) != []

    def test_the_slice_that_was_just_leaving_is_forgiven(self, day):
        sending.pause(by=Bulletin.objects.get().drafted_by)
        moment = Sending.objects.get().paused_at + dt.timedelta(seconds=1)
        break_by(Delivery, "UPDATE {table} SET submitted_at = %s", moment)
        assert faults(5) == []


class TestNothingMedical:
    @pytest.mark.parametrize(
        ("find", "put", "said"),
        [
            ("rendez-vous", "rendez-vous de cardiologie", "médical"),
            ("+32 63", "+32 99", "numéro à rappeler"),
            ("Réf.", "Réf. XXXX-", "référence"),
        ],
    )
    def test_a_body_that_says_too_much_or_too_little_is_found(self, day, find, put, said):
        delivery = delivery_of(day["told"])
        assert find in delivery.body
        body = delivery.body.replace(find, put).replace("- ", "-")
        break_by(Delivery, "UPDATE {table} SET body = %s WHERE id = %s", body, delivery.pk)
        (fault,) = faults(6)
        assert said in fault
        assert fault.endswith(f": {delivery.pk}")

    def test_a_reference_that_happens_to_spell_a_word_is_not_medical(self, day, monkeypatch):
        delivery = delivery_of(day["told"])
        body = delivery.body.replace(delivery.notice.reference, "22DR-2W2")
        break_by(Delivery, "UPDATE {table} SET body = %s WHERE id = %s", body, delivery.pk)
        monkeypatch.setattr(
            "vivalia_continuity.promises.messages.notice_id_of", lambda word: delivery.notice_id
        )
        assert faults(6) == []

    def test_the_reference_of_another_notice_is_found(self, day):
        delivery = delivery_of(day["told"])
        body = delivery.body.replace(
            delivery.notice.reference, notice_of(day["landline"]).reference
        )
        break_by(Delivery, "UPDATE {table} SET body = %s WHERE id = %s", body, delivery.pk)
        assert any("référence" in fault for fault in faults(6))
