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
from notifications.models.text import MessageKind, MessageText

__all__ = [
    "CLAIMABLE",
    "HANDED_OVER",
    "LIVE",
    "WITHDRAWABLE",
    "Channel",
    "Delivery",
    "DeliveryState",
    "Failure",
    "MessageKind",
    "MessageText",
    "Notice",
    "NoticeItem",
    "NoticeState",
    "Sending",
    "Word",
]
