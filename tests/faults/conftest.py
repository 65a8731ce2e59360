"""A house with real workers and a peer that counts."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.peer import Peer
from tests.processes import House, Redis, database_in_a_file, url_of_test_database

Opener = Callable[..., House]


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

        def open_it(peer: Peer, *, broker: str = "folder", **environment: str) -> House:
            redis = Redis(tmp_path) if broker == "redis" else None
            if redis:
                redis.start()
                stack.callback(redis.stop)
            values = {
                "SECRET_KEY": settings.SECRET_KEY,
                "SMS_GATEWAY_URL": peer.url,
                "SMS_LEASE_SECONDS": "3",
            }
            house = House(tmp_path, live_database | values | environment, redis)
            stack.callback(house.close)
            stack.callback(lambda: print(house.logs()[-6000:]))
            return house

        yield open_it
