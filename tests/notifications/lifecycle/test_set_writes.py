"""How PostgreSQL finds the deliveries of a set that each get their own values."""

import re

import pytest
from django.db import connection

from notifications.lifecycle import delivery_states
from notifications.models import Delivery
from staff import clock
from tests.bench.messages import fill_queue

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
NUMBER = 300
WAITING = 3_000


def test_a_set_is_not_compared_each_with_each() -> None:
    """PostgreSQL expects no delivery of a state that its statistics do not know yet."""
    fill_queue(WAITING)  # analyzed while all of them are queued
    ids = delivery_states.claim(worker="w1", limit=NUMBER)
    messages = {pk: ("Rendez-vous annulé", 1, f"{pk:032x}") for pk in ids}

    def explained(execute, sql, params, many, context):
        explain = "EXPLAIN ANALYZE " if "json_to_recordset" in sql else ""
        return execute(explain + sql, params, many, context)

    plans = []
    with connection.execute_wrapper(explained), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            delivery_states.notice_states, "hand_over", lambda plan, **_at: plans.extend(plan)
        )
        delivery_states.hand_over(messages, gateway="fake", at=clock.now())
    compared = re.findall(r"Rows Removed by Join Filter: (\d+)", "\n".join(plans))
    assert sum(map(int, compared)) < NUMBER, plans
    assert Delivery.objects.filter(state="submitting").count() == NUMBER
