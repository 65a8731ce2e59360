"""What the phone says later: its webhooks, its answers to our questions, its error names."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import (
    Gateway,
    HookRefused,
    HookRequest,
    Message,
    ReceiptReport,
    Sent,
    gateway_from_url,
)
from notifications.gateways.android import cause_of
from notifications.models import Failure, ReceiptState
from tests.notifications.gateways.android_phone import HOOK, KEY, LONG_TEXT, event, url_to
from tests.notifications.gateways.conformance import NOW, PHONE, REFERENCE, Behaviour, query, submit
from tests.notifications.gateways.conformance_reports import (
    ConformsWithAHook,
    ConformsWithReplies,
    ConformsWithSignatures,
    Word,
)
from tests.notifications.gateways.hook_calls import post, signed
from tests.notifications.gateways.http_peers import (
    BAD,
    HttpPeer,
)

AT = "2022-05-15T20:30:00.000+02:00"
DELIVERED = event("sms:delivered", deliveredAt=AT)
SAYS = {
    Word.DELIVERED: DELIVERED,
    Word.FAILED: event("sms:failed", failedAt=AT, reason="sendSMS: Invalid phone number"),
    Word.EXPIRED: event("sms:failed", failedAt=AT, reason="TTL expired"),
    Word.OF_ANOTHERS_MESSAGE: event("sms:delivered", messageId="typed-on-the-ph0ne"),
    Word.A_REPLY: event("sms:received", sender=PHONE, message="STOP", receivedAt=AT),
    Word.GARBAGE: {"event": "sms:delivered", "payload": ["?"]},
    Word.BADLY_SIGNED: DELIVERED,
    Word.SIGNED_LONG_AGO: DELIVERED,
}


class TestItsWebhooks(ConformsWithAHook, ConformsWithReplies, ConformsWithSignatures):
    def hooked(self) -> Gateway:
        """Return a gateway that shares the key of its phone."""
        return gateway_from_url(url_to(8080, f"hook={HOOK}&key={KEY}"))

    def signed(self, request: HookRequest) -> HookRequest:
        """Sign with the right key, now."""
        return signed(request, key=KEY)

    def call_of(self, word: Word) -> HookRequest:
        """Return a signed call."""
        request = post(SAYS[word])
        if word is Word.BADLY_SIGNED:
            return signed(request, key="another")
        if word is Word.SIGNED_LONG_AGO:
            return signed(request, key=KEY, at=NOW - dt.timedelta(minutes=10))
        return signed(request, key=KEY)

    def read(self, said: Any) -> Sequence[Any]:
        """Read a signed call."""
        return self.hooked().read_hook(signed(post(said), key=KEY))

    def test_a_receipt_has_all_that_was_said(self) -> None:
        (receipt,) = self.read(DELIVERED)
        assert receipt == ReceiptReport(
            state=ReceiptState.DELIVERED,
            reference=REFERENCE,
            provider_ids=(REFERENCE,),
            phone=PHONE,
            happened_at=dt.datetime.fromisoformat(AT),
            key=receipt.key,
        )

    def test_older_apps_say_phone_number(self) -> None:
        said = event("sms:delivered", deliveredAt=AT, recipient=None, phoneNumber=PHONE)
        assert self.read(said)[0].phone == PHONE

    def test_each_part_of_a_long_message_has_a_key_of_its_own(self) -> None:
        later = event("sms:delivered", deliveredAt="2022-05-15T20:30:00.250+02:00")
        assert self.read(DELIVERED)[0].key != self.read(later)[0].key

    def test_a_webhook_that_is_registered_twice_says_the_same_twice(self) -> None:
        twin = DELIVERED | {"id": "another-event", "webhookId": "another-webhook"}
        assert self.read(twin) == self.read(DELIVERED)

    def test_two_replies_of_the_same_words_at_different_moments_are_two(self) -> None:
        later = event("sms:received", sender=PHONE, message="STOP", receivedAt="2022-05-15T21:00Z")
        assert self.read(SAYS[Word.A_REPLY])[0].key != self.read(later)[0].key

    def test_sent_is_on_its_way_and_cancelled_is_a_failure(self) -> None:
        assert self.read(event("sms:sent", partsCount=2))[0].state == ReceiptState.ON_ITS_WAY
        (cancelled,) = self.read(event("sms:cancelled"))
        assert (cancelled.state, cancelled.failure) == (ReceiptState.FAILED, Failure.REJECTED)

    @pytest.mark.parametrize("name", ["system:ping", "app:started", "mms:received", "sms:new"])
    def test_events_of_other_things_say_nothing(self, name: str) -> None:
        assert list(self.read(event(name))) == []

    def test_a_call_without_an_event_is_refused(self) -> None:
        with pytest.raises(HookRefused):
            self.read({"payload": {}})


class TestAQuestion:
    @pytest.mark.parametrize(
        ("state", "error", "text", "says"),
        [
            ("Pending", None, "court", (ReceiptState.ON_ITS_WAY, "", "")),
            ("Sent", None, "court", (ReceiptState.ON_ITS_WAY, "", "")),
            ("Delivered", None, "court", (ReceiptState.DELIVERED, "", "")),
            (
                "Delivered",
                None,
                LONG_TEXT,
                (ReceiptState.DELIVERED, "", "au moins une des 2 parties"),
            ),
            ("Failed", "TTL expired", "x", (ReceiptState.EXPIRED, "expired", "TTL expired")),
            ("Cancelled", None, "x", (ReceiptState.FAILED, "rejected", "annulé sur le téléphone")),
        ],
    )
    def test_is_answered_with_the_phones_state(
        self, phone: HttpPeer, state: str, error: str | None, text: str, says: tuple
    ) -> None:
        gateway = gateway_from_url(url_to(phone.port))
        submit(gateway, [Message(REFERENCE, PHONE, text)])
        app: Any = phone.answer
        app.state, app.error = state, error
        (receipt,) = query(gateway, [Sent(REFERENCE, "", PHONE)])
        assert receipt
        assert (receipt.state, receipt.failure, receipt.remark) == says
        assert (receipt.reference, receipt.phone) == (REFERENCE, PHONE)
        assert receipt.happened_at == dt.datetime.fromisoformat(AT)

    @pytest.mark.parametrize(("state", "is_news"), [("Sent", False), ("Delivered", True)])
    def test_about_a_message_whose_receipt_is_overdue_has_only_news(
        self, phone: HttpPeer, state: str, is_news: bool
    ) -> None:
        gateway = gateway_from_url(url_to(phone.port))
        submit(gateway, [Message(REFERENCE, PHONE, "court")])
        app: Any = phone.answer
        app.state = state
        (receipt,) = query(gateway, [Sent(REFERENCE, REFERENCE, PHONE)])
        assert (receipt is not None) == is_news

    def test_about_a_message_that_never_arrived_has_no_answer(self, phone: HttpPeer) -> None:
        gateway = gateway_from_url(url_to(phone.port))
        assert list(query(gateway, [Sent(REFERENCE, "", PHONE)])) == [None]

    @pytest.mark.parametrize("behaviour", sorted(BAD, key=str))
    def test_to_a_phone_that_misbehaves_has_no_answer(self, behaviour: Behaviour) -> None:
        with HttpPeer(BAD[behaviour]) as peer:
            gateway = gateway_from_url(url_to(peer.port))
            assert list(query(gateway, [Sent(REFERENCE, "", PHONE)])) == [None]


class TestAFailure:
    @pytest.mark.parametrize(
        ("reason", "state", "failure"),
        [
            ("Send result: RESULT_ERROR_NO_SERVICE (…)", "failed", Failure.REJECTED),
            ("Send result: RESULT_ERROR_LIMIT_EXCEEDED (…)", "failed", Failure.REJECTED),
            ("Send result: RESULT_ERROR_GENERIC_FAILURE (…)", "failed", Failure.REJECTED),
            ("Send result: RESULT_ERROR_FDN_CHECK_FAILURE (…)", "failed", Failure.BARRED),
            ("Send result: RESULT_ERROR_SHORT_CODE_NOT_ALLOWED (…)", "failed", Failure.BARRED),
            ("Send result: RESULT_RIL_ACCESS_BARRED (…)", "failed", Failure.BARRED),
            ("Send result: Unknown error code: 999.", "failed", Failure.REJECTED),
            ("sendSMS: Invalid phone number type", "failed", Failure.INVALID_NUMBER),
            ("Can't send message: No SIMs found", "failed", Failure.REJECTED),
            ("Delivery result from SC +32470000009: 70", "expired", Failure.EXPIRED),
            ("Delivery result from SC +32470000009: 65", "failed", Failure.REJECTED),
            ("Delivery result from SC null: 98", "failed", Failure.UNREACHABLE),
            ("Delivery result: 1", "failed", Failure.UNREACHABLE),
            ("TTL expired", "expired", Failure.EXPIRED),
            ("Unknown", "failed", Failure.REJECTED),
        ],
    )
    def test_is_read_by_its_words(self, reason: str, state: str, failure: Failure) -> None:
        cause = cause_of(reason)
        assert (cause.state, cause.failure) == (state, failure)

    def test_of_our_own_phone_says_what_to_do(self) -> None:
        remark = cause_of("Send result: RESULT_ERROR_RADIO_OFF (Failed)").remark
        assert remark.startswith("mode avion sur le téléphone (Send result")

    @pytest.mark.parametrize(
        ("reason", "temporary", "in_trouble"),
        [
            ("Send result: RESULT_ERROR_NO_SERVICE (…)", True, True),
            ("Send result: RESULT_ERROR_RADIO_OFF (…)", True, True),
            ("Send result: RESULT_ERROR_LIMIT_EXCEEDED (…)", True, True),
            ("Send result: RESULT_RIL_REQUEST_RATE_LIMITED (…)", True, True),
            ("Can't send message: No SIMs found", True, True),
            # These may stand for an SMS that left.
            ("Send result: RESULT_ERROR_GENERIC_FAILURE (…)", False, True),
            ("Send result: RESULT_RADIO_NOT_AVAILABLE (…)", False, True),
            ("Send result: RESULT_NETWORK_REJECT (…)", False, False),
            # These are about one patient.
            ("Send result: RESULT_ERROR_FDN_CHECK_FAILURE (…)", False, False),
            ("sendSMS: Invalid phone number type", False, False),
            ("Delivery result from SC +32470000009: 65", False, False),
            ("TTL expired", False, False),
            ("Unknown", False, False),
        ],
    )
    def test_says_whether_it_will_pass_and_whether_the_next_would_fail_too(
        self, reason: str, temporary: bool, in_trouble: bool
    ) -> None:
        cause = cause_of(reason)
        assert (cause.temporary, cause.in_trouble) == (temporary, in_trouble)

    @given(st.text())
    def test_is_something_whatever_the_words(self, reason: str) -> None:
        assert len(cause_of(reason).remark) <= 200
