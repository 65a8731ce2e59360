"""A connection to a gateway: window, rate, answers and reports, without a database."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from notifications.gateways import (
    Accepted,
    Inbound,
    Message,
    OnReport,
    ReceiptReport,
    Result,
    Sent,
    Throttled,
    Unknown,
)
from notifications.sending.connection import (
    GatewayConnection,
    Reported,
    Returned,
    SubmitAnswer,
)
from notifications.sending.handover import HandedOver
from tests.notifications.builders import FakeGateway

Work = Callable[[GatewayConnection], Awaitable[None]]


def some(number: int) -> list[HandedOver]:
    """Return messages to submit."""
    return [HandedOver(n, n, Message(f"r{n}", f"+3247000{n:04}", "x")) for n in range(number)]


async def all_answers(connection: GatewayConnection) -> list[SubmitAnswer]:
    """Take answers until none is outstanding."""
    taken: list[SubmitAnswer] = []
    async with asyncio.timeout(10):
        while connection.outstanding:
            taken += (await connection.take(wait=0.1, enough=1000))[0]
    return taken


def connected(gateway: FakeGateway, work: Work, *, longest_wait: float = 10.0) -> None:
    """Do something with a connection."""

    async def run() -> None:
        async with GatewayConnection(gateway, longest_wait=longest_wait) as connection:
            await work(connection)

    asyncio.run(run())


def answers_to(
    number: int, gateway: FakeGateway, *, longest_wait: float = 10.0
) -> list[SubmitAnswer]:
    """Submit so many messages, and return the answers."""
    answers: list[SubmitAnswer] = []

    async def submit(connection: GatewayConnection) -> None:
        connection.send(some(number))
        answers.extend(await all_answers(connection))

    connected(gateway, submit, longest_wait=longest_wait)
    return answers


def test_every_message_gets_exactly_one_answer_that_is_its_own() -> None:
    gateway = FakeGateway(lambda message: Accepted(message.reference), seconds=0.001)
    answers = answers_to(200, gateway)
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
    answers_to(50, gateway)
    assert gateway.most_at_once == 7


def test_a_gateway_that_takes_batches_gets_batches_within_its_window() -> None:
    gateway = Counting(batch=10, window=20)
    answers_to(45, gateway)
    assert max(gateway.sizes) == 10
    assert gateway.most_at_once <= 20
    assert len(gateway.sizes) <= 6


def test_what_the_gateway_was_not_given_can_be_recalled() -> None:
    gateway = FakeGateway(seconds=0.05, window=2)
    answers: list[SubmitAnswer] = []

    async def recall(connection: GatewayConnection) -> None:
        connection.send(some(100))
        await asyncio.sleep(0.12)
        connection.recall()
        answers.extend(await all_answers(connection))

    connected(gateway, recall)
    returned = [one for one, result in answers if isinstance(result, Returned)]
    assert len(answers) == 100
    assert len(gateway.messages) + len(returned) == 100
    assert len(gateway.messages) <= 8
    assert not {one.message.reference for one in returned} & {m.reference for m in gateway.messages}


def test_a_message_that_waited_longer_than_its_lease_allows_is_returned() -> None:
    gateway = FakeGateway(seconds=0.2, window=1)
    answers = answers_to(3, gateway, longest_wait=0.1)
    kinds = sorted(type(result).__name__ for _one, result in answers)
    assert kinds == ["Accepted", "Returned", "Returned"]
    assert len(gateway.messages) == 1


def test_messages_are_spaced_by_the_rate() -> None:
    started = time.monotonic()
    answers_to(21, FakeGateway(parts_per_second=50.0))
    assert time.monotonic() - started > 0.38  # twenty gaps of a fiftieth of a second


def test_a_throttled_connection_backs_off_before_it_submits_more() -> None:
    answers = iter([Throttled(0.3), *[Accepted("p")] * 5])
    started = time.monotonic()
    answers_to(2, FakeGateway(lambda _message: next(answers), window=1))
    assert time.monotonic() - started > 0.25


def test_a_gateway_that_breaks_leaves_its_message_unknown_and_the_connection_goes_on(
    caplog,
) -> None:
    answers = iter([Accepted("p1"), ValueError("boom"), Accepted("p3")])

    def answer(_message: Message) -> Result:
        result = next(answers)
        if isinstance(result, Exception):
            raise result
        return result

    results = [result for _one, result in answers_to(3, FakeGateway(answer, window=1))]
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


async def take_a_report(connection: GatewayConnection) -> list[Reported]:
    """Wait for a report."""
    for _ in range(100):
        _answers, reports = await connection.take(wait=0.05, enough=1)
        if reports:
            return reports
    raise AssertionError


def test_a_report_is_acknowledged_only_once_it_is_stored() -> None:
    gateway = Reporting()

    async def store(connection: GatewayConnection) -> None:
        (report,) = await take_a_report(connection)
        await asyncio.sleep(0.05)
        assert not gateway.acknowledged
        report.acknowledge()
        await asyncio.sleep(0.05)
        assert gateway.acknowledged

    connected(gateway, store)


def test_a_report_that_nobody_stored_is_not_acknowledged_at_the_end() -> None:
    gateway = Reporting()

    async def ignore(connection: GatewayConnection) -> None:
        await take_a_report(connection)

    connected(gateway, ignore)
    assert not gateway.acknowledged


class Broken(FakeGateway):
    """Cannot even be opened, against the rules."""

    async def open(self, on_report: OnReport) -> None:
        """Fail."""
        raise ValueError


def test_a_connection_that_cannot_open_says_so_and_holds_nobody_up(caplog) -> None:
    async def look(connection: GatewayConnection) -> None:
        assert not connection.is_open

    connected(Broken(), look)
    assert "broke" in caplog.text


class Asked(FakeGateway):
    """Answers a question after a while, or breaks."""

    async def query(self, sent: Sequence[Sent]) -> Sequence[ReceiptReport | None]:
        """Break over nobody's message."""
        await asyncio.sleep(0.3)
        if not sent[0].reference:
            raise ValueError
        return [None]


def test_a_query_is_under_way_beside_the_messages() -> None:
    async def ask(connection: GatewayConnection) -> None:
        query = asyncio.create_task(connection.query([Sent("r1", "p1", "+32470000000")]))
        connection.send(some(3))
        assert len(await all_answers(connection)) == 3
        assert not query.done()
        assert await query == [None]

    connected(Asked(), ask)


def test_a_query_that_breaks_has_no_answer(caplog) -> None:
    async def ask(connection: GatewayConnection) -> None:
        assert await connection.query([Sent("", "", "")]) == [None]

    connected(Asked(), ask)
    assert "could not be asked" in caplog.text


class Slow(FakeGateway):
    """Takes its time to open; ``closed`` says that it was closed after that."""

    closed = False

    async def open(self, on_report: OnReport) -> None:
        """Wait."""
        await asyncio.sleep(60)

    async def close(self) -> None:
        """Remember."""
        self.closed = True


def test_a_connection_is_closed_when_the_caller_ends_while_it_opens() -> None:
    gateway = Slow()

    async def give_up() -> None:
        async with asyncio.timeout(0.2), GatewayConnection(gateway, longest_wait=1.0):
            raise AssertionError

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    assert gateway.closed
