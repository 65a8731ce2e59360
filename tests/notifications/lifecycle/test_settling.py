"""What becomes of a notice whose try ended."""

import pytest

from notifications.lifecycle import delivery_states, follow_up
from notifications.models import Delivery
from tests.notifications.builders import SUNDAY, an_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def test_the_call_that_replaces_an_sms_is_as_urgent() -> None:
    sms = an_sms(state="failed", urgency=81740)
    follow_up.call_instead(delivery_states.lock(Delivery.objects.all()), at=SUNDAY)
    call = Delivery.objects.exclude(pk=sms.pk).get()
    assert (call.channel, call.state, call.urgency) == ("phone", "queued", 81740)
