"""What the SMSC's answers mean, and how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import Accepted, NotSent, Refused, Throttled, Unknown
from notifications.gateways.smpp.pdu import Pdu
from notifications.gateways.smpp.session import Silence
from notifications.gateways.smpp.submission import Backoff, read_answers, read_status


def resp(status: int, number: str = "") -> Pdu:
    """Return a submit_sm_resp."""
    return Pdu(0x80000004, status, 1, number.encode() + b"\0")


TAKEN = resp(0, "1")
OUTCOMES = st.sampled_from(
    [
        TAKEN,
        resp(0x58),
        resp(0x0B),
        resp(0x45),
        resp(0xFF),
        resp(4),
        *Silence,
    ]
)


class TestStatus:
    @pytest.mark.parametrize("status", [0x58, 0x14])
    def test_too_fast(self, status: int) -> None:
        assert read_status(status, 4.0) == Throttled(4.0)

    @pytest.mark.parametrize("status", [0x04, 0x0D, 0x0E, 0x0F])
    def test_without_access_nothing_was_sent(self, status: int) -> None:
        assert isinstance(read_status(status, 1), NotSent)

    @pytest.mark.parametrize(
        ("status", "failure", "permanent"),
        [
            (0x0B, "invalid_number", True),
            (0x01, "rejected", True),
            (0x65, "rejected", True),
            (0x08, "rejected", False),
            (0x45, "rejected", False),
            (0x64, "rejected", False),
            (0x0A, "rejected", False),
            (0x400, "rejected", False),
            (0x4FF, "rejected", False),
        ],
    )
    def test_a_refusal_is_named(self, status: int, failure: str, permanent: bool) -> None:
        result = read_status(status, 1)
        assert isinstance(result, Refused)
        assert (result.failure, result.permanent) == (failure, permanent)
        assert f"0x{status:08X}" in result.remark

    @pytest.mark.parametrize("status", [0xFF, 0x10, 0x500, 0xFFFFFFFF])
    def test_an_undefined_status_is_unknown(self, status: int) -> None:
        assert isinstance(read_status(status, 1), Unknown)


class TestAnswersOfAllParts:
    def test_all_taken_is_accepted_with_every_number(self) -> None:
        assert read_answers([resp(0, "a"), resp(0, "b")], 1) == Accepted("a", ("b",))

    def test_nothing_written_is_not_sent(self) -> None:
        result = read_answers([Silence.NOT_WRITTEN] * 2, 1)
        assert isinstance(result, NotSent)

    @given(st.lists(OUTCOMES, min_size=1, max_size=5))
    def test_what_may_have_left_is_never_called_unsent_or_refused(self, outcomes: list) -> None:
        result = read_answers(outcomes, 1)
        doubtful = {Silence.TIMED_OUT, Silence.LOST, resp(0xFF)} & set(outcomes)
        if set(outcomes) == {TAKEN}:
            assert isinstance(result, Accepted)
        elif TAKEN in outcomes or doubtful:
            assert isinstance(result, Unknown)
            assert 0 < len(result.remark) <= 200
        else:
            assert isinstance(result, NotSent | Refused | Throttled)


class TestBackoff:
    def test_the_wait_doubles_up_to_a_minute(self) -> None:
        backoff, waits, now = Backoff(), [], 0.0
        for _ in range(8):
            now += 100
            backoff.note([resp(0x58)], sent_at=now - 1, now=now)
            waits.append(backoff.retry_after)
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]

    def test_answers_to_what_was_sent_before_the_wait_count_once(self) -> None:
        backoff = Backoff()
        for n in range(50):
            backoff.note([resp(0x14)], sent_at=1.0, now=2.0 + n / 100)
        assert backoff.retry_after == 1.0

    def test_it_is_reset_once_something_sent_after_the_wait_was_accepted(self) -> None:
        backoff = Backoff()
        backoff.note([resp(0x58)], sent_at=1.0, now=2.0)
        backoff.note([resp(0x58)], sent_at=5.0, now=6.0)
        backoff.note([TAKEN, Silence.LOST], sent_at=5.5, now=7.0)
        assert backoff.retry_after == 2.0
        backoff.note([TAKEN], sent_at=8.5, now=9.0)
        assert backoff.retry_after == 1.0

    def test_the_accepted_parts_of_a_message_that_was_throttled_do_not_reset_it(self) -> None:
        backoff, waits = Backoff(), []
        for now in (100.0, 200.0, 300.0):
            backoff.note([TAKEN, resp(0x58)], sent_at=now - 1, now=now)
            waits.append(backoff.retry_after)
        assert waits == [1, 2, 4]
