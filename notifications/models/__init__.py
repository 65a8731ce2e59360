"""How patients are told: the duty (Notice), the tries (Delivery), the switch, the texts."""

from notifications.models.delivery import (
    HANDED_OVER,
    LIVE,
    UNSENT,
    WITHDRAWABLE,
    Delivery,
    DeliveryState,
    Failure,
)
from notifications.models.gateway import (
    ClockStep,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    SendingHost,
)
from notifications.models.notice import Notice, NoticeItem, NoticeState, ToAskAgain, Word
from notifications.models.question import Answer, FoundBy, Question
from notifications.models.receipt import (
    DeliveryPart,
    Receipt,
    ReceiptState,
    Reply,
    ReplyMeaning,
    ReplyOutcome,
)
from notifications.models.sending import Sending
from notifications.models.text import MessageKind, MessageText
from notifications.vocabulary import Channel

__all__ = [
    "HANDED_OVER",
    "LIVE",
    "UNSENT",
    "WITHDRAWABLE",
    "Answer",
    "Channel",
    "ClockStep",
    "Delivery",
    "DeliveryPart",
    "DeliveryState",
    "Failure",
    "FoundBy",
    "GatewayReach",
    "GatewaySeat",
    "GatewayState",
    "MessageKind",
    "MessageText",
    "Notice",
    "NoticeItem",
    "NoticeState",
    "Question",
    "Receipt",
    "ReceiptState",
    "Reply",
    "ReplyMeaning",
    "ReplyOutcome",
    "Sending",
    "SendingHost",
    "ToAskAgain",
    "Word",
]
