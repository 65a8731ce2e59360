"""What Kannel calls us with."""

from dataclasses import replace

import pytest

from notifications.gateways import (
    Gateway,
    HookRefused,
    HookRequest,
    ReceiptReport,
    gateway_from_url,
)
from notifications.models import Failure, ReceiptState
from tests.notifications.gateways.conformance import NOW, PHONE, REFERENCE
from tests.notifications.gateways.conformance_reports import (
    ConformsWithAHook,
    ConformsWithReplies,
    Word,
)

URL = (
    "kannel+http://vivalia:s3cret@kannel.example.org:13013"
    "?hook=a-hook-secret-of-kannel&from=192.0.2.7&hook_url=https://continuity.example.org"
)
SMPP = "id:{id} sub:001 dlvrd:000 submit date:2205151830 done date:2205151831 stat:{stat} err:{err}"
REPORT = {"reference": REFERENCE, "id": "4f2a", "at": "1652639400"}


def smpp(stat: str, err: str = "000") -> str:
    """Return an SMSC's receipt as Kannel hands it on."""
    return SMPP.format(id="4f2a", stat=stat, err=err) + " text:Vivalia: votre rendez"


SAYS = {
    Word.DELIVERED: {**REPORT, "status": "1", "answer": smpp("DELIVRD")},
    Word.FAILED: {
        **REPORT,
        "status": "16",
        "answer": "NACK/0x0000000b/Invalid Destination Address",
    },
    Word.EXPIRED: {**REPORT, "status": "2", "answer": smpp("EXPIRED")},
    Word.OF_ANOTHERS_MESSAGE: {"id": "999", "status": "1"},
    Word.A_REPLY: {"from": PHONE, "text": "STOP", "id": "7c1f", "at": "1652639400"},
    Word.GARBAGE: {"status": "delivered"},
}


class TestItsCalls(ConformsWithAHook, ConformsWithReplies):
    def hooked(self) -> Gateway:
        """Return a gateway with a hook."""
        return gateway_from_url(URL)

    def call_of(self, word: Word) -> HookRequest:
        """Return a GET of the address that we gave it."""
        return HookRequest("GET", SAYS[word], {}, b"", NOW)

    def read(self, **said: str) -> ReceiptReport:
        """Return the receipt in a call."""
        request = HookRequest("GET", {**REPORT, "answer": "", **said}, {}, b"", NOW)
        (receipt,) = self.hooked().read_hook(request)
        assert isinstance(receipt, ReceiptReport)
        return receipt

    @pytest.mark.parametrize(
        ("status", "answer", "state", "failure"),
        [
            ("1", smpp("DELIVRD"), ReceiptState.DELIVERED, ""),
            ("4", smpp("ENROUTE"), ReceiptState.ON_ITS_WAY, ""),
            ("8", "ACK/", ReceiptState.ON_ITS_WAY, ""),
            ("2", smpp("UNDELIV", "001"), ReceiptState.FAILED, Failure.UNREACHABLE),
            ("2", smpp("REJECTD"), ReceiptState.FAILED, Failure.REJECTED),
            ("2", "", ReceiptState.FAILED, Failure.UNREACHABLE),
            ("34", "", ReceiptState.EXPIRED, Failure.EXPIRED),
            ("66", "", ReceiptState.FAILED, Failure.UNREACHABLE),
            ("16", "NACK/0x00000045/Submit Failed", ReceiptState.FAILED, Failure.REJECTED),
            ("16", "NACK/Retries Exceeded", ReceiptState.FAILED, Failure.REJECTED),
        ],
    )
    def test_each_event_has_its_meaning(self, status, answer, state, failure) -> None:
        receipt = self.read(status=status, answer=answer)
        assert (receipt.state, receipt.failure) == (state, failure)

    def test_the_remark_keeps_the_networks_words_but_not_the_patients_text(self) -> None:
        remark = self.read(status="2", answer=smpp("UNDELIV", "001")).remark
        assert remark.endswith("stat:UNDELIV err:001")
        assert "rendez" not in remark

    def test_when_and_under_which_number_is_kept(self) -> None:
        receipt = self.read(status="1")
        assert (receipt.happened_at, receipt.provider_ids) == (NOW, ("4f2a",))

    @pytest.mark.parametrize("status", ["0", "", "-1", "64", "1e3", "٣", "9" * 500])
    def test_an_event_that_does_not_exist_is_refused(self, status: str) -> None:
        with pytest.raises(HookRefused):
            self.read(status=status)

    def test_a_post_is_refused(self) -> None:
        request = replace(self.call_of(Word.DELIVERED), method="POST")
        with pytest.raises(HookRefused):
            self.hooked().read_hook(request)
