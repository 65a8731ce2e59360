"""Send what is due: one process, with a sender for each session of each gateway.

The database is the truth: whatever stops this, and wherever, the next run finds each message in
a state that says what may be done with it. Any number of processes may run it beside each other.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Q, QuerySet

from notifications.gateways import Gateway
from notifications.models import Channel, Delivery, DeliveryState, Sending
from notifications.receipts import receive as receiving
from notifications.rules import QuietHours
from notifications.sending import limits
from notifications.sending import sweep as sweeping
from notifications.sending.sender import (
    LONGEST_STAY_SECONDS,
    LOOK_SECONDS,
    DispatchResult,
    Run,
    Sender,
    in_database,
)
from staff import clock

__all__ = ["DispatchResult", "run"]
logger = logging.getLogger(__name__)
LEASE_AGAIN_SECONDS = 1.0
SWEEP_SECONDS = 5.0


def run(
    *,
    worker: str,
    gateways: Sequence[Gateway],
    seconds: float | None = None,
    limit: int | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> DispatchResult:
    """Send what is due until nothing is, sending is held, or the process is to stop.

    The gateways work beside each other, in their order of preference: a later one is given what
    was never handed over only while ``Run.may_feed``. Where one listens, the run goes on for as
    long as it is connected.

    Args:
        worker: a name unique to this run of this process, at most 80 characters.
        gateways: opened and closed here; one with two sessions stands here twice.
        seconds: then it ends; None for no limit.
        limit: claim at most so many messages.
        is_stopping: asked a few times a second; when it says so the run ends.
    """
    limits.note_presence()
    dispatcher = _Dispatcher(worker, gateways, limit)
    async_to_sync(dispatcher.run)(seconds, is_stopping)
    return dispatcher.result


def sender_is_needed(gateways: Sequence[Gateway]) -> bool:
    """Whether to wake a sender.

    Not while one holds the last session of a gateway: it finds what is due at the others too.
    """
    free = [gateway for gateway in gateways if limits.is_session_free(gateway)]
    if any(gateway.listens for gateway in free):
        return True
    if len(free) < len(gateways) or Sending.is_paused():
        return False
    return anything_due() or receiving.anything_to_ask(free)


def anything_due(sms: QuerySet[Delivery] | None = None) -> bool:
    """Whether an SMS waits that may leave now, of all or of some, through whatever gateway."""
    now = clock.now()
    sms = Delivery.objects.all() if sms is None else sms
    sms = sms.filter(channel=Channel.SMS, not_before__lte=now)
    if QuietHours.parse(settings.SMS_QUIET_HOURS).is_quiet(now):
        sms = sms.filter(ignores_quiet_hours=True)
    return any(
        sms.filter(state=state).exists() for state in (DeliveryState.QUEUED, DeliveryState.HELD)
    )


class _Dispatcher:
    """One run: starts the senders, sweeps meanwhile, and ends when none has anything to do."""

    def __init__(self, worker: str, gateways: Sequence[Gateway], limit: int | None) -> None:
        self._run = Run(gateways, left=limit)
        self.result = self._run.result
        self._slots: list[_SessionSlot] = []
        before: Counter[str] = Counter()
        for gateway in gateways:  # its first session has the worker's name, others a number too
            before[gateway.name] += 1
            number = f":{before[gateway.name]}" if before[gateway.name] > 1 else ""
            self._slots.append(_SessionSlot(gateway, f"{worker}{number}", self._run))

    async def run(self, seconds: float | None, is_stopping: Callable[[], bool]) -> None:
        """Run until it is over; an error in one sender ends all of them in good order."""
        ends = float("inf") if seconds is None else time.monotonic() + seconds
        sweeper = asyncio.create_task(_sweep_regularly(self._run.gateways))
        serving = [asyncio.create_task(slot.serve()) for slot in self._slots]
        try:
            while not (is_stopping() or any(task.done() for task in serving)):
                if time.monotonic() > ends:
                    self.result.out_of_time = True
                    break
                if await self._is_nothing_left():
                    break
                await _set_within(self._run.has_changed, LOOK_SECONDS)
                self._run.has_changed.clear()
        finally:
            self._run.over.set()
            sweeper.cancel()
            ended = await asyncio.gather(*serving, return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error

    async def _is_nothing_left(self) -> bool:
        if not all(slot.is_idle for slot in self._slots):
            return False
        if len(self._slots) == 1:
            return True  # no other can have left it anything
        return not await in_database(lambda: any(slot.has_work() for slot in self._slots))


class _SessionSlot:
    """One session that a gateway allows: connects whenever there is a reason to.

    Attributes:
        is_idle: there was none when it last looked.
    """

    def __init__(self, gateway: Gateway, worker: str, run: Run) -> None:
        self._gateway = gateway
        self._worker = worker
        self._run = run
        self.is_idle = False
        self._has_no_lease = False
        self._lease_asked_at = float("-inf")

    async def serve(self) -> None:
        """Look for reasons until the run is over."""
        while not self._run.over.is_set():
            if await in_database(self._may_connect):
                self.is_idle = False
                sender = Sender(self._gateway, worker=self._worker, run=self._run)
                try:
                    await sender.stay_connected()
                finally:
                    await in_database(limits.release_lease, self._gateway, worker=self._worker)
            self.is_idle = True
            self._run.has_changed.set()
            await _set_within(self._run.over, LOOK_SECONDS)

    def has_work(self) -> bool:
        """Whether something is due that could be submitted here now."""
        standing = limits.standing(self._gateway)
        if self._has_no_lease or Sending.is_paused() or not standing.is_usable:
            return False
        return standing.wait < LONGEST_STAY_SECONDS and self._is_anything_due()

    def _may_connect(self) -> bool:
        """Whether there is a reason to connect, and a lease to do so."""
        standing = limits.standing(self._gateway)
        is_held_up = Sending.is_paused() or not standing.is_usable
        self._run.result.held_up |= is_held_up
        listens = self._gateway.listens
        if standing.is_away or (is_held_up and not listens):
            return False
        if not (listens or self._is_anything_due() or receiving.anything_to_ask_now(self._gateway)):
            return False
        return self._take_lease()

    def _take_lease(self) -> bool:
        if self._has_no_lease and time.monotonic() - self._lease_asked_at < LEASE_AGAIN_SECONDS:
            return False
        self._lease_asked_at = time.monotonic()
        self._has_no_lease = not limits.take_lease(self._gateway, worker=self._worker)
        return not self._has_no_lease

    def _is_anything_due(self) -> bool:
        """Whether an SMS waits that may leave now through this gateway.

        Of what was handed over before only its own, and only where nothing is sent twice; what was
        never handed over only while ``Run.may_feed``.
        """
        gateway = self._gateway
        if self._run.left == 0:
            return False
        may_feed = self._run.may_feed(gateway)
        if not (may_feed or gateway.honours_reference):
            return False
        its_own = Q(gateway=gateway.name) & ~Q(client_reference="")
        for_it = its_own | Q(client_reference="") if may_feed else its_own
        return anything_due(Delivery.objects.filter(for_it))


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, or for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _sweep_regularly(gateways: Sequence[Gateway]) -> None:
    """Sweep beside the senders: where these take every process, nobody else would."""
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        try:
            await in_database(sweeping.sweep, gateways=gateways)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the sweep beside the senders did not work: %s", error)
        except Exception:
            logger.exception("the sweep beside the senders did not work")
