"""Two hosts of one installation: one with a wrong clock, or without a way to the gateway."""

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import (
    ClockStep,
    Delivery,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    SendingHost,
)
from notifications.telling.health import Condition, overview
from tests.faults.assertions import all_is_well, fates, is_settled
from tests.faults.conftest import Opener
from tests.faults.hospital import a_bulletin_about, a_hospital_with, approve, tomorrow_at
from tests.faults.peers import CountedSmsc
from tests.peer import Peer
from tests.processes import House, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
HOUR = 3600.0
SOON = 30.0  # seconds; an hour is what is feared


class PacedPeer(Peer):
    """A peer that may be given twenty parts a second."""

    @property
    def url(self) -> str:
        """What goes into ``SMS_GATEWAY_URL``."""
        return f"{super().url}&tps=20"


def start_on(house: House, host: str, *through: str, beat: bool = False) -> subprocess.Popen[bytes]:
    """Start a worker on a host of its own."""
    house.environment["HOST_NAME"] = host
    house.through = ("-m", *through) if through else ()
    return house.start_worker(beat=beat)


def hosts() -> set[str]:
    return set(SendingHost.objects.values_list("name", flat=True))


@pytest.mark.postgresql
@pytest.mark.parametrize("shift", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_a_host_with_a_wrong_clock_changes_nothing_and_is_shown(
    open_house: Opener, shift: float
) -> None:
    a_hospital_with(60)
    with PacedPeer() as peer:
        house = open_house(peer, TEST_DATABASE_CLOCK="1")
        start_on(house, "srv-1", "tests.faults.shifted", str(shift), beat=True)
        wait_until(lambda: len(peer.asked) >= 20)
        start_on(house, "srv-2")
        wait_until(lambda: fates().told == 60, seconds=SOON)
        wait_until(lambda: hosts() == {"srv-1", "srv-2"}, seconds=SOON)
        (wrong,) = overview().wrong_clocks
        assert wrong.name == "srv-1"
        assert abs(wrong.clock_ahead - shift) < 2
        all_is_well(peer, 60)
    moments = Delivery.objects.values_list("submitted_at", flat=True)
    assert all(abs((timezone.now() - at).total_seconds()) < 120 for at in moments if at)


@pytest.mark.postgresql
def test_a_host_ahead_of_its_time_releases_nothing_before_it(open_house: Opener) -> None:
    a_hospital_with(10)
    release_at = timezone.localtime() + dt.timedelta(minutes=30)
    starts_at = tomorrow_at(11) + dt.timedelta(days=1)
    approve(a_bulletin_about(10, starts_at=starts_at, release_at=release_at))
    with Peer() as peer:
        house = open_house(peer, TEST_DATABASE_CLOCK="1")
        start_on(house, "srv-1", "tests.faults.shifted", str(HOUR), beat=True)
        wait_until(lambda: fates().told == 10)
        assert Delivery.objects.filter(state="held", not_before=release_at).count() == 10
        assert len(peer.asked) == 10


@pytest.mark.postgresql
def test_a_worker_that_dies_on_a_host_ahead_is_missed_after_one_lease(open_house: Opener) -> None:
    a_hospital_with(60)
    with PacedPeer(idempotent=True, seconds=0.5) as peer:
        house = open_house(peer, TEST_DATABASE_CLOCK="1", SMS_UNKNOWN_SECONDS="300")
        ahead = start_on(house, "srv-1", "tests.faults.shifted", str(HOUR), beat=True)
        wait_until(lambda: len(peer.asked) >= 20)
        house.kill(ahead)
        start_on(house, "srv-2", beat=True)
        wait_until(lambda: fates().told == 60, seconds=SOON)
        all_is_well(peer, 60)


def test_a_clock_set_back_during_a_send_does_not_stop_it(
    open_house: Opener, tmp_path: Path
) -> None:
    a_hospital_with(100)
    with PacedPeer() as peer:
        house = open_house(peer)
        file = tmp_path / "set-the-clock"
        start_on(house, "srv-1", "tests.faults.shifted", f"0@{file}", beat=True)
        wait_until(lambda: len(peer.asked) >= 20)
        wait_until(SendingHost.objects.exists)
        file.write_text(str(-HOUR / 2))
        wait_until(lambda: fates().told == 100, seconds=SOON)
        wait_until(ClockStep.objects.exists, seconds=SOON)
        assert overview().steps
        all_is_well(peer, 100)


def test_a_worker_that_died_before_the_clock_was_set_back_is_missed_after_one_lease(
    open_house: Opener, tmp_path: Path
) -> None:
    a_hospital_with(60)
    with PacedPeer(idempotent=True, seconds=0.5) as peer:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="300")
        first = start_on(house, "srv-1", beat=True)
        wait_until(lambda: len(peer.asked) >= 20)
        house.kill(first)
        start_on(house, "srv-1", "tests.faults.shifted", str(-HOUR / 2), beat=True)
        wait_until(lambda: fates().told == 60, seconds=SOON)
        all_is_well(peer, 60)


def a_peer(kind: str) -> Any:
    return Peer() if kind == "http" else CountedSmsc()


@pytest.mark.parametrize("kind", ["http", "smpp"])
def test_a_host_without_a_way_to_the_gateway_stops_no_other(
    open_house: Opener, settings: Any, kind: str
) -> None:
    a_hospital_with(60)
    with a_peer(kind) as peer:
        settings.SMS_GATEWAY_URL = peer.url
        house = open_house(peer)
        start_on(house, "srv-1", "tests.faults.cut_off", str(peer.port), beat=True)
        lost = GatewayState.objects.filter(complaint__startswith="srv-1 : ")
        wait_until(lost.exists)
        (health,) = overview().gateways
        assert health.condition in (Condition.AWAY, Condition.FAILING)  # nobody says otherwise
        wait_until(
            lambda: any(way.failures_in_a_row >= 3 for way in overview().gateways[0].cut_off)
        )
        assert fates().told == 0
        start_on(house, "srv-2")
        wait_until(lambda: fates().told == 60, seconds=SOON)
        (health,) = overview().gateways
        assert health.condition == Condition.CUT_OFF
        assert [way.host for way in health.cut_off] == ["srv-1"]
        assert is_settled(60)
        all_is_well(peer, 60)


def test_a_host_without_a_way_says_so_before_anything_is_due_and_keeps_no_seat(
    open_house: Opener,
) -> None:
    with CountedSmsc() as peer:
        house = open_house(peer)
        start_on(house, "srv-1", "tests.faults.cut_off", str(peer.port), beat=True)
        wait_until(GatewayReach.objects.filter(host="srv-1", failures_in_a_row__gt=0).exists)
        wait_until(lambda: not GatewaySeat.objects.filter(until__gt=timezone.now()).exists())
        start_on(house, "srv-2")
        wait_until(lambda: peer.binds, seconds=SOON)
        a_hospital_with(20)
        wait_until(lambda: fates().told == 20, seconds=SOON)
        all_is_well(peer, 20)
