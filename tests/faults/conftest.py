"""A house with real workers and a peer that counts."""

import contextlib
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from django.conf import settings
from django.db import DatabaseError, connection

from notifications.models import Delivery
from tests.processes import House, Redis, database_in_a_file, url_of_test_database

Opener = Callable[..., House]
DISPATCH = "notifications.tasks.dispatch_sms"


def start_and_ring(house: House, workers: int = 1) -> list[subprocess.Popen]:
    """Start workers and ring once for each."""
    started = [house.start_worker() for _ in range(workers)]
    house.wait_until_ready()
    for _ in started:
        house.ring(DISPATCH)
    return started


def show_deliveries() -> None:
    """Print where the deliveries stand, for whoever reads of a failure."""
    with contextlib.suppress(DatabaseError):
        columns = ("channel", "number", "state", "failure", "remark")
        found = Counter(Delivery.objects.values_list(*columns))
        print(*(f"{number} x {row}" for row, number in found.items()), sep="\n")


class Reached(Protocol):
    """A peer, by the address that a gateway is given."""

    @property
    def url(self) -> str:
        """What goes into ``SMS_GATEWAY_URL``."""


@pytest.fixture
def live_database(transactional_db: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give the environment in which a child process sees the test's database."""
    if connection.vendor == "postgresql":
        yield {"TEST_DATABASE_URL": url_of_test_database()}
        return
    with database_in_a_file(tmp_path / "continuity.sqlite3"):
        yield {}


@pytest.fixture
def open_house(live_database: dict[str, str], tmp_path: Path) -> Iterator[Opener]:
    """Return what opens a house that sends through a peer; its logs are shown on failure."""
    with contextlib.ExitStack() as stack:

        def open_it(peer: Reached, *, broker: str = "folder", **environment: str) -> House:
            redis = Redis(tmp_path) if broker == "redis" else None
            if redis:
                redis.start()
                stack.callback(redis.stop)
            values = {
                "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
                "SECRET_KEY": settings.SECRET_KEY,
                "SMS_GATEWAY_URL": peer.url,
                "SMS_LEASE_SECONDS": "3",
            }
            house = House(tmp_path, live_database | values | environment, redis)
            stack.callback(house.close)
            stack.callback(lambda: print(house.logs()))
            stack.callback(show_deliveries)
            return house

        yield open_it
