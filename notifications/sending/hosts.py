"""Which hosts send, and what is corrected when the shared clock was set back.

Each host notes every few seconds that it is alive (real clock). If a host was seen in the future,
the shared clock (``staff/clock.py``) was set back. What waits for a moment that was written before
would wait for as long in addition, so these moments are moved back by the same time, once.
"""

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from notifications.models import (
    Channel,
    ClockStep,
    Delivery,
    DeliveryState,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    SendingHost,
)
from notifications.sending import leases
from staff import clock

logger = logging.getLogger(__name__)
SAY_AGAIN = dt.timedelta(seconds=4)
SLACK = dt.timedelta(seconds=5)
FORGOTTEN_AFTER = dt.timedelta(days=7)


def note_presence() -> None:
    """Note that this host sends now, and by how much its clock is ahead of the shared one."""
    if SendingHost.objects.filter(seen_at__gt=clock.real() + SLACK).exists():
        _put_right()
    now = clock.real()
    mine = SendingHost.objects.filter(name=settings.HOST_NAME)
    ahead = clock.host_is_ahead().total_seconds()
    if mine.filter(seen_at__lte=now - SAY_AGAIN).update(seen_at=now, clock_ahead=ahead):
        return
    if not mine.exists():
        SendingHost.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
        GatewayReach.objects.filter(failed_at__lt=now - FORGOTTEN_AFTER).delete()
        new = SendingHost(name=settings.HOST_NAME, seen_at=now, clock_ahead=ahead)
        SendingHost.objects.bulk_create([new], ignore_conflicts=True)


@transaction.atomic
def _put_right() -> None:
    """Move back what waits; a second host that notices the same finds it done."""
    hosts = list(SendingHost.objects.select_for_update().order_by("name"))
    now = clock.real()
    back = max(host.seen_at for host in hosts) - now
    if back <= SLACK:
        return
    seconds = back.total_seconds()
    logger.warning("the clock was set back by %.0f s: what waits is moved back with it", seconds)
    SendingHost.objects.filter(seen_at__gt=now).update(seen_at=now)
    here = clock.now().astimezone(dt.UTC)
    ClockStep.objects.create(noticed_at=here, was_at=here + back)
    _move_gateways(now, back)
    _shorten_leases(now)
    _move_tries(here, back)


def _move_tries(here: dt.datetime, back: dt.timedelta) -> None:
    """Move back queued tries, so that what was due is due.

    Only SMS that had a try are queued and wait; before the release an SMS is held. A call that
    a patient asked for at an hour stays at that hour.
    """
    waits = (DeliveryState.QUEUED, DeliveryState.CLAIMED)
    waiting = Delivery.objects.filter(state__in=waits, not_before__gt=here)
    waiting.filter(channel=Channel.SMS).update(not_before=F("not_before") - back)
    due = waiting.filter(channel=Channel.PHONE, not_before__lte=here + back)
    due.update(not_before=here)


def _move_gateways(now: dt.datetime, back: dt.timedelta) -> None:
    for model, waits in (
        (GatewayState, ("free_at", "away_until")),
        (GatewayReach, ("away_until",)),
    ):
        for column in waits:
            model.objects.filter(**{f"{column}__gt": now}).update(**{column: F(column) - back})
    for column in ("accepted_at", "reported_at", "throttled_at", "failed_at"):
        GatewayState.objects.filter(**{f"{column}__gt": now}).update(**{column: now})
    GatewayReach.objects.filter(failed_at__gt=now).update(failed_at=now)
    held = GatewaySeat.objects.filter(until__gt=now + dt.timedelta(seconds=leases.LEASE_SECONDS))
    held.update(until=now + dt.timedelta(seconds=leases.LEASE_SECONDS))


def _shorten_leases(now: dt.datetime) -> None:
    """Shorten each lease to at most that of one given now."""
    sms, call = Q(channel=Channel.SMS), Q(channel=Channel.PHONE)
    for which, seconds in (
        (sms & Q(state=DeliveryState.CLAIMED), settings.SMS_LEASE_SECONDS),
        (Q(state=DeliveryState.SUBMITTING), settings.SMS_LEASE_SECONDS),
        (Q(state=DeliveryState.ACCEPTED), settings.SMS_RECEIPT_SECONDS),
        (Q(state=DeliveryState.UNKNOWN), settings.SMS_UNKNOWN_SECONDS),
        (call & Q(printed_at__isnull=True), settings.CALL_LEASE_SECONDS),
        (call & Q(printed_at__isnull=False), settings.CALL_PAPER_SECONDS),
    ):
        longest = now + dt.timedelta(seconds=seconds)
        Delivery.objects.filter(which, lease_until__gt=longest).update(lease_until=longest)
