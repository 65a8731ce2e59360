"""What every gateway must do; each one's test file inherits from here.

A gateway that talks over a network also says how its peer behaves in each of the ways of
``Behaviour``, and must tell them apart: whether a patient gets a second SMS hangs on it.
"""

import asyncio
import enum
from collections.abc import Sequence
from contextlib import AbstractContextManager

from notifications.gateways import (
    Accepted,
    Gateway,
    Message,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
)


class Behaviour(enum.Enum):
    """How a peer behaves."""

    ACCEPTS = enum.auto()
    REJECTS = enum.auto()
    REJECTS_FOR_NOW = enum.auto()
    THROTTLES = enum.auto()
    IS_AWAY = enum.auto()  # nobody listens: the request does not leave
    LETS_NOBODY_IN = enum.auto()
    HANGS = enum.auto()  # the request left, no answer comes
    CLOSES_AT_ONCE = enum.auto()
    CLOSES_MID_ANSWER = enum.auto()
    ANSWERS_GARBAGE = enum.auto()
    IS_BROKEN = enum.auto()


def some_messages(number: int = 3) -> list[Message]:
    """Return messages to different phones."""
    return [
        Message(reference=f"ref{n:04}", to=f"+3247000{n:04}", text="Ne venez pas. É€")
        for n in range(number)
    ]


def submit(gateway: Gateway, messages: Sequence[Message]) -> list[tuple[str, Result]]:
    """Return the answers in the order in which they came."""

    async def collect() -> list[tuple[str, Result]]:
        await gateway.open()
        try:
            return [(one.reference, one.result) async for one in gateway.submit(messages)]
        finally:
            await gateway.close()

    return asyncio.run(collect())


class Conforms:
    """What holds for every gateway."""

    def gateway(self) -> AbstractContextManager[Gateway]:
        """Return a gateway whose peer, if any, accepts."""
        raise NotImplementedError

    def test_each_message_gets_exactly_one_answer(self) -> None:
        messages = some_messages()
        with self.gateway() as gateway:
            answers = submit(gateway, messages)
        assert sorted(reference for reference, _ in answers) == [m.reference for m in messages]
        assert all(isinstance(result, Accepted) for _, result in answers)

    def test_it_can_be_opened_and_closed_again(self) -> None:
        with self.gateway() as gateway:
            first = submit(gateway, some_messages(1))
            second = submit(gateway, some_messages(1))
        assert len(first) == len(second) == 1

    def test_it_says_what_dispatch_needs_to_know(self) -> None:
        with self.gateway() as gateway:
            assert 0 < len(gateway.name) <= 40
            assert gateway.window >= 1
            assert isinstance(gateway.honours_reference, bool)
            assert isinstance(gateway.has_receipts, bool)
            assert gateway.parts_per_second is None or gateway.parts_per_second > 0


class ConformsOverANetwork(Conforms):
    """What holds for every gateway with a peer."""

    def gateway_to(self, behaviour: Behaviour) -> AbstractContextManager[Gateway]:
        """Return a gateway whose peer behaves so."""
        raise NotImplementedError

    def gateway(self) -> AbstractContextManager[Gateway]:
        """Return a gateway whose peer accepts."""
        return self.gateway_to(Behaviour.ACCEPTS)

    def answer_of(self, behaviour: Behaviour) -> Result:
        """Return the one answer to one message."""
        with self.gateway_to(behaviour) as gateway:
            ((_reference, result),) = submit(gateway, some_messages(1))
        return result

    def test_an_accepted_message_has_the_peers_number(self) -> None:
        result = self.answer_of(Behaviour.ACCEPTS)
        assert isinstance(result, Accepted)
        assert result.provider_id

    def test_a_rejected_number_is_refused_for_good_and_named(self) -> None:
        result = self.answer_of(Behaviour.REJECTS)
        assert isinstance(result, Refused)
        assert (result.permanent, result.failure) == (True, "invalid_number")

    def test_what_is_rejected_for_now_may_be_tried_again(self) -> None:
        result = self.answer_of(Behaviour.REJECTS_FOR_NOW)
        assert isinstance(result, Refused)
        assert not result.permanent

    def test_too_fast_says_when_to_ask_again(self) -> None:
        result = self.answer_of(Behaviour.THROTTLES)
        assert isinstance(result, Throttled)
        assert result.retry_after == 7

    def test_a_peer_that_is_away_got_nothing(self) -> None:
        assert isinstance(self.answer_of(Behaviour.IS_AWAY), NotSent)

    def test_a_peer_that_lets_nobody_in_took_nothing(self) -> None:
        assert isinstance(self.answer_of(Behaviour.LETS_NOBODY_IN), NotSent)

    def test_silence_after_sending_is_unknown(self) -> None:
        assert isinstance(self.answer_of(Behaviour.HANGS), Unknown)

    def test_a_connection_closed_without_an_answer_is_unknown(self) -> None:
        assert isinstance(self.answer_of(Behaviour.CLOSES_AT_ONCE), Unknown)

    def test_an_answer_cut_in_the_middle_is_unknown(self) -> None:
        assert isinstance(self.answer_of(Behaviour.CLOSES_MID_ANSWER), Unknown)

    def test_garbage_is_unknown(self) -> None:
        assert isinstance(self.answer_of(Behaviour.ANSWERS_GARBAGE), Unknown)

    def test_a_broken_peer_may_have_sent_it(self) -> None:
        assert isinstance(self.answer_of(Behaviour.IS_BROKEN), Unknown)
