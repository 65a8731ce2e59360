"""One SMPP connection: requests with their answers, the window, and the parts of a message.

A submission without an answer in time keeps its place in the window for as long again, because
the SMSC may still be working on it; its answer may come even later and is still passed on. While
nothing at all comes from the SMSC the session is in doubt: it sends one enquire_link, nothing more
is submitted, and without an answer it ends. So a peer that hangs leaves at most one window of
messages unknown.

PDUs of one iteration of the event loop leave in few writes. What was not written when the
connection breaks has certainly not left; what was written may have.
"""

import asyncio
import collections
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from smpplib.command_codes import commands

from notifications.gateways.smpp import pdu as smpp_pdu
from notifications.gateways.smpp.errors import (
    SLOW_DOWN,
    UNKNOWN_COMMAND,
    PartOutcome,
    Silence,
    SubmitResp,
)
from notifications.gateways.smpp.pdu import ANSWER, SUBMIT, Form, Garbled, Pdu, SubmitPart, text_of

QUIET_SECONDS = 30.0
LATE_SECONDS = 900.0
_ENOUGH = 8  # PDUs for one write: the peer works on them while the next ones are made
Answered = Callable[[Pdu | Silence], None]


class WindowClosed(Exception):
    """The connection ended while a message waited for the window."""


class Window:
    """How many requests may be without an answer at once, first come first served.

    A long message takes the places of all its parts at once, so that they leave back to back;
    later messages wait behind it, or it would never get them.

    Args:
        size: places in all.
    """

    def __init__(self, size: int) -> None:
        self.size = self.free = size
        self._queue: collections.deque[tuple[int, asyncio.Future[None]]] = collections.deque()
        self._closed = False

    async def take(self, number: int) -> None:
        """Wait for places.

        Args:
            number: how many, at most ``size``.

        Raises:
            WindowClosed: it closed meanwhile.
        """
        if self._closed:
            raise WindowClosed
        if not self._queue and self.free >= number:
            self.free -= number
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((number, future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and not future.exception():
                self.give_back(number)  # granted, and cancelled in the same iteration
            else:
                self.give_back(0)  # the next in the queue may fit now
            raise

    def give_back(self, number: int = 1) -> None:
        """Free places, and give them to the longest waiting."""
        self.free += number
        while self._queue:
            wanted, future = self._queue[0]
            if not future.done():
                if wanted > self.free:
                    return
                self.free -= wanted
                future.set_result(None)
            self._queue.popleft()

    def close(self) -> None:
        """Raise ``WindowClosed`` for all that wait."""
        self._closed = True
        for _wanted, future in self._queue:
            if not future.done():
                future.set_exception(WindowClosed())
        self._queue.clear()


@dataclass(slots=True)
class _Waiting:
    """A request without answer; ``counts``: it holds a place in the window."""

    command: int
    sent_at: float
    answered: Answered
    counts: bool


class Session(asyncio.Protocol):
    """A connection to an SMSC, from the socket to its end.

    Args:
        window: submissions and queries without answer at most.
        timeout: seconds without an answer.
        on_delivery: called with each deliver_sm and data_sm; it acknowledges them.
    """

    def __init__(
        self, *, window: int, timeout: float, on_delivery: Callable[["Session", Pdu], None]
    ) -> None:
        self.window, self.timeout = Window(window), timeout
        self.bound = False
        self.in_doubt = False
        self.why = ""
        self.over = asyncio.Event()
        self._on_delivery = on_delivery
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._sequence = 0
        self._pending: dict[int, _Waiting] = {}  # in the order of sending
        self._late: dict[int, _Waiting] = {}
        self._out: list[bytes] = []
        self._unwritten: list[int] = []
        self._writable = True
        self._enquiry: asyncio.Task[None] | None = None
        self._retired = False

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take every whole PDU."""
        self._heard_at = self._loop.time()
        self.in_doubt = False
        self._buffer += data
        try:
            for pdu in smpp_pdu.take_from(self._buffer):
                if pdu.command & ANSWER:
                    self._take_answer(pdu)
                else:
                    self._take_request(pdu)
        except Garbled:
            self.abort("l'opérateur envoie autre chose que du SMPP")

    def pause_writing(self) -> None:
        """Stop writing while the peer does not read."""
        self._writable = False

    def resume_writing(self) -> None:
        """Write what is queued."""
        self._writable = True
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """End every request without an answer: it was not written, or may have left."""
        self.bound = False
        self.why = self.why or "connexion rompue"
        unwritten = set(self._unwritten)
        pending, self._pending, self._late = self._pending, {}, {}
        for sequence, waiting in pending.items():
            waiting.answered(Silence.NOT_WRITTEN if sequence in unwritten else Silence.LOST)
        self.window.close()
        if self._enquiry:
            self._enquiry.cancel()
        self.over.set()

    # --- requests of ours

    def next_sequence(self) -> int:
        """Return the number of the next request (SMPP 3.4, 3.2: from 1 up)."""
        self._sequence = self._sequence % smpp_pdu.LAST_SEQUENCE + 1
        return self._sequence

    def send(
        self, command: int, sequence: int, pdu: bytes, answered: Answered, *, counts: bool = False
    ) -> None:
        """Send a request, now or with the others of this iteration.

        Args:
            command: its command_id.
            sequence: from ``next_sequence``.
            pdu: the whole of it.
            answered: called once with the answer or with the kind of silence; after
                ``TIMED_OUT`` perhaps once more with a late answer.
            counts: it uses a place that the window gave.
        """
        self._pending[sequence] = _Waiting(command, self._loop.time(), answered, counts)
        self._unwritten.append(sequence)
        self._write(pdu)

    async def ask(
        self, name: str, *, counts: bool = False, **fields: str | int | bytes
    ) -> Pdu | Silence:
        """Send a request made by smpplib, and return its answer if it comes in time."""
        sequence = self.next_sequence()
        future: asyncio.Future[Pdu | Silence] = self._loop.create_future()
        pdu = smpp_pdu.make(name, sequence, **fields)
        self.send(commands[name], sequence, pdu, _into(future), counts=counts)
        try:
            # Not wait_for: before Python 3.12 it loses a cancellation that meets the answer, and
            # whoever closes the session then waits for ever.
            async with asyncio.timeout(self.timeout):
                return await future
        except TimeoutError:
            return Silence.TIMED_OUT

    def reply(self, pdu: bytes) -> None:
        """Answer a request of the SMSC; the answer is lost if the connection is gone."""
        self._write(pdu)

    def abort(self, why: str) -> None:
        """Close at once.

        Args:
            why: in French, for ``complaint``.
        """
        self.bound = False
        self.why = self.why or why
        if self._transport:
            self._transport.abort()

    def retire(self, why: str) -> None:
        """Submit nothing more, and close once every submission is answered or overdue.

        Args:
            why: in French, for ``complaint``.
        """
        self.bound = False
        self.why = self.why or why
        self._retired = True

    async def unbind(self, seconds: float) -> None:
        """Unbind, and close."""
        if self.bound and not self.in_doubt:
            self.bound = False
            await _at_most(self.ask("unbind"), seconds)
        self.bound = False
        self.why = self.why or "connexion fermée"
        if self._transport:
            self._transport.close()
            await _at_most(self.over.wait(), seconds)
            self._transport.abort()

    # --- time

    def tick(self) -> None:
        """Handle what is overdue; to be called a few times per ``timeout``."""
        now = self._loop.time()
        while overdue := self._oldest(self._pending, now - self.timeout):
            waiting = self._pending.pop(overdue)
            self._late[overdue] = waiting
            self.in_doubt |= waiting.sent_at >= self._heard_at
            waiting.answered(Silence.TIMED_OUT)
        for waiting in self._late.values():
            if waiting.sent_at > now - 2 * self.timeout:
                break
            self._release(waiting)
        while forgotten := self._oldest(self._late, now - LATE_SECONDS - self.timeout):
            del self._late[forgotten]
        if self._retired and not self._pending and self._transport:
            self._transport.close()
        quiet = now - self._heard_at >= QUIET_SECONDS
        if self.bound and (self.in_doubt or quiet) and not self._enquiry:
            self._enquiry = self._loop.create_task(self._enquire())

    def _oldest(self, requests: dict[int, _Waiting], before: float) -> int:
        """Return the first request if it was sent before a moment; 0 for none."""
        for sequence, waiting in requests.items():
            return sequence if waiting.sent_at <= before else 0
        return 0

    async def _enquire(self) -> None:
        try:
            if await self.ask("enquire_link") is Silence.TIMED_OUT:
                self.abort("l'opérateur ne répond plus")
        finally:
            self._enquiry = None

    def _release(self, waiting: _Waiting) -> None:
        if waiting.counts:
            waiting.counts = False
            self.window.give_back()

    # --- received

    def _take_answer(self, pdu: Pdu) -> None:
        waiting = self._pending.pop(pdu.sequence, None) or self._late.pop(pdu.sequence, None)
        if waiting is None:
            return
        if pdu.command not in (waiting.command | ANSWER, smpp_pdu.NACK):
            self.abort("l'opérateur mêle ses réponses")
            waiting.answered(Silence.LOST)
            return
        self._release(waiting)
        waiting.answered(pdu)

    def _take_request(self, pdu: Pdu) -> None:
        if pdu.command in (smpp_pdu.DELIVER, smpp_pdu.DATA):
            self._on_delivery(self, pdu)
        elif pdu.command == smpp_pdu.ENQUIRE:
            self.reply(smpp_pdu.bare(pdu.command | ANSWER, pdu.sequence))
        elif pdu.command == smpp_pdu.UNBIND:
            self.reply(smpp_pdu.bare(pdu.command | ANSWER, pdu.sequence))
            self.retire("l'opérateur a pris congé (unbind)")
        else:
            self.reply(smpp_pdu.bare(smpp_pdu.NACK, pdu.sequence, UNKNOWN_COMMAND))

    # --- sent

    def _write(self, data: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)
        if len(self._out) >= _ENOUGH:
            self._flush()

    def _flush(self) -> None:
        if not self._out or not self._writable or not self._transport:
            return
        if self._transport.is_closing():
            return  # connection_lost follows, and finds it unwritten
        self._transport.write(b"".join(self._out))
        self._out.clear()
        self._unwritten.clear()


def _into(future: "asyncio.Future[Pdu | Silence]") -> Answered:
    def answered(said: Pdu | Silence) -> None:
        if not future.done():
            future.set_result(said)

    return answered


async def _at_most(waiting: Awaitable[object], seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return


class Submission:
    """The submissions of one message: its parts, and the answer to each.

    Args:
        to: the number, digits only.
        parts: each with its form.
        on_late: called when an answer comes after its time-out, once all others are in.

    Attributes:
        outcomes: one for each part; not written, at first.
        sent_at: of the part that left last, on the event loop's clock.
    """

    def __init__(
        self,
        *,
        to: bytes,
        parts: Sequence[tuple[Form, SubmitPart]],
        on_late: Callable[["Submission"], None],
    ) -> None:
        self.outcomes: list[PartOutcome] = [Silence.NOT_WRITTEN] * len(parts)
        self.sent_at = 0.0
        self._to = to
        self._parts = parts
        self._on_late = on_late
        self._left = 0
        self._answers: asyncio.Future[None] | None = None

    async def send(self, session: Session) -> None:
        """Send the parts not accepted yet, and wait for every answer; see ``outcomes``.

        The parts leave back to back, as far as they fit into the window. Where they do not fit
        and one of the first is not accepted, the others are not sent.
        """
        rest = iter([n for n, one in enumerate(self.outcomes) if not _is_accepted(one)])
        while chunk := list(islice(rest, session.window.size)):
            try:
                await session.window.take(len(chunk))
            except WindowClosed:
                return
            if not session.bound or session.in_doubt:
                session.window.give_back(len(chunk))
                return
            await self._write(session, chunk)
            if not all(_is_accepted(self.outcomes[n]) for n in chunk):
                return

    @property
    def may_go_on(self) -> bool:
        """Some parts were accepted, and all others certainly not, only because of throttling."""
        others = [one for one in self.outcomes if not _is_accepted(one)]
        return (
            0 < len(others) < len(self.outcomes)
            and any(isinstance(one, SubmitResp) for one in others)
            and all(
                one.status in SLOW_DOWN
                if isinstance(one, SubmitResp)
                else one is Silence.NOT_WRITTEN
                for one in others
            )
        )

    async def _write(self, session: Session, chunk: Sequence[int]) -> None:
        loop = asyncio.get_running_loop()
        self._answers = loop.create_future()
        self._left = len(chunk)
        self.sent_at = loop.time()
        for n in chunk:
            form, part = self._parts[n]
            sequence = session.next_sequence()
            pdu = form.fill(sequence, self._to, part.data, part.payload)
            session.send(SUBMIT, sequence, pdu, partial(self._answered, n), counts=True)
        await self._answers

    def _answered(self, n: int, said: Pdu | Silence) -> None:
        late = self.outcomes[n] is Silence.TIMED_OUT
        self.outcomes[n] = said if isinstance(said, Silence) else _answer(said)
        if not late:
            self._left -= 1
        if self._left or not self._answers:
            return
        if not self._answers.done():
            self._answers.set_result(None)
        elif late:
            self._on_late(self)


def _answer(pdu: Pdu) -> SubmitResp:
    return SubmitResp(pdu.status, "" if pdu.status else text_of(pdu.body)[:100])


def _is_accepted(outcome: PartOutcome) -> bool:
    return isinstance(outcome, SubmitResp) and not outcome.status
