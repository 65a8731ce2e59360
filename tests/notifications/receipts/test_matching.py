"""Which message a receipt speaks of."""

import datetime as dt

import pytest

from notifications.gateways import Inbound, ReceiptReport
from notifications.models import Delivery, DeliveryPart, GatewayState, Receipt, Reply
from notifications.receipts import receive as receiving
from notifications.receipts.receive import Received
from tests.builders import a_patient
from tests.notifications.builders import SUNDAY, a_notice
from tests.notifications.receipts.builders import SMSC, a_taken_sms, in_parts, life, receive, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
HOURS_AGO = (dt.timedelta(hours=3), dt.timedelta(hours=1))


class TestMatching:
    def test_the_number_matches_in_any_of_its_forms(self) -> None:
        sms = a_taken_sms(number="2e4b")
        receive(says("delivered", provider_ids=("11851", "2E4B", "2e4b")))
        assert life(sms)[0] == "told"
        receipt = Receipt.objects.get()
        assert (receipt.provider_id, receipt.other_ids) == ("11851", "2E4B 2e4b")

    def test_a_number_of_another_gateway_is_not_ours(self) -> None:
        a_taken_sms(number="77")
        assert receive(says("delivered", provider_ids=("77",)), gateway="other").matched == 0

    def test_a_number_used_again_means_the_newest_to_that_phone(self) -> None:
        old, new = (a_taken_sms(number="77", submitted_at=SUNDAY - ago) for ago in HOURS_AGO)
        receive(says("delivered", provider_ids=("77",), phone=old.address))
        assert (life(old)[0], life(new)[0]) == ("told", "open")
        receive(says("delivered", provider_ids=("77",)))
        assert life(new)[0] == "told"

    def test_a_number_whose_phone_is_another_patients_is_not_matched(self) -> None:
        sms = a_taken_sms(number="77")
        a_patient(mobile="+32499999999")
        assert receive(says("failed", provider_ids=("77",), phone="+32499999999")).matched == 0
        assert life(sms) == ("open", [("sms", "accepted")])

    @pytest.mark.parametrize("phone", ["Vivalia", "8850", "+3263000000"])
    def test_the_only_one_with_a_number_is_believed_though_the_sender_is_named(self, phone) -> None:
        sms = a_taken_sms(number="77")
        receive(says("delivered", provider_ids=("77",), phone=phone))
        assert life(sms)[0] == "told"

    def test_a_national_number_is_the_same_phone(self) -> None:
        old, new = (a_taken_sms(number="77", submitted_at=SUNDAY - ago) for ago in HOURS_AGO)
        receive(says("delivered", provider_ids=("77",), phone=f"0{old.address[3:]}"))
        assert (life(old)[0], life(new)[0]) == ("told", "open")

    def test_sixteen_and_twenty_two_on_one_phone_are_two_messages(self) -> None:
        patient = a_patient()
        sixteen, twenty_two = (
            a_taken_sms(number=number, notice=a_notice(patient=patient, items=[(day, "cancelled")]))
            for number, day in (("16", "2022-05-16 09:10"), ("22", "2022-05-17 09:10"))
        )
        receive(says("delivered", provider_ids=("16", "22", "10"), phone=patient.mobile))
        assert (life(sixteen)[0], life(twenty_two)[0]) == ("told", "open")
        receive(says("failed", provider_ids=("22", "34", "16"), phone=patient.mobile))
        assert life(twenty_two)[1][0] == ("sms", "failed")

    @pytest.mark.parametrize(
        ("answered", "reported"),
        [
            ("0e4b7f1c-0000-4000-8000-ab54a98ceb1f", "E4B7F1C-0000-4000-8000-AB54A98CEB1F"),
            ("Ab" * 20, "aB" * 20),
            ("0000000042", "42"),
            ("42", "0000000042"),
            ("7" * 40, "0" * 10 + "7" * 40),
        ],
    )
    def test_zeros_and_case_differ_at_any_length(self, answered: str, reported: str) -> None:
        sms, long = a_taken_sms(number=answered), in_parts(a_taken_sms(), "x", f"{answered}9")
        receive(says("delivered", provider_ids=(reported,)))
        assert life(sms)[0] == "told"
        for number in ("X", f"{reported}9"):
            receive(says("delivered", provider_ids=(number,), phone=long.address))
        assert life(long)[0] == "told"

    def test_an_answer_without_a_number_is_found_by_the_phone_and_takes_the_number(self) -> None:
        sms, _other = a_taken_sms(), a_taken_sms(number="5")
        receive(says("on_its_way", provider_ids=("88", "58"), phone=sms.address))
        receive(says("delivered", provider_ids=("88", "58"), phone="Vivalia"))
        sms.refresh_from_db()
        assert (sms.provider_id, life(sms)[0]) == ("88", "told")

    @pytest.mark.parametrize(("state", "number"), [("accepted", "5"), ("submitting", "")])
    def test_a_strange_number_means_none_that_has_one_or_whose_answer_is_to_come(
        self, state: str, number: str
    ) -> None:
        sms = a_taken_sms(state, number)
        assert receive(says("delivered", provider_ids=("88",), phone=sms.address)).matched == 0

    def test_of_a_long_message_answered_without_numbers_each_receipt_is_a_part(self) -> None:
        sms = a_taken_sms(parts=2)
        for part in (1, 2):
            DeliveryPart.objects.create(delivery=sms, part=part, gateway=SMSC, provider_id="")
        receive(says("delivered", provider_ids=("a",), phone=sms.address))
        receive(says("delivered", provider_ids=("A",), phone=sms.address, remark="again", key="k"))
        assert life(sms)[0] == "open"
        receive(says("delivered", provider_ids=("b",), phone=sms.address))
        assert life(sms)[0] == "told"

    def test_a_phone_written_without_its_plus_is_the_same_phone(self) -> None:
        sms = a_taken_sms(number="77")
        receive(says("delivered", provider_ids=("77",), phone=sms.address.lstrip("+")))
        assert life(sms)[0] == "told"

    def test_our_reference_comes_before_the_number(self) -> None:
        meant, other = a_taken_sms(number="1"), a_taken_sms(number="2")
        receive(says("delivered", meant, provider_ids=("2",)))
        assert (life(meant)[0], life(other)[0]) == ("told", "open")

    def test_a_reference_that_is_not_ours_leaves_the_number(self) -> None:
        sms = a_taken_sms(number="2")
        receive(says("delivered", reference="autre-système", provider_ids=("2",)))
        assert life(sms)[0] == "told"

    def test_without_any_number_the_only_one_that_waits_at_that_phone_is_meant(self) -> None:
        sms = a_taken_sms()
        receive(says("delivered", phone=sms.address))
        assert life(sms)[0] == "told"

    def test_without_any_number_two_that_wait_are_one_too_many(self) -> None:
        patient = a_patient()
        for version in (1, 2):
            a_taken_sms(notice=a_notice(patient=patient, version=version, handed_over_at=SUNDAY))
        assert receive(says("delivered", phone=patient.mobile)).matched == 0

    def test_without_any_number_what_does_not_wait_is_not_meant(self) -> None:
        sms = a_taken_sms("failed")
        assert receive(says("delivered", phone=sms.address)).matched == 0

    def test_nothing_at_all_to_go_by_is_kept_unmatched(self) -> None:
        a_taken_sms()
        assert receive(says("delivered")) == Received(receipts=1)
        assert Receipt.objects.get().delivery is None

    def test_a_receipt_that_says_its_number_first_leaves_it_with_the_delivery(self) -> None:
        sms = a_taken_sms("submitting")
        receive(says("on_its_way", sms, provider_ids=("88", "58")))
        receive(says("delivered", provider_ids=("88",)))
        sms.refresh_from_db()
        assert (sms.provider_id, life(sms)[0]) == ("88", "told")

    def test_what_no_column_can_hold_is_kept_without_it(self) -> None:
        sms = a_taken_sms()
        wild = "\x00\ud800" + "é" * 400
        receive(says("failed", sms, remark=wild, provider_ids=(wild,), phone=wild))
        assert life(sms)[1][0] == ("sms", "failed")
        assert len(Receipt.objects.get().remark) == 200


class TestParts:
    def test_a_long_message_is_delivered_when_its_last_part_is(self) -> None:
        sms = in_parts(a_taken_sms(), "p1", "p2", "p3")
        receive(says("delivered", provider_ids=("p3",)), says("delivered", provider_ids=("p1",)))
        assert life(sms) == ("open", [("sms", "accepted")])
        receive(says("delivered", provider_ids=("p2",)))
        assert life(sms) == ("told", [("sms", "delivered")])

    def test_one_part_that_failed_fails_it_until_that_part_arrives(self) -> None:
        sms = in_parts(a_taken_sms(), "p1", "p2")
        receive(says("delivered", provider_ids=("p1",)), says("failed", provider_ids=("p2",)))
        assert life(sms) == ("open", [("sms", "failed"), ("phone", "queued")])
        receive(says("delivered", provider_ids=("p2",)))
        assert life(sms) == ("told", [("sms", "delivered"), ("phone", "withdrawn")])

    def test_our_reference_with_a_parts_number_speaks_of_that_part(self) -> None:
        sms = in_parts(a_taken_sms(), "p1", "p2")
        receive(says("delivered", sms, provider_ids=("p1",)))
        assert life(sms)[0] == "open"
        receive(says("delivered", sms, provider_ids=("p2",)))
        assert life(sms)[0] == "told"

    def test_our_reference_alone_speaks_of_the_whole(self) -> None:
        sms = in_parts(a_taken_sms(), "p1", "p2")
        receive(says("delivered", sms))
        assert life(sms)[0] == "told"


class TestWhatOnlyLooksLikeAReceipt:
    """Nothing but its text says so: a phone may have written it."""

    @staticmethod
    def doubtful(phone: str, number: str) -> ReceiptReport:
        words = Inbound(phone=phone, text=f"id:{number} stat:DELIVRD", key="k")
        return says("delivered", provider_ids=(number,), phone=phone, otherwise=words)

    def test_with_a_number_of_ours_it_is_one(self) -> None:
        sms = a_taken_sms(number="77")
        receive(self.doubtful(sms.address, "77"))
        assert life(sms)[0] == "told"
        assert not Reply.objects.exists()

    def test_from_another_phone_it_is_a_reply_and_moves_nothing(self) -> None:
        sms = a_taken_sms(number="77")
        receive(self.doubtful("+32470999999", "77"))
        assert life(sms)[0] == "open"
        assert Reply.objects.get().text == "id:77 stat:DELIVRD"
        assert not Receipt.objects.exists()

    def test_with_an_unmatched_number_it_is_a_reply(self) -> None:
        sms = a_taken_sms("delivered", "77")
        receive(self.doubtful(sms.address, "78"))
        assert Reply.objects.exists()

    def test_before_the_answer_it_waits_as_receipts_do(self) -> None:
        sms = a_taken_sms("submitting")
        receive(self.doubtful(sms.address, "77"))
        Delivery.objects.filter(pk=sms.pk).update(state="accepted", provider_id="77")
        assert receiving.match_late() == 1
        assert life(sms)[0] == "told"


class TestOnePartReported:
    URL = "smpp://u:p@smsc:2775?long_receipts=one"

    @pytest.fixture(autouse=True)
    def _gateway(self) -> None:
        GatewayState.objects.create(name=SMSC)

    def test_each_part_is_waited_for_unless_the_operator_says_that_one_is_all(
        self, settings
    ) -> None:
        for url, state in (("smpp://u:p@smsc:2775", "open"), (self.URL, "told")):
            settings.SMS_GATEWAY_URL = url
            sms = in_parts(a_taken_sms(), f"{state}-1", f"{state}-2")
            receive(says("delivered", provider_ids=(f"{state}-2",), phone=sms.address))
            assert life(sms)[0] == state

    def test_two_receipts_for_one_message_withdraw_it(self, settings) -> None:
        settings.SMS_GATEWAY_URL = self.URL
        first, second = (in_parts(a_taken_sms(), f"{n}-1", f"{n}-2") for n in (1, 2))
        for number in ("1-1", "1-2"):
            receive(says("delivered", provider_ids=(number,), phone=first.address))
        assert GatewayState.objects.get().two_receipts_at == SUNDAY
        receive(says("delivered", provider_ids=("2-1",), phone=second.address))
        assert life(second)[0] == "open"

    def test_the_same_receipt_twice_is_no_second_one(self, settings) -> None:
        sms = in_parts(a_taken_sms(), "1", "2")
        for _twice in range(2):
            receive(says("delivered", provider_ids=("1",), phone=sms.address))
        receive(says("on_its_way", provider_ids=("2",), phone=sms.address))
        assert GatewayState.objects.get().two_receipts_at is None
