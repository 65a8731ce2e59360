"""What CM.com calls us with."""

from typing import Any

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
from tests.notifications.gateways.hook_calls import post

URL = "cm+https://:s3cret@gw.cmtelecom.com/v1.0/message?sender=Vivalia"


def report(code: str, error: str = "", words: str = "", **changes: str) -> dict[str, Any]:
    """Return a status report."""
    return {
        "received": "2022-05-15T20:30:00",
        "to": "0032470000001",
        "reference": REFERENCE,
        "status": {"code": code, "errorCode": error, "errorDescription": words},
        "operator": "20601",
        **changes,
    }


def wrapped(msg: Any) -> dict[str, Any]:
    """Return reports as CM posts them."""
    return {"messages": {"msg": msg}}


SAYS = {
    Word.DELIVERED: wrapped(report("2")),
    Word.FAILED: wrapped(report("3", "23", "Invalid MSISDN")),
    Word.EXPIRED: wrapped(report("3", "8", "Expired")),
    Word.OF_ANOTHERS_MESSAGE: wrapped(report("2", reference="anothers")),
    Word.A_REPLY: {
        "from": {"number": "0032470000001", "name": ""},
        "to": {"number": "008850"},
        "message": {"text": "STOP", "media": {"mediaUri": ""}, "custom": {}},
        "reference": REFERENCE,
        "groupings": ["", "", ""],
        "timeUtc": "2022-05-15T18:30:00",
        "channel": "SMS",
    },
    Word.GARBAGE: "<MESSAGES/>",
}


class TestItsCalls(ConformsWithAHook, ConformsWithReplies):
    def hooked(self) -> Gateway:
        """Return a gateway with a hook."""
        return gateway_from_url(f"{URL}&hook=a-hook-secret-of-cm&from=203.0.113.0/24")

    def call_of(self, word: Word) -> HookRequest:
        """Return a POST as CM makes it."""
        return post(SAYS[word])

    def read(self, said: Any) -> list[ReceiptReport]:
        """Return the receipts in a POST."""
        receipts = self.hooked().read_hook(post(said))
        assert all(isinstance(receipt, ReceiptReport) for receipt in receipts)
        return list(receipts)  # type: ignore[arg-type]

    def test_all_that_was_said_is_kept(self) -> None:
        assert self.read(SAYS[Word.FAILED]) == [
            ReceiptReport(
                state=ReceiptState.FAILED,
                reference=REFERENCE,
                phone=PHONE,
                failure=Failure.INVALID_NUMBER,
                remark="code 23 Invalid MSISDN",
            )
        ]

    @pytest.mark.parametrize(
        ("code", "error", "state", "failure"),
        [
            ("0", "", ReceiptState.ON_ITS_WAY, ""),
            ("0", "7", ReceiptState.ON_ITS_WAY, ""),
            ("1", "28", ReceiptState.FAILED, Failure.REJECTED),
            ("2", "0", ReceiptState.DELIVERED, ""),
            ("3", "5", ReceiptState.FAILED, Failure.UNREACHABLE),
            ("3", "8", ReceiptState.EXPIRED, Failure.EXPIRED),
            ("3", "24", ReceiptState.FAILED, Failure.UNREACHABLE),
            ("3", "37", ReceiptState.FAILED, Failure.BARRED),
            ("3", "", ReceiptState.FAILED, Failure.REJECTED),
        ],
    )
    def test_each_code_has_its_meaning(self, code, error, state, failure) -> None:
        (receipt,) = self.read(wrapped(report(code, error)))
        assert (receipt.state, receipt.failure) == (state, failure)

    @pytest.mark.parametrize(
        "said",
        [
            wrapped([report("0"), report("2")]),
            [wrapped(report("0")), wrapped(report("2"))],
            [report("0"), report("2")],
            {"messages": [{"msg": report("0")}, {"msg": [report("2"), report("9"), None]}]},
        ],
    )
    def test_lists_of_any_shape_are_read(self, said: Any) -> None:
        states = [receipt.state for receipt in self.read(said)]
        assert states == [ReceiptState.ON_ITS_WAY, ReceiptState.DELIVERED]

    def test_numbers_may_be_numbers(self) -> None:
        status = {"code": 3, "errorCode": 24, "errorDescription": None}
        (receipt,) = self.read(wrapped({"reference": REFERENCE, "status": status}))
        assert (receipt.failure, receipt.remark) == (Failure.UNREACHABLE, "code 24")

    def test_a_get_says_the_same(self) -> None:
        query = {
            "reference": REFERENCE,
            "to": "0032470000001",
            "statuscode": "3",
            "errorcode": "23",
            "errordescription": "Invalid MSISDN",
        }
        reports = self.hooked().read_hook(HookRequest("GET", query, {}, b"", NOW))
        assert list(reports) == self.read(SAYS[Word.FAILED])

    def test_a_reply_of_the_older_form_is_read(self) -> None:
        (reply,) = self.hooked().read_hook(post({"from": "0032470000001", "body": "STOP"}))
        assert (reply.phone, getattr(reply, "text", "")) == (PHONE, "STOP")

    def test_more_than_a_thousand_reports_are_refused(self) -> None:
        with pytest.raises(HookRefused):
            self.read(wrapped([report("2")] * 1001))

    def test_receipts_are_promised_only_where_they_can_come(self) -> None:
        assert self.hooked().has_receipts
        assert not gateway_from_url(URL).has_receipts
