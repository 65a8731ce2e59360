"""Which gateway gets what, how much of it, and what it is asked."""

import datetime as dt
from collections.abc import Sequence

import pytest
from django.test import override_settings

from notifications.gateways import (
    Accepted,
    Message,
    NotSent,
    ReceiptReport,
    Refused,
    Sent,
    Throttled,
    Unknown,
    gateway_from_url,
)
from notifications.models import (
    Delivery,
    DeliveryPart,
    Failure,
    GatewayState,
    ReceiptState,
)
from notifications.receipts import receive as receiving
from notifications.sending import dispatch, sender
from tests.builders import a_site, at
from tests.notifications.builders import SUNDAY, FakeGateway, a_notice, an_sms, send
from tests.smpp_peer import SmscPeer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def send_over(*gateways: FakeGateway, seconds: float = 10.0) -> dispatch.DispatchResult:
    """Send what is due over gateways in their order of preference."""
    return dispatch.run(worker="w1", gateways=gateways, seconds=seconds)


class TestFailover:
    def test_the_first_gateway_gets_everything_while_it_works(self) -> None:
        an_sms()
        first, second = FakeGateway(name="first"), FakeGateway(name="second")
        send_over(first, second)
        assert (len(first.messages), second.messages) == (1, [])

    def test_what_never_left_goes_through_the_next_gateway(self) -> None:
        for _ in range(30):
            an_sms()
        away = FakeGateway(NotSent("pas de connexion"), name="away")
        second = FakeGateway(name="second")
        result = send_over(away, second)
        assert result.accepted == 30
        assert len(second.messages) == 30
        assert set(Delivery.objects.values_list("gateway", flat=True)) == {"second"}

    def test_a_wrong_password_is_tried_once_a_minute_however_often_a_sender_starts(
        self, sunday
    ) -> None:
        an_sms()
        with SmscPeer(bind_status=0x0E) as peer:
            for _ in range(12):
                dispatch.run(worker="w1", gateways=[gateway_from_url(peer.url)], seconds=2)
                sunday.shift(5)
            assert len(peer.binds) == 1
            dispatch.run(worker="w1", gateways=[gateway_from_url(peer.url)], seconds=2)
            assert len(peer.binds) == 2
        assert "mot de passe" in GatewayState.objects.get().complaint

    def test_a_wrong_password_is_tried_once_a_minute_also_where_there_is_nothing_to_send(
        self, sunday
    ) -> None:
        with SmscPeer(bind_status=0x0E) as peer:
            for _ in range(6):
                dispatch.run(worker="w1", gateways=[gateway_from_url(peer.url)], seconds=0.6)
                sunday.shift(10)
            assert len(peer.binds) == 1
            dispatch.run(worker="w1", gateways=[gateway_from_url(peer.url)], seconds=0.6)
            assert len(peer.binds) == 2

    def test_what_may_have_left_never_goes_through_another_gateway(self) -> None:
        for _ in range(30):
            an_sms()
        silent = FakeGateway(Unknown("pas de réponse"), name="silent", window=5)
        second = FakeGateway(name="second")
        send_over(silent, second)
        asked = {message.to for message in silent.messages}
        assert 0 < len(asked) < 30
        assert asked.isdisjoint(message.to for message in second.messages)
        assert Delivery.objects.filter(state="unknown").count() == len(asked)
        assert Delivery.objects.filter(state="accepted").count() == 30 - len(asked)

    def test_a_gateway_that_was_away_gets_few_messages_until_it_accepts_one(self, sunday) -> None:
        for _ in range(50):
            an_sms()
        gateway = FakeGateway(NotSent("pas de connexion"))
        send(gateway)
        tried = len(gateway.messages)
        send(gateway)
        assert len(gateway.messages) == tried  # left in peace
        sunday.shift(3)
        send(gateway)
        assert 0 < len(gateway.messages) - tried <= sender.PROBE
        sunday.shift(5)
        assert send(FakeGateway()).accepted == 50

    def test_the_next_gateway_takes_over_when_the_first_reached_its_daily_cap(self) -> None:
        for _ in range(5):
            an_sms()
        first = FakeGateway(name="first", parts_per_day=3)
        second = FakeGateway(name="second")
        assert send_over(first, second).accepted == 5
        assert (len(first.messages), len(second.messages)) == (3, 2)

    def test_a_cap_alone_holds_the_rest_until_tomorrow(self, sunday) -> None:
        for _ in range(5):
            an_sms(a_notice(items=[("2022-05-18 09:10", "cancelled")]))
        gateway = FakeGateway(parts_per_day=3)
        assert send(gateway).accepted == 3
        assert send(gateway).held_up
        assert Delivery.objects.filter(state="queued").count() == 2
        sunday.move_to(at("2022-05-16 09:00"))
        assert send(gateway).accepted == 2


class TestOrder:
    def test_the_most_urgent_leave_first_whatever_was_ordered_first(self) -> None:
        for urgency in (30, 10, 20):
            an_sms(urgency=urgency)
        gateway = FakeGateway(window=1)
        send(gateway)
        by_phone = dict(Delivery.objects.values_list("address", "urgency"))
        assert [by_phone[message.to] for message in gateway.messages] == [10, 20, 30]


class TestQuietHours:
    @pytest.fixture(autouse=True)
    def _quiet(self, sunday):
        sunday.move_to(at("2022-05-15 22:00"))
        with override_settings(SMS_QUIET_HOURS="21:00-08:00"):
            yield

    def test_nothing_leaves_but_what_may_disturb(self) -> None:
        late = [("2022-05-16 15:00", "cancelled")]
        an_sms(a_notice(items=late))
        loud = an_sms(a_notice(items=late), ignores_quiet_hours=True)
        gateway = FakeGateway()
        send(gateway)
        assert [message.to for message in gateway.messages] == [loud.address]

    def test_they_end(self, sunday) -> None:
        an_sms(a_notice(items=[("2022-05-16 15:00", "cancelled")]))
        sunday.move_to(at("2022-05-16 08:00"))
        assert send(FakeGateway()).accepted == 1


class TestThrottled:
    def test_it_goes_on_by_itself_when_the_wait_is_short(self, sunday) -> None:
        for _ in range(3):
            an_sms()
        answers = iter([Throttled(0.2)])

        def answer(_message: Message) -> Accepted | Throttled:
            sunday.shift(1)  # time goes on while the gateway is left in peace
            return next(answers, Accepted("p"))

        gateway = FakeGateway(answer, window=1)
        assert send(gateway).accepted == 3
        assert len(gateway.messages) == 4


class Answering(FakeGateway):
    """Can say what became of a message."""

    can_query = True

    def __init__(self, says: ReceiptState) -> None:
        super().__init__()
        self.says = says
        self.asked: list[Sent] = []

    async def query(self, sent: Sequence[Sent]) -> Sequence[ReceiptReport | None]:
        """Say."""
        self.asked += sent
        return [ReceiptReport(self.says, reference=one.reference) for one in sent]


class TestAsking:
    @pytest.fixture(autouse=True)
    def _ask_at_once(self):
        receiving.forget()

    def test_what_is_unknown_is_asked_about_before_anybody_is_called(self) -> None:
        sms = an_sms()
        send(FakeGateway(Unknown("pas de réponse")))
        gateway = Answering(ReceiptState.DELIVERED)
        send(gateway)
        sms.refresh_from_db()
        assert [one.reference for one in gateway.asked] == [sms.client_reference]
        assert (sms.state, sms.notice.state) == ("delivered", "told")
        assert gateway.messages == []

    def test_it_is_not_asked_about_all_the_time(self) -> None:
        an_sms()
        send(FakeGateway(Unknown("pas de réponse")))
        gateway = Answering(ReceiptState.ON_ITS_WAY)
        send(gateway)
        send(gateway)
        assert len(gateway.asked) == 1

    def test_on_its_way_is_news_of_what_may_not_have_arrived_but_not_of_what_was_taken(
        self,
    ) -> None:
        lost = an_sms()
        send(FakeGateway(Unknown("pas de réponse")))
        taken = an_sms(
            a_notice(handed_over_at=SUNDAY),
            state="unknown",
            gateway="fake",
            client_reference="b" * 32,
            provider_id="p7",
            lease_until=SUNDAY + dt.timedelta(minutes=10),
        )
        send(Answering(ReceiptState.ON_ITS_WAY))
        lost.refresh_from_db()
        taken.refresh_from_db()
        assert (lost.state, taken.state) == ("accepted", "unknown")


class TestSender:
    def test_each_site_has_its_own(self) -> None:
        an_sms(a_notice(site=a_site("arlon", sms_sender="VivaliaArl")))
        an_sms(a_notice(site=a_site("virton")))
        gateway = FakeGateway()
        send(gateway)
        assert [message.sender for message in gateway.messages] == ["VivaliaArl", ""]


class TestParts:
    def test_each_part_of_a_long_message_keeps_its_number(self) -> None:
        sms = an_sms()
        send(FakeGateway(Accepted("p1", more_ids=("p2", "p3"))))
        numbers = DeliveryPart.objects.order_by("part").values_list("provider_id", flat=True)
        assert list(numbers) == ["p1", "p2", "p3"]
        sms.refresh_from_db()
        assert sms.provider_id == "p1"


class TestHealth:
    def test_what_a_gateway_did_last_is_kept(self) -> None:
        an_sms()
        send(FakeGateway())
        an_sms()
        send(FakeGateway(Refused(Failure.REJECTED)))
        state = GatewayState.objects.get(name="fake")
        assert state.accepted_at == SUNDAY
        assert state.parts_of_day == 1  # what was refused did not leave
