"""Nothing is waited for longer than a call is still of use."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from notifications.gateways import Accepted, Result, Unknown
from notifications.models import Delivery, DeliveryState
from notifications.sending.sweep import sweep
from notifications.telling import by_hand as settling_by_hand
from tests.builders import a_user, at
from tests.notifications.builders import SUNDAY, FakeGateway, a_notice, an_sms, send
from tests.notifications.receipts.builders import a_taken_sms, life, receive, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
SOON = [("2022-05-15 09:40", "cancelled")]
LATEST = at("2022-05-15 09:10")
FAR = [("2022-05-18 09:40", "cancelled")]
SILENT = Unknown("pas de réponse")


def sent(items: list[tuple[str, str]], answer: Result) -> Delivery:
    """Return an SMS about appointments that a gateway with receipts answered."""
    sms = an_sms(a_notice(items=items))
    send(FakeGateway(answer, has_receipts=True))
    sms.refresh_from_db()
    return sms


@pytest.mark.parametrize("answer", [Accepted("p1"), SILENT])
def test_shortly_before_the_appointment_the_wait_ends_with_the_last_call_of_use(answer) -> None:
    assert sent(SOON, answer).lease_until == LATEST


@pytest.mark.parametrize(("answer", "seconds"), [(Accepted("p1"), 7200), (SILENT, 900)])
def test_long_before_it_the_whole_time_may_be_waited(answer, seconds) -> None:
    limit = timezone.now() + dt.timedelta(seconds=seconds)
    assert sent(FAR, answer).lease_until == limit


def test_each_of_many_has_its_own_limit() -> None:
    for minute in range(31, 59):
        an_sms(a_notice(items=[(f"2022-05-15 09:{minute}", "cancelled")]))
    send(FakeGateway(has_receipts=True))
    limits = Delivery.objects.order_by("id").values_list("lease_until", flat=True)
    assert list(limits) == [at(f"2022-05-15 09:{minute:02}") for minute in range(1, 29)]


@pytest.mark.parametrize(
    ("items", "limit"),
    [(SOON, LATEST), ([("2022-05-15 09:20", "cancelled")], at("2022-05-15 09:00"))],
)
def test_on_its_way_waits_no_longer_either_and_never_into_the_past(items, limit) -> None:
    sms = a_taken_sms("unknown", notice=a_notice(items=items))
    receive(says("on_its_way", sms))
    sms.refresh_from_db()
    assert (sms.state, sms.lease_until) == ("accepted", limit)


def test_without_a_receipt_the_patient_of_a_near_appointment_is_called_in_time(sunday) -> None:
    sms = sent(SOON, Accepted("p1"))
    gateway = FakeGateway(has_receipts=True)
    sunday.move_to(at("2022-05-15 09:09"))
    assert sweep(gateways=[gateway]).became_unknown == 0
    sunday.move_to(at("2022-05-15 09:10:01"))
    assert sweep(gateways=[gateway]).became_unknown == 1
    sunday.shift(5)
    assert sweep(gateways=[gateway]).called_instead == 1
    assert life(sms) == ("open", [("sms", "failed"), ("phone", "queued")])


def test_a_crash_during_submission_is_followed_up_in_time_too(sunday) -> None:
    sms = a_taken_sms("submitting", notice=a_notice(items=SOON), lease_until=LATEST)
    sunday.move_to(at("2022-05-15 09:10:01"))
    sweep(gateways=[FakeGateway()])
    sunday.shift(5)
    assert sweep(gateways=[FakeGateway()]).called_instead == 1
    assert life(sms)[1] == [("sms", "failed"), ("phone", "queued")]


def test_in_a_drill_the_limit_runs_on_the_real_clock(settings) -> None:
    settings.DEMO_TODAY = "2022-05-15"  # in summer, played in winter
    with time_machine.travel(at("2026-02-03 09:00"), tick=False):
        assert sent(SOON, Accepted("p1")).lease_until == at("2026-02-03 09:10")
        assert sent(FAR, Accepted("p2")).lease_until == at("2026-02-03 11:00")
        sms = sent([("2022-05-15 09:50", "cancelled")], SILENT)
    assert (sms.state, sms.lease_until) == (DeliveryState.UNKNOWN, at("2026-02-03 09:15"))


class TestRepeating:
    """Over a gateway that sends a reference once, however often it is submitted."""

    def again(self) -> FakeGateway:
        """Return a silent gateway after which a sweep looked."""
        gateway = FakeGateway(SILENT, honours_reference=True)
        send(gateway)
        sweep(gateways=[gateway])
        return gateway

    def test_what_a_person_sends_again_has_its_own_time(self, sunday) -> None:
        sms = an_sms(a_notice(items=FAR))
        for _ in range(17):
            self.again()
            sunday.shift(60)
        assert life(sms)[1] == [("sms", "failed"), ("phone", "queued")]
        chef = a_user("chef", "crisis_cell")
        settling_by_hand.resend(delivery_ids=[sms.pk], by=chef, reason="essai")
        first = self.again()
        sunday.shift(60)
        second = self.again()
        assert first.messages == second.messages != []
        assert life(sms)[1][-1] == ("sms", "queued")
        sunday.shift(16 * 60)
        self.again()
        assert life(sms)[1][-2:] == [("sms", "failed"), ("phone", "queued")]

    def test_a_try_keeps_the_moment_of_its_first_submission(self, sunday) -> None:
        sms = an_sms(a_notice(items=FAR))
        self.again()
        sunday.shift(60)
        assert self.again().messages
        sms.refresh_from_db()
        assert sms.submitted_at == SUNDAY

    @pytest.mark.parametrize("state", ["unknown", "queued"])
    def test_it_is_called_once_a_repetition_would_come_too_late(self, sunday, state) -> None:
        sms = a_taken_sms(state, notice=a_notice(items=SOON, handed_over_at=SUNDAY), gateway="fake")
        sunday.move_to(at("2022-05-15 09:10:01"))
        swept = sweep(gateways=[FakeGateway(honours_reference=True)])
        assert (swept.queued_again, swept.called_instead) == (0, 1)
        assert life(sms)[1] == [("sms", "failed"), ("phone", "queued")]
