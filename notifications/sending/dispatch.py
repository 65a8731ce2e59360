"""Send what is due, through the gateways in their order of preference.

The database is the truth: whatever stops this, and wherever, the next run finds each message in
a state that says what may be done with it. Any number of workers may run it beside each other.
"""

import time
from collections.abc import Sequence

from notifications.gateways import Gateway
from notifications.models import Sending
from notifications.sending import hosts, waiting
from notifications.sending import leases as seats
from notifications.sending import rate as pacing
from notifications.sending.rota import Rota
from notifications.sending.turn import DispatchResult, Turn

__all__ = ["DispatchResult", "run"]
SHORTEST_ROUND_SECONDS = 0.25


def run(
    *, worker: str, gateways: Sequence[Gateway], seconds: float = 60.0, limit: int | None = None
) -> DispatchResult:
    """Send what is due until nothing is, sending is held or the time is over.

    The gateways get their turns in their order; a later one is given what was never handed over
    only while each one before it is out of reach, silent, or has had its fill of the day. One
    that is too slow, or that other workers fill, is waited for. Those that listen share the time.

    Args:
        worker: a name unique to this run of this process, at most 80 characters.
        gateways: opened and closed here.
        seconds: then it ends; where a gateway listens it stays that long.
        limit: claim at most so many messages.
    """
    hosts.note_presence()
    result = DispatchResult()
    rota = Rota(gateways, seconds=seconds)
    while _went_round(rota, worker, limit, result):
        pass
    return result


def _went_round(rota: Rota, worker: str, limit: int | None, result: DispatchResult) -> bool:
    """Give each gateway its turn; return whether to do so again."""
    began = time.perf_counter()
    was_cut_short = False
    for gateway in rota.gateways:
        if not _needs_a_turn(gateway, rota, result):
            continue
        with seats.seated(gateway, worker=worker) as has_seat:
            rota.note_seat(gateway, has_seat=has_seat)
            if has_seat:
                left = None if limit is None else limit - result.claimed
                was_cut_short |= Turn(worker, gateway, rota, left, result).go()
    if rota.is_over or (limit is not None and result.claimed >= limit):
        return False
    if not (was_cut_short or rota.is_work_left()):
        return False
    time.sleep(max(0.0, began + SHORTEST_ROUND_SECONDS - time.perf_counter()))
    return True


def _needs_a_turn(gateway: Gateway, rota: Rota, result: DispatchResult) -> bool:
    """Whether there is anything to send, to ask or to hear, and the gateway may be used for it."""
    standing = pacing.standing(gateway)
    is_held_up = Sending.is_paused() or not standing.is_usable
    result.held_up |= is_held_up
    if standing.is_away or (is_held_up and not gateway.listens):
        return False
    return (
        gateway.listens
        or waiting.anything_due_at(gateway, may_feed=rota.may_feed(gateway))
        or waiting.anything_to_ask([gateway])
    )
