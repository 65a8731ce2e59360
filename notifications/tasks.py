"""What Celery runs: tasks take nothing, read the database, and may be lost or repeated."""

import os
import socket
import time
import uuid

from celery import shared_task
from django.conf import settings

from notifications.gateways import gateway_from_url
from notifications.queries.outbox import anything_due
from notifications.services import dispatch, doorbell

LONGEST_RUN_SECONDS = 60.0
"""After this a worker lets other tasks have their turn; the bell brings it back."""


@shared_task
def dispatch_sms() -> None:
    """Send what is due until nothing is, or for a minute."""
    gateway = gateway_from_url(settings.SMS_GATEWAY_URL)
    worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    ends = time.monotonic() + LONGEST_RUN_SECONDS
    while dispatch.dispatch_batch(worker=worker, gateway=gateway).may_be_more:
        if time.monotonic() > ends:
            doorbell.ring()
            return


@shared_task
def sweep_outbox() -> None:
    """Put right what was left behind, and wake a sender if anything is due."""
    dispatch.sweep(gateway=gateway_from_url(settings.SMS_GATEWAY_URL))
    if anything_due():
        doorbell.ring()
