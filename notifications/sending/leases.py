"""Who holds which session of a gateway: a provider allows so many at once.

A lease runs on the real clock. A worker that dies gives it back by doing nothing.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from notifications.gateways import Gateway
from notifications.models import GatewaySeat
from staff import clock

LEASE_SECONDS = 10.0


@contextmanager
def held(gateway: Gateway, *, worker: str) -> Iterator[bool]:
    """Hold a lease meanwhile; False when all are taken."""
    try:
        yield take(gateway, worker=worker)
    finally:
        release(gateway, worker=worker)


def is_any_free(gateway: Gateway) -> bool:
    """Whether another session of a gateway may be opened."""
    if not gateway.options.sessions:
        return True
    taken = GatewaySeat.objects.filter(gateway=gateway.name, until__gte=clock.real())
    return taken.count() < gateway.options.sessions


def keep(gateway: Gateway, *, worker: str) -> bool:
    """Renew a lease; False when it was lost (this worker slept for longer than it lasts)."""
    if not gateway.options.sessions:
        return True
    return bool(_of(gateway, worker).update(until=_lease_end()))


def release(gateway: Gateway, *, worker: str) -> None:
    """Give a lease back."""
    if gateway.options.sessions:
        _of(gateway, worker).delete()


def _of(gateway: Gateway, worker: str) -> QuerySet[GatewaySeat]:
    return GatewaySeat.objects.filter(gateway=gateway.name, worker=worker)


def take(gateway: Gateway, *, worker: str) -> bool:
    """Take a lease; False when all are taken. A gateway without a limit needs none."""
    if not gateway.options.sessions:
        return True
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
