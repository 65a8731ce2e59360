"""The submissions of one message, and what their answers mean (SMPP 3.4, 5.1.3).

An answer with a status says that the message was not accepted, so a retry sends it to nobody
twice. A refusal is permanent if its reason lies in the number or in this text. One that lies in
settings (sender, service type) is temporary: a wrong setting, corrected in ten minutes, must not
put thousands of patients on the call list. Vendor codes (0x400 to 0x4FF) have no known meaning:
the message is retried. Any other status is unknown.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice

from smpplib import consts

from notifications.gateways.base import Accepted, NotSent, Refused, Result, Throttled, Unknown
from notifications.gateways.smpp.pdu import Field, Pdu, named, text_of
from notifications.gateways.smpp.session import WRONG_ACCESS, Session, Silence
from notifications.models import Failure

PartOutcome = Pdu | Silence
NOT_BOUND: int = consts.SMPP_ESME_RINVBNDSTS
_SLOW_DOWN = {consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL}
_NO_ACCESS = {NOT_BOUND, consts.SMPP_ESME_RBINDFAIL} | WRONG_ACCESS
_FOR_NOW = {
    consts.SMPP_ESME_RSYSERR,
    consts.SMPP_ESME_RSUBMITFAIL,
    consts.SMPP_ESME_RX_T_APPN,
    consts.SMPP_ESME_RDELIVERYFAILURE,
    # settings of ours or theirs
    consts.SMPP_ESME_RINVSRCADR,
    consts.SMPP_ESME_RINVSRCTON,
    consts.SMPP_ESME_RINVSRCNPI,
    consts.SMPP_ESME_RINVDSTTON,
    consts.SMPP_ESME_RINVDSTNPI,
    consts.SMPP_ESME_RINVSERTYP,
    consts.SMPP_ESME_RINVREGDLVFLG,
    consts.SMPP_ESME_RINVEXPIRY,
    *range(0x400, 0x500),  # of vendors
}
_FOR_GOOD = {
    consts.SMPP_ESME_RINVMSGLEN,
    consts.SMPP_ESME_RINVCMDLEN,
    consts.SMPP_ESME_RINVCMDID,
    consts.SMPP_ESME_RINVPRTFLG,
    consts.SMPP_ESME_RINVESMCLASS,
    consts.SMPP_ESME_RINVREPFLAG,
    consts.SMPP_ESME_RINVSCHED,
    consts.SMPP_ESME_RINVDFTMSGID,
    consts.SMPP_ESME_RX_P_APPN,
    consts.SMPP_ESME_RX_R_APPN,
    consts.SMPP_ESME_RINVOPTPARSTREAM,
    consts.SMPP_ESME_ROPTPARNOTALLWD,
    consts.SMPP_ESME_RINVPARLEN,
    consts.SMPP_ESME_RMISSINGOPTPARAM,
    consts.SMPP_ESME_RINVOPTPARAMVAL,
}


def read_status(status: int, retry_after: float) -> Result:
    """Return what a status other than 0 says of a message."""
    remark = f"réponse {named(status)}"
    if status in _SLOW_DOWN:
        return Throttled(retry_after)
    if status in _NO_ACCESS:
        return NotSent(remark, answered=status in WRONG_ACCESS)
    if status == consts.SMPP_ESME_RINVDSTADR:
        return Refused(Failure.INVALID_NUMBER, remark=remark)
    if status in _FOR_GOOD or status in _FOR_NOW:
        return Refused(Failure.REJECTED, permanent=status in _FOR_GOOD, remark=remark)
    return Unknown(remark)


def read_answers(outcomes: Sequence[PartOutcome], retry_after: float) -> Result:
    """Return what the answers to all parts of one message mean together.

    All accepted: accepted. None accepted: the answer to the first part that has one. Some
    accepted and others not: unknown, because the patient may have half a message.

    Args:
        outcomes: one for each part, in their order.
        retry_after: seconds to wait when throttled; the SMSC names none.
    """
    answers = [one for one in outcomes if isinstance(one, Pdu)]
    ids = [text_of(one.body)[:100] for one in answers if not one.status]
    if len(ids) == len(outcomes):
        return Accepted(ids[0], tuple(ids[1:]))
    if ids:
        numbers = f"{len(ids)} parties sur {len(outcomes)} acceptées"
        return Unknown(f"{numbers}, le patient a peut-être un morceau : {_worst(outcomes)}")
    if Silence.TIMED_OUT in outcomes or Silence.LOST in outcomes:
        return Unknown(_worst(outcomes))
    if not answers:
        return NotSent(_worst(outcomes))
    results = [read_status(one.status, retry_after) for one in answers]
    return next((one for one in results if isinstance(one, Unknown)), results[0])


def _worst(outcomes: Sequence[PartOutcome]) -> str:
    for silence in Silence:
        if silence in outcomes:
            return silence.value
    refused = (one for one in outcomes if isinstance(one, Pdu) and one.status)
    return f"réponse {named(next(refused).status)}"


class Submission:
    """The submissions of one message: its parts, and the answer to each.

    Args:
        parts: the fields of each submit_sm.
        on_late: called when an answer comes after its time-out, once all others are in.

    Attributes:
        outcomes: one for each part; not written, at first.
        sent_at: of the part that left last, on the event loop's clock.
    """

    def __init__(
        self, *, parts: Sequence[Mapping[str, Field]], on_late: Callable[["Submission"], None]
    ) -> None:
        self.outcomes: list[PartOutcome] = [Silence.NOT_WRITTEN] * len(parts)
        self.sent_at = 0.0
        self._parts = parts
        self._on_late = on_late
        self._left = 0
        self._all_answered: asyncio.Future[None] | None = None

    async def send(self, session: Session) -> None:
        """Send the parts not accepted yet, and wait for every answer; see ``outcomes``.

        The parts leave back to back, as far as they fit into the window. Where they do not fit
        and one of the first is not accepted, the others are not sent.
        """
        rest = iter([n for n, one in enumerate(self.outcomes) if not _is_accepted(one)])
        while chunk := list(islice(rest, session.window.size)):
            if not await session.window.take(len(chunk)):
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
        throttled = [one for one in others if isinstance(one, Pdu) and one.status in _SLOW_DOWN]
        not_written = others.count(Silence.NOT_WRITTEN)
        return (
            bool(throttled)
            and len(throttled) + not_written == len(others)
            and len(others) < len(self.outcomes)
        )

    async def _write(self, session: Session, chunk: Sequence[int]) -> None:
        loop = asyncio.get_running_loop()
        self._all_answered = loop.create_future()
        self._left = len(chunk)
        self.sent_at = loop.time()
        for n in chunk:
            session.send("submit_sm", partial(self._take, n), counts=True, **self._parts[n])
        await self._all_answered

    def _take(self, n: int, answer: Pdu | Silence) -> None:
        late = self.outcomes[n] is Silence.TIMED_OUT
        self.outcomes[n] = answer
        if not late:
            self._left -= 1
        if self._left or not self._all_answered:
            return
        if not self._all_answered.done():
            self._all_answered.set_result(None)
        elif late:
            self._on_late(self)


def _is_accepted(outcome: PartOutcome) -> bool:
    return isinstance(outcome, Pdu) and not outcome.status


class Backoff:
    """How long to wait when the SMSC throttles without naming a time.

    "Too fast" doubles the wait, unless the message was sent before the last wait began. A message
    that was sent after the last wait and of which no part was throttled resets it.
    """

    FIRST, LONGEST = 1.0, 60.0

    def __init__(self) -> None:
        self._seconds = 0.0
        self._since = float("-inf")

    @property
    def retry_after(self) -> float:
        """Seconds to wait now."""
        return self._seconds or self.FIRST

    def note(self, outcomes: Sequence[PartOutcome], *, sent_at: float, now: float) -> None:
        """Adjust the wait to the answers to what was sent."""
        statuses = {one.status for one in outcomes if isinstance(one, Pdu)}
        if statuses & _SLOW_DOWN:  # also where other parts were accepted
            if sent_at > self._since:
                self._seconds = min(self._seconds * 2 or self.FIRST, self.LONGEST)
                self._since = now
        elif 0 in statuses and sent_at > self._since + self._seconds:
            self._seconds = 0.0
