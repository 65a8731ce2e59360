"""Who sends also sweeps."""

import time
from threading import Event

import pytest
from django.db import OperationalError

from notifications.sending import sweep as sweeping
from notifications.sending import sweeping_beside
from notifications.sending.sweeping_beside import swept_meanwhile
from tests.notifications.builders import FakeGateway

pytestmark = pytest.mark.django_db


class Sweeps:
    """Stands for the sweep: counts, raises what it is told to, and says when it ran twice."""

    def __init__(self, error: Exception | None = None) -> None:
        self.gateways: list[str] = []
        self.twice = Event()
        self._error = error

    def __call__(self, *, gateways) -> None:
        self.gateways += [gateway.name for gateway in gateways]
        if len(self.gateways) == 2:
            self.twice.set()
        if self._error:
            raise self._error


@pytest.fixture(autouse=True)
def _often(monkeypatch) -> None:
    monkeypatch.setattr(sweeping_beside, "EVERY_SECONDS", 0.01)


def test_it_sweeps_again_and_again_until_the_sending_is_over(monkeypatch) -> None:
    sweeps = Sweeps()
    monkeypatch.setattr(sweeping, "sweep", sweeps)
    with swept_meanwhile(gateways=[FakeGateway()]):
        assert sweeps.twice.wait(10)
    number = len(sweeps.gateways)
    time.sleep(0.1)
    assert len(sweeps.gateways) == number
    assert set(sweeps.gateways) == {"fake"}


@pytest.mark.parametrize("error", [OperationalError("gone"), ValueError("ours")])
def test_a_sweep_that_fails_is_followed_by_the_next(monkeypatch, caplog, error) -> None:
    sweeps = Sweeps(error)
    monkeypatch.setattr(sweeping, "sweep", sweeps)
    with swept_meanwhile(gateways=[FakeGateway()]):
        assert sweeps.twice.wait(10)
    assert "did not work" in caplog.text


def test_sending_that_breaks_ends_the_sweeps_too(monkeypatch) -> None:
    sweeps = Sweeps()
    monkeypatch.setattr(sweeping, "sweep", sweeps)
    with pytest.raises(ZeroDivisionError), swept_meanwhile(gateways=[FakeGateway()]):
        raise ZeroDivisionError
    assert not sweeps.twice.wait(0.1)
