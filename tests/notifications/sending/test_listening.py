"""What is heard on a connection that stays open, with and without something to send."""

import pytest

from notifications.gateways import (
    Accepted,
    Inbound,
    OnReport,
    ReceiptReport,
)
from notifications.models import (
    GatewaySeat,
    ReceiptState,
    Sending,
)
from notifications.sending import dispatch
from tests.builders import a_user, at
from tests.notifications.builders import SUNDAY, FakeGateway, a_notice, an_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def send_over(*gateways: FakeGateway, seconds: float = 10.0) -> dispatch.DispatchResult:
    """Send what is due over gateways in their order of preference."""
    return dispatch.run(worker="w1", gateways=gateways, seconds=seconds)


class Talking(FakeGateway):
    """Listens on its connection: says something, and hangs up the line after.

    With ``leaves`` only until that is stored: no test then hangs on how fast that is.
    """

    listens = True

    def __init__(
        self, *reports: ReceiptReport | Inbound, leaves: bool = False, **options: object
    ) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.reports = reports
        self._leaves = leaves

    async def open(self, on_report: OnReport) -> None:
        """Report at once what it has to say."""
        import asyncio

        self._tasks = [asyncio.create_task(on_report(report)) for report in self.reports]
        if self._leaves:
            asyncio.gather(*self._tasks).add_done_callback(self._leave)

    def _leave(self, _stored: object) -> None:
        self.listens = False


class TestListening:
    def test_receipts_arrive_with_nothing_to_send(self) -> None:
        sms = an_sms(
            a_notice(handed_over_at=SUNDAY),
            state="accepted",
            gateway="fake",
            client_reference="a" * 32,
            submitted_at=SUNDAY,
        )
        delivered = ReceiptReport(ReceiptState.DELIVERED, reference="a" * 32)
        send_over(Talking(delivered, sessions=1, leaves=True), seconds=30)
        sms.refresh_from_db()
        assert (sms.state, sms.notice.state) == ("delivered", "told")
        assert not GatewaySeat.objects.exists()

    @pytest.mark.parametrize("answers_after", [0.3, 0.8], ids=["before-a-look", "after-a-look"])
    def test_a_receipt_that_comes_before_the_answer_is_matched_in_the_same_run(
        self, answers_after: float
    ) -> None:
        sms = an_sms()
        early = ReceiptReport(ReceiptState.DELIVERED, provider_ids=("p7",), phone=sms.address)
        gateway = Talking(early, answer=Accepted("p7"), has_receipts=True, seconds=answers_after)
        send_over(gateway, seconds=3.0)
        sms.refresh_from_db()
        assert (sms.state, sms.notice.state) == ("delivered", "told")

    def test_a_pause_holds_sending_but_not_receiving(self) -> None:
        waiting = an_sms()
        sms = an_sms(
            a_notice(handed_over_at=SUNDAY),
            state="accepted",
            gateway="fake",
            client_reference="a" * 32,
            submitted_at=SUNDAY,
        )
        Sending.objects.create(paused_at=SUNDAY, paused_by=a_user("chef"))
        gateway = Talking(ReceiptReport(ReceiptState.DELIVERED, reference="a" * 32), leaves=True)
        send_over(gateway, seconds=30)
        sms.refresh_from_db()
        waiting.refresh_from_db()
        assert (sms.state, gateway.messages) == ("delivered", [])
        assert waiting.state in ("held", "queued")

    def test_only_as_many_workers_connect_as_the_provider_allows(self) -> None:
        GatewaySeat.objects.create(gateway="fake", seat=0, worker="other", until=at("2099-01-01"))
        an_sms()
        gateway = Talking(sessions=1)
        assert send_over(gateway, seconds=0.3).claimed == 0
        assert gateway.messages == []
