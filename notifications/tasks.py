"""What Celery runs: tasks take nothing, read the database, and may be lost or repeated."""

import logging
import os
import uuid

from celery import shared_task
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import configured
from notifications.sending import dispatch
from notifications.sending import sweep as sweeping
from notifications.sending import wake as doorbell
from notifications.sending.sweeping_beside import swept_meanwhile
from notifications.sending.waiting import sender_is_needed

logger = logging.getLogger(__name__)
LONGEST_RUN_SECONDS = 60.0
"""After this a worker lets other tasks have their turn; the bell brings it back."""


@shared_task
def dispatch_sms() -> None:
    """Send what is due until nothing is, or for a minute; sweep meanwhile."""
    worker = f"{settings.HOST_NAME[:40]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    gateways = configured()
    with swept_meanwhile(gateways=gateways):
        result = dispatch.run(worker=worker, gateways=gateways, seconds=LONGEST_RUN_SECONDS)
    if result.out_of_time and sender_is_needed(gateways):
        doorbell.ring()


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
    if sender_is_needed(gateways):
        doorbell.ring()
