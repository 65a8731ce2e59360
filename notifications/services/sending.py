"""The switch that holds all sending, and the release before its time."""

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from notifications.models import Channel, Delivery, DeliveryState, Notice, Sending
from notifications.services import doorbell
from staff import clock
from staff.access import Capability, require_everywhere
from staff.errors import Refusal
from staff.models import User
from staff.services import audit


@transaction.atomic
def pause(*, by: User) -> Sending:
    """Hold all sending; whoever is handing over a slice of a second's worth finishes it.

    Raises:
        AccessRefused: the person may not, or not for the whole group.
    """
    require_everywhere(by, Capability.HOLD_SENDING)
    sending = _locked()
    if sending.paused_at is None:
        sending.paused_at, sending.paused_by = clock.now(), by
        sending.save()
        audit.record(action="sending.paused", by=by)
    return sending


@transaction.atomic
def resume(*, by: User) -> Sending:
    """Let sending go on where it stopped.

    Raises:
        AccessRefused: as for ``pause``.
    """
    require_everywhere(by, Capability.HOLD_SENDING)
    sending = _locked()
    if sending.paused_at is not None:
        sending.paused_at = sending.paused_by = None
        sending.save()
        doorbell.ring()
        audit.record(action="sending.resumed", by=by)
    return sending


@transaction.atomic
def release_now(*, by: User) -> int:
    """Let the SMS that wait for their release time go at once; return how many.

    Raises:
        AccessRefused: as for ``pause``.
        Refusal: nothing is held.
    """
    require_everywhere(by, Capability.HOLD_SENDING)
    held = Delivery.objects.filter(channel=Channel.SMS, state=DeliveryState.HELD)
    waiting = Notice.objects.filter(Exists(held.filter(notice=OuterRef("pk"))))
    notices = list(waiting.order_by("id").select_for_update().values_list("id", flat=True))
    released = 0
    for start in range(0, len(notices), 5000):
        few = held.filter(notice__in=notices[start : start + 5000])
        released += few.update(state=DeliveryState.QUEUED, not_before=clock.now())
    if not released:
        raise Refusal(_("Aucun SMS n'attend : tout est déjà parti ou en route."))
    doorbell.ring()
    audit.record(action="sending.released", by=by, messages=released)
    return released


def _locked() -> Sending:
    Sending.objects.get_or_create(id=1)
    return Sending.objects.select_for_update().get(id=1)
