"""What Celery runs: tasks take nothing, read the database, and may be lost or repeated."""

import logging
import mmap
import os
import uuid

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import configured, configured_sessions
from notifications.sending import dispatch, switch
from notifications.sending import sweep as sweeping

logger = logging.getLogger(__name__)

# One byte that a worker shares with its children, which are forked after this is made: Celery
# tells only the parent that the worker is to stop, and a sender may run for days.
_is_stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _stop_sending(**_signal: object) -> None:
    """Let the senders of this worker record what is on its way, and end."""
    _is_stopping[0] = 1


@shared_task
def dispatch_sms() -> None:
    """Send what is due until nothing is; where a gateway listens, until the worker stops.

    Celery acknowledges a task before it runs it, so the broker hands none out again however
    long it runs (Celery, ``task_acks_late``). Who holds a session of a gateway is said by its
    lease, not by the task.
    """
    dispatch.run(
        worker=f"{settings.HOST_NAME[:40]}:{os.getpid()}:{uuid.uuid4().hex[:12]}",
        gateways=configured_sessions(),
        is_stopping=lambda: bool(_is_stopping[0]),
    )


@shared_task
def sweep_outbox() -> None:
    """Put right what was left behind, and wake a sender if there is anything to do.

    Where no gateway can be read from the settings no SMS leaves, so calls matter all the more.
    """
    try:
        gateways = configured()
    except ImproperlyConfigured as error:
        logger.error("no SMS can leave: %s", error)  # noqa: TRY400  # the sentence says it all
        sweeping.sweep(gateways=None)
        return
    sweeping.sweep(gateways=gateways)
    if dispatch.sender_is_needed(gateways):
        switch.ring()
