"""Workers, beat and web servers that are killed (promises 1, 2, 4 and 5), counted at the peer."""

import datetime as dt
import random
import time
from functools import partial

import pytest
from django.utils import timezone

from notifications.models import Delivery, Sending
from tests.builders import a_user
from tests.faults.assertions import all_is_well, fates, is_settled
from tests.faults.conftest import DISPATCH, Opener, start_and_ring
from tests.faults.hospital import a_hospital_with
from tests.faults.peers import CountedSmsc
from tests.faults.supervising import Supervised, Visitor, a_seed, answers
from tests.notifications.builders import a_notice, an_sms
from tests.peer import Peer
from tests.processes import PATIENCE_SECONDS, free_port, wait_until
from tests.smpp_peer import SmscPeer

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
BROKERS = ["folder", pytest.param("redis", marks=pytest.mark.redis)]
LATENCY_SECONDS = 0.1
WINDOW = 20  # of every gateway, unless its URL says otherwise
MOST_LOST = WINDOW + 0.5 * WINDOW / LATENCY_SECONDS
"""By one worker killed: what is on its way, and half a second's worth that is next."""


@pytest.mark.parametrize("idempotent", [True, False], ids=["idempotent", "not-idempotent"])
def test_twenty_kills_within_one_send_of_2000_ask_nobody_twice(
    open_house: Opener, idempotent: bool
) -> None:
    seed = a_seed()
    a_hospital_with(2000)
    port = free_port()
    health = f"http://127.0.0.1:{port}/health/"
    with Peer(idempotent=idempotent, seconds=LATENCY_SECONDS) as peer, Visitor(health) as visitor:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="300" if idempotent else "4")
        supervised = Supervised(
            house,
            first_worker=house.start_worker,
            second_worker=house.start_worker,
            beat=house.start_beat,
            web=partial(house.start_web, port),
        )
        wait_until(lambda: answers(health))
        moments = sorted(random.Random(seed).sample(range(1, 1200), 20))
        supervised.kill_at_random(seed, moments=moments, seen=lambda: len(peer.asked))
        assert set(supervised.killed.values()) == {5}
        assert fates().told < 2000
        peer.seconds = 0.0
        wait_until(lambda: is_settled(2000))
        wait_until(lambda: answers(health))
    found = all_is_well(peer, 2000)
    print(found, supervised.killed, visitor.answers)
    workers_killed = supervised.killed["first_worker"] + supervised.killed["second_worker"]
    assert found.to_call <= (0 if idempotent else MOST_LOST * workers_killed)
    assert set(visitor.answers) == {200}


@pytest.mark.parametrize("broker", BROKERS)
def test_promise_1_a_worker_killed_in_the_middle_tells_everybody_once(
    open_house: Opener, broker: str
) -> None:
    a_hospital_with(150)
    with Peer(idempotent=True, seconds=0.3) as peer:
        house = open_house(peer, broker=broker)
        (worker,) = start_and_ring(house)
        wait_until(lambda: len(peer.asked) >= 50)
        house.kill(worker)
        assert fates().told < 150
        peer.seconds = 0.0
        house.start_worker(beat=True)
        wait_until(lambda: fates().told == 150)
    all_is_well(peer, 150)


def test_promise_4_what_a_killed_worker_was_handing_over_is_unknown_and_then_called(
    open_house: Opener,
) -> None:
    a_hospital_with(100)
    with Peer(seconds=0.3) as peer:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="2")
        (worker,) = start_and_ring(house)
        wait_until(lambda: len(peer.asked) >= 30)
        house.kill(worker)
        lost = set(Delivery.objects.filter(state="submitting").values_list("notice", flat=True))
        assert lost
        peer.seconds = 0.0
        house.start_worker(beat=True)
        wait_until(lambda: is_settled(100))
    calls = Delivery.objects.filter(channel="phone", state="queued")
    assert set(calls.values_list("notice", flat=True)) == lost
    assert not Delivery.objects.filter(state="unknown").exists()
    all_is_well(peer, 100)


def test_promise_1_two_workers_share_the_work_and_tell_nobody_twice(open_house: Opener) -> None:
    a_hospital_with(600)
    with Peer(seconds=0.2) as peer:
        house = open_house(peer)
        start_and_ring(house, workers=2)
        wait_until(lambda: fates().told == 600)
    assert len(peer.asked) == 600
    assert Delivery.objects.values("claimed_by").distinct().count() >= 2
    all_is_well(peer, 600)


def test_promise_5_pause_stops_within_two_seconds_and_resume_goes_on(open_house: Opener) -> None:
    a_hospital_with(600)
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
        wait_until(lambda: fates().told == 600)
    all_is_well(peer, 600)


@pytest.mark.parametrize("broker", BROKERS)
def test_what_hangs_is_put_right_while_the_only_worker_listens_to_a_gateway(
    open_house: Opener, broker: str
) -> None:
    with SmscPeer() as peer:
        house = open_house(peer, broker=broker)
        house.start_worker()
        house.wait_until_ready()
        house.start_beat()
        wait_until(lambda: peer.binds)
        time.sleep(3)  # the sweeps that beat asks for begin to wait behind the one who listens
        tomorrow = timezone.localtime() + dt.timedelta(days=1)
        notice = a_notice(items=[(f"{tomorrow:%Y-%m-%d %H:%M}", "cancelled")])
        gone = timezone.now() - dt.timedelta(seconds=1)
        lost = an_sms(notice, state="unknown", gateway="gone", lease_until=gone)
        wait_until(lambda: lost.notice.deliveries.filter(channel="phone").exists(), seconds=12)
    assert len(peer.binds) == 1


def test_a_worker_told_to_stop_records_what_is_on_its_way_unbinds_and_ends(
    open_house: Opener,
) -> None:
    a_hospital_with(400)
    with SmscPeer(latency=0.3) as peer:
        patient = peer.url.replace("timeout=1", "timeout=30")
        house = open_house(peer, SMS_GATEWAY_URL=patient, SMS_LEASE_SECONDS="60")
        sms = ("--queues", "sms", "--concurrency", "1", "--loglevel", "INFO")
        worker = house.start("worker", *house.celery, "worker", *sms, "--without-mingle")
        house.wait_until_ready()
        house.ring(DISPATCH)
        wait_until(lambda: len(peer.submitted) >= 60)
        worker.terminate()
        worker.wait(PATIENCE_SECONDS)
        assert not Delivery.objects.filter(state__in=["claimed", "submitting"]).exists()
        assert Delivery.objects.filter(state="accepted").exists()
        assert fates().unknown == 0
        assert peer.unbinds == len(peer.binds)
        house.start_worker(beat=True)
        wait_until(lambda: fates().told == 400)
    assert len(peer.submitted) == len(peer.sent_by_phone) == 400


def test_one_process_holds_all_sessions_that_a_gateway_allows_and_another_takes_over(
    open_house: Opener,
) -> None:
    a_hospital_with(300)
    with CountedSmsc(latency=0.2) as peer:
        house = open_house(peer, SMS_GATEWAY_URL=f"{peer.url}&sessions=3", SMS_UNKNOWN_SECONDS="2")
        first = house.start_worker()
        house.wait_until_ready()
        house.ring(DISPATCH)
        wait_until(lambda: len(peer.connections) == 3)
        wait_until(lambda: len(peer.asked) >= 60)
        house.kill(first)
        house.start_worker(beat=True)
        wait_until(lambda: is_settled(300))
        wait_until(lambda: len(peer.connections) == 3)
    assert len(peer.binds) >= 6
    all_is_well(peer, 300)
