"""Send what is due: claim, hand over, submit, record.

The database is the truth: whatever stops this, and wherever, the next run finds each message in
a state that says what may be done with it. Any number of workers may run it beside each other.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from notifications.gateways import Accepted, Gateway, NotSent, Refused, Result, Throttled, Unknown
from notifications.models import Sending
from notifications.services import claiming, recording
from notifications.services.doorbell import ring
from notifications.services.handing_over import HandedOver, hand_over
from notifications.services.sweeping import sweep

__all__ = ["DispatchResult", "dispatch_batch", "ring", "sweep"]

logger = logging.getLogger(__name__)


@dataclass
class DispatchResult:
    """What became of one batch; ``held_up``: paused, throttled or the gateway out of reach."""

    claimed: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    waiting: int = 0
    held_up: bool = False

    @property
    def may_be_more(self) -> bool:
        """Whether it is worth asking for the next batch at once."""
        return self.claimed > 0 and not self.held_up

    def add(self, results: Mapping[int, tuple[Result, bool]]) -> None:
        """Count answers."""
        kinds = [type(result) for result, _again in results.values()]
        self.accepted += kinds.count(Accepted)
        self.refused += kinds.count(Refused)
        self.unknown += kinds.count(Unknown)
        waiting = kinds.count(Throttled) + kinds.count(NotSent)
        self.waiting += waiting
        self.held_up = self.held_up or waiting > 0


def dispatch_batch(*, worker: str, gateway: Gateway, limit: int = 500) -> DispatchResult:
    """Send at most ``limit`` messages that are due.

    Messages leave in slices of at most one second's worth, and the pause switch is read before
    each: that is how fast "stop" stops. The rate holds for each worker by itself.

    Args:
        worker: a name unique to this run of this process, at most 80 characters.
        gateway: opened and closed here.
        limit: how many to claim.
    """
    result = DispatchResult()
    if Sending.is_paused():
        result.held_up = True
        return result
    ids = claiming.claim(worker=worker, limit=limit)
    result.claimed = len(ids)
    if not ids:
        return result
    with asyncio.Runner() as runner:
        runner.run(gateway.open())
        try:
            for few in _slices(ids, gateway):
                _send(few, worker, gateway, runner, result)
                if result.held_up:
                    break
        finally:
            runner.run(gateway.close())
            with transaction.atomic():
                claiming.release(ids=ids, worker=worker)
    return result


def _slices(ids: Sequence[int], gateway: Gateway) -> Iterator[Sequence[int]]:
    size = gateway.window
    if gateway.parts_per_second:
        size = max(1, min(size, int(gateway.parts_per_second)))
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _send(
    ids: Sequence[int],
    worker: str,
    gateway: Gateway,
    runner: asyncio.Runner,
    result: DispatchResult,
) -> None:
    began = time.monotonic()
    leaving = hand_over(ids=ids, worker=worker, gateway=gateway)
    if leaving is None:
        result.held_up = True
        return
    answers = runner.run(_submit(gateway, leaving))
    results = {one.delivery_id: (answers[one.message.reference], one.again) for one in leaving}
    recording.record(worker=worker, gateway=gateway, results=results)
    result.add(results)
    if gateway.parts_per_second:
        due = sum(one.message.parts for one in leaving) / gateway.parts_per_second
        time.sleep(max(0.0, due - (time.monotonic() - began)))


async def _submit(gateway: Gateway, leaving: Sequence[HandedOver]) -> dict[str, Result]:
    """Return an answer for every message, by reference; silence is ``Unknown``."""
    answers: dict[str, Result] = {
        one.message.reference: Unknown("la passerelle n'a rien répondu") for one in leaving
    }
    try:
        async for submission in gateway.submit([one.message for one in leaving]):
            answers[submission.reference] = submission.result
    except Exception:
        logger.exception("gateway %s failed in the middle of a submission", gateway.name)
    return answers
