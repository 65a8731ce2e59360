"""Gateways that close, hang, babble, put off or restart in the middle of a send."""

import time
from typing import Any

import pytest
from aiohttp import web

from notifications.models import Delivery, Notice
from tests.faults.assertions import all_is_well, fates, is_settled
from tests.faults.conftest import Opener, start_and_ring
from tests.faults.hospital import a_hospital_with
from tests.faults.peers import MANNERS, CountedSmsc, MoodyPeer, Wire
from tests.faults.supervising import a_seed
from tests.peer import Peer
from tests.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("idempotent", [True, False], ids=["idempotent", "not-idempotent"])
def test_a_gateway_that_misbehaves_in_every_way_is_asked_once_for_each(
    open_house: Opener, idempotent: bool
) -> None:
    a_hospital_with(200)
    with MoodyPeer(*MANNERS, until=120, seed=a_seed(), idempotent=idempotent) as peer:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="120" if idempotent else "2")
        house.start_worker()
        house.start_worker()
        house.start_beat()
        wait_until(lambda: is_settled(200))
    assert set(peer.shown) == {*MANNERS, "calm"}
    found = all_is_well(peer, 200)
    unanswered = sum(times for mood, times in peer.shown.items() if mood in MANNERS)
    unanswered -= peer.shown["throttles"]
    assert found.to_call == (0 if idempotent else unanswered)


class HasIt(Peer):
    """Takes each message and hangs up; to the same reference it says 409: it has it."""

    async def accept(self, request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        """Answer a repeat only."""
        if self.asked_by_reference[message["reference"]] > 1:
            return web.json_response({"error": "duplicate reference"}, status=409)
        assert request.transport
        request.transport.close()
        return web.Response()


def test_a_gateway_that_says_409_to_a_repeat_has_the_message_and_nobody_is_called(
    open_house: Opener,
) -> None:
    a_hospital_with(20)
    with HasIt(idempotent=True) as peer:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="120")
        house.start_worker(beat=True)
        wait_until(lambda: is_settled(20))
    assert set(peer.asked_by_reference.values()) == {2}
    assert all_is_well(peer, 20).told == 20


@pytest.mark.parametrize("mood", ["hangs", "throttles"])
def test_a_gateway_that_only_misbehaves_makes_nobody_told_and_everybody_listed(
    open_house: Opener, mood: str
) -> None:
    a_hospital_with(15)
    with MoodyPeer(mood, until=None) as peer:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="1")
        house.start_worker(beat=True)
        wait_until(lambda: len(peer.asked) >= 15)
        if mood == "throttles":
            assert fates().told == 0
            peer.until = 0
        wait_until(lambda: is_settled(15))
    found = all_is_well(peer, 15)
    assert found.told == (15 if mood == "throttles" else 0)


def test_promise_2_a_gateway_that_was_away_is_asked_again_when_it_is_back(
    open_house: Opener,
) -> None:
    a_hospital_with(5)
    with Peer() as peer, Wire(peer.url) as wire:
        wire.cut()
        house = open_house(wire)
        start_and_ring(house)
        away = Delivery.objects.exclude(remark="")
        wait_until(lambda: away.count() == 5)
        assert not Notice.objects.exclude(handed_over_at=None).exists()
        assert not peer.asked
        wire.mend()
        house.start_beat()
        wait_until(lambda: fates().told == 5)
    all_is_well(peer, 5)


def test_a_gateway_that_restarts_during_a_send_is_found_again(open_house: Opener) -> None:
    a_hospital_with(300)
    with Peer(seconds=0.2) as peer, Wire(peer.url) as wire:
        house = open_house(wire, SMS_UNKNOWN_SECONDS="2")
        house.start_worker()
        house.start_worker(beat=True)
        for moment in (40, 120, 200):
            wait_until(lambda here=moment: len(peer.asked) >= here)
            wire.cut()
            time.sleep(1.5)
            wire.mend()
        wait_until(lambda: is_settled(300))
    found = all_is_well(peer, 300)
    assert found.to_call > 0


def test_an_smsc_that_restarts_or_hangs_up_in_the_middle_of_a_window_is_bound_to_again(
    open_house: Opener,
) -> None:
    a_hospital_with(300)
    with CountedSmsc(latency=0.3) as peer, Wire(peer.url) as wire:
        house = open_house(wire, SMS_UNKNOWN_SECONDS="2")
        house.start_worker()
        house.start_worker()
        house.start_beat()
        for moment, restarts in ((40, True), (100, False), (160, True), (220, False)):
            wait_until(lambda here=moment: len(peer.asked) >= here)
            if restarts:
                wire.cut()
                time.sleep(1)
                wire.mend()
            else:
                peer.hang_up()
        wait_until(lambda: is_settled(300))
    assert len(peer.binds) >= 4
    all_is_well(peer, 300)


THROTTLED = 0x58  # ESME_RTHROTTLED (SMPP 3.4, 5.1.3)


def put_off(message: dict[str, Any]) -> int:
    """Answer that this is too fast."""
    message["put_off"] = True
    return THROTTLED


@pytest.mark.parametrize(
    "behaviour", ["hangs", "closes at once", "closes mid-answer", "garbage", "throttles"]
)
def test_an_smsc_that_misbehaves_for_a_while_is_asked_once_for_each(
    open_house: Opener, behaviour: str
) -> None:
    a_hospital_with(60)
    with CountedSmsc() as peer:
        if behaviour == "throttles":
            peer.judge = put_off
        else:
            peer.behaviour = behaviour
        house = open_house(peer, SMS_UNKNOWN_SECONDS="2")
        house.start_worker()
        house.start_worker(beat=True)
        wait_until(lambda: peer.asked)
        time.sleep(1)
        assert fates().told == 0
        peer.judge, peer.behaviour = None, "answers"
        wait_until(lambda: is_settled(60))
    found = all_is_well(peer, 60)
    assert found.told > 0
    assert bool(found.to_call) == (behaviour != "throttles")
