"""Pausing and resuming all sending, releasing what is held before its time, and waking a sender."""

import datetime as dt
import logging
from dataclasses import dataclass

from celery import current_app
from django.db import transaction
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from notifications.lifecycle import delivery_states, notice_states
from notifications.lifecycle.call_states import calls_before_release
from notifications.models import Channel, Delivery, DeliveryState, Sending
from staff import clock
from staff.access import Capability, require_everywhere
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

logger = logging.getLogger(__name__)


def pause(*, by: User) -> Sending:
    """Hold all sending; what is handed over at this moment still leaves.

    Raises:
        AccessRefused: the person may not, or not for the whole group.
    """
    return _set(by, paused_at=clock.now())


def resume(*, by: User) -> Sending:
    """Let sending continue where it stopped; errors as for ``pause``."""
    return _set(by, paused_at=None)


@transaction.atomic
def _set(by: User, *, paused_at: dt.datetime | None) -> Sending:
    require_everywhere(by, Capability.HOLD_SENDING)
    Sending.objects.get_or_create(id=1)
    sending = Sending.objects.select_for_update().get(id=1)
    if (sending.paused_at is None) != (paused_at is None):
        sending.paused_at, sending.paused_by = paused_at, by if paused_at else None
        sending.save()
        if paused_at is None:
            ring()
        audit.record(action="sending.paused" if paused_at else "sending.resumed", by=by)
    return sending


@dataclass(frozen=True)
class Released:
    """How many SMS, and how many calls, no longer wait for their release time."""

    messages: int
    calls: int


@transaction.atomic
def release_now(*, by: User) -> Released:
    """Let all that waits for its release time go at once: SMS, and calls where no SMS can reach.

    A call that a doctor makes in person, or that the patient asked for later, keeps its time.

    Raises:
        AccessRefused: as for ``pause``.
        Refusal: nothing is held.
    """
    require_everywhere(by, Capability.HOLD_SENDING)
    held = Delivery.objects.filter(channel=Channel.SMS, state=DeliveryState.HELD)
    calls = calls_before_release()
    # A table of its own for each: an OR over both would read every notice.
    waiting = sorted({n for arm in (held, calls) for n in arm.values_list("notice", flat=True)})
    messages = called = 0
    for start in range(0, len(waiting), 5000):
        few = waiting[start : start + 5000]
        notice_states.lock(few)
        messages += delivery_states.release(notice_ids=few, at=clock.now())
        called += calls.filter(notice__in=few).update(not_before=clock.now())
    if not messages and not called:
        raise Refusal(_("Rien n'attend son heure : tout est déjà parti, en route ou à appeler."))
    if messages:
        ring()
    audit.record(action="sending.released", by=by, messages=messages, calls=called)
    return Released(messages=messages, calls=called)


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
