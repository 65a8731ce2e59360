"""How many workers may be connected to a gateway at once."""

import pytest

from notifications.models import GatewaySeat
from notifications.sending import leases as seats
from tests.notifications.builders import FakeGateway

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def test_as_many_may_sit_as_the_provider_allows() -> None:
    gateway = FakeGateway(sessions=2)
    with (
        seats.seated(gateway, worker="a") as first,
        seats.seated(gateway, worker="b") as second,
        seats.seated(gateway, worker="c") as third,
    ):
        assert (first, second, third) == (True, True, False)


def test_who_leaves_frees_the_seat() -> None:
    gateway = FakeGateway(sessions=1)
    with seats.seated(gateway, worker="a"):
        pass
    with seats.seated(gateway, worker="b") as has_seat:
        assert has_seat


def test_a_worker_that_died_frees_its_seat_by_doing_nothing(sunday) -> None:
    gateway = FakeGateway(sessions=1)
    with seats.seated(gateway, worker="dead"):
        sunday.shift(seats.LEASE_SECONDS - 1)
        with seats.seated(gateway, worker="next") as has_seat:
            assert not has_seat
        sunday.shift(2)
        with seats.seated(gateway, worker="next") as has_seat:
            assert has_seat
            assert not seats.keep(gateway, worker="dead")


def test_who_goes_on_keeps_the_seat(sunday) -> None:
    gateway = FakeGateway(sessions=1)
    with seats.seated(gateway, worker="a"):
        sunday.shift(seats.LEASE_SECONDS - 1)
        assert seats.keep(gateway, worker="a")
        sunday.shift(seats.LEASE_SECONDS - 1)
        with seats.seated(gateway, worker="b") as has_seat:
            assert not has_seat


def test_a_gateway_without_a_limit_needs_no_seat() -> None:
    with seats.seated(FakeGateway(), worker="a") as has_seat:
        assert has_seat
        assert seats.keep(FakeGateway(), worker="a")
    assert not GatewaySeat.objects.exists()
