"""The peers that several of these tests share."""

from collections.abc import Iterator

import pytest

from tests.notifications.gateways.android_phone import APhone
from tests.notifications.gateways.http_peers import HttpPeer


@pytest.fixture
def phone() -> Iterator[HttpPeer]:
    """A phone that takes messages."""
    with HttpPeer(APhone()) as peer:
        yield peer
