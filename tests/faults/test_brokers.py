"""Brokers that lose everything (promise 2): the database is the truth, the broker a doorbell."""

import pytest
from django.conf import settings

from tests.faults.assertions import all_is_well, fates
from tests.faults.conftest import DISPATCH, Opener
from tests.faults.hospital import a_hospital_with, load_consultations, tomorrow_at
from tests.faults.shifted import shifted
from tests.peer import Peer
from tests.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
BROKERS = ["folder", pytest.param("redis", marks=pytest.mark.redis)]


@pytest.mark.parametrize("broker", BROKERS)
def test_promise_2_a_broker_emptied_before_and_again_and_again_during_a_send_loses_nobody(
    open_house: Opener, broker: str
) -> None:
    a_hospital_with(300)
    with Peer(seconds=0.2) as peer:
        house = open_house(peer, broker=broker)
        house.ring(DISPATCH)
        house.empty_broker()
        house.start_worker()
        house.start_worker()
        house.start_beat()
        for moment in range(1, 260, 40):
            wait_until(lambda here=moment: len(peer.asked) >= here)
            house.empty_broker()
        wait_until(lambda: fates().told == 300)
    assert len(peer.asked) == 300
    all_is_well(peer, 300)


@pytest.mark.redis
def test_promise_2_a_broker_restarted_during_a_send_is_found_again(open_house: Opener) -> None:
    a_hospital_with(200)
    with Peer(seconds=0.2) as peer:
        house = open_house(peer, broker="redis")
        assert house.redis
        house.start_worker(beat=True)
        wait_until(lambda: len(peer.asked) >= 40)
        house.redis.stop()
        assert fates().told < 200
        wait_until(lambda: fates().told == 200)  # who is sending needs no broker
        load_consultations(20, starts_at=tomorrow_at(22))
        house.redis.start()
        wait_until(lambda: fates().told == 220)
    all_is_well(peer, 220)


@pytest.mark.parametrize("broker", BROKERS)
def test_a_bell_that_rang_too_long_ago_wakes_nobody(open_house: Opener, broker: str) -> None:
    a_hospital_with(10)
    with Peer() as peer:
        house = open_house(peer, broker=broker)
        with shifted(-settings.DOORBELL_SECONDS - 1):
            for _ in range(3):
                house.ring(DISPATCH)
        house.start_worker()
        wait_until(lambda: house.logs().count("too long ago, nothing is done") == 3)
        assert not peer.asked
        house.ring(DISPATCH)
        wait_until(lambda: fates().told == 10)
