"""One worker's turn at one gateway: claims, sends and results beside each other.

One thread works with the database (claim, hand over, record) and one with the gateway (the
line); between them lies at most half a second's worth of messages, so that "stop" stops. The
thread of the database never waits for the gateway: it looks a few times a second at what may
stop it, and keeps its seat.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from notifications.gateways import (
    Accepted,
    Gateway,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
)
from notifications.lifecycle import delivery_states
from notifications.models import Sending
from notifications.receipts import receive as receiving
from notifications.sending import leases as seats
from notifications.sending import query as asking
from notifications.sending import rate as pacing
from notifications.sending.early_receipts import EarlyReceipts
from notifications.sending.hand_over import hand_over
from notifications.sending.line import Answer, Line, Reported, Returned
from notifications.sending.line_pace import LearntPace
from notifications.sending.record import record
from notifications.sending.retrying import until_it_works
from notifications.sending.rota import LONGEST_STAY_SECONDS, Rota

LOOK_SECONDS = 0.25
PROMOTE_SECONDS = 2.0
"""How often the switch is looked at: it stops within two of these and what is on the way."""
AHEAD_SECONDS = 0.25
"""How much is handed over at once, in seconds of what the gateway takes."""
PROBE = 5
"""What a gateway gets that has not answered lately."""
ROUND_SECONDS = 0.04
"""Answers are gathered for so long before they are recorded together …"""
ENOUGH = 250
"""… or until there are so many."""
IDLE_SECONDS = 0.5
BROKEN = "l'opérateur n'a rien répondu"


@dataclass
class DispatchResult:
    """What became of one run.

    ``held_up``: paused, or a gateway may not be used now; ``out_of_time``: there may be more.
    """

    claimed: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    waiting: int = 0
    held_up: bool = False
    out_of_time: bool = False

    def add(self, answers: Sequence[Answer]) -> None:
        """Count answers."""
        kinds = [type(result) for _one, result in answers]
        self.accepted += kinds.count(Accepted)
        self.refused += kinds.count(Refused)
        self.unknown += kinds.count(Unknown)
        self.waiting += sum(kinds.count(kind) for kind in (Throttled, NotSent, Returned))


class Turn:
    """One worker at one gateway.

    Args:
        worker: as for ``delivery_states.claim``.
        gateway: opened and closed here.
        rota: says what the gateway may get, and for how long.
        limit: claim at most so many messages.
        result: is counted on.
    """

    def __init__(
        self,
        worker: str,
        gateway: Gateway,
        rota: Rota,
        limit: int | None,
        result: DispatchResult,
    ) -> None:
        self._worker = worker
        self._gateway = gateway
        self._rota = rota
        self._left = limit
        self._result = result
        self._claimed: list[int] = []
        self._question: asking.Question | None = None
        self._may_feed = False
        self._exhausted = False
        self._stopping = False
        self._on_hold = False
        self._cut_short = False
        self._began = time.perf_counter()
        self._promoted_at = float("-inf")
        self._looked_at = float("-inf")
        self._pace = LearntPace(gateway)
        self._stay_until = 0.0
        self._early = EarlyReceipts()

    def go(self) -> bool:
        """Send until there is a reason to stop; then wait for what is on its way.

        Returns:
            whether it ended only to let other gateways have their turn.
        """
        # Half a lease for the message to wait here, half for the gateway to answer.
        longest_wait = settings.SMS_LEASE_SECONDS / 4
        with Line(self._gateway, longest_wait=longest_wait, meanwhile=self._keep_seat) as line:
            self._line = line
            try:
                while line.is_open and not self._is_over():
                    self._round()
                if not line.is_open:  # against the rules: the next gateway may take over
                    pacing.note(self._gateway, [NotSent(BROKEN)])
            finally:
                self._wind_up()
        return self._cut_short

    def _is_over(self) -> bool:
        now = time.perf_counter()
        if now > self._rota.ends_for(self._gateway):
            self._result.out_of_time = self._cut_short = True
            return True
        if self._stopping or not self._is_idle():
            return self._stopping
        if self._gateway.listens:
            return self._cut_short
        return now >= self._stay_until

    def _is_idle(self) -> bool:
        nothing_more = self._exhausted or self._on_hold
        on_its_way = self._claimed or self._line.outstanding or self._question
        return nothing_more and not on_its_way

    def _round(self) -> None:
        self._look()
        if not (self._stopping or self._on_hold):
            self._feed()
        if self._is_over():
            return
        self._gather(IDLE_SECONDS if self._is_idle() else ROUND_SECONDS)

    def _look(self) -> None:
        """Look at what may stop us, a few times a second."""
        now = time.perf_counter()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        self._look_at_the_gateways()
        self._keep_seat()
        if self._gateway.listens and self._is_idle():
            self._cut_short = self._rota.has_listened_enough(self._gateway, since=self._began)
        if self._exhausted or now - self._promoted_at > PROMOTE_SECONDS:
            self._exhausted = False
            self._promoted_at = now
            delivery_states.promote()
            self._question = self._question or asking.ask(self._line)

    def _look_at_the_gateways(self) -> None:
        self._standing = pacing.standing(self._gateway)
        objection = self._gateway.objection()
        if objection and not self._standing.is_away:
            pacing.note(self._gateway, [objection])
            self._stopping |= not objection.answered  # its seat is for a host that has a way
            self._standing = pacing.standing(self._gateway)
        may_stay = not self._standing.is_away and self._standing.wait < LONGEST_STAY_SECONDS
        has_to_stop = Sending.is_paused() or not may_stay
        could_feed, self._may_feed = self._may_feed, self._rota.may_feed(self._gateway)
        self._on_hold = has_to_stop or self._standing.is_full
        if has_to_stop:
            self._stopping |= not self._gateway.listens
            self._line.recall()
        if self._on_hold or (could_feed and not self._may_feed):
            self._release()
        self._result.held_up |= self._on_hold

    def _keep_seat(self) -> None:
        if not seats.keep(self._gateway, worker=self._worker):
            self._stopping = True

    def _release(self) -> None:
        """Give back what was claimed and not handed over."""
        if not self._claimed:
            return
        with transaction.atomic():
            delivery_states.unclaim(ids=self._claimed, worker=self._worker)
        self._claimed = []

    def _feed(self) -> None:
        """Hand over the next messages, before the line runs dry."""
        size = self._chunk()
        if self._line.waiting >= size or self._standing.wait > AHEAD_SECONDS:
            return
        if self._standing.is_on_probation and self._line.outstanding:
            return
        if len(self._claimed) < size and not self._exhausted:
            self._claim(4 * size)
        if not self._claimed:
            return
        chunk, self._claimed = self._claimed[:size], self._claimed[size:]
        leaving = hand_over(ids=chunk, worker=self._worker, gateway=self._gateway)
        self._line.send(leaving or [])
        if self._pace.is_limited:
            self._standing = pacing.standing(self._gateway)
            if self._standing.is_full:
                self._looked_at = float("-inf")  # hold the rest at once

    def _chunk(self) -> int:
        if self._standing.is_on_probation:
            return PROBE
        size = self._pace.worth_of(AHEAD_SECONDS)
        parts_left = self._standing.parts_left
        return size if parts_left is None else max(1, min(size, parts_left))

    def _claim(self, number: int) -> None:
        wanted = number if self._left is None else min(number, self._left)
        ids = self._claim_some(wanted) if wanted else []
        self._exhausted = len(ids) < number
        self._claimed += ids
        self._result.claimed += len(ids)
        if self._left is not None:
            self._left -= len(ids)

    def _claim_some(self, number: int) -> list[int]:
        if not (self._may_feed or self._gateway.honours_reference):
            return []  # nothing is submitted to it twice
        return delivery_states.claim(
            worker=self._worker,
            limit=number,
            gateway=self._gateway.name,
            only_its_own=not self._may_feed,
        )

    def _gather(self, wait: float) -> None:
        """Record what came back."""
        answers, reports = self._line.take(wait=wait, enough=ENOUGH)
        if answers:
            self._pace.note(len(answers))
            self._record(answers)
        if reports:
            self._receive(reports)
        self._early.look(answers_are_missing=self._line.outstanding > 0)
        if self._question and self._question.answers.done():
            question, self._question = self._question, None
            if not question.answers.cancelled():  # as when the line broke
                until_it_works(lambda: asking.heed(question))

    def _record(self, answers: Sequence[Answer]) -> None:
        results = {one.delivery_id: (result, one.again) for one, result in answers}
        until_it_works(lambda: record(worker=self._worker, gateway=self._gateway, results=results))
        self._result.add(answers)
        if any(isinstance(result, Returned) for _one, result in answers):
            self._exhausted = False  # what waited here for too long is queued again
        self._heed([result for _one, result in answers])

    def _heed(self, results: Sequence[Result | Returned]) -> None:
        """Leave a gateway that is away; wait for one that is only too slow, if it is short."""
        if any(isinstance(one, NotSent | Throttled | Unknown) for one in results):
            self._looked_at = float("-inf")  # look at once at what that makes of it for all
        if any(isinstance(one, NotSent) for one in results):
            self._result.held_up = self._stopping = True
        waits = [one.retry_after for one in results if isinstance(one, Throttled)]
        if waits:
            self._result.held_up = True
            if max(waits) <= LONGEST_STAY_SECONDS:
                self._stay_until = time.perf_counter() + max(waits) + 1.0

    def _receive(self, reports: Sequence[Reported]) -> None:
        said, name = [one.report for one in reports], self._gateway.name
        received = until_it_works(lambda: receiving.receive(gateway=name, reports=said))
        self._line.confirm(reports)
        self._early.note(received)

    def _wind_up(self) -> None:
        """Take back what the gateway was not given, and wait for what it was."""
        if self._question:
            self._question.answers.cancel()
        self._line.recall()
        self._release()
        deadline = time.perf_counter() + 2 * self._gateway.options.timeout + 1
        while self._line.outstanding and time.perf_counter() < deadline:
            self._gather(LOOK_SECONDS)
            self._keep_seat()
            if not self._line.is_open:
                break
