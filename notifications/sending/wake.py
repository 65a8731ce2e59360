"""Start a task after a commit. It may be lost: beat's sweep finds the work anyway."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: str = "notifications.tasks.dispatch_sms") -> None:
    """Have a task started once the current transaction is committed.

    A broker out of reach is logged, nothing more: the database holds the work (promise 2). A
    task that waits too long in the broker does nothing (``vivalia_continuity/celery.py``), so
    that tasks do not pile up behind busy workers.
    """
    transaction.on_commit(lambda: _send(task))


def _send(task: str) -> None:
    try:
        current_app.send_task(task, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("broker out of reach, %s waits for the next sweep: %s", task, error)
