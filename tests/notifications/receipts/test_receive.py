"""Receipts: kept once, matched to their delivery, and what follows for the notice."""

import datetime as dt

import pytest
from django.utils import timezone

from notifications.calls import services as calls
from notifications.models import Delivery, GatewayState, Notice, Receipt
from notifications.receipts.receive import Received
from staff.errors import Refusal
from tests.builders import a_patient, a_user, at
from tests.notifications.builders import SUNDAY, a_call, a_notice, an_sms
from tests.notifications.receipts.builders import SMSC, a_taken_sms, life, receive, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


class TestWhatFollows:
    @pytest.mark.parametrize("state", ["submitting", "accepted", "unknown"])
    def test_delivered_tells_the_notice(self, state) -> None:
        sms = a_taken_sms(state)
        assert receive(says("delivered", sms)) == Received(receipts=1, matched=1)
        sms.refresh_from_db()
        assert life(sms) == ("told", [("sms", "delivered")])
        assert (sms.finished_at, sms.lease_until, sms.notice.settled_at) == (SUNDAY, None, SUNDAY)
        assert sms.notice.settled_by is None

    def test_on_its_way_ends_the_doubt_and_waits_for_more_on_the_real_clock(self, settings) -> None:
        settings.SMS_RECEIPT_SECONDS = 600
        sms = a_taken_sms("unknown")
        receive(says("on_its_way", sms))
        sms.refresh_from_db()
        assert life(sms) == ("open", [("sms", "accepted")])
        assert sms.lease_until == timezone.now() + dt.timedelta(seconds=600)
        assert sms.finished_at is None

    def test_on_its_way_does_not_make_an_accepted_one_wait_longer(self) -> None:
        sms = a_taken_sms("accepted")
        receive(says("on_its_way", sms))
        assert Delivery.objects.get().lease_until == sms.lease_until

    @pytest.mark.parametrize("state", ["failed", "expired"])
    def test_failed_has_the_patient_called_and_keeps_why(self, state) -> None:
        patient = a_patient(landline="+3263123456")
        sms = a_taken_sms(notice=a_notice(patient=patient, handed_over_at=SUNDAY), urgency=7)
        receive(says(state, sms, failure="barred", remark="err:021"))
        sms.refresh_from_db()
        assert life(sms) == ("open", [("sms", state), ("phone", "queued")])
        assert (sms.failure, sms.remark) == ("barred", "err:021")
        call = Delivery.objects.get(channel="phone")
        assert (call.address, call.not_before, call.urgency) == ("+3263123456", SUNDAY, 7)

    @pytest.mark.parametrize(
        ("state", "failure"), [("failed", "unreachable"), ("expired", "expired")]
    )
    def test_a_failure_without_a_cause_gets_a_name(self, state, failure) -> None:
        sms = a_taken_sms()
        receive(says(state, sms))
        sms.refresh_from_db()
        assert sms.failure == failure

    def test_good_news_after_the_bad_withdraws_the_call(self) -> None:
        sms = a_taken_sms()
        receive(says("failed", sms))
        receive(says("delivered", sms))
        sms.refresh_from_db()
        assert life(sms) == ("told", [("sms", "delivered"), ("phone", "withdrawn")])
        assert sms.failure == ""

    def test_the_agent_who_was_ringing_meanwhile_reads_that_it_is_settled(self) -> None:
        agent = a_user("agent", "call_agent")
        sms = a_taken_sms()
        receive(says("failed", sms))
        call = calls.take_next(by=agent)
        receive(says("delivered", sms))
        with pytest.raises(Refusal, match="déjà réglé.*prévenu"):
            calls.log(delivery_id=call.pk, by=agent, result="reached")
        assert life(sms) == ("told", [("sms", "delivered"), ("phone", "withdrawn")])

    def test_bad_news_after_the_good_changes_nothing(self) -> None:
        sms = a_taken_sms()
        receive(says("delivered", sms))
        receive(says("failed", sms), says("expired", sms), says("on_its_way", sms))
        assert life(sms) == ("told", [("sms", "delivered")])

    def test_a_failure_of_who_was_told_by_phone_changes_the_sms_alone(self) -> None:
        notice = a_notice(handed_over_at=SUNDAY, state="told", settled_at=SUNDAY)
        sms = a_taken_sms("unknown", notice=notice)
        a_call(notice, state="delivered")
        receive(says("failed", sms))
        assert life(sms) == ("told", [("sms", "failed"), ("phone", "delivered")])

    def test_who_was_given_up_and_got_it_after_all_is_told(self) -> None:
        agent = a_user("agent", "call_agent")
        notice = a_notice(
            state="unreachable", settled_at=SUNDAY, settled_by=agent, handed_over_at=SUNDAY
        )
        sms = a_taken_sms("failed", notice=notice)
        a_call(notice, state="failed")
        receive(says("delivered", sms))
        notice.refresh_from_db()
        assert (notice.state, notice.settled_by) == ("told", None)

    def test_who_was_given_up_and_is_told_otherwise_since_stays_so(self) -> None:
        notice = a_notice(state="unreachable", settled_at=SUNDAY, handed_over_at=SUNDAY)
        sms = a_taken_sms("failed", notice=notice)
        a_notice(patient=notice.patient, version=2)
        receive(says("delivered", sms))
        assert life(sms) == ("unreachable", [("sms", "delivered")])

    def test_a_failed_sms_that_a_newer_version_replaces_is_not_followed_by_a_call(self) -> None:
        sms = a_taken_sms()
        newer = a_notice(patient=sms.notice.patient, version=2)
        receive(says("failed", sms))
        assert life(sms) == ("withdrawn", [("sms", "failed")])
        newer.refresh_from_db()
        assert newer.state == "open"

    @pytest.mark.parametrize(
        ("said", "state"), [("delivered", "told"), ("failed", "open"), ("expired", "open")]
    )
    @pytest.mark.parametrize("waits", ["queued", "claimed"])
    def test_what_waits_to_be_submitted_again_is_not_once_its_end_is_known(
        self, waits, said, state
    ) -> None:
        sms = a_taken_sms(waits, claimed_by="w1", lease_until=SUNDAY)
        receive(says(said, sms))
        assert life(sms)[0] == state
        assert life(sms)[1][0] == ("sms", said)

    @pytest.mark.parametrize("state", ["withdrawn", "suppressed"])
    def test_what_was_ended_here_stays_ended_and_the_receipt_is_kept(self, state) -> None:
        sms = a_taken_sms(state)
        receive(says("delivered", sms))
        assert life(sms) == ("open", [("sms", state)])
        assert Receipt.objects.get().delivery == sms

    def test_the_next_try_is_withdrawn_when_the_first_arrived_after_all(self) -> None:
        sms = a_taken_sms("failed")
        an_sms(sms.notice, number=2, state="queued")
        receive(says("delivered", sms))
        assert life(sms) == ("told", [("sms", "delivered"), ("sms", "withdrawn")])

    def test_a_notice_that_was_taken_back_counts_as_handed_over_when_it_arrived(self) -> None:
        sms = a_taken_sms("failed", notice=a_notice())
        receive(says("delivered", sms))
        sms.refresh_from_db()
        assert (sms.notice.state, sms.notice.handed_over_at) == ("told", SUNDAY)


class TestTheSameAgain:
    def test_twice_in_one_report_and_in_two_is_kept_once(self) -> None:
        sms = a_taken_sms()
        receipt = says("failed", sms)
        assert receive(receipt, receipt) == Received(receipts=1, matched=1)
        before = life(sms)
        assert receive(receipt) == Received()
        assert life(sms) == before
        assert Receipt.objects.count() == 1

    def test_the_gateways_own_key_decides_where_it_gives_one(self) -> None:
        sms = a_taken_sms()
        receive(says("delivered", sms, key="e1"), says("failed", sms, key="e1"))
        receive(says("delivered", sms, key="e2"))
        assert set(Receipt.objects.values_list("key", flat=True)) == {"e1", "e2"}
        receive(says("delivered", sms, key="x" * 500))
        assert Receipt.objects.count() == 3

    def test_two_gateways_may_use_the_same_key(self) -> None:
        receive(says("delivered", key="e1"))
        receive(says("delivered", key="e1"), gateway="other")
        assert Receipt.objects.count() == 2

    def test_a_receipt_at_another_moment_is_another_one(self) -> None:
        sms = a_taken_sms()
        for minute in (1, 2):
            moment = at(f"2022-05-15 08:0{minute}")
            receive(says("delivered", sms, happened_at=moment))
        moments = Receipt.objects.order_by("id").values_list("happened_at", flat=True)
        assert list(moments) == [at("2022-05-15 08:01"), at("2022-05-15 08:02")]


class TestManyAtOnce:
    def mixed(self, number: int) -> list:
        many = [a_taken_sms(number=f"n{n}") for n in range(number)]
        ends = ("delivered", "failed", "on_its_way", "delivered")
        unknown = [says("delivered", provider_ids=(f"foreign{n}",)) for n in range(number)]
        nameless = [says("failed", phone=sms.address) for sms in many[: number // 4]]
        known = [
            says(ends[n % 4], sms if n % 2 else None, provider_ids=(f"n{n}",), phone=sms.address)
            for n, sms in enumerate(many)
        ]
        return known + unknown + nameless

    def test_the_number_of_statements_does_not_grow(self, django_assert_max_num_queries) -> None:
        few, many = self.mixed(8), self.mixed(80)
        with django_assert_max_num_queries(28) as small:
            receive(*few)
        with django_assert_max_num_queries(28) as large:
            receive(*[one for one in many if one not in few])
        assert len(large) == len(small)
        with django_assert_max_num_queries(6):
            assert receive(*many).matched == 0

    def test_the_gateway_is_heard_from_without_more_than_a_write_a_second(self, sunday) -> None:
        receive(says("delivered", key="1"))
        first = GatewayState.objects.get(name=SMSC).reported_at
        sunday.shift(0.5)
        receive(says("delivered", key="2"))
        assert GatewayState.objects.get(name=SMSC).reported_at == first == SUNDAY
        sunday.shift(2)
        receive(says("delivered", key="3"))
        assert GatewayState.objects.get(name=SMSC).reported_at == timezone.now()

    def test_nothing_to_report_writes_nothing(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(0):
            assert receive() == Received()


def test_a_withdrawn_notice_is_not_told_by_a_late_receipt() -> None:
    notice = a_notice(state="withdrawn", settled_at=SUNDAY, handed_over_at=SUNDAY)
    sms = a_taken_sms("failed", notice=notice)
    receive(says("delivered", sms))
    assert life(sms) == ("withdrawn", [("sms", "delivered")])
    assert Notice.objects.get().settled_at == SUNDAY
