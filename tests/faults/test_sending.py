"""Promises 1, 2, 4 and 5 with real processes, counted at the peer."""

import datetime as dt
import subprocess
import time

import pytest
from django.db import transaction
from django.utils import timezone

from notifications.models import Delivery, Notice, Sending
from tests.builders import a_patient, a_site, a_user
from tests.faults.conftest import Opener
from tests.notifications.builders import a_notice, an_sms
from tests.peer import Peer
from tests.processes import House, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
DISPATCH = "notifications.tasks.dispatch_sms"
BROKERS = ["folder", pytest.param("redis", marks=pytest.mark.redis)]


def notices_due(number: int) -> None:
    """Make notices about tomorrow whose SMS are due since an hour ago."""
    now = timezone.localtime()
    tomorrow = f"{now + dt.timedelta(days=1):%Y-%m-%d} 23:10"
    site = a_site()
    with transaction.atomic():
        for _ in range(number):
            notice = a_notice(patient=a_patient(), site=site, items=[(tomorrow, "cancelled")])
            an_sms(notice, not_before=now - dt.timedelta(hours=1))


def told() -> int:
    """Count the notices told."""
    return Notice.objects.filter(state="told").count()


def start_and_ring(house: House, workers: int = 1) -> list[subprocess.Popen]:
    """Start workers and ring once for each."""
    started = [house.start_worker() for _ in range(workers)]
    house.wait_until_ready()
    for _ in started:
        house.ring(DISPATCH)
    return started


@pytest.mark.parametrize("broker", BROKERS)
def test_promise_1_a_worker_killed_in_the_middle_tells_everybody_once(
    open_house: Opener, broker: str
) -> None:
    notices_due(150)
    with Peer(idempotent=True, seconds=0.3) as peer:
        house = open_house(peer, broker=broker)
        (worker,) = start_and_ring(house)
        wait_until(lambda: len(peer.asked) >= 50)
        house.kill(worker)
        assert told() < 150
        peer.seconds = 0.0
        house.start_worker(beat=True)
        wait_until(lambda: told() == 150)
    assert set(peer.sent_by_phone.values()) == {1}
    assert len(peer.sent_by_phone) == 150


def test_promise_4_what_a_killed_worker_was_handing_over_is_unknown_and_then_called(
    open_house: Opener,
) -> None:
    notices_due(100)
    with Peer(seconds=0.3) as peer:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="2")
        (worker,) = start_and_ring(house)
        wait_until(lambda: len(peer.asked) >= 30)
        house.kill(worker)
        lost = set(Delivery.objects.filter(state="submitting").values_list("notice", flat=True))
        assert lost
        peer.seconds = 0.0
        house.start_worker(beat=True)
        calls = Delivery.objects.filter(channel="phone", state="queued")
        wait_until(lambda: told() + calls.count() == 100)
    assert set(peer.asked_by_reference.values()) == {1}
    assert set(peer.sent_by_phone.values()) == {1}
    assert set(calls.values_list("notice", flat=True)) == lost
    assert not Delivery.objects.filter(state="unknown").exists()


def test_promise_1_two_workers_share_the_work_and_tell_nobody_twice(open_house: Opener) -> None:
    notices_due(600)
    with Peer(seconds=0.2) as peer:
        house = open_house(peer)
        start_and_ring(house, workers=2)
        wait_until(lambda: told() == 600)
    assert set(peer.sent_by_phone.values()) == {1}
    assert len(peer.asked) == 600
    assert Delivery.objects.values("claimed_by").distinct().count() >= 2


@pytest.mark.parametrize("broker", BROKERS)
def test_promise_2_an_emptied_broker_loses_nobody(open_house: Opener, broker: str) -> None:
    notices_due(20)
    with Peer() as peer:
        house = open_house(peer, broker=broker)
        house.ring(DISPATCH)
        house.empty_broker()
        house.start_worker(beat=True)
        wait_until(lambda: told() == 20)
    assert set(peer.sent_by_phone.values()) == {1}


@pytest.mark.redis
def test_promise_2_a_restarted_broker_is_found_again(open_house: Opener) -> None:
    with Peer() as peer:
        house = open_house(peer, broker="redis")
        house.start_worker(beat=True)
        house.wait_until_ready()
        assert house.redis
        house.redis.stop()
        notices_due(20)
        time.sleep(1)
        house.redis.start()
        wait_until(lambda: told() == 20)
    assert set(peer.sent_by_phone.values()) == {1}


def test_promise_5_pause_stops_within_two_seconds_and_resume_goes_on(open_house: Opener) -> None:
    notices_due(600)
    chief = a_user("chief", "crisis_cell")
    with Peer(seconds=0.4) as peer:
        house = open_house(peer)
        start_and_ring(house, workers=2)
        wait_until(lambda: len(peer.asked) >= 60)
        Sending.objects.create(paused_at=timezone.now(), paused_by=chief)
        time.sleep(2)
        stopped_at = len(peer.asked)
        time.sleep(2)
        assert len(peer.asked) == stopped_at < 600
        assert not Delivery.objects.filter(state__in=["claimed", "submitting"]).exists()
        peer.seconds = 0.0
        Sending.objects.update(paused_at=None, paused_by=None)
        house.ring(DISPATCH)
        wait_until(lambda: told() == 600)
    assert set(peer.sent_by_phone.values()) == {1}


def test_promise_2_a_gateway_that_was_away_is_asked_again_when_it_is_back(
    open_house: Opener,
) -> None:
    notices_due(5)
    with Peer() as gone:
        away = gone.url
    with Peer() as peer:
        house = open_house(peer, SMS_GATEWAY_URL=away)
        start_and_ring(house)
        wait_until(lambda: Delivery.objects.filter(remark__startswith="pas de conn").count() == 5)
        assert not Notice.objects.exclude(handed_over_at=None).exists()
        house.close()
        house.environment["SMS_GATEWAY_URL"] = peer.url
        house.start_worker(beat=True)
        wait_until(lambda: told() == 5)
    assert set(peer.sent_by_phone.values()) == {1}
