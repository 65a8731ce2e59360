"""What the peer of the generic HTTP gateway says of its messages, by itself and asked."""

import datetime as dt
import json

import pytest

from notifications.gateways import (
    Gateway,
    HookRefused,
    HookRequest,
    Inbound,
    ReceiptReport,
    Sent,
    gateway_from_url,
)
from notifications.models import Failure, ReceiptState
from tests.notifications.gateways.conformance import NOW, PHONE, REFERENCE, Behaviour, query
from tests.notifications.gateways.conformance_reports import (
    ConformsWithAHook,
    ConformsWithReplies,
    ConformsWithSignatures,
    Word,
)
from tests.notifications.gateways.hook_calls import post, signed
from tests.notifications.gateways.http_peers import BAD, Answerer, HttpPeer, always

KEY = "k3y-of-the-gateway"
HOOK = "receipts=1&hook=secret-path-of-ours&from=any"
DELIVERED = {"reference": REFERENCE, "id": "m-1", "status": "delivered", "at": NOW.isoformat()}
SAYS = {
    Word.DELIVERED: DELIVERED,
    Word.FAILED: {**DELIVERED, "status": "failed", "error": "invalid_number"},
    Word.EXPIRED: {**DELIVERED, "status": "expired"},
    Word.OF_ANOTHERS_MESSAGE: {"id": "m-999", "status": "delivered"},
    Word.A_REPLY: {"from": "0032470000001", "text": "STOP", "id": "in-1"},
    Word.GARBAGE: "<xml/>",
    Word.BADLY_SIGNED: DELIVERED,
    Word.SIGNED_LONG_AGO: DELIVERED,
}


class TestItsCalls(ConformsWithAHook, ConformsWithReplies):
    def hooked(self) -> Gateway:
        """Return a gateway whose secret path is enough."""
        return gateway_from_url(f"https+json://:t0ken@sms.example.org/send?{HOOK}")

    def call_of(self, word: Word) -> HookRequest:
        """Return a call with one report."""
        return post(SAYS[word])

    def test_a_list_is_read_and_what_cannot_be_read_is_left_out(self) -> None:
        request = post([DELIVERED, {"status": "delivered"}, None, SAYS[Word.A_REPLY]])
        kinds = [type(report) for report in self.hooked().read_hook(request)]
        assert kinds == [ReceiptReport, Inbound]

    def test_a_thousand_and_one_reports_are_refused(self) -> None:
        assert len(self.hooked().read_hook(post([DELIVERED] * 1000))) == 1000
        with pytest.raises(HookRefused):
            self.hooked().read_hook(post([DELIVERED] * 1001))

    def test_everything_that_was_said_is_kept(self) -> None:
        (receipt,) = self.hooked().read_hook(post(SAYS[Word.FAILED]))
        assert receipt == ReceiptReport(
            state=ReceiptState.FAILED,
            reference=REFERENCE,
            provider_ids=("m-1",),
            failure=Failure.INVALID_NUMBER,
            remark="invalid_number",
            happened_at=NOW,
        )

    def test_a_cause_in_the_peers_own_words_is_a_rejection_with_a_remark(self) -> None:
        (receipt,) = self.hooked().read_hook(post({**SAYS[Word.FAILED], "error": "HLR 27"}))
        assert isinstance(receipt, ReceiptReport)
        assert (receipt.failure, receipt.remark) == (Failure.REJECTED, "HLR 27")


class TestItsSignedCalls(ConformsWithAHook, ConformsWithReplies, ConformsWithSignatures):
    def hooked(self) -> Gateway:
        """Return a gateway that shares a key."""
        return gateway_from_url(f"https+json://sms.example.org/send?{HOOK}&key={KEY}")

    def signed(self, request: HookRequest) -> HookRequest:
        """Sign with the right key, now."""
        return signed(request, key=KEY)

    def call_of(self, word: Word) -> HookRequest:
        """Return a signed call."""
        key = "another" if word is Word.BADLY_SIGNED else KEY
        ago = dt.timedelta(hours=word is Word.SIGNED_LONG_AGO)
        return signed(post(SAYS[word]), key=key, at=NOW - ago)


class TestAsking:
    def ask(self, answer: Answerer, options: str = "query=1&timeout=1") -> ReceiptReport | None:
        """Return what a peer's answer to a question says."""
        with HttpPeer(answer) as peer:
            gateway = gateway_from_url(f"http+json://127.0.0.1:{peer.port}/send?{options}")
            (receipt,) = query(gateway, [Sent(REFERENCE, "", PHONE)])
        self.paths = [asked.path for asked in peer.asked]
        return receipt

    def test_a_message_is_asked_for_by_its_reference(self) -> None:
        receipt = self.ask(always(200, json.dumps(DELIVERED)))
        assert receipt
        assert (receipt.state, receipt.reference) == (ReceiptState.DELIVERED, REFERENCE)
        assert self.paths == [f"/send/{REFERENCE}"]

    def test_it_need_not_repeat_the_reference(self) -> None:
        receipt = self.ask(always(200, '{"status": "on_its_way"}'))
        assert receipt
        assert (receipt.state, receipt.reference) == (ReceiptState.ON_ITS_WAY, REFERENCE)

    @pytest.mark.parametrize(
        "answer",
        [
            always(404, ""),
            always(200, "[]"),
            always(200, json.dumps({**DELIVERED, "reference": "another"})),
            always(201, json.dumps(DELIVERED)),
            always(401, ""),
            BAD[Behaviour.HANGS],
            BAD[Behaviour.CLOSES_AT_ONCE],
        ],
    )
    def test_anything_else_says_nothing(self, answer: Answerer) -> None:
        assert self.ask(answer) is None

    def test_a_peer_that_takes_no_questions_is_asked_none(self) -> None:
        assert self.ask(always(200, json.dumps(DELIVERED)), options="timeout=1") is None
        assert self.paths == []
