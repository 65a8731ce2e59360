"""Wake the workers after a commit. The bell may break; beat's sweep finds the work anyway."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: str = "notifications.tasks.dispatch_sms") -> None:
    """Have a task started once the current transaction is committed.

    A dead broker is logged and forgotten: the database holds the work (promise 2). A bell that
    nobody answers for a while is worth nothing either, the next sweep rings again: so that bells
    do not pile up behind workers that are all busy, who hears one too late does nothing
    (``vivalia_continuity/celery.py``).
    """
    transaction.on_commit(lambda: _send(task))


def _send(task: str) -> None:
    try:
        current_app.send_task(task, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("broker out of reach, %s waits for the next sweep: %s", task, error)
