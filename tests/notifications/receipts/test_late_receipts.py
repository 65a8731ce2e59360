"""Receipts and answers that come before, or long after, what they belong to."""

import pytest
from django.utils import timezone

from notifications.models import Delivery, Receipt
from notifications.receipts import receive as receiving
from tests.builders import a_patient
from tests.notifications.builders import SUNDAY, a_call, a_notice
from tests.notifications.receipts.builders import a_taken_sms, life, receive, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


class TestLate:
    def test_a_receipt_before_the_answer_is_matched_once_the_number_is_known(self) -> None:
        sms = a_taken_sms("submitting")
        receive(says("delivered", provider_ids=("99",)))
        assert receiving.match_late() == 0
        Delivery.objects.update(state="accepted", provider_id="99")
        assert receiving.match_late() == 1
        assert life(sms)[0] == "told"
        assert receiving.match_late() == 0

    def test_a_passing_failure_that_came_before_the_answer_is_tried_again(self) -> None:
        sms = a_taken_sms("submitting")
        receive(says("failed", provider_ids=("99",), temporary=True))
        Delivery.objects.update(state="accepted", provider_id="99", parts=1)
        assert receiving.match_late() == 1
        assert life(sms) == ("open", [("sms", "failed"), ("sms", "queued")])

    def test_a_sender_looks_only_for_what_came_just_now(self, sunday) -> None:
        receive(says("delivered", provider_ids=("99",)))
        sunday.shift(receiving.YOUNG_SECONDS)
        a_taken_sms(number="99")
        assert (receiving.match_young(), receiving.match_late()) == (0, 1)

    def test_another_form_of_the_number_is_enough(self) -> None:
        receive(says("delivered", provider_ids=("153", "99")))
        sms = a_taken_sms(number="99")
        assert receiving.match_late() == 1
        assert life(sms)[0] == "told"

    def test_what_was_submitted_after_the_receipt_is_not_meant(self, sunday) -> None:
        receive(says("delivered", provider_ids=("99",)), says("delivered", phone="+32470000077"))
        sunday.shift(60)
        patient = a_patient(mobile="+32470000077")
        later = {"submitted_at": timezone.now()}
        a_taken_sms(number="99", **later)
        a_taken_sms(notice=a_notice(patient=patient, handed_over_at=SUNDAY), **later)
        assert receiving.match_late() == 0

    def test_after_an_hour_it_is_not_looked_at_again(self, sunday) -> None:
        receive(says("delivered", provider_ids=("99",)))
        a_taken_sms(number="99")
        sunday.shift(3601)
        assert receiving.match_late() == 0
        assert Receipt.objects.filter(delivery=None).count() == 1

    def test_many_unmatched_receipts_do_not_hide_one_that_matches(self, monkeypatch) -> None:
        monkeypatch.setattr(receiving, "AT_ONCE", 10)
        receive(*[says("delivered", provider_ids=(f"x{n}",)) for n in range(35)])
        receive(says("delivered", provider_ids=("99",)))
        sms = a_taken_sms(number="99")
        assert receiving.match_late() == 1
        assert life(sms)[0] == "told"

    def test_a_flood_of_strangers_is_looked_at_some_at_a_time_until_one_is_found(
        self, monkeypatch
    ) -> None:
        monkeypatch.setattr(receiving, "YOUNG_AT_ONCE", 10)
        receive(*[says("delivered", provider_ids=(f"x{n}",)) for n in range(25)])
        receive(says("delivered", provider_ids=("99",)))
        a_taken_sms(number="99")
        assert [receiving.match_late() for _ in range(4)] == [0, 0, 1, 0]

    def test_of_the_older_ones_each_look_takes_few_and_all_have_their_turn(
        self, sunday, monkeypatch
    ) -> None:
        monkeypatch.setattr(receiving, "OLD_AT_ONCE", 10)
        receive(*[says("delivered", provider_ids=(f"x{n}",)) for n in range(25)])
        receive(says("delivered", provider_ids=("99",)))
        sunday.shift(receiving.YOUNG_SECONDS)
        receive(says("delivered", provider_ids=("100",)))
        a_taken_sms(number="99")
        a_taken_sms(number="100")
        assert [receiving.match_late() for _ in range(4)] == [1, 0, 1, 0]

    def test_a_round_begins_anew_after_the_last(self, monkeypatch) -> None:
        monkeypatch.setattr(receiving, "YOUNG_AT_ONCE", 10)
        receive(says("delivered", provider_ids=("99",)))
        receive(*[says("delivered", provider_ids=(f"x{n}",)) for n in range(19)])
        assert receiving.match_late() == 0
        a_taken_sms(number="99")
        assert [receiving.match_late() for _ in range(2)] == [0, 1]


class TestNumbers:
    def test_an_answer_after_the_call_was_opened_still_brings_its_number(self) -> None:
        sms = a_taken_sms("failed", failure="unknown", remark="sort inconnu")
        a_call(sms.notice)
        receive(says("on_its_way", sms, provider_ids=("99",)))
        sms.refresh_from_db()
        assert (sms.state, sms.provider_id, sms.remark) == ("failed", "99", "sort inconnu")
        assert (sms.failure, sms.finished_at) == ("unknown", SUNDAY)
        receive(says("delivered", provider_ids=("99",)))
        assert life(sms) == ("told", [("sms", "delivered"), ("phone", "withdrawn")])

    def test_a_stored_number_stays(self) -> None:
        sms = a_taken_sms("failed", number="98")
        receive(says("on_its_way", sms, provider_ids=("99",)))
        sms.refresh_from_db()
        assert sms.provider_id == "98"

    def test_a_number_for_what_already_waits_does_not_make_it_wait_longer(self) -> None:
        sms = a_taken_sms("accepted")
        receive(says("on_its_way", sms, provider_ids=("99",)))
        number, limit = Delivery.objects.values_list("provider_id", "lease_until").get()
        assert (number, limit) == ("99", sms.lease_until)
