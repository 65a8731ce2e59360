"""How many workers may be connected to a gateway at once: a provider allows so many sessions.

A seat is a lease on the real clock. A worker that dies frees its seat by doing nothing.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Q

from notifications.gateways import Gateway
from notifications.models import GatewaySeat
from staff import clock

LEASE_SECONDS = 10.0


@contextmanager
def seated(gateway: Gateway, *, worker: str) -> Iterator[bool]:
    """Hold a seat; False when all are taken. A gateway without a limit needs none."""
    if not gateway.options.sessions:
        yield True
        return
    mine = GatewaySeat.objects.filter(gateway=gateway.name, worker=worker)
    try:
        yield _take(gateway, worker)
    finally:
        mine.delete()


def keep(gateway: Gateway, *, worker: str) -> bool:
    """Go on holding a seat; False when it was lost (this worker slept longer than its lease)."""
    if not gateway.options.sessions:
        return True
    mine = GatewaySeat.objects.filter(gateway=gateway.name, worker=worker)
    return bool(mine.update(until=_lease_end()))


def _take(gateway: Gateway, worker: str) -> bool:
    now = clock.real()
    for seat in range(gateway.options.sessions):
        free = GatewaySeat.objects.filter(
            Q(until__lt=now) | Q(worker=worker), gateway=gateway.name, seat=seat
        )
        if free.update(worker=worker, until=_lease_end()):
            return True
        try:
            with transaction.atomic():
                GatewaySeat.objects.create(
                    gateway=gateway.name, seat=seat, worker=worker, until=_lease_end()
                )
            return True
        except IntegrityError:
            continue
    return False


def _lease_end() -> dt.datetime:
    return clock.real() + dt.timedelta(seconds=LEASE_SECONDS)
