"""Checks of delivery fates: each is known, or will become known."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q

from notifications.models import (
    Channel,
    Delivery,
    DeliveryPart,
    DeliveryState,
    Notice,
    NoticeState,
    Receipt,
    ReceiptState,
)
from vivalia_continuity.promises.sentences import sentence

_ANSWERED_OTHERWISE = (
    DeliveryState.ACCEPTED,
    DeliveryState.UNKNOWN,
    DeliveryState.FAILED,
    DeliveryState.EXPIRED,
)


def unknown_and_unlisted() -> Iterator[str]:
    """A delivery of unknown fate with a closed notice: no list shows it."""
    yield from sentence(
        Delivery.objects.filter(state=DeliveryState.UNKNOWN).exclude(
            notice__state=NoticeState.OPEN
        ),
        "envois au sort inconnu que plus aucun avis ouvert ne montre",
    )


def unknown_for_ever() -> Iterator[str]:
    """A delivery of unknown fate that no time limit turns into a call."""
    yield from sentence(
        Delivery.objects.filter(state=DeliveryState.UNKNOWN, lease_until__isnull=True),
        "envois au sort inconnu que rien ne mènera à la liste d'appel",
    )


def left_hanging() -> Iterator[str]:
    """A delivery under way without a lease: nothing will retry it."""
    under_way = [DeliveryState.CLAIMED, DeliveryState.SUBMITTING]
    yield from sentence(
        Delivery.objects.filter(state__in=under_way, lease_until__isnull=True),
        "envois en cours que rien ne reprendra",
    )


def accepted_for_ever() -> Iterator[str]:
    """An SMS that waits for a receipt without a time limit.

    With a gateway without receipts, the notice is told when the SMS is accepted.
    """
    yield from sentence(
        Delivery.objects.filter(
            state=DeliveryState.ACCEPTED, lease_until__isnull=True, notice__state=NoticeState.OPEN
        ),
        "SMS remis dont l'accusé est attendu sans limite",
    )


def delivered_and_not_told() -> Iterator[str]:
    """A delivery that reached the patient, of a notice in another state.

    A withdrawn notice may stay withdrawn. So may an unreachable one before a newer notice, which
    gives the current outcome.
    """
    newer = Notice.objects.filter(
        patient=OuterRef("notice__patient"),
        day=OuterRef("notice__day"),
        version__gt=OuterRef("notice__version"),
    ).exclude(state=NoticeState.WITHDRAWN)
    given_up = Q(notice__state=NoticeState.UNREACHABLE) & ~Exists(newer)
    yield from sentence(
        Delivery.objects.filter(
            Q(notice__state=NoticeState.OPEN) | given_up, state=DeliveryState.DELIVERED
        ),
        "envois reçus dont l'avis n'est pas noté comme dit",
    )


def receipt_ignored() -> Iterator[str]:
    """An SMS with a receipt "delivered" and another fate.

    For a long SMS with numbered parts, a receipt covers one part.
    """
    says_delivered = Receipt.objects.filter(delivery=OuterRef("pk"), state=ReceiptState.DELIVERED)
    parts = DeliveryPart.objects.filter(delivery=OuterRef("pk"))
    yield from sentence(
        Delivery.objects.filter(
            Exists(says_delivered),
            ~Exists(parts.exclude(state=ReceiptState.DELIVERED)),
            channel=Channel.SMS,
            state__in=_ANSWERED_OTHERWISE,
        ),
        "SMS qu'un accusé dit reçus et qui montrent autre chose",
    )
