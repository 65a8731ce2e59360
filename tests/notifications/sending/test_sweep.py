"""What a crash leaves behind, and what the sweep makes of it."""

import datetime as dt

import pytest
from django.utils import timezone, translation

from notifications.gateways import Accepted, NotSent, Refused, Unknown
from notifications.models import Delivery, Failure, Sending
from notifications.sending import handover
from notifications.sending.handover import hand_over
from notifications.sending.sweep import Swept, sweep
from tests.builders import a_user, at
from tests.notifications.builders import (
    SUNDAY,
    FakeGateway,
    a_call,
    a_notice,
    an_sms,
    claim_due,
    send,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
SILENT = Unknown("pas de réponse")


def crash_while_submitting(gateway: FakeGateway) -> None:
    """Do what a worker does until just after the network call, and no more."""
    ids = claim_due("dead")
    hand_over(ids=ids, worker="dead", gateway=gateway)


class TestLeases:
    def test_a_claim_whose_worker_died_is_queued_again(self, sunday) -> None:
        sms = an_sms()
        claim_due("dead")
        assert sweep(gateways=[FakeGateway()]).reclaimed == 0
        sunday.shift(61)
        assert sweep(gateways=[FakeGateway()]).reclaimed == 1
        sms.refresh_from_db()
        assert (sms.state, sms.claimed_by, sms.lease_until) == ("queued", "", None)

    def test_a_call_that_an_agent_left_hanging_comes_back_to_the_list(self) -> None:
        past = timezone.now() - dt.timedelta(seconds=1)
        call = a_call(state="claimed", claimed_by="agent", lease_until=past)
        sweep(gateways=[FakeGateway()])
        call.refresh_from_db()
        assert (call.state, call.caller) == ("queued", None)

    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("fr", "Le serveur s'est arrêté pendant la remise."),
            ("nl", "De server is stilgevallen tijdens de overdracht."),
            ("de", "Der Server ist während der Übergabe stehen geblieben."),
            ("en", "The server stopped during the handover."),
        ],
    )
    def test_what_a_crash_left_is_said_in_the_language_of_the_reader(
        self, sunday, language, said
    ) -> None:
        sms = an_sms()
        crash_while_submitting(FakeGateway())
        sunday.shift(61)
        with translation.override("de"):
            sweep(gateways=[FakeGateway()])
        sms.refresh_from_db()
        with translation.override(language):
            assert str(sms.remark) == said

    def test_what_a_crash_leaves_in_submission_is_unknown_and_not_sent_again(self, sunday) -> None:
        sms = an_sms()
        gateway = FakeGateway()
        crash_while_submitting(gateway)
        sunday.shift(61)
        assert sweep(gateways=[gateway]).became_unknown == 1
        send(gateway)
        sms.refresh_from_db()
        assert (sms.state, gateway.messages) == ("unknown", [])
        assert sms.notice.handed_over_at == SUNDAY

    def test_an_answer_that_comes_after_the_lease_still_counts(self, sunday) -> None:
        sms = an_sms()
        gateway = FakeGateway()
        crash_while_submitting(gateway)
        sunday.shift(61)
        sweep(gateways=[gateway])
        handover.record(worker="dead", gateway=gateway, results={sms.pk: (Accepted("p9"), False)})
        sms.refresh_from_db()
        assert (sms.state, sms.notice.state) == ("accepted", "told")

    def test_a_sweep_that_finds_nothing_changes_nothing(self) -> None:
        an_sms()
        assert sweep(gateways=[FakeGateway()]) == Swept()


class TestUnknown:
    def test_over_a_gateway_that_honours_references_it_is_submitted_again_as_the_same(self) -> None:
        sms = an_sms()
        gateway = FakeGateway(SILENT, honours_reference=True)
        send(gateway)
        assert sweep(gateways=[gateway]).queued_again == 1
        awake = FakeGateway(honours_reference=True)
        assert send(awake).accepted == 1
        assert awake.messages == gateway.messages
        sms.refresh_from_db()
        assert sms.notice.state == "told"

    def test_a_second_submission_that_did_not_leave_still_counts_as_handed_over(self) -> None:
        sms = an_sms()
        silent = FakeGateway(SILENT, honours_reference=True)
        send(silent)
        sweep(gateways=[silent])
        send(FakeGateway(NotSent("pas de connexion"), honours_reference=True))
        sms.refresh_from_db()
        assert sms.state == "queued"
        assert sms.client_reference == silent.messages[0].reference
        assert sms.notice.handed_over_at == SUNDAY

    def test_a_second_submission_refused_is_called_not_sent_anew(self) -> None:
        sms = an_sms()
        silent = FakeGateway(SILENT, honours_reference=True)
        send(silent)
        sweep(gateways=[silent])
        refusal = Refused(Failure.UNREACHABLE, permanent=False)
        send(FakeGateway(refusal, honours_reference=True))
        assert list(sms.notice.deliveries.order_by("id").values_list("channel", "state")) == [
            ("sms", "failed"),
            ("phone", "queued"),
        ]

    def test_past_the_limit_the_patient_is_called(self, sunday) -> None:
        sms = an_sms()
        gateway = FakeGateway(SILENT)
        send(gateway)
        sunday.shift(14 * 60)
        assert sweep(gateways=[gateway]).called_instead == 0
        sunday.shift(2 * 60)
        assert sweep(gateways=[gateway]).called_instead == 1
        sms.refresh_from_db()
        assert (sms.state, sms.failure) == ("failed", Failure.UNKNOWN)
        assert Delivery.objects.get(channel="phone").state == "queued"

    def test_a_gateway_that_stays_silent_is_asked_no_longer_than_the_limit(self, sunday) -> None:
        sms = an_sms()
        gateway = FakeGateway(SILENT, honours_reference=True)
        for _ in range(20):
            send(gateway)
            sweep(gateways=[gateway])
            sunday.shift(60)
        assert list(sms.notice.deliveries.order_by("id").values_list("channel", "state")) == [
            ("sms", "failed"),
            ("phone", "queued"),
        ]
        assert len({message.reference for message in gateway.messages}) == 1

    def test_what_may_have_left_through_one_gateway_never_goes_through_another(self) -> None:
        an_sms()
        silent = FakeGateway(SILENT, honours_reference=True)
        send(silent)
        sweep(gateways=[silent])
        other = FakeGateway(honours_reference=True)
        other.name = "other"
        send(other)
        assert other.messages == []
        assert not Delivery.objects.filter(channel="phone").exists()
        sweep(gateways=[other])
        assert Delivery.objects.get(channel="phone").state == "queued"

    def test_an_unknown_message_about_what_changed_since_is_not_followed_by_a_call(
        self, sunday
    ) -> None:
        sms = an_sms()
        send(FakeGateway(SILENT))
        a_notice(patient=sms.notice.patient, items=[("2022-05-16 09:10", "maintained")], version=2)
        sunday.move_to(at("2022-05-15 10:00"))
        sweep(gateways=[FakeGateway()])
        sms.notice.refresh_from_db()
        assert sms.notice.state == "withdrawn"
        assert not Delivery.objects.filter(channel="phone").exists()


class TestOfNoUseAnyMore:
    def test_an_sms_that_cannot_arrive_in_time_is_called_though_all_sending_is_paused(
        self, sunday
    ) -> None:
        soon = an_sms(a_notice(items=[("2022-05-15 09:29", "cancelled")]))
        later = an_sms(a_notice(items=[("2022-05-15 09:31", "cancelled")]))
        Sending.objects.create(paused_at=SUNDAY, paused_by=a_user("chef"))
        assert sweep(gateways=[FakeGateway()]).too_late == 1
        soon.refresh_from_db()
        later.refresh_from_db()
        assert (soon.state, soon.failure, later.state) == ("expired", "expired", "held")
        assert Delivery.objects.get(channel="phone").notice == soon.notice

    def test_what_would_be_too_late_after_the_quiet_hours_is_called(self, sunday, settings) -> None:
        settings.SMS_QUIET_HOURS = "21:00-08:00"
        sunday.move_to(at("2022-05-15 22:00"))
        early = an_sms(a_notice(items=[("2022-05-16 08:20", "cancelled")]))
        an_sms(a_notice(items=[("2022-05-16 08:31", "cancelled")]))
        an_sms(a_notice(items=[("2022-05-16 08:20", "cancelled")]), ignores_quiet_hours=True)
        assert sweep(gateways=[FakeGateway()]).kept_quiet == 1
        early.refresh_from_db()
        assert (early.state, early.failure) == ("suppressed", "quiet_hours")
        assert Delivery.objects.get(channel="phone").notice == early.notice

    def test_what_is_not_released_yet_is_not_called_yet(self, sunday, settings) -> None:
        settings.SMS_QUIET_HOURS = "21:00-08:00"
        sunday.move_to(at("2022-05-15 22:00"))
        an_sms(
            a_notice(items=[("2022-05-16 08:20", "cancelled")]), not_before=at("2022-05-16 06:00")
        )
        assert sweep(gateways=[FakeGateway()]).kept_quiet == 0
        sunday.move_to(at("2022-05-16 06:00"))
        assert sweep(gateways=[FakeGateway()]).kept_quiet == 1

    def test_by_day_nothing_is_kept_quiet(self, settings) -> None:
        settings.SMS_QUIET_HOURS = "21:00-08:00"
        an_sms(a_notice(items=[("2022-05-16 08:20", "cancelled")]))
        assert sweep(gateways=[FakeGateway()]).kept_quiet == 0


class TestReceiptsThatDoNotCome:
    def test_an_accepted_message_without_a_receipt_becomes_unknown_and_then_a_call(
        self, sunday, settings
    ) -> None:
        sms = an_sms(a_notice(items=[("2022-05-18 09:10", "cancelled")]))
        gateway = FakeGateway(has_receipts=True)
        send(gateway)
        sunday.shift(settings.SMS_RECEIPT_SECONDS - 1)
        assert sweep(gateways=[gateway]).became_unknown == 0
        sunday.shift(2)
        assert sweep(gateways=[gateway]).became_unknown == 1
        sms.refresh_from_db()
        assert sms.state == "unknown"
        sunday.shift(settings.SMS_UNKNOWN_SECONDS + 1)
        assert sweep(gateways=[gateway]).called_instead == 1

    def test_what_an_idempotent_gateway_took_is_not_submitted_again_for_want_of_a_receipt(
        self, sunday, settings
    ) -> None:
        an_sms(a_notice(items=[("2022-05-18 09:10", "cancelled")]))
        gateway = FakeGateway(has_receipts=True, honours_reference=True)
        send(gateway)
        sunday.shift(settings.SMS_RECEIPT_SECONDS + 1)
        sweep(gateways=[gateway])
        assert sweep(gateways=[gateway]).queued_again == 0
        send(gateway)
        assert len(gateway.messages) == 1
