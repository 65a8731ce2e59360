"""The line between the thread of the database and the gateway's event loop."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from notifications.gateways import (
    Accepted,
    Inbound,
    Message,
    OnReport,
    Receipt,
    Result,
    Sent,
    Throttled,
    Unknown,
)
from notifications.sending.hand_over import HandedOver
from notifications.sending.line import Answer, Line, Reported, Returned
from tests.notifications.builders import FakeGateway


def some(number: int) -> list[HandedOver]:
    """Return messages to hand in."""
    return [
        HandedOver(n, n, Message(f"r{n}", f"+3247000{n:04}", "x"), False) for n in range(number)
    ]


def all_answers(line: Line) -> list[Answer]:
    """Take answers until none is outstanding."""
    taken: list[Answer] = []
    ends = time.monotonic() + 10
    while line.outstanding:
        assert time.monotonic() < ends
        taken += line.take(wait=0.1, enough=1000)[0]
    return taken


def open_line(gateway: FakeGateway, *, longest_wait: float = 10.0) -> Line:
    """Return a line, not open yet."""
    return Line(gateway, longest_wait=longest_wait)


def test_every_message_gets_exactly_one_answer_that_is_its_own() -> None:
    gateway = FakeGateway(lambda message: Accepted(message.reference), seconds=0.001)
    with open_line(gateway) as line:
        line.send(some(200))
        answers = all_answers(line)
    assert sorted(one.delivery_id for one, _ in answers) == list(range(200))
    assert all(r == Accepted(one.message.reference) for one, r in answers)


class Counting(FakeGateway):
    """Remembers how many messages it had at once, and how they were bundled."""

    def __init__(self, *, batch: int = 1, window: int = 20) -> None:
        super().__init__(seconds=0.0, window=window)
        self.batch = batch
        self.sizes: list[int] = []
        self.at_once = self.most_at_once = 0

    async def submit(self, messages: Sequence[Message]) -> Sequence[Result]:
        """Count and take."""
        self.sizes.append(len(messages))
        self.at_once += len(messages)
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= len(messages)
        return [Accepted("p") for _ in messages]


def test_the_window_is_kept_full_and_never_overfilled() -> None:
    gateway = Counting(window=7)
    with open_line(gateway) as line:
        line.send(some(50))
        all_answers(line)
    assert gateway.most_at_once == 7


def test_a_gateway_that_takes_batches_gets_batches_within_its_window() -> None:
    gateway = Counting(batch=10, window=20)
    with open_line(gateway) as line:
        line.send(some(45))
        all_answers(line)
    assert max(gateway.sizes) == 10
    assert gateway.most_at_once <= 20
    assert len(gateway.sizes) <= 6


def test_what_the_gateway_was_not_given_can_be_recalled() -> None:
    gateway = FakeGateway(seconds=0.05, window=2)
    with open_line(gateway) as line:
        line.send(some(100))
        time.sleep(0.12)
        line.recall()
        answers = all_answers(line)
    returned = [one for one, result in answers if isinstance(result, Returned)]
    assert len(answers) == 100
    assert len(gateway.messages) + len(returned) == 100
    assert len(gateway.messages) <= 8
    assert not {one.message.reference for one in returned} & {m.reference for m in gateway.messages}


def test_a_message_that_waited_longer_than_its_lease_allows_is_returned() -> None:
    gateway = FakeGateway(seconds=0.2, window=1)
    with open_line(gateway, longest_wait=0.1) as line:
        line.send(some(3))
        answers = all_answers(line)
    kinds = sorted(type(result).__name__ for _one, result in answers)
    assert kinds == ["Accepted", "Returned", "Returned"]
    assert len(gateway.messages) == 1


def test_messages_are_spaced_by_the_rate() -> None:
    gateway = FakeGateway(parts_per_second=50.0)
    with open_line(gateway) as line:
        started = time.monotonic()
        line.send(some(21))
        all_answers(line)
        assert time.monotonic() - started > 0.38  # twenty gaps of a fiftieth of a second


def test_a_throttled_line_waits_before_it_gives_more() -> None:
    answers = iter([Throttled(0.3), *[Accepted("p")] * 5])
    gateway = FakeGateway(lambda _message: next(answers), window=1)
    with open_line(gateway) as line:
        line.send(some(2))
        started = time.monotonic()
        all_answers(line)
        assert time.monotonic() - started > 0.25


def test_a_gateway_that_breaks_leaves_its_message_unknown_and_the_line_goes_on(caplog) -> None:
    answers = iter([Accepted("p1"), ValueError("boom"), Accepted("p3")])

    def answer(_message: Message) -> Result:
        result = next(answers)
        if isinstance(result, Exception):
            raise result
        return result

    with open_line(FakeGateway(answer, window=1)) as line:
        line.send(some(3))
        results = [result for _one, result in all_answers(line)]
    assert [type(result) for result in results] == [Accepted, Unknown, Accepted]
    assert "failed in the middle" in caplog.text


class Reporting(FakeGateway):
    """Reports something as soon as it is open, and remembers when it was told it is stored."""

    acknowledged = False

    async def open(self, on_report: OnReport) -> None:
        """Report."""

        async def report() -> None:
            await on_report(Inbound(phone="+32470000000", text="STOP"))
            self.acknowledged = True

        self._task = asyncio.create_task(report())


def take_a_report(line: Line) -> list[Reported]:
    """Wait for a report."""
    for _ in range(100):
        _answers, reports = line.take(wait=0.05, enough=1)
        if reports:
            return reports
    raise AssertionError


def test_a_report_is_acknowledged_only_once_it_is_stored() -> None:
    gateway = Reporting()
    with open_line(gateway) as line:
        reports = take_a_report(line)
        time.sleep(0.05)
        assert not gateway.acknowledged
        line.confirm(reports)
        time.sleep(0.05)
        assert gateway.acknowledged


class Broken(FakeGateway):
    """Cannot even be opened, against the rules."""

    async def open(self, on_report: OnReport) -> None:
        """Fail."""
        raise ValueError


def test_a_line_that_cannot_open_says_so_and_holds_nobody_up(caplog) -> None:
    with open_line(Broken()) as line:
        assert not line.is_open
    assert "broke" in caplog.text


class Asked(FakeGateway):
    """Answers a question after a while, or breaks."""

    async def query(self, sent: Sequence[Sent]) -> Sequence[Receipt | None]:
        """Break over nobody's message."""
        await asyncio.sleep(0.3)
        if not sent[0].reference:
            raise ValueError
        return [None]


def test_a_question_is_under_way_beside_the_messages() -> None:
    with open_line(Asked()) as line:
        question = line.ask([Sent("r1", "p1", "+32470000000")])
        line.send(some(3))
        assert len(all_answers(line)) == 3
        assert not question.done()
        assert question.result(timeout=5) == [None]


def test_a_question_that_breaks_has_no_answer(caplog) -> None:
    with open_line(Asked()) as line:
        assert line.ask([Sent("", "", "")]).result(timeout=5) == [None]
    assert "could not be asked" in caplog.text


def test_a_question_nobody_waits_for_does_not_hold_the_end_up() -> None:
    with open_line(Asked()) as line:
        question = line.ask([Sent("r1", "p1", "+32470000000")])
        question.cancel()
    assert question.cancelled()
    assert not line.is_open


class Slow(FakeGateway):
    """Takes its time to open; ``closed`` says that it was closed after that."""

    closed = False

    async def open(self, on_report: OnReport) -> None:
        """Wait."""
        await asyncio.sleep(1.3)

    async def close(self) -> None:
        """Remember."""
        self.closed = True


def test_a_connection_is_closed_again_when_the_caller_breaks_while_it_is_made() -> None:
    def broken() -> None:
        raise ValueError

    gateway = Slow()
    line = Line(gateway, longest_wait=1.0, meanwhile=broken)
    with pytest.raises(ValueError), line:  # noqa: PT011  # our own
        raise AssertionError
    ends = time.monotonic() + 5
    while line.is_open and time.monotonic() < ends:
        time.sleep(0.05)
    assert gateway.closed
