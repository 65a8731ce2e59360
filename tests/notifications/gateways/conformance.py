"""What every gateway must do; each one's test file inherits from here.

``Conforms`` holds for every kind, ``ConformsOverANetwork`` for one with a peer: its test file
says how that peer behaves in each of the ways of ``Behaviour``, and the gateway must tell them
apart, since whether a patient gets a second SMS hangs on it. What a gateway says later is in
``conformance_reports``.
"""

import asyncio
import contextlib
import datetime as dt
import enum
import socket
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from notifications.gateways import (
    Accepted,
    Checked,
    Gateway,
    Message,
    NotSent,
    ReceiptReport,
    Refused,
    Report,
    Result,
    Sent,
    Throttled,
    Unknown,
)
from notifications.models import Failure

NOW = dt.datetime(2022, 5, 15, 18, 30, tzinfo=dt.UTC)
REFERENCE = "0123456789abcdef0123456789abcdef"
# Seconds for an answer: a machine that is busy takes one for a connection, and is not away.
PATIENCE = 3
PHONE = "+32470000001"


class Behaviour(enum.Enum):
    """How a peer behaves."""

    ACCEPTS = enum.auto()
    REJECTS = enum.auto()
    REJECTS_FOR_NOW = enum.auto()
    REJECTS_ODD_NUMBERS = enum.auto()  # phones that end in an odd digit, in any order of time
    THROTTLES = enum.auto()
    IS_AWAY = enum.auto()  # nobody listens: the request does not leave
    NEVER_CONNECTS = enum.auto()  # ``a_door_that_stays_shut``: nor does it here
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


async def ignore(_report: Report) -> None:
    """Take a report that the test does not look at."""


def submit(gateway: Gateway, messages: Sequence[Message]) -> list[tuple[str, Result]]:
    """Submit messages as dispatch does; return (reference, answer) in the messages' order."""

    async def all_beside_each_other() -> list[tuple[str, Result]]:
        await gateway.open(ignore)
        try:
            batches = [
                messages[n : n + gateway.batch] for n in range(0, len(messages), gateway.batch)
            ]
            answered = await asyncio.gather(*(gateway.submit(batch) for batch in batches))
        finally:
            await gateway.close()
        results = [result for batch in answered for result in batch]
        return [(m.reference, result) for m, result in zip(messages, results, strict=True)]

    return asyncio.run(all_beside_each_other())


def query(gateway: Gateway, sent: Sequence[Sent]) -> Sequence[ReceiptReport | None]:
    """Ask what became of messages."""

    async def opened() -> Sequence[ReceiptReport | None]:
        await gateway.open(ignore)
        try:
            return await gateway.query(sent)
        finally:
            await gateway.close()

    return asyncio.run(opened())


def check(gateway: Gateway) -> Checked:
    """Check the access as ``manage.py gateway check`` does."""

    async def opened() -> Checked:
        await gateway.open(ignore)
        try:
            return await gateway.check()
        finally:
            await gateway.close()

    return asyncio.run(opened())


@contextlib.contextmanager
def a_port_where_nobody_listens() -> Iterator[int]:
    """Give a port that refuses connections."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@contextlib.contextmanager
def a_door_that_stays_shut() -> Iterator[int]:
    """Give a port where a connection is neither made nor refused: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


class Conforms:
    """What holds for every gateway."""

    secrets: Sequence[str] = ()  # of the URLs that these tests use

    def gateway(self) -> AbstractContextManager[Gateway]:
        """Return a gateway whose peer, if any, accepts."""
        raise NotImplementedError

    def assert_tells_no_secret(self, *said: object) -> None:
        """Fail where a secret shows."""
        text = " ".join(repr(one) for one in said)
        assert [secret for secret in self.secrets if secret in text] == []

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
            assert gateway.options.window >= 1
            assert gateway.batch >= 1
            assert isinstance(gateway.honours_reference, bool)
            assert isinstance(gateway.has_receipts, bool)

    def test_no_secret_shows_in_its_name(self) -> None:
        with self.gateway() as gateway:
            self.assert_tells_no_secret(gateway, gateway.name)

    def test_a_check_says_that_it_may_be_used_and_tells_no_secret(self) -> None:
        with self.gateway() as gateway:
            checked = check(gateway)
        assert (checked.usable, checked.complaint) == (True, "")
        assert all(name and value for name, value in checked.facts)
        self.assert_tells_no_secret(checked)


class ConformsOverANetwork(Conforms):
    """What holds for every gateway with a peer."""

    numbers_messages = True  # the peer's answer has its own number for a message
    waits_for = 7.0  # seconds that a peer which throttles asks for, or the kind's own
    refuses_as = Failure.INVALID_NUMBER  # what the peer says when it rejects

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
        self.assert_tells_no_secret(result)
        assert len(getattr(result, "remark", "")) <= 200
        return result

    def test_an_accepted_message_has_the_peers_number(self) -> None:
        result = self.answer_of(Behaviour.ACCEPTS)
        assert isinstance(result, Accepted)
        assert bool(result.provider_id) == self.numbers_messages

    def test_a_rejected_number_is_refused_for_good_and_named(self) -> None:
        result = self.answer_of(Behaviour.REJECTS)
        assert isinstance(result, Refused)
        assert (result.permanent, result.failure) == (True, self.refuses_as)

    def test_what_is_rejected_for_now_may_be_tried_again(self) -> None:
        result = self.answer_of(Behaviour.REJECTS_FOR_NOW)
        assert isinstance(result, Refused)
        assert not result.permanent

    def test_each_answer_stays_with_its_message(self) -> None:
        messages = some_messages(12)
        with self.gateway_to(Behaviour.REJECTS_ODD_NUMBERS) as gateway:
            answers = submit(gateway, messages)
        kinds = [type(result) for _reference, result in answers]
        assert kinds == [Accepted, Refused] * 6

    def test_too_fast_says_when_to_ask_again(self) -> None:
        result = self.answer_of(Behaviour.THROTTLES)
        assert isinstance(result, Throttled)
        assert result.retry_after == self.waits_for

    def test_a_peer_that_is_away_got_nothing(self) -> None:
        assert isinstance(self.answer_of(Behaviour.IS_AWAY), NotSent)

    def test_a_connection_that_is_never_made_carried_nothing(self) -> None:
        assert isinstance(self.answer_of(Behaviour.NEVER_CONNECTS), NotSent)

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

    def test_a_check_of_a_peer_that_is_away_complains_without_a_secret(self) -> None:
        with self.gateway_to(Behaviour.IS_AWAY) as gateway:
            checked = check(gateway)
        assert not checked.usable
        assert checked.complaint
        self.assert_tells_no_secret(checked)
