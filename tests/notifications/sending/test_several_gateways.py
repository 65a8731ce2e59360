"""Which of several gateways gets what, while all are served beside each other."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.gateways import (
    Accepted,
    Message,
    NotSent,
    OnReport,
    ReceiptReport,
    Sent,
    Throttled,
)
from notifications.models import Delivery, GatewaySeat, GatewayState, ReceiptState
from notifications.receipts import receive as receiving
from notifications.sending import dispatch, limits
from tests.builders import at
from tests.notifications.builders import SUNDAY, FakeGateway, a_notice, an_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
DELIVERED = ReceiptReport(ReceiptState.DELIVERED, reference="a" * 32)
NINE_ITEMS = [(f"2022-05-16 {hour:02}:10", "cancelled") for hour in range(9, 18)]


class Listening(FakeGateway):
    """Listens on its connection; ``opened`` is what happens there once it is open.

    With ``leaves`` only until its reports are stored: no test then hangs on how fast that is.
    """

    listens = True

    def __init__(
        self,
        *reports: ReceiptReport,
        opened: Callable[[], None] = lambda: None,
        open_seconds: float = 0.0,
        leaves: bool = False,
        **options: object,
    ) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.times_opened = 0
        self._reports = reports
        self._opened = opened
        self._open_seconds = open_seconds
        self._leaves = leaves

    async def open(self, on_report: OnReport) -> None:
        """Report at once what there is to report; something happens a little later."""
        self.times_opened += 1
        await asyncio.sleep(self._open_seconds)
        self._tasks = [asyncio.create_task(on_report(report)) for report in self._reports]
        if self._leaves:
            asyncio.gather(*self._tasks).add_done_callback(self._leave)
        asyncio.get_running_loop().call_later(0.3, self._opened)

    def _leave(self, _stored: object) -> None:
        self.listens = False


class Mute(FakeGateway):
    """Can be asked, and takes for ever to answer."""

    can_query = True

    async def query(self, sent: Sequence[Sent]) -> Sequence[ReceiptReport | None]:
        """Think."""
        await asyncio.sleep(3600)
        return []


class ListeningAndMute(Listening, Mute):
    """Both."""


def send_over(*gateways: FakeGateway, seconds: float = 5.0) -> dispatch.DispatchResult:
    """Send what is due over gateways in their order of preference."""
    return dispatch.run(worker="w1", gateways=gateways, seconds=seconds)


def an_awaited_sms(**fields) -> Delivery:
    """Return an SMS that a gateway took, whose receipt is awaited."""
    values = {
        "state": "accepted",
        "gateway": "fake",
        "client_reference": "a" * 32,
        "submitted_at": SUNDAY,
    }
    return an_sms(a_notice(handed_over_at=SUNDAY), **values | fields)


def had_its_fill(name: str, parts: int = 1) -> None:
    """Note that a gateway spent its cap of this day."""
    GatewayState.objects.create(name=name, day=SUNDAY.date(), parts_of_day=parts)


def times_renewed(queries: CaptureQueriesContext) -> int:
    """Return how often a lease was renewed."""
    renewed = 'UPDATE "notifications_gatewayseat" SET "until"'
    return sum(one["sql"].startswith(renewed) for one in queries)


class TestCap:
    def test_receipts_of_a_gateway_at_its_daily_cap_still_arrive(self) -> None:
        sms, waiting = an_awaited_sms(), an_sms()
        had_its_fill("fake")
        gateway = Listening(DELIVERED, parts_per_day=1, leaves=True)
        assert send_over(gateway, seconds=30).held_up
        sms.refresh_from_db()
        waiting.refresh_from_db()
        assert (sms.state, gateway.messages) == ("delivered", [])
        assert waiting.state in ("held", "queued")

    def test_a_rest_of_the_cap_too_small_for_the_next_message_is_left_to_the_next_gateway(
        self,
    ) -> None:
        for _ in range(12):
            an_sms(a_notice(items=NINE_ITEMS))
        first = FakeGateway(name="first", parts_per_day=5)
        second = FakeGateway(name="second")
        assert send_over(first, second).accepted == 12
        assert first.messages[0].parts == 2
        assert (len(first.messages), len(second.messages)) == (2, 10)

    def test_what_was_handed_over_within_the_cap_is_not_taken_back_when_it_is_spent(self) -> None:
        for _ in range(5):
            an_sms()
        first = FakeGateway(name="first", parts_per_day=3, window=1, seconds=0.1)
        second = FakeGateway(name="second")
        assert send_over(first, second).accepted == 5
        assert (len(first.messages), len(second.messages)) == (3, 2)

    def test_a_listening_gateway_at_its_daily_cap_leaves_the_rest_to_the_next_one(self) -> None:
        for _ in range(5):
            an_sms()
        first = Listening(name="first", parts_per_day=3)
        second = FakeGateway(name="second")
        assert send_over(first, second, seconds=3).accepted == 5
        assert (len(first.messages), len(second.messages)) == (3, 2)


class TestPreference:
    def test_a_first_gateway_whose_sessions_others_hold_is_not_passed_over(self) -> None:
        GatewaySeat.objects.create(gateway="first", seat=0, worker="other", until=at("2099-01-01"))
        an_sms()
        first, second = Listening(name="first", sessions=1), FakeGateway(name="second")
        assert send_over(first, second).claimed == 0
        assert second.messages == []

    def test_nor_is_one_that_throttles(self) -> None:
        for _ in range(50):
            an_sms()
        first = FakeGateway(Throttled(retry_after=30), name="first")
        second = FakeGateway(name="second")
        assert send_over(first, second).held_up
        assert second.messages == []

    def test_a_session_at_the_second_gateway_does_not_keep_the_first_from_sending(
        self, sunday
    ) -> None:
        an_sms(not_before=SUNDAY + dt.timedelta(minutes=1))
        first = FakeGateway(name="first")
        second = Listening(name="second", opened=lambda: sunday.shift(60))
        send_over(first, second, seconds=2)
        assert (len(first.messages), second.messages) == (1, [])
        assert second.times_opened == 1  # it listened all the time

    def test_what_may_have_left_through_the_second_goes_through_it_again(self) -> None:
        sms = an_awaited_sms(state="queued", gateway="second", body="x", parts=1)
        an_sms()
        first = FakeGateway(name="first")
        second = FakeGateway(name="second", honours_reference=True)
        send_over(first, second)
        assert [one.reference for one in second.messages] == [sms.client_reference]
        assert len(first.messages) == 1

    def test_the_second_gateway_sends_only_while_the_first_is_away(self, sunday) -> None:
        for _ in range(40):
            an_sms()

        def answer(_message: Message) -> Accepted:
            sunday.shift(5)
            return Accepted("p")

        GatewayState.objects.create(
            name="first",
            failures_in_a_row=1,
            away_until=timezone.now() + dt.timedelta(seconds=10),
        )
        first = FakeGateway(name="first", timeout=5.0)
        second = FakeGateway(answer, name="second", window=1, seconds=0.2)
        assert send_over(first, second, seconds=10).accepted == 40
        assert 2 <= len(second.messages) < 8
        assert len(first.messages) == 40 - len(second.messages)

    def test_a_gateway_that_cannot_even_be_opened_gives_way(self, caplog) -> None:
        class Broken(FakeGateway):
            async def open(self, on_report: OnReport) -> None:
                raise ValueError

        an_sms()
        second = FakeGateway(name="second")
        assert send_over(Broken(name="first"), second).accepted == 1
        assert "broke" in caplog.text

    def test_one_that_was_away_long_ago_is_tried_before_the_next(self, sunday) -> None:
        an_sms()
        second = FakeGateway(name="second")
        away = FakeGateway(NotSent("pas de connexion"), name="first")
        send_over(away, second)
        sunday.shift(3600)
        an_sms()
        first = FakeGateway(name="first")
        send_over(first, second)
        assert (len(first.messages), len(second.messages)) == (1, 1)


class TestBesideEachOther:
    def test_one_run_receives_from_two_gateways(self) -> None:
        sms = an_awaited_sms(gateway="second")
        first, second = Listening(name="first"), Listening(DELIVERED, name="second")
        assert send_over(first, second, seconds=1.5).out_of_time
        sms.refresh_from_db()
        assert (sms.state, first.times_opened) == ("delivered", 1)

    def test_receipts_of_the_second_gateway_arrive_while_the_first_is_busy(self) -> None:
        sms = an_awaited_sms(gateway="second")
        for _ in range(200):
            an_sms()
        first = Listening(name="first", window=1, seconds=0.05)
        second = Listening(DELIVERED, name="second")
        assert send_over(first, second, seconds=8).out_of_time
        sms.refresh_from_db()
        assert (sms.state, second.messages) == ("delivered", [])
        assert first.messages

    def test_a_single_listening_gateway_is_opened_once(self) -> None:
        gateway = Listening()
        send_over(gateway, seconds=1.2)
        assert gateway.times_opened == 1


class TestNeverBlocked:
    @pytest.fixture(autouse=True)
    def _ask_at_once(self):
        receiving.forget()

    def test_a_query_without_an_answer_delays_nothing(self) -> None:
        an_awaited_sms(state="unknown", lease_until=SUNDAY + dt.timedelta(minutes=10))
        an_sms()
        gateway = ListeningAndMute(timeout=2.0)
        began = time.perf_counter()
        result = send_over(gateway, seconds=1.0)
        assert time.perf_counter() - began < 2.5
        assert result.accepted == 1

    def test_the_lease_is_renewed_while_the_last_answers_are_awaited(self) -> None:
        an_sms()
        gateway = FakeGateway(sessions=1, seconds=2.0)
        with CaptureQueriesContext(connection) as queries:
            assert send_over(gateway, seconds=0.2).accepted == 1
        assert times_renewed(queries) >= 5

    def test_the_lease_is_renewed_while_the_connection_is_made(self) -> None:
        gateway = Listening(sessions=1, open_seconds=2.5)
        with CaptureQueriesContext(connection) as queries:
            send_over(gateway, seconds=0.1)
        assert times_renewed(queries) >= 3

    def test_a_sender_whose_lease_cannot_be_renewed_leaves(self, monkeypatch, caplog) -> None:
        def broken(*_gateway: object, **_options: object) -> bool:
            raise OperationalError("database is locked")

        monkeypatch.setattr(limits, "keep_lease", broken)
        gateway = Listening(sessions=1)
        assert not send_over(gateway, seconds=30).out_of_time
        assert "was not renewed: database is locked" in caplog.text
        assert not GatewaySeat.objects.exists()
