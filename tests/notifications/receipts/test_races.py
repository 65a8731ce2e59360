"""Receipts at the same moment as a worker, another receipt or an agent: on PostgreSQL."""

import random

import pytest
from django.db import transaction

from notifications.calls import services as calls
from notifications.gateways import Accepted, Inbound, Refused
from notifications.models import Delivery, Failure, Notice, Receipt, Reply
from notifications.receipts import receive as receiving
from notifications.sending import handover
from staff.models import User
from tests.builders import a_patient, a_user
from tests.notifications.builders import FakeGateway, a_notice, an_sms
from tests.notifications.receipts.builders import SMSC, a_taken_sms, life, receive, says
from tests.together import together

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sunday"),
]
NUMBER = 60


@pytest.fixture
def messages() -> list[Delivery]:
    """SMS that a worker is submitting."""
    with transaction.atomic():
        return [a_taken_sms("submitting", claimed_by="w1") for _ in range(NUMBER)]


def record(messages: list[Delivery], answers: list) -> None:
    """Record what the gateway answered, a few at a time, as a worker does."""
    gateway = FakeGateway(name=SMSC, has_receipts=True)
    for start in range(0, NUMBER, 15):
        some = slice(start, start + 15)
        pairs = zip(messages[some], answers[some], strict=True)
        results = {one.pk: (answer, False) for one, answer in pairs}
        handover.record(worker="w1", gateway=gateway, results=results)


def report(receipts: list) -> None:
    """Report receipts, a few at a time."""
    for start in range(0, len(receipts), 15):
        receive(*receipts[start : start + 15])


def test_a_receipt_and_the_answer_to_its_submission_come_at_once(messages) -> None:
    answers = [Accepted(f"n{n}") for n in range(NUMBER)]
    receipts = [says("delivered", one) for one in reversed(messages)]
    assert together(lambda: record(messages, answers), lambda: report(receipts)) == [None, None]
    assert Delivery.objects.filter(state="delivered", lease_until=None).count() == NUMBER
    assert Notice.objects.filter(state="told").count() == NUMBER


def test_a_receipt_by_number_and_the_answer_that_brings_it_find_each_other(messages) -> None:
    answers = [Accepted(f"n{n}") for n in range(NUMBER)]
    receipts = [says("delivered", provider_ids=(f"n{n}",)) for n in range(NUMBER)]
    found = together(
        lambda: record(messages, answers), lambda: report(receipts), receiving.match_late
    )
    assert not [one for one in found if isinstance(one, Exception)]
    receiving.match_late()
    assert Notice.objects.filter(state="told").count() == NUMBER


def test_a_refusal_that_was_delivered_after_all_ends_as_told_in_either_order(messages) -> None:
    answers = [Refused(Failure.REJECTED) for _ in range(NUMBER)]
    receipts = [says("delivered", one) for one in messages]
    assert together(lambda: record(messages, answers), lambda: report(receipts)) == [None, None]
    assert Notice.objects.filter(state="told").count() == NUMBER
    assert not Delivery.objects.filter(channel="phone", state="queued").exists()


def test_the_same_receipts_over_four_connections_in_any_order_count_once() -> None:
    with transaction.atomic():
        messages = [a_taken_sms() for _ in range(NUMBER)]
    ends = ("failed", "delivered", "on_its_way")
    receipts = [says(end, one) for one in messages for end in ends]
    orders = [random.Random(seed).sample(receipts, len(receipts)) for seed in range(4)]
    assert together(*[lambda order=order: report(order) for order in orders]) == [None] * 4
    assert Receipt.objects.exclude(delivery=None).count() == len(receipts)
    for one in messages:
        state, tries = life(one)
        assert (state, tries[0]) == ("told", ("sms", "delivered"))
        assert ("phone", "queued") not in tries


def test_receipts_and_calls_end_each_notice_once() -> None:
    with transaction.atomic():
        messages = [a_taken_sms() for _ in range(20)]
    receive(*[says("failed", one) for one in messages])
    agents = [a_user(f"agent{n}", "call_agent") for n in range(2)]

    def work(agent: User) -> None:
        while call := calls.take_next(by=agent):
            try:
                calls.log(delivery_id=call.pk, by=agent, result="reached")
            except calls.Refusal:
                continue

    found = together(
        *[lambda agent=agent: work(agent) for agent in agents],
        lambda: report([says("delivered", one) for one in messages]),
    )
    assert found == [None] * 3
    assert Notice.objects.filter(state="told").count() == 20
    assert not Delivery.objects.filter(state__in=["queued", "claimed"]).exists()


def test_stops_and_receipts_over_several_connections_do_not_lock_each_other_out() -> None:
    phones = [f"+3247300{n:04d}" for n in range(20)]
    with transaction.atomic():
        patients = [a_patient(mobile=phone) for phone in phones]
        taken = [a_taken_sms(notice=a_notice(patient=one, handed_over_at=None)) for one in patients]
        for one in patients:
            an_sms(a_notice(patient=one, items=[("2022-05-18 09:00", "cancelled")]))
    stops = [Inbound(phone=phone, text="STOP", key=f"{phone}{n}") for phone in phones for n in "12"]
    shuffled = [random.Random(seed).sample(stops, len(stops)) for seed in range(3)]
    found = together(
        *[lambda order=order: report(order) for order in shuffled],
        lambda: report([says("delivered", one) for one in reversed(taken)]),
    )
    assert found == [None] * 4
    assert Reply.objects.count() == len(stops)
    assert Delivery.objects.filter(state="suppressed").count() == 20
    assert Delivery.objects.filter(channel="phone", state="queued").count() == 20
