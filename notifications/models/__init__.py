"""How patients are told: the duty (Notice), the tries (Delivery), the switch, the texts."""

from notifications.models.delivery import (
    CLAIMABLE,
    HANDED_OVER,
    LIVE,
    WITHDRAWABLE,
    Channel,
    Delivery,
    DeliveryState,
    Failure,
)
from notifications.models.notice import Notice, NoticeItem, NoticeState, Word
from notifications.models.sending import Sending

__all__ = [
    "CLAIMABLE",
    "HANDED_OVER",
    "LIVE",
    "WITHDRAWABLE",
    "Channel",
    "Delivery",
    "DeliveryState",
    "Failure",
    "Notice",
    "NoticeItem",
    "NoticeState",
    "Sending",
    "Word",
]
