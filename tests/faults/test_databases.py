"""Databases that go away or are full in the middle of a send."""

import resource
import subprocess
import sys
import time
from functools import partial

import pytest
from django.db import connection

from tests.faults.assertions import all_is_well, fates, is_settled
from tests.faults.conftest import Opener
from tests.faults.hospital import a_hospital_with
from tests.faults.postgres import a_server_of_its_own
from tests.faults.supervising import Visitor, answers
from tests.peer import Peer
from tests.processes import free_port, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.mark.postgresql
def test_postgresql_stopped_at_once_three_times_during_a_send_is_found_again(
    open_house: Opener,
) -> None:
    port = free_port()
    health = f"http://127.0.0.1:{port}/health/"
    with a_server_of_its_own() as server, Peer(seconds=0.2) as peer:
        a_hospital_with(400)
        house = open_house(peer, TEST_DATABASE_URL=server.url, SMS_UNKNOWN_SECONDS="3")
        running = [house.start_worker(), house.start_worker(), house.start_beat()]
        running.append(house.start_web(port))
        wait_until(lambda: answers(health))
        with Visitor(health) as visitor:
            for moment in (40, 120, 200):
                wait_until(lambda here=moment: len(peer.asked_by_reference) >= here)
                server.stop_at_once()
                connection.close()
                time.sleep(1)
                server.start()
            wait_until(lambda: is_settled(400))
            wait_until(lambda: answers(health))
        assert all(process.poll() is None for process in running)
        all_is_well(peer, 400)
        assert set(visitor.answers) <= {200, 503}


def fill_disk_of(process: subprocess.Popen) -> None:
    """Let a process write no more to any file (setrlimit(2): EFBIG, as ENOSPC on a full disk)."""
    _soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))


def make_room_for(process: subprocess.Popen) -> None:
    """Let a process write again."""
    _soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.sqlite
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a running process")
def test_a_disk_that_is_full_for_a_while_loses_nobody_and_the_house_goes_on(
    open_house: Opener,
) -> None:
    a_hospital_with(300)
    port = free_port()
    health = f"http://127.0.0.1:{port}/health/"
    with Peer(seconds=0.2) as peer, Visitor(health) as visitor:
        house = open_house(peer, SMS_UNKNOWN_SECONDS="2")
        parts = [house.start_worker, house.start_worker, house.start_beat]
        parts.append(partial(house.start_web, port))
        running = [start() for start in parts]
        wait_until(lambda: answers(health))
        wait_until(lambda: len(peer.asked) >= 40)
        for process in running:
            fill_disk_of(process)
        time.sleep(1)  # what was on its way has come back
        told = fates().told
        time.sleep(3)
        assert fates().told == told < 300
        for start, process in zip(parts, running, strict=True):
            if process.poll() is None:
                make_room_for(process)
            else:  # without room for a temporary file Celery ends; its supervisor starts it again
                start()
        wait_until(lambda: is_settled(300))
        wait_until(lambda: answers(health))
    all_is_well(peer, 300)
    assert set(visitor.answers) <= {200, 503}
