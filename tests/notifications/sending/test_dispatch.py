"""Sending: claim, hand over, submit, record."""

import pytest

from notifications.gateways import Accepted, NotSent, Refused, Throttled, Unknown
from notifications.models import Delivery, Failure, MessageText, Notice, Sending
from notifications.sending import handover
from notifications.sending.handover import hand_over
from notifications.texts import render as texts
from tests.builders import a_patient, a_user, at
from tests.notifications.builders import (
    SUNDAY,
    FakeGateway,
    a_notice,
    an_sms,
    claim_due,
    send,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def states(notice: Notice) -> list[tuple[str, str]]:
    """Return the tries of a notice as (channel, state), in order."""
    return list(notice.deliveries.order_by("id").values_list("channel", "state"))


class TestWhatIsSent:
    def test_an_sms_whose_time_has_come_is_sent_and_its_notice_is_told(self) -> None:
        sms = an_sms()
        gateway = FakeGateway()

        result = send(gateway)

        sms.refresh_from_db()
        assert (result.claimed, result.accepted) == (1, 1)
        assert (sms.state, sms.provider_id, sms.gateway) == ("accepted", "p1", "fake")
        assert (sms.notice.state, sms.notice.settled_at) == ("told", SUNDAY)
        assert sms.notice.handed_over_at == SUNDAY
        assert (sms.body, sms.parts) == (gateway.messages[0].text, 1)
        assert sms.client_reference == gateway.messages[0].reference
        assert sms.finished_at == SUNDAY

    def test_nothing_is_sent_before_its_time(self) -> None:
        an_sms(not_before=at("2022-05-15 09:01"))
        gateway = FakeGateway()
        assert send(gateway).claimed == 0
        assert gateway.messages == []

    def test_a_message_says_for_how_long_it_is_of_use(self) -> None:
        soon, late = (
            an_sms(a_notice(items=[(moment, "cancelled")]))
            for moment in ("2022-05-15 11:10", "2022-05-17 11:10")
        )
        gateway = FakeGateway()
        send(gateway)
        lasts = {message.to: message.lasts for message in gateway.messages}
        hour_and_forty_minutes = 6000  # from nine to half an hour before the appointment
        assert abs(lasts[soon.address] - hour_and_forty_minutes) < 60
        assert lasts[late.address] is None

    def test_a_second_run_finds_nothing(self) -> None:
        an_sms()
        gateway = FakeGateway()
        send(gateway)
        assert not send(gateway).claimed
        assert len(gateway.messages) == 1

    def test_the_text_says_what_is_cancelled_and_carries_the_reference(self) -> None:
        sms = an_sms()
        gateway = FakeGateway()
        send(gateway)
        assert "16/05 à 09:10 est ANNULÉ" in gateway.messages[0].text
        assert sms.notice.reference in gateway.messages[0].text

    def test_an_edited_text_is_used_once_the_texts_are_read_again(self) -> None:
        an_sms()
        MessageText.objects.create(
            language="fr", kind="cancelled", body="Ne venez pas {day} {times}. {number} {reference}"
        )
        texts.forget()
        gateway = FakeGateway()
        send(gateway)
        assert gateway.messages[0].text.startswith("Ne venez pas lun. 16/05 09:10.")

    def test_what_goes_through_a_gateway_with_receipts_is_not_told_yet(self) -> None:
        sms = an_sms()
        gateway = FakeGateway()
        gateway.has_receipts = True
        send(gateway)
        sms.refresh_from_db()
        assert (sms.state, sms.finished_at, sms.notice.state) == ("accepted", None, "open")

    def test_the_number_of_queries_does_not_grow_with_the_messages(
        self, django_assert_max_num_queries
    ) -> None:
        for _ in range(20):
            an_sms()
        with django_assert_max_num_queries(41):  # the database's clock is one
            send(FakeGateway())


class TestWhatIsNotSent:
    def test_a_pause_sends_nothing_and_loses_nothing(self) -> None:
        sms = an_sms()
        Sending.objects.create(paused_at=SUNDAY, paused_by=a_user("chef"))
        gateway = FakeGateway()
        assert send(gateway).held_up
        sms.refresh_from_db()
        assert (gateway.messages, sms.state) == ([], "held")

    def test_a_pause_between_claim_and_hand_over_gives_the_claims_back(self) -> None:
        sms = an_sms()
        gateway = FakeGateway()
        ids = claim_due("w1")
        Sending.objects.create(paused_at=SUNDAY, paused_by=a_user("chef"))
        assert hand_over(ids=ids, worker="w1", gateway=gateway) is None
        sms.refresh_from_db()
        assert (sms.state, sms.claimed_by, sms.lease_until) == ("queued", "", None)

    def test_a_patient_who_opted_out_of_sms_is_called(self) -> None:
        sms = an_sms(a_notice(patient=a_patient(sms_opt_out_at=SUNDAY)))
        gateway = FakeGateway()
        send(gateway)
        assert gateway.messages == []
        assert states(sms.notice) == [("sms", "suppressed"), ("phone", "queued")]
        sms.refresh_from_db()
        assert sms.failure == Failure.OPTED_OUT

    def test_an_sms_that_comes_too_late_expires_and_the_patient_is_called(self, sunday) -> None:
        sms = an_sms()
        sunday.move_to(at("2022-05-16 09:10"))
        gateway = FakeGateway()
        send(gateway)
        assert gateway.messages == []
        assert states(sms.notice) == [("sms", "expired"), ("phone", "queued")]

    def test_a_notice_withdrawn_after_the_claim_is_not_sent(self) -> None:
        sms = an_sms()
        claim_due("w0")
        Notice.objects.update(state="withdrawn", settled_at=SUNDAY)
        Delivery.objects.update(state="withdrawn", lease_until=None)
        gateway = FakeGateway()
        send(gateway, worker="w0")
        assert gateway.messages == []
        assert states(sms.notice) == [("sms", "withdrawn")]

    def test_a_queued_sms_of_a_settled_notice_is_withdrawn(self) -> None:
        sms = an_sms(a_notice(state="told", settled_at=SUNDAY, handed_over_at=SUNDAY))
        gateway = FakeGateway()
        send(gateway)
        assert gateway.messages == []
        assert states(sms.notice) == [("sms", "withdrawn")]


class TestRefused:
    def test_a_number_refused_for_good_is_called_on_the_landline(self) -> None:
        sms = an_sms(a_notice(patient=a_patient(landline="+3263112233")))
        send(FakeGateway(Refused(Failure.INVALID_NUMBER, remark="réponse 422")))
        sms.refresh_from_db()
        call = Delivery.objects.get(channel="phone")
        assert (sms.state, sms.failure, sms.remark) == ("failed", "invalid_number", "réponse 422")
        assert (call.state, call.address, call.not_before) == ("queued", "+3263112233", SUNDAY)
        assert sms.notice.state == "open"

    def test_a_refused_sms_left_nothing_so_its_notice_may_be_withdrawn_again(self) -> None:
        sms = an_sms()
        send(FakeGateway(Refused(Failure.REJECTED)))
        sms.notice.refresh_from_db()
        assert sms.notice.handed_over_at is None

    def test_a_temporary_refusal_is_tried_again_later_under_a_new_reference(self, sunday) -> None:
        sms = an_sms()
        gateway = FakeGateway(Refused(Failure.UNREACHABLE, permanent=False))
        send(gateway)
        assert states(sms.notice) == [("sms", "failed"), ("sms", "queued")]
        assert not send(gateway).claimed
        sunday.shift(90)
        send(gateway)
        assert len({message.reference for message in gateway.messages}) == 2

    def test_temporary_refusals_are_tried_until_it_is_too_late_and_then_the_patient_is_called(
        self, sunday
    ) -> None:
        sms = an_sms(a_notice(items=[("2022-05-15 10:00", "cancelled")]))
        gateway = FakeGateway(Refused(Failure.UNREACHABLE, permanent=False))
        for _ in range(40):  # half an hour of tries, and ten minutes past all use
            send(gateway)
            sunday.shift(60)
        *tried, last = states(sms.notice)
        assert tried == [("sms", "failed")] * len(tried)
        assert 4 <= len(tried) <= 6  # after 1, 2, 4, 8 minutes, more or less
        assert last == ("phone", "queued")


class TestNothingLeft:
    def test_a_gateway_out_of_reach_leaves_the_message_queued_and_withdrawable(
        self, sunday
    ) -> None:
        sms = an_sms()
        result = send(FakeGateway(NotSent("pas de connexion")))
        sms.refresh_from_db()
        assert result.held_up
        assert (sms.state, sms.client_reference, sms.submitted_at) == ("queued", "", None)
        assert sms.notice.handed_over_at is None
        sunday.shift(6)
        assert send(FakeGateway()).accepted == 1

    def test_a_throttled_batch_stops_and_waits_as_long_as_asked(self, sunday) -> None:
        for _ in range(50):
            an_sms()
        gateway = FakeGateway(Throttled(retry_after=30))
        result = send(gateway)
        assert result.held_up
        assert len(gateway.messages) == gateway.options.window
        sunday.shift(20)
        assert send(FakeGateway()).claimed == 0
        sunday.shift(11)
        assert send(FakeGateway()).accepted == 50

    def test_what_waited_too_long_for_a_slow_gateway_leaves_in_the_same_run(self, settings) -> None:
        settings.SMS_LEASE_SECONDS = 0.4  # of which a quarter may be spent waiting
        for _ in range(3):
            an_sms()
        gateway = FakeGateway(seconds=0.6, window=1)
        result = send(gateway)
        assert (result.waiting, result.accepted) == (result.claimed - 3, 3)
        assert result.waiting > 0

    def test_a_notice_replaced_while_its_message_was_out_is_withdrawn(self) -> None:
        sms = an_sms()
        gateway = FakeGateway()
        hand_over(ids=claim_due("w1"), worker="w1", gateway=gateway)
        otherwise = [("2022-05-16 09:10", "maintained")]
        a_notice(patient=sms.notice.patient, items=otherwise, version=2)
        answers = {sms.pk: (NotSent(), False)}
        handover.record(worker="w1", gateway=gateway, results=answers)
        sms.refresh_from_db()
        assert (sms.state, sms.notice.state) == ("withdrawn", "withdrawn")


class TestUnknown:
    def test_silence_is_a_state_and_nothing_is_sent_again(self, sunday) -> None:
        sms = an_sms()
        gateway = FakeGateway(Unknown("pas de réponse"))
        send(gateway)
        sunday.shift(300)
        send(gateway)
        sms.refresh_from_db()
        assert (sms.state, sms.remark, sms.notice.state) == ("unknown", "pas de réponse", "open")
        assert len(gateway.messages) == 1

    def test_a_gateway_that_breaks_in_the_middle_leaves_unknown_what_it_did_not_answer(
        self, caplog
    ) -> None:
        for _ in range(3):
            an_sms()
        answers = iter([Accepted("p1")])
        result = send(FakeGateway(lambda _message: next(answers)))
        assert (result.accepted, result.unknown) == (1, 2)
        assert "failed in the middle" in caplog.text
