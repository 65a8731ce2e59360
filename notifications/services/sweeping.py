"""Puts right what a crash, a hung gateway or an agent who went home left behind.

Run by beat every few seconds and harmless to run twice at once: each step locks what it
changes and looks again.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.gateways import Gateway
from notifications.models import Delivery, DeliveryState, Failure
from notifications.services import recording, settling
from staff import clock

BATCH = 500


@dataclass(frozen=True)
class Swept:
    """How many deliveries a sweep moved."""

    reclaimed: int
    became_unknown: int
    queued_again: int
    called_instead: int


def sweep(*, gateway: Gateway) -> Swept:
    """Move on what hangs.

    Args:
        gateway: the one in use; decides whether an unknown message may be submitted again.
    """
    left = Delivery.objects.filter(lease_until__lt=timezone.now())
    return Swept(
        reclaimed=_each(left.filter(state=DeliveryState.CLAIMED), _reclaim),
        became_unknown=_each(left.filter(state=DeliveryState.SUBMITTING), _lose),
        queued_again=_each(_repeatable(gateway), _queue_again),
        called_instead=_each(_given_up(gateway, left), _call),
    )


def _each(deliveries: QuerySet[Delivery], move: Callable[[list[Delivery]], None]) -> int:
    """Move the deliveries batch by batch, each batch locked and read again; return how many."""
    moved = 0
    while ids := list(deliveries.order_by("id").values_list("id", flat=True)[:BATCH]):
        with transaction.atomic():
            locked = settling.lock(deliveries.filter(pk__in=ids))
            if locked:
                move(locked)
        moved += len(locked)
    return moved


def _reclaim(deliveries: list[Delivery]) -> None:
    Delivery.objects.filter(pk__in=[one.pk for one in deliveries]).update(
        state=DeliveryState.QUEUED, claimed_by="", lease_until=None, caller=None
    )


def _lose(deliveries: list[Delivery]) -> None:
    recording.become_unknown(deliveries, _("Le serveur s'est arrêté pendant la remise."))


def _repeatable(gateway: Gateway) -> QuerySet[Delivery]:
    """Unknown at a gateway that sends a reference once however often it is submitted."""
    unknown = Delivery.objects.filter(state=DeliveryState.UNKNOWN)
    if not gateway.honours_reference:
        return unknown.none()
    return unknown.filter(gateway=gateway.name, notice__handed_over_at__gt=_unknown_since())


def _unknown_since() -> dt.datetime:
    return recording.later(-settings.SMS_UNKNOWN_SECONDS)


def _queue_again(deliveries: list[Delivery]) -> None:
    """The same text under the same reference."""
    Delivery.objects.filter(pk__in=[one.pk for one in deliveries]).update(
        state=DeliveryState.QUEUED, claimed_by="", lease_until=None, not_before=clock.now()
    )


def _given_up(gateway: Gateway, left: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Unknown for too long. Repeated tries count from the first hand-over."""
    unknown = left.filter(state=DeliveryState.UNKNOWN)
    if gateway.honours_reference:
        repeated = Delivery.objects.filter(
            state=DeliveryState.UNKNOWN,
            gateway=gateway.name,
            notice__handed_over_at__lte=_unknown_since(),
        )
        return unknown.exclude(gateway=gateway.name) | repeated
    return unknown


def _call(deliveries: list[Delivery]) -> None:
    now = clock.now()
    settling.finish(
        deliveries,
        state=DeliveryState.FAILED,
        at=now,
        failure=Failure.UNKNOWN,
        remark=_("Sort inconnu, appelé à la place."),
    )
    settling.call_instead(deliveries, at=now)
