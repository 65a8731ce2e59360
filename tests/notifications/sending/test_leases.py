"""How many workers may be connected to a gateway at once."""

import pytest

from notifications.models import GatewaySeat
from notifications.sending import leases
from tests.notifications.builders import FakeGateway

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def test_as_many_hold_a_session_as_the_provider_allows() -> None:
    gateway = FakeGateway(sessions=2)
    with (
        leases.held(gateway, worker="a") as first,
        leases.held(gateway, worker="b") as second,
        leases.held(gateway, worker="c") as third,
    ):
        assert (first, second, third) == (True, True, False)


def test_a_lease_that_is_given_back_is_free() -> None:
    gateway = FakeGateway(sessions=1)
    with leases.held(gateway, worker="a"):
        pass
    with leases.held(gateway, worker="b") as has_lease:
        assert has_lease


def test_a_worker_that_died_gives_its_lease_back_by_doing_nothing(sunday) -> None:
    gateway = FakeGateway(sessions=1)
    with leases.held(gateway, worker="dead"):
        sunday.shift(leases.LEASE_SECONDS - 1)
        with leases.held(gateway, worker="next") as has_lease:
            assert not has_lease
        sunday.shift(2)
        with leases.held(gateway, worker="next") as has_lease:
            assert has_lease
            assert not leases.keep(gateway, worker="dead")


def test_a_lease_that_is_renewed_is_kept(sunday) -> None:
    gateway = FakeGateway(sessions=1)
    with leases.held(gateway, worker="a"):
        sunday.shift(leases.LEASE_SECONDS - 1)
        assert leases.keep(gateway, worker="a")
        sunday.shift(leases.LEASE_SECONDS - 1)
        with leases.held(gateway, worker="b") as has_lease:
            assert not has_lease


def test_a_gateway_without_a_limit_needs_no_lease() -> None:
    with leases.held(FakeGateway(), worker="a") as has_lease:
        assert has_lease
        assert leases.keep(FakeGateway(), worker="a")
    assert not GatewaySeat.objects.exists()
