"""What every gateway must do that says later what became of a message, however it does.

``ConformsWithReplies`` where patients can answer; ``ConformsWithAHook`` for one that calls our
web server, and ``ConformsWithSignatures`` where it signs its calls.
"""

import contextlib
import enum
import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.gateways import (
    Gateway,
    HookRefused,
    HookRequest,
    Inbound,
    ReceiptReport,
    Report,
)
from notifications.models import Failure, ReceiptState
from tests.notifications.gateways.conformance import NOW, PHONE, REFERENCE
from tests.notifications.gateways.strange_values import json_values, spoiled, texts


class Word(enum.Enum):
    """What a gateway may say later, of the message ``REFERENCE`` to ``PHONE`` where it can."""

    DELIVERED = enum.auto()
    FAILED = enum.auto()  # with the cause that the peer has for ``named_failure``
    EXPIRED = enum.auto()
    OF_ANOTHERS_MESSAGE = enum.auto()  # under a number that we do not know
    A_REPLY = enum.auto()  # the patient's SMS « STOP »
    GARBAGE = enum.auto()
    BADLY_SIGNED = enum.auto()
    SIGNED_LONG_AGO = enum.auto()


class ConformsWithReceipts:
    """What holds for every gateway that says later what became of a message.

    Attributes:
        named_failure: of ``Word.FAILED``.
    """

    named_failure = Failure.INVALID_NUMBER

    def reports_of(self, word: Word) -> Sequence[Report]:
        """Have the gateway's peer say so, and return what was reported.

        Raises:
            HookRefused: where the kind refuses it.
        """
        raise NotImplementedError

    def receipt_of(self, word: Word) -> ReceiptReport:
        """Return the one receipt, which must be one that can be stored and matched."""
        (receipt,) = self.reports_of(word)
        assert isinstance(receipt, ReceiptReport)
        assert_can_be_stored(receipt)
        return receipt

    def test_a_message_that_arrived_is_delivered(self) -> None:
        receipt = self.receipt_of(Word.DELIVERED)
        assert (receipt.state, receipt.failure) == (ReceiptState.DELIVERED, "")

    def test_a_failure_is_named(self) -> None:
        receipt = self.receipt_of(Word.FAILED)
        assert (receipt.state, receipt.failure) == (ReceiptState.FAILED, self.named_failure)

    def test_what_came_too_late_is_expired(self) -> None:
        assert self.receipt_of(Word.EXPIRED).state == ReceiptState.EXPIRED

    def test_a_word_on_anothers_message_is_reported_for_someone_to_look_at(self) -> None:
        receipt = self.receipt_of(Word.OF_ANOTHERS_MESSAGE)
        assert receipt.reference != REFERENCE

    @pytest.mark.parametrize("word", [Word.DELIVERED, Word.FAILED, Word.EXPIRED])
    def test_the_same_word_said_twice_is_the_same(self, word: Word) -> None:
        assert self.receipt_of(word) == self.receipt_of(word)

    def test_different_words_have_different_keys_or_none(self) -> None:
        keys = [self.receipt_of(word).key for word in (Word.DELIVERED, Word.FAILED)]
        assert keys[0] != keys[1] or keys == ["", ""]

    def test_garbage_is_refused_or_says_nothing(self) -> None:
        with contextlib.suppress(HookRefused):
            assert list(self.reports_of(Word.GARBAGE)) == []


class ConformsWithReplies(ConformsWithReceipts):
    """What holds for every gateway over which patients can answer."""

    def test_a_reply_is_reported_with_its_phone(self) -> None:
        (reply,) = self.reports_of(Word.A_REPLY)
        assert isinstance(reply, Inbound)
        assert (reply.phone, reply.text) == (PHONE, "STOP")


class ConformsWithSignatures(ConformsWithReceipts):
    """What holds for every gateway that signs its calls."""

    @pytest.mark.parametrize("word", [Word.BADLY_SIGNED, Word.SIGNED_LONG_AGO])
    def test_what_is_not_signed_here_and_now_is_refused(self, word: Word) -> None:
        with pytest.raises(HookRefused) as refused:
            self.reports_of(word)
        assert refused.value.status in (401, 403)


def assert_can_be_stored(report: Report) -> None:
    """Fail where a report does not fit its columns, or names no message."""
    assert len(report.key) <= 64
    assert report.happened_at is None or report.happened_at.tzinfo
    if isinstance(report, ReceiptReport):
        assert report.reference or any(report.provider_ids)
        assert len(report.reference) <= 32
        assert all(0 < len(one) <= 100 for one in report.provider_ids)
        assert report.state in ReceiptState.values
        assert report.failure in ("", *Failure.values)
        assert len(report.remark) <= 200
    assert len(report.phone) <= 20
    text = "".join(str(getattr(report, name)) for name in report.__slots__)
    assert "\x00" not in text  # PostgreSQL stores none
    text.encode()  # nor half a surrogate pair


class ConformsWithAHook(ConformsWithReceipts):
    """What holds for every gateway that calls our web server."""

    def hooked(self) -> Gateway:
        """Return a gateway that is called."""
        raise NotImplementedError

    def call_of(self, word: Word) -> HookRequest:
        """Return the call in which the peer says so, received at ``NOW``."""
        raise NotImplementedError

    def signed(self, request: HookRequest) -> HookRequest:
        """Return the call as the peer would sign it, where it signs."""
        return request

    def reports_of(self, word: Word) -> Sequence[Report]:
        """Read the call."""
        return self.hooked().read_hook(self.call_of(word))

    def _read(self, request: HookRequest) -> None:
        with contextlib.suppress(HookRefused):
            for report in self.hooked().read_hook(self.signed(request)):
                assert_can_be_stored(report)

    @settings(suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
    @given(
        st.sampled_from(["GET", "POST"]),
        st.dictionaries(texts, texts, max_size=4),
        st.binary() | json_values.map(lambda value: json.dumps(value).encode()),
    )
    def test_whatever_is_called_is_read_or_refused(
        self, method: str, query: Mapping[str, str], body: bytes
    ) -> None:
        self._read(HookRequest(method, query, {}, body, NOW))

    @settings(suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])
    @given(st.data())
    def test_a_call_with_one_thing_wrong_is_read_or_refused(self, data: st.DataObject) -> None:
        replies = [Word.A_REPLY] if isinstance(self, ConformsWithReplies) else []
        words = st.sampled_from([Word.DELIVERED, Word.FAILED, *replies])
        right = self.call_of(data.draw(words))
        query, body = dict(right.query), right.body
        if query:
            query[data.draw(st.sampled_from(sorted(query)))] = data.draw(texts)
        if body:
            body = json.dumps(data.draw(spoiled(json.loads(body)))).encode()
        self._read(HookRequest(right.method, query, dict(right.headers), body, NOW))
