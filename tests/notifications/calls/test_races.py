"""Calls and questions at the same moment: real transactions on PostgreSQL."""

import contextlib
import threading
import time

import pytest
from django.db import connection, transaction

from notifications.calls import questions
from notifications.calls import services as calls
from notifications.models import Delivery, Notice
from notifications.telling import by_hand as settling_by_hand
from staff.errors import Refusal
from staff.models import User
from tests.builders import a_patient, a_user
from tests.notifications.builders import SUNDAY, FakeGateway, a_call, a_notice, an_sms, send
from tests.together import together

# On SQLite writers wait for each other; tests/faults runs several processes there.
pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sunday"),
]


def test_five_agents_never_get_the_same_call() -> None:
    agents = [a_user(f"agent{n}", "call_agent") for n in range(5)]
    for _ in range(20):
        a_call()

    def work(agent: User) -> list[int]:
        mine = []
        while call := calls.take_next(by=agent):
            mine.append(call.pk)
            calls.log(delivery_id=call.pk, by=agent, result="reached")
        return mine

    found = together(*[lambda agent=agent: work(agent) for agent in agents])
    made = [pk for ids in found for pk in ids]  # type: ignore[attr-defined]
    assert len(made) == len(set(made)) == 20


def test_two_agents_never_call_the_same_patient_who_has_two_days() -> None:
    agents = [a_user(f"agent{n}", "call_agent") for n in range(4)]
    with transaction.atomic():
        for _ in range(15):
            patient = a_patient()
            for day in ("2022-05-16", "2022-05-17"):
                a_call(a_notice(patient=patient, items=[(f"{day} 09:00", "cancelled")]))

    def work(agent: User) -> list[int]:
        rung = []
        while call := calls.take_next(by=agent):
            mine = Delivery.objects.filter(state="claimed", caller=agent)
            patients = set(mine.values_list("notice__patient", flat=True))
            assert len(patients) == 1
            rung += patients
            calls.log(delivery_id=call.pk, by=agent, result="reached")
        return rung

    found = together(*[lambda agent=agent: work(agent) for agent in agents])
    rung = [patient for patients in found for patient in patients]  # type: ignore[attr-defined]
    assert len(rung) == len(set(rung)) == 15
    assert Notice.objects.filter(state="told").count() == 30


def test_of_two_agents_who_pick_one_day_each_one_gets_both_and_the_other_neither() -> None:
    agents = [a_user(f"agent{n}", "call_agent") for n in range(2)]
    for _round in range(10):
        patient = a_patient()
        picked = [
            a_call(a_notice(patient=patient, items=[(f"2022-05-{day} 09:00", "cancelled")])).pk
            for day in (16, 17)
        ]
        found = together(
            *[
                lambda pk=pk, by=by: calls.take(delivery_id=pk, by=by)
                for pk, by in zip(picked, agents, strict=True)
            ]
        )
        assert sorted(isinstance(one, Refusal) for one in found) == [False, True], found
        holders = Delivery.objects.filter(pk__in=picked).values_list("state", "caller")
        assert len(set(holders)) == 1
        winner = next(
            by for by, one in zip(agents, found, strict=True) if isinstance(one, Delivery)
        )
        calls.give_back(delivery_id=picked[0], by=winner)
        calls.log(delivery_id=picked[0], by=winner, result="reached")
        calls.log(delivery_id=picked[1], by=winner, result="reached")


def somebody_waits() -> None:
    """Return once a connection waits for the lock of another."""
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else it is kept in a transaction
            cursor.execute(
                """SELECT EXISTS (SELECT 1 FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock')"""
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waited for a lock")


def test_an_agent_who_comes_too_late_for_a_call_holds_nothing_while_waiting_for_the_next() -> None:
    agent, faster = a_user("agent", "call_agent"), a_user("faster", "call_agent")
    first, second = a_call(), a_call()
    taken, ended = threading.Event(), threading.Event()

    def take_the_first_slowly() -> None:
        with transaction.atomic():
            calls.take(delivery_id=first.pk, by=faster)
            taken.set()
            somebody_waits()
        ended.set()

    def end_the_second_and_then_the_first() -> None:
        with transaction.atomic():
            Delivery.objects.filter(pk=second.pk).update(state="withdrawn")
            assert ended.wait(10)
            somebody_waits()
            Delivery.objects.filter(pk=first.pk).update(state="withdrawn", lease_until=None)

    def take_whatever_is_next() -> Delivery | None:
        assert taken.wait(10)
        return calls.take_next(by=agent)

    results = together(
        take_the_first_slowly, end_the_second_and_then_the_first, take_whatever_is_next
    )
    assert results == [None] * 3


def test_a_double_click_on_reached_counts_once() -> None:
    agent = a_user("agent", "call_agent")
    call = a_call()
    click = lambda: calls.log(delivery_id=call.pk, by=agent, result="reached")  # noqa: E731
    results = together(click, click)
    assert sum(isinstance(result, Exception) for result in results) == 1
    assert Notice.objects.get().state == "told"


def test_an_agent_who_takes_the_call_and_a_chief_who_sends_again_do_not_both_get_it() -> None:
    chief, agent = a_user("chief", "crisis_cell"), a_user("agent", "call_agent")
    with transaction.atomic():
        failed = [an_sms(state="failed", finished_at=SUNDAY) for _ in range(20)]
        waiting = [a_call(sms.notice) for sms in failed]

    def take_all() -> int:
        taken = 0
        for call in waiting:
            with contextlib.suppress(Refusal):
                calls.take(delivery_id=call.pk, by=agent)
                taken += 1
        return taken

    def send_again() -> int:
        return settling_by_hand.resend(
            delivery_ids=[sms.pk for sms in failed], by=chief, reason="Réseau rétabli"
        ).done

    taken, sent = together(take_all, send_again)
    assert taken + sent == 20
    live = Delivery.objects.filter(state__in=["queued", "claimed"])
    assert live.count() == live.values("notice").distinct().count() == 20
    assert live.filter(channel="phone", state="claimed").count() == taken


def test_a_patient_who_calls_while_a_worker_sends_is_told_once() -> None:
    agent = a_user("agent", "call_agent")
    with transaction.atomic():
        waiting = [an_sms() for _ in range(40)]
    gateway = FakeGateway(seconds=0.001)

    def work() -> None:
        while send(gateway, limit=5).claimed:
            pass

    def answer() -> int:
        found = [
            questions.answer_and_tell(notice_id=sms.notice_id, by=agent, said="…")
            for sms in reversed(waiting)
        ]
        return sum(one.answer == "told" for one in found)

    told, sent = together(answer, work)
    assert sent is None
    assert told + len(gateway.messages) == 40
    assert Notice.objects.filter(state="told").count() == 40
    assert Delivery.objects.filter(channel="sms", state="suppressed").count() == told


def test_a_patient_who_calls_while_an_agent_calls_them_is_told_once() -> None:
    agent, colleague = a_user("agent", "call_agent"), a_user("colleague", "call_agent")
    for _round in range(10):
        call = a_call()

        def ring(pk: int = call.pk) -> None:
            calls.take(delivery_id=pk, by=colleague)
            calls.log(delivery_id=pk, by=colleague, result="reached")

        found = together(
            ring,
            lambda pk=call.notice_id: questions.answer_and_tell(notice_id=pk, by=agent, said="…"),
        )
        assert not [
            one for one in found if isinstance(one, Exception) and not isinstance(one, Refusal)
        ]
        call.refresh_from_db()
        assert (call.state, call.notice.state) == ("delivered", "told")
        assert call.notice.deliveries.count() == 1
