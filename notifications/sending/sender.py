"""One sender: claims, hands over, submits and records for one session of one gateway.

All senders of a process share one event loop. What touches the database runs on the thread that
called ``dispatch.run``, one call at a time (``in_database``); the loop goes on meanwhile. At most
half a second's worth of messages is handed over and not submitted, so that "stop" stops.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from notifications.gateways import (
    Accepted,
    Gateway,
    NotSent,
    ReceiptReport,
    Refused,
    Result,
    Sent,
    Throttled,
    Unknown,
)
from notifications.lifecycle import delivery_states
from notifications.models import Sending
from notifications.receipts import receive as receiving
from notifications.sending import limits
from notifications.sending.connection import (
    GatewayConnection,
    Reported,
    SubmitAnswer,
    Throughput,
)
from notifications.sending.handover import HandedOver, Returned, hand_over, record

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""How often the switch is looked at: it stops within two of these and what is on the way."""
PROMOTE_SECONDS = 2.0
AHEAD_SECONDS = 0.25
"""How much is handed over at once, in seconds of what the gateway takes."""
PROBE = 5
"""What a gateway gets that has not answered lately."""
ROUND_SECONDS = 0.04
"""Answers are gathered for so long before they are recorded together …"""
ENOUGH = 250
"""… or until there are so many."""
IDLE_SECONDS = 0.5
EARLY_RECEIPTS_SECONDS = 0.5
LONGEST_STAY_SECONDS = 5.0
"""A gateway that throttles is waited for so long at most."""
PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.5
BROKEN = "l'opérateur n'a rien répondu"


async def in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run something on the thread of the database, after what waits for it already."""
    return await sync_to_async(work)(*args, **kwargs)


def until_it_works(write: Callable[[], T]) -> T:
    """Repeat a whole transaction until it is written: a restart, a full disk, a deadlock.

    An answer of a gateway is not thrown away because the database was away for a moment.

    Args:
        write: atomic, and right to repeat.

    Returns:
        what it returns.

    Raises:
        OperationalError, InterfaceError: it did not work for ``PATIENCE_SECONDS``.
    """
    gives_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > gives_up_at:
                raise
            logger.warning("the database did not take answers, trying again: %s", error)
            connection.close()
            time.sleep(_PAUSE_SECONDS)


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

    def add(self, answers: Sequence[SubmitAnswer]) -> None:
        """Count answers."""
        kinds = Counter(type(result) for _one, result in answers)
        self.accepted += kinds[Accepted]
        self.refused += kinds[Refused]
        self.unknown += kinds[Unknown]
        self.waiting += kinds[Throttled] + kinds[NotSent] + kinds[Returned]


@dataclass
class Run:
    """What the senders of one run share.

    Attributes:
        gateways: in the order of preference.
        left: how many messages may still be claimed; None for any number.
        over: set when senders are to wind up and end.
        has_changed: set when one has nothing more to do.
    """

    gateways: Sequence[Gateway]
    left: int | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    has_changed: asyncio.Event = field(default_factory=asyncio.Event)
    result: DispatchResult = field(default_factory=DispatchResult)

    def may_feed(self, gateway: Gateway) -> bool:
        """Whether a gateway may get what was never handed over.

        A later one may only while each one before it is out of reach, silent, or has reached its
        daily cap. One that throttles, or whose sessions others hold, is waited for.
        """
        names = [one.name for one in self.gateways]
        before = self.gateways[: names.index(gateway.name)]
        return all(limits.standing(one).gives_way for one in before)


class Sender:
    """Sends and listens for as long as it is connected.

    Args:
        gateway: opened and closed here.
        worker: as for ``delivery_states.claim``; unique to this sender. Holds the lease.
        run: shared with the other senders.
    """

    def __init__(self, gateway: Gateway, *, worker: str, run: Run) -> None:
        self.gateway = gateway
        self._worker = worker
        self._run = run
        # Half a lease for the message to wait here, half for the gateway to answer.
        longest_wait = settings.SMS_LEASE_SECONDS / 4
        self._connection = GatewayConnection(gateway, longest_wait=longest_wait)
        self._throughput = Throughput(gateway)
        self._claimed: list[int] = []
        self._asked: Sequence[Sent] = ()
        self._question: asyncio.Task[Sequence[ReceiptReport | None]] | None = None
        self._may_feed = self._exhausted = False
        self._leaving = self._on_hold = self._must_recall = False
        self._promoted_at = self._looked_at = self._stay_until = float("-inf")
        self._early_receipts_at = float("inf")

    async def stay_connected(self) -> None:
        """Send until there is a reason to leave; then wait for what is on its way."""
        async with self._kept_lease(), self._connection as opened:
            if not opened.is_open:  # against the rules: the next gateway may take over
                await in_database(limits.note_answers, self.gateway, [NotSent(BROKEN)])
                return
            try:
                while not self._is_over():
                    await self._round()
            finally:
                await self._wind_up()

    @asynccontextmanager
    async def _kept_lease(self) -> AsyncIterator[None]:
        """Renew the lease meanwhile, also while the connection opens.

        Where it is lost, or cannot be renewed, the sender leaves: another one may hold it now.
        """

        async def keep() -> None:
            try:
                while await in_database(limits.keep_lease, self.gateway, worker=self._worker):
                    await asyncio.sleep(LOOK_SECONDS)
            except (OperationalError, InterfaceError) as error:
                logger.warning("the lease of %s was not renewed: %s", self.gateway.name, error)
            self._leaving = True

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    def _is_over(self) -> bool:
        if self._run.over.is_set() or self._leaving:
            return True
        if not self._is_idle() or self.gateway.listens:
            return False
        return time.monotonic() >= self._stay_until

    def _is_idle(self) -> bool:
        nothing_more = self._exhausted or self._on_hold
        return nothing_more and not (
            self._claimed or self._connection.outstanding or self._question
        )

    async def _round(self) -> None:
        await self._look()
        if not (self._leaving or self._on_hold):
            await self._feed()
        if not self._is_over():
            await self._gather(IDLE_SECONDS if self._is_idle() else ROUND_SECONDS)

    async def _look(self) -> None:
        """Look a few times a second at what may stop us."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        await in_database(self._look_at_the_gateways, self.gateway.objection())
        if self._must_recall:
            self._connection.recall()
        if self._exhausted or now - self._promoted_at > PROMOTE_SECONDS:
            self._exhausted = False
            self._promoted_at = now
            await in_database(delivery_states.promote)
            await self._ask()

    def _look_at_the_gateways(self, objection: NotSent | None) -> None:
        self._standing = limits.standing(self.gateway)
        if objection and not self._standing.is_away:
            limits.note_answers(self.gateway, [objection])
            self._leaving |= not objection.answered  # the lease is for a host that has a way
            self._standing = limits.standing(self.gateway)
        may_stay = not self._standing.is_away and self._standing.wait < LONGEST_STAY_SECONDS
        self._must_recall = Sending.is_paused() or not may_stay
        could_feed, self._may_feed = self._may_feed, self._run.may_feed(self.gateway)
        self._on_hold = self._must_recall or self._standing.is_full
        self._leaving |= self._must_recall and not self.gateway.listens
        if self._on_hold or (could_feed and not self._may_feed):
            self._unclaim()
        self._run.result.held_up |= self._on_hold

    def _unclaim(self) -> None:
        """Give back what was claimed and not handed over."""
        if self._claimed:
            with transaction.atomic():
                delivery_states.unclaim(ids=self._claimed, worker=self._worker)
            self._claimed = []

    async def _ask(self) -> None:
        """Begin to ask about messages of unknown fate, every few seconds; wait for nothing."""
        if self._question:
            return
        sent = await in_database(receiving.next_to_ask_now, self.gateway)
        if sent:
            self._asked = sent
            self._question = asyncio.create_task(self._connection.query(sent))

    async def _feed(self) -> None:
        """Hand over the next messages, before the connection runs dry."""
        size = self._chunk()
        if self._connection.waiting >= size or self._standing.wait > AHEAD_SECONDS:
            return
        if self._standing.is_on_probation and self._connection.outstanding:
            return
        self._connection.send(await in_database(self._claim_and_hand_over, size))

    def _chunk(self) -> int:
        if self._standing.is_on_probation:
            return PROBE
        size = self._throughput.worth_of(AHEAD_SECONDS)
        parts_left = self._standing.parts_left
        return size if parts_left is None else max(1, min(size, parts_left))

    def _claim_and_hand_over(self, size: int) -> list[HandedOver]:
        if len(self._claimed) < size and not self._exhausted:
            self._claim(4 * size)
        chunk, self._claimed = self._claimed[:size], self._claimed[size:]
        if not chunk:
            return []
        leaving = hand_over(ids=chunk, worker=self._worker, gateway=self.gateway)
        if self._throughput.is_limited:
            self._standing = limits.standing(self.gateway)
            if self._standing.is_full:
                self._looked_at = float("-inf")  # hold the rest at once
        return leaving or []

    def _claim(self, number: int) -> None:
        left = self._run.left
        wanted = number if left is None else min(number, left)
        ids: list[int] = []
        # What may have left through it is submitted again only where that sends it once.
        if wanted and (self._may_feed or self.gateway.honours_reference):
            ids = delivery_states.claim(
                worker=self._worker,
                limit=wanted,
                gateway=self.gateway.name,
                only_its_own=not self._may_feed,
            )
        self._exhausted = len(ids) < number
        self._claimed += ids
        self._run.result.claimed += len(ids)
        if left is not None:
            self._run.left = left - len(ids)

    async def _gather(self, wait: float) -> None:
        """Record what came back."""
        answers, reports = await self._connection.take(wait=wait, enough=ENOUGH)
        if answers:
            self._throughput.note(len(answers))
            await self._record(answers)
        if reports:
            await self._receive(reports)
        if time.monotonic() >= self._early_receipts_at:
            await self._match_early_receipts()
        if self._question and self._question.done():
            said, self._question = self._question.result(), None
            heeding = partial(receiving.heed, self.gateway.name, sent=self._asked, said=said)
            await in_database(until_it_works, heeding)

    async def _record(self, answers: Sequence[SubmitAnswer]) -> None:
        results = {one.delivery_id: (result, one.again) for one, result in answers}
        writing = partial(record, worker=self._worker, gateway=self.gateway, results=results)
        await in_database(until_it_works, writing)
        self._run.result.add(answers)
        if any(isinstance(result, Returned) for _one, result in answers):
            self._exhausted = False  # what waited here for too long is queued again
        self._heed([result for _one, result in answers])

    def _heed(self, results: Sequence[Result | Returned]) -> None:
        """Leave a gateway that is away; wait for one that throttles, if it is short."""
        if any(isinstance(one, NotSent | Throttled | Unknown) for one in results):
            self._looked_at = float("-inf")  # look at once at what that makes of it for all
        if any(isinstance(one, NotSent) for one in results):
            self._run.result.held_up = self._leaving = True
        waits = [one.retry_after for one in results if isinstance(one, Throttled)]
        if waits:
            self._run.result.held_up = True
            if max(waits) <= LONGEST_STAY_SECONDS:
                self._stay_until = time.monotonic() + max(waits) + 1.0

    async def _receive(self, reports: Sequence[Reported]) -> None:
        said = [one.report for one in reports]
        receiving_all = partial(receiving.receive, gateway=self.gateway.name, reports=said)
        received = await in_database(until_it_works, receiving_all)
        for one in reports:
            one.acknowledge()
        if received.matched < received.receipts:
            self._early_receipts_at = min(
                self._early_receipts_at, time.monotonic() + EARLY_RECEIPTS_SECONDS
            )

    async def _match_early_receipts(self) -> None:
        """Match receipts that were faster than the answers to their submissions.

        Only once an answer is written is the gateway's id known. The sweep would match them too,
        some seconds later.
        """
        found = await in_database(until_it_works, receiving.match_young)
        more_may_come = found or self._connection.outstanding
        self._early_receipts_at = (
            time.monotonic() + EARLY_RECEIPTS_SECONDS if more_may_come else float("inf")
        )

    async def _wind_up(self) -> None:
        """Take back what the gateway was not given, and wait for what it was."""
        if self._question:
            self._question.cancel()
            self._question = None
        self._connection.recall()
        await in_database(self._unclaim)
        deadline = time.monotonic() + 2 * self.gateway.options.timeout + 1
        while self._connection.outstanding and time.monotonic() < deadline:
            await self._gather(LOOK_SECONDS)
