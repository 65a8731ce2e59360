"""Where a worker turns to, what it may give there, and for how long.

The gateways stand in the order of preference. A later one is **fed** (gets what was never handed
over) only while each one before it is absent or has had its fill of the day; otherwise it is
opened only to listen, to ask, and to submit again what may have left through it.
"""

import time
from collections.abc import Sequence

from notifications.gateways import Gateway
from notifications.models import Sending
from notifications.sending import rate as pacing
from notifications.sending import waiting

LONGEST_STAY_SECONDS = 5.0
"""A gateway that is too slow for the moment is waited for so long at most."""
LEAST_SHARE = 0.1
"""Of a run, each gateway that listens is heard for so much, however busy another is."""


class Rota:
    """One run of one worker, shared among the gateways.

    Args:
        gateways: in the order of preference.
        seconds: of the run, from now.
    """

    def __init__(self, gateways: Sequence[Gateway], *, seconds: float) -> None:
        self.gateways = gateways
        self._ends = time.perf_counter() + seconds
        visited = [one for one in gateways if one.listens or waiting.anything_to_ask([one])]
        self._share = seconds / max(1, len(visited))
        self._least = min(seconds * LEAST_SHARE, self._share / 2)
        self._seats_taken: set[str] = set()

    @property
    def is_over(self) -> bool:
        """Whether the time of the run is over."""
        return time.perf_counter() > self._ends

    def ends_for(self, gateway: Gateway) -> float:
        """Return the moment at which it is left, busy or not: those after it are to be heard."""
        later = self.gateways[self.gateways.index(gateway) + 1 :]
        return self._ends - self._least * sum(one.listens for one in later)

    def has_listened_enough(self, gateway: Gateway, *, since: float) -> bool:
        """Whether one with nothing to do is left: its share is over, or another has work."""
        spent = time.perf_counter() - since
        return spent > self._share or (spent > self._least and self._is_work_besides(gateway))

    def note_seat(self, gateway: Gateway, *, has_seat: bool) -> None:
        """Remember which gateways other workers fill, for the rest of the run."""
        if has_seat:
            self._seats_taken.discard(gateway.name)
        else:
            self._seats_taken.add(gateway.name)

    def may_feed(self, gateway: Gateway) -> bool:
        """Whether a gateway may get what was never handed over."""
        before = self.gateways[: self.gateways.index(gateway)]
        return all(pacing.standing(one).gives_way for one in before)

    def has_work(self, gateway: Gateway) -> bool:
        """Whether something is due that this worker could send through a gateway now."""
        if gateway.name in self._seats_taken or time.perf_counter() > self.ends_for(gateway):
            return False
        standing = pacing.standing(gateway)
        if Sending.is_paused() or not standing.is_usable or standing.wait >= LONGEST_STAY_SECONDS:
            return False
        return waiting.anything_due_at(gateway, may_feed=self.may_feed(gateway))

    def is_work_left(self) -> bool:
        """Whether to go round again; with one gateway its turn was all."""
        return len(self.gateways) > 1 and any(self.has_work(one) for one in self.gateways)

    def _is_work_besides(self, gateway: Gateway) -> bool:
        others = [one for one in self.gateways if one is not gateway]
        return any(self.has_work(one) for one in others)
