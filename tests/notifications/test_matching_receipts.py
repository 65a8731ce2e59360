"""Which message a receipt speaks of."""

import datetime as dt

import pytest

from notifications.models import Receipt
from notifications.services.receiving import Received
from tests.builders import a_patient
from tests.notifications.builders import SUNDAY, a_notice
from tests.notifications.receipts import a_taken_sms, in_parts, life, receive, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
HOURS_AGO = (dt.timedelta(hours=3), dt.timedelta(hours=1))


class TestMatching:
    def test_the_number_is_known_in_any_of_its_forms(self) -> None:
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

    def test_a_number_whose_phone_is_another_one_is_not_matched(self) -> None:
        sms = a_taken_sms(number="77")
        assert receive(says("failed", provider_ids=("77",), phone="+32499999999")).matched == 0
        assert life(sms) == ("open", [("sms", "accepted")])

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
