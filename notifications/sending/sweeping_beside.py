"""Sweep while messages are sent, so that no sweep waits for a sender to end.

A sender at a gateway that listens stays a minute and is followed by the next one. Where such
senders take every process, the sweep that beat asks for is heard once a minute at best, and what
hangs would go on hanging. A queue of its own would help only where a process of its own listens to
it, in both modes and however the workers are started; a sender that sweeps needs nobody. Several
may do so at once: each step locks what it changes and looks again.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from django.db import DatabaseError, InterfaceError, connection

from notifications.gateways import Gateway
from notifications.sending import sweep as sweeping

logger = logging.getLogger(__name__)
EVERY_SECONDS = 5.0


@contextmanager
def swept_meanwhile(*, gateways: Sequence[Gateway]) -> Iterator[None]:
    """Sweep every few seconds, in a thread, for as long as this lasts.

    Args:
        gateways: those in use.
    """
    over = Event()
    sweeper = Thread(target=_sweep_until, args=(over, gateways), name="sweep")
    sweeper.start()
    try:
        yield
    finally:
        over.set()
        sweeper.join()


def _sweep_until(over: Event, gateways: Sequence[Gateway]) -> None:
    try:
        while not over.wait(EVERY_SECONDS):
            _sweep(gateways)
    finally:
        connection.close()


def _sweep(gateways: Sequence[Gateway]) -> None:
    """Whatever breaks one sweep is no reason to do without the next, which has a new connection."""
    try:
        sweeping.sweep(gateways=gateways)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the sweep beside a sender did not work: %s", error)
        connection.close()
    except Exception:
        logger.exception("the sweep beside a sender did not work")
