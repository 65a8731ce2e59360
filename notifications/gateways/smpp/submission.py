"""One message on its way to the SMSC: its parts, and what was answered to each."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from notifications.gateways.smpp.errors import SLOW_DOWN, Answer, Outcome, Silence
from notifications.gateways.smpp.pdu import SUBMIT, Form, Pdu, text_of
from notifications.gateways.smpp.session import Session
from notifications.gateways.smpp.text import Part
from notifications.gateways.smpp.window import WindowClosed


class Submission:
    """The submissions of one message.

    Args:
        to: the number, digits only.
        parts: each with the form it goes into.
        on_late: called when an answer comes after its time, once all others are in.

    Attributes:
        outcomes: one for each part; not written, to begin with.
        sent_at: of the part that left last, on the clock of the event loop.
    """

    def __init__(
        self,
        *,
        to: bytes,
        parts: Sequence[tuple[Form, Part]],
        on_late: Callable[["Submission"], None],
    ) -> None:
        self.outcomes: list[Outcome] = [Silence.NOT_WRITTEN] * len(parts)
        self.sent_at = 0.0
        self._to = to
        self._parts = parts
        self._on_late = on_late
        self._left = 0
        self._answers: asyncio.Future[None] | None = None

    async def send(self, session: Session) -> None:
        """Send what was not taken yet, and wait for every answer; see ``outcomes``.

        The parts leave back to back, as far as the window is wide enough for them; where it is
        not, and one of the first is not taken, the others stay here.
        """
        rest = iter([n for n, one in enumerate(self.outcomes) if not _is_taken(one)])
        while chunk := list(islice(rest, session.window.size)):
            try:
                await session.window.take(len(chunk))
            except WindowClosed:
                return
            if not session.bound or session.in_doubt:
                session.window.give_back(len(chunk))
                return
            await self._write(session, chunk)
            if not all(_is_taken(self.outcomes[n]) for n in chunk):
                return

    @property
    def may_go_on(self) -> bool:
        """Some parts were taken, and all others certainly not, only because it was too fast."""
        others = [one for one in self.outcomes if not _is_taken(one)]
        return (
            0 < len(others) < len(self.outcomes)
            and any(isinstance(one, Answer) for one in others)
            and all(
                one.status in SLOW_DOWN if isinstance(one, Answer) else one is Silence.NOT_WRITTEN
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


def _answer(pdu: Pdu) -> Answer:
    return Answer(pdu.status, "" if pdu.status else text_of(pdu.body)[:100])


def _is_taken(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and not outcome.status
