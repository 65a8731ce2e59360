"""How far the telling is."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Notice,
    NoticeState,
    Sending,
)
from notifications.queries.calls import TO_CALL
from notifications.queries.scope import notices_of
from staff.access import Capability
from staff.models import User

UNSENT = (
    DeliveryState.HELD,
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SUBMITTING,
)


@dataclass(frozen=True)
class Progress:
    """Counts of notices and tries.

    ``sms_total`` leaves withdrawn tries out; ``sms_done`` are those that need no sending any
    more, whatever came of them.
    """

    notices: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, dict[str, int]] = field(default_factory=dict)
    paused: bool = False

    @property
    def calls_left(self) -> int:
        """Calls still to be made."""
        return sum(self.deliveries["phone"][state] for state in TO_CALL)

    @property
    def sms_total(self) -> int:
        """SMS to be sent and sent."""
        sms = self.deliveries["sms"]
        return sum(sms.values()) - sms[DeliveryState.WITHDRAWN]

    @property
    def sms_done(self) -> int:
        """SMS that need no sending any more."""
        return self.sms_total - sum(self.deliveries["sms"][state] for state in UNSENT)

    @property
    def told(self) -> int:
        """Notices told."""
        return self.notices[NoticeState.TOLD]

    @property
    def to_tell(self) -> int:
        """Notices that were not withdrawn."""
        return sum(self.notices.values()) - self.notices[NoticeState.WITHDRAWN]

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for ``--json``."""
        return {
            "paused": self.paused,
            "notices": self.notices,
            "deliveries": self.deliveries,
            "calls_left": self.calls_left,
            "sms_total": self.sms_total,
            "sms_done": self.sms_done,
        }


def progress(user: User | None = None) -> Progress:
    """Return the counts of what a person may see on the board; of everything for None.

    Three queries.
    """
    notices = {state.value: 0 for state in NoticeState}
    counted = Notice.objects.filter(notices_of(user, Capability.SEE_BOARD))
    notices |= dict(counted.values_list("state").annotate(Count("pk")).order_by())
    deliveries = {channel.value: {state.value: 0 for state in DeliveryState} for channel in Channel}
    tried = Delivery.objects.filter(notices_of(user, Capability.SEE_BOARD, path="notice__"))
    for channel, state, count in (
        tried.values_list("channel", "state").annotate(Count("pk")).order_by()
    ):
        deliveries[channel][state] = count
    return Progress(notices=notices, deliveries=deliveries, paused=Sending.is_paused())
