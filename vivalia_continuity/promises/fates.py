"""What became of what left: each fate is known, or on its way to be."""

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
    """A delivery whose fate is unknown while its notice is closed: nobody would look at it."""
    yield from sentence(
        Delivery.objects.filter(state=DeliveryState.UNKNOWN).exclude(
            notice__state=NoticeState.OPEN
        ),
        "envois au sort inconnu que plus aucun avis ouvert ne montre",
    )


def unknown_for_ever() -> Iterator[str]:
    """An unknown delivery that no limit will ever turn into a call."""
    yield from sentence(
        Delivery.objects.filter(state=DeliveryState.UNKNOWN, lease_until__isnull=True),
        "envois au sort inconnu que rien ne mènera à la liste d'appel",
    )


def left_hanging() -> Iterator[str]:
    """A delivery under way that no lease will ever bring back."""
    under_way = [DeliveryState.CLAIMED, DeliveryState.SUBMITTING]
    yield from sentence(
        Delivery.objects.filter(state__in=under_way, lease_until__isnull=True),
        "envois en cours que rien ne reprendra",
    )


def accepted_for_ever() -> Iterator[str]:
    """An SMS whose patient counts as told only once a receipt says so, waiting without a limit.

    Over a gateway without receipts the notice was told when the SMS was accepted.
    """
    yield from sentence(
        Delivery.objects.filter(
            state=DeliveryState.ACCEPTED, lease_until__isnull=True, notice__state=NoticeState.OPEN
        ),
        "SMS remis dont l'accusé est attendu sans limite",
    )


def delivered_and_not_told() -> Iterator[str]:
    """A try that reached the patient while the notice still says otherwise.

    A withdrawn notice may stay so, and one given up as unreachable before a newer one was
    opened: that one says what holds now.
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
    """An SMS that a receipt calls delivered and that shows another fate.

    Of a long one whose parts are numbered, a receipt speaks for one part.
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
