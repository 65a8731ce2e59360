"""Any receipts, in any order, any number of times: the end is what the rule says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.gateways import ReceiptReport
from notifications.models import LIVE, Delivery, Notice
from notifications.models import Receipt as KeptReceipt
from notifications.rules import after_receipt
from tests.notifications.receipts.builders import SMSC, a_taken_sms, receive

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
SAYS = ("on_its_way", "delivered", "failed", "expired")
STARTS = ("submitting", "accepted", "unknown", "queued", "suppressed")
NUMBER = 4  # of messages; the one after them is not ours

told = st.tuples(
    st.integers(0, NUMBER),
    st.sampled_from(SAYS),
    st.sampled_from(("reference", "number", "both")),
    st.integers(0, 1),  # another moment makes another receipt
)
reported = st.lists(st.lists(told, max_size=6), max_size=4)


def a_receipt(
    messages: list[Delivery], which: int, says: str, by: str, minute: int
) -> ReceiptReport:
    ours = which < len(messages)
    number = f"n{which}"
    reference = messages[which].client_reference if ours else "foreign"
    return ReceiptReport(
        state=says,  # type: ignore[arg-type]
        reference=reference if by != "number" else "",
        provider_ids=(str(which), number) if by != "reference" else (),
        phone=messages[which].address if ours else "",
        key=f"{which}{says}{by}{minute}",
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(STARTS), min_size=NUMBER, max_size=NUMBER), reported)
def test_the_end_is_what_the_rule_says_and_the_same_again_changes_nothing(starts, reports) -> None:
    KeptReceipt.objects.all().delete()
    Delivery.objects.all().delete()
    messages = [a_taken_sms(start, number=f"n{n}") for n, start in enumerate(starts)]
    expected = list(starts)
    heard = set()
    for report in reports:
        receipts = [a_receipt(messages, *one) for one in report]
        for which, says, by, minute in report:
            if which < NUMBER and (which, says, by, minute) not in heard:
                expected[which] = after_receipt(expected[which], says, may_have_left=True)
            heard.add((which, says, by, minute))
        receive(*receipts)
        before = everything()
        assert receive(*receipts).receipts == 0
        assert everything() == before
        assert [Delivery.objects.get(pk=one.pk).state for one in messages] == expected
        check(messages)
    assert KeptReceipt.objects.filter(gateway=SMSC).count() == len(heard)


def everything() -> list[tuple]:
    """Return all that a receipt may change."""
    return [
        *Delivery.objects.order_by("id").values_list(
            "id", "channel", "state", "failure", "lease_until", "finished_at", "provider_id"
        ),
        *Notice.objects.order_by("id").values_list("id", "state", "settled_at", "handed_over_at"),
        *KeptReceipt.objects.order_by("id").values_list("id", "delivery"),
    ]


def check(messages: list[Delivery]) -> None:
    """Told if and only if delivered; one live try, and one call for whom the SMS failed."""
    for message in messages:
        tries = list(Delivery.objects.filter(notice=message.notice_id).order_by("id"))
        live = [one for one in tries if one.state in LIVE]
        sms = tries[0].state
        notice = Notice.objects.get(pk=message.notice_id)
        assert (notice.state == "told") == (sms == "delivered")
        assert len(live) <= (0 if sms == "delivered" else 1)
        if sms in {"failed", "expired"}:
            assert [one.channel for one in live] == ["phone"]
