"""A patient told twice, or forgotten, is found."""

import datetime as dt

import pytest
import time_machine
from django.conf import settings

from notifications.models import Delivery, Notice, NoticeItem
from notifications.sending import switch as sending
from staff.services import audit
from tests.appointments.bulletins.builders import in_force, somebody_in_the_crisis_cell
from tests.builders import an_appointment, at
from tests.vivalia_continuity.promises.day import delivery_of, faults, notice_of
from tests.vivalia_continuity.unguarded import break_by, copy_row

pytestmark = pytest.mark.django_db


class TestToldOnce:
    def test_two_sms_that_left_are_found(self, day):
        copy_row(Delivery, delivery_of(day["told"]).pk, number=2, state="unknown")
        assert any("deux SMS" in fault for fault in faults(1))

    def test_one_that_nobody_knows_of_counts_as_one_that_left(self, day):
        copy_row(Delivery, delivery_of(day["told"]).pk, number=2, state="failed", failure="unknown")
        assert any("deux SMS" in fault for fault in faults(1))

    def test_one_that_certainly_failed_does_not(self, day):
        copy_row(
            Delivery,
            delivery_of(day["told"]).pk,
            number=2,
            state="failed",
            failure="rejected",
            client_reference="autre",
        )
        assert faults(1) == []

    def test_one_that_a_person_sent_again_is_no_fault(self, day):
        first = delivery_of(day["told"])
        copy_row(Delivery, first.pk, number=2, state="accepted", client_reference="autre")
        assert any("deux SMS" in fault for fault in faults(1))
        audit.record(
            action="sms.resent",
            by=somebody_in_the_crisis_cell("crise1"),
            deliveries=[first.pk],
            reason="il n'a rien reçu",
        )
        assert faults(1) == []

    def test_a_reference_under_which_two_tries_were_submitted_is_found(self, day):
        first = delivery_of(day["told"])
        assert first.client_reference
        copy_row(Delivery, first.pk, number=2, state="failed", failure="rejected")
        assert faults(1) == [
            f"2 envois qui partagent leur référence avec un autre : {first.pk}, {first.pk + 100000}"
        ]

    def test_two_pending_notices_are_found(self, day):
        copy_row(Notice, notice_of(day["landline"]).pk, version=9)
        assert any("un autre attend déjà" in fault for fault in faults(1))

    def test_the_same_word_twice_is_found(self, day):
        item = NoticeItem.objects.get(notice=notice_of(day["told"]))
        copy_row(Notice, item.notice_id, version=2)
        copy_row(NoticeItem, item.pk, notice_id=item.notice_id + 100000)
        assert any(f": {day['told'].pk}" in fault for fault in faults(1))

    def test_another_word_in_between_is_no_repetition(self, day):
        item = NoticeItem.objects.get(notice=notice_of(day["told"]))
        copy_row(Notice, item.notice_id, version=2)
        copy_row(NoticeItem, item.pk, notice_id=item.notice_id + 100000, word="maintained")
        assert faults(1) == []

    def test_nor_is_one_that_a_withdrawn_notice_may_have_said(self, day):
        item = NoticeItem.objects.get(notice=notice_of(day["told"]))
        copy_row(Notice, item.notice_id, version=2, state="withdrawn")
        copy_row(NoticeItem, item.pk, notice_id=item.notice_id + 100000, word="maintained")
        copy_row(Notice, item.notice_id + 100000, version=3, state="told")
        copy_row(NoticeItem, item.pk + 100000, notice_id=item.notice_id + 200000, word="cancelled")
        assert not any("deux fois la même chose" in fault for fault in faults(1))

    def test_an_appointment_twice_in_one_notice_is_found(self, day):
        copy_row(NoticeItem, NoticeItem.objects.get(notice=notice_of(day["landline"])).pk)
        assert any("cités deux fois" in fault for fault in faults(1))


class TestNobodyLost:
    @pytest.mark.parametrize("who", ["told", "kept", "operation", "landline"])
    def test_a_patient_without_a_notice_is_found(self, day, who):
        break_by(NoticeItem, "DELETE FROM {table} WHERE subject_id = %s", day[who].pk)
        assert any(f"aucun avis ne parle : {day[who].pk}" in fault for fault in faults(2))

    @pytest.mark.parametrize("who", ["emergency", "sample", "dialysis"])
    def test_whom_the_bulletin_tells_nothing_is_not_missed(self, day, who):
        assert not NoticeItem.objects.filter(subject_id=day[who].pk).exists()
        assert faults(2) == []

    def test_a_patient_who_still_believes_the_old_word_is_found(self, day):
        told = day["told"].pk
        break_by(NoticeItem, "UPDATE {table} SET word = 'maintained' WHERE subject_id = %s", told)
        assert any(f"autre chose : {told}" in fault for fault in faults(2))

    def test_an_open_notice_that_nothing_carries_is_found(self, day):
        delivery = delivery_of(day["landline"])
        break_by(Delivery, "UPDATE {table} SET state = 'failed' WHERE id = %s", delivery.pk)
        assert faults(2) == [f"1 avis ouverts que plus rien ne porte : {delivery.notice_id}"]

    @pytest.mark.parametrize("state", ["held", "queued"])
    def test_an_sms_that_waits_although_it_is_of_no_more_use_is_found(self, day, state):
        an_appointment()
        in_force()
        waiting = Delivery.objects.get(state="held")
        Delivery.objects.filter(pk=waiting.pk).update(state=state)
        of_no_use_from = waiting.notice.first_at - dt.timedelta(seconds=settings.SMS_LATEST_SECONDS)
        for minutes, is_found in ((-1, False), (9, False), (11, True)):
            moment = of_no_use_from + dt.timedelta(minutes=minutes)
            with time_machine.travel(moment, tick=False):
                assert any(f"plus : {waiting.pk}" in fault for fault in faults(2)) is is_found

    def test_it_is_found_while_sending_is_paused_too(self, day):
        an_appointment(starts="2022-05-16 08:00")
        in_force()
        sending.pause(by=somebody_in_the_crisis_cell("crise1"))
        with time_machine.travel(at("2022-05-16 08:00"), tick=False):
            assert any("ne servent plus" in fault for fault in faults(2))

    def test_a_call_is_of_use_until_the_last_moment(self, day):
        with time_machine.travel(at("2022-05-16 09:09"), tick=False):
            assert delivery_of(day["landline"]).state == "queued"
            assert faults(2) == []

    def test_an_unreachable_patient_without_a_try_is_found(self, day):
        notice = notice_of(day["landline"])
        break_by(Notice, "UPDATE {table} SET state = 'unreachable' WHERE id = %s", notice.pk)
        assert any("injoignables" in fault for fault in faults(2))

    def test_told_without_anything_handed_over_is_found(self, day):
        notice = notice_of(day["landline"])
        break_by(Notice, "UPDATE {table} SET state = 'told' WHERE id = %s", notice.pk)
        assert any("déclarés dits" in fault for fault in faults(2))
