"""Workers and those who send at the same moment: real transactions on PostgreSQL."""

import collections
import threading

import pytest
from django.db import transaction

from notifications.lifecycle import delivery_states
from notifications.models import Delivery, MessageText, Notice
from notifications.sending import switch as sending
from notifications.telling import by_hand as settling_by_hand
from notifications.texts import services as texts
from notifications.texts.queries import fingerprint
from notifications.texts.render import shipped
from staff.errors import Refusal
from staff.models import AuditEvent, User
from tests.builders import a_user
from tests.notifications.builders import SUNDAY, FakeGateway, an_sms, send
from tests.together import together

# On SQLite writers wait for each other; tests/faults runs several processes there.
pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sunday"),
]


def test_two_first_changes_of_a_text_leave_one_and_refuse_the_other() -> None:
    people = [a_user(name, "crisis_cell") for name in ("claire", "marc")]
    seen = fingerprint(shipped("fr", "cancelled"))

    def save(by: User) -> bool:
        body = "{hospital}: {day} {times} annulé. {number} {reference} " + by.username
        return texts.save(language="fr", kind="cancelled", body=body, seen=seen, by=by)

    found = together(*[lambda by=by: save(by) for by in people])
    assert sorted(isinstance(one, Refusal) for one in found) == [False, True], found
    winner = people[found.index(True)]
    assert MessageText.objects.get().body.endswith(winner.username)
    assert AuditEvent.objects.filter(action="message_text.saved").get().actor == winner


def several_sms(number: int) -> None:
    """Make notices with due SMS."""
    with transaction.atomic():
        for _ in range(number):
            an_sms()


def test_four_workers_claim_each_message_once() -> None:
    several_sms(200)
    delivery_states.promote()

    def claim_all(worker: str) -> list[int]:
        mine: list[int] = []
        while ids := delivery_states.claim(worker=worker, limit=7):
            mine += ids
        return mine

    found = together(*[lambda name=f"w{n}": claim_all(name) for n in range(4)])
    claimed = [pk for ids in found for pk in ids]  # type: ignore[attr-defined]
    assert len(claimed) == len(set(claimed)) == 200


def test_four_workers_send_each_message_once() -> None:
    several_sms(120)
    gateway = FakeGateway(seconds=0.001)

    def work(worker: str) -> None:
        while send(gateway, worker=worker, limit=10).claimed:
            pass

    results = together(*[lambda name=f"w{n}": work(name) for n in range(4)])
    assert results == [None] * 4
    sent = collections.Counter(message.to for message in gateway.messages)
    assert len(sent) == 120
    assert set(sent.values()) == {1}
    assert Notice.objects.filter(state="told").count() == 120


def test_release_and_send_at_the_same_moment_do_not_lock_each_other_out() -> None:
    several_sms(100)
    chief = a_user("chief", "crisis_cell")
    gateway = FakeGateway()
    results = together(
        lambda: sending.release_now(by=User.objects.get(pk=chief.pk)),
        *[lambda name=f"w{n}": send(gateway, worker=name, limit=30).claimed for n in range(3)],
    )
    assert not [result for result in results[1:] if isinstance(result, Exception)]
    send(gateway, worker="last")
    assert len(gateway.messages) == len({message.to for message in gateway.messages}) == 100


def test_a_withdrawal_that_holds_the_notice_wins_over_a_worker_that_waits_for_it() -> None:
    sms = an_sms()
    gateway = FakeGateway()
    locked, released = threading.Event(), threading.Event()

    def withdraw() -> None:
        with transaction.atomic():
            Notice.objects.select_for_update().get(pk=sms.notice_id)
            locked.set()
            assert released.wait(10)
            Delivery.objects.filter(pk=sms.pk).update(state="withdrawn", lease_until=None)
            Notice.objects.filter(pk=sms.notice_id).update(state="withdrawn", settled_at=SUNDAY)

    def work() -> None:
        assert locked.wait(10)
        threading.Timer(0.3, released.set).start()
        send(gateway)

    assert together(withdraw, work) == [None, None]
    assert gateway.messages == []


def test_two_people_who_resend_the_same_sms_send_it_once() -> None:
    chiefs = [a_user(f"chief{n}", "crisis_cell") for n in range(2)]
    with transaction.atomic():
        ids = [
            an_sms(state="unknown", lease_until=SUNDAY, client_reference=f"r{n}").pk
            for n in range(30)
        ]
    results = together(
        *[
            lambda by=by: settling_by_hand.resend(delivery_ids=ids, by=by, reason="Coupure")
            for by in chiefs
        ]
    )
    assert sorted(result.done for result in results) == [0, 30]
    assert Delivery.objects.filter(state="queued").count() == 30
