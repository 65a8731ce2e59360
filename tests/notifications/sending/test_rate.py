"""What all workers share about a gateway."""

import datetime as dt

import pytest
from django.conf import settings
from django.utils import timezone

from notifications.gateways import Accepted, NotSent, Refused, Throttled, Unknown
from notifications.models import Failure, GatewayReach, GatewayState
from notifications.sending import rate
from tests.notifications.builders import FakeGateway

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
SILENCE = Unknown("pas de réponse")


def state() -> GatewayState:
    """Return the row of the fake gateway."""
    return GatewayState.objects.get(name="fake")


def way() -> GatewayReach:
    """Return what this host found about the fake gateway."""
    return GatewayReach.objects.get(gateway="fake", host=settings.HOST_NAME)


class TestRate:
    def test_the_rate_is_shared_by_all_hosts(self) -> None:
        gateway = FakeGateway(parts_per_second=10.0)
        rate.spend(gateway, [1, 2, 1])
        assert rate.standing(gateway).wait == pytest.approx(0.4)
        rate.spend(gateway, [1])
        assert rate.standing(gateway).wait == pytest.approx(0.5)

    def test_messages_count_beside_parts_and_the_slower_holds(self) -> None:
        gateway = FakeGateway(parts_per_second=10.0, messages_per_second=1.0)
        rate.spend(gateway, [3, 3])
        assert rate.standing(gateway).wait == pytest.approx(2.0)

    def test_what_was_not_used_is_not_saved_up(self, sunday) -> None:
        gateway = FakeGateway(parts_per_second=10.0)
        rate.spend(gateway, [1])
        sunday.shift(3600)
        rate.spend(gateway, [1])
        assert rate.standing(gateway).wait == pytest.approx(0.1)

    def test_a_gateway_without_a_rate_waits_for_nothing(self) -> None:
        rate.spend(FakeGateway(), [1] * 1000)
        assert rate.standing(FakeGateway()).wait == 0

    def test_it_is_counted_all_the_same_each_day_anew(self, sunday) -> None:
        for costs in ([2, 1], [4]):
            rate.spend(FakeGateway(), costs)
        assert state().parts_of_day == 7
        sunday.shift(24 * 3600)
        rate.spend(FakeGateway(), [3])
        assert state().parts_of_day == 3


class TestCap:
    def test_only_so_many_parts_leave_in_a_day(self) -> None:
        gateway = FakeGateway(parts_per_day=5)
        assert rate.spend(gateway, [2, 2]) == 2
        assert rate.standing(gateway).parts_left == 1
        assert rate.spend(gateway, [1]) == 1
        assert rate.spend(gateway, [1]) == 0
        assert not rate.standing(gateway).is_usable

    def test_what_is_too_little_for_the_next_message_is_given_up(self) -> None:
        gateway = FakeGateway(parts_per_day=5)
        assert rate.spend(gateway, [2, 2, 2]) == 2
        assert rate.standing(gateway).is_full

    def test_parts_given_back_lift_a_reached_cap(self) -> None:
        gateway = FakeGateway(parts_per_day=5)
        rate.spend(gateway, [2, 2, 2])
        rate.give_back(gateway, 2)
        assert rate.standing(gateway).parts_left == 2

    def test_the_next_day_begins_anew(self, sunday) -> None:
        gateway = FakeGateway(parts_per_day=2)
        rate.spend(gateway, [2])
        sunday.shift(dt.timedelta(days=1))
        assert rate.standing(gateway).is_usable
        assert rate.spend(gateway, [1]) == 1
        assert state().parts_of_day == 1

    def test_what_did_not_leave_is_given_back(self) -> None:
        gateway = FakeGateway(parts_per_day=3)
        rate.spend(gateway, [3])
        rate.give_back(gateway, 2)
        assert rate.standing(gateway).parts_left == 2


class TestHealth:
    def test_a_gateway_never_used_may_be_used(self) -> None:
        standing = rate.standing(FakeGateway())
        assert (standing.is_usable, standing.is_on_probation) == (True, False)

    def test_the_backoff_from_one_out_of_reach_grows_each_time(self, sunday) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        waits = []
        for _ in range(8):
            rate.note(gateway, [NotSent("pas de connexion")])
            waits.append((way().away_until - timezone.now()).total_seconds())  # type: ignore[operator]
        assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
        assert not rate.standing(gateway).is_usable
        sunday.shift(61)
        assert rate.standing(gateway).is_usable
        assert rate.standing(gateway).is_on_probation

    def test_a_backoff_lasts_at_least_as_long_as_the_gateway_asks(self, sunday) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        refused = NotSent("mot de passe refusé", retry_after=60.0, answered=True)
        rate.note(gateway, [refused, NotSent()])
        sunday.shift(59)
        assert rate.standing(gateway).is_away
        sunday.shift(2)
        assert rate.standing(gateway).is_usable

    def test_two_silences_in_a_row_start_a_backoff_one_does_not(self) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        rate.note(gateway, [SILENCE])
        assert rate.standing(gateway).is_usable
        rate.note(gateway, [SILENCE, SILENCE])
        assert not rate.standing(gateway).is_usable
        assert state().complaint == f"{settings.HOST_NAME} : pas de réponse"

    def test_any_answer_ends_the_probation_also_a_refusal(self, sunday) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        rate.note(gateway, [NotSent()])
        rate.note(gateway, [Refused(Failure.INVALID_NUMBER)])
        assert not rate.standing(gateway).is_on_probation
        assert state().accepted_at is None
        rate.note(gateway, [Accepted("p"), SILENCE])
        assert state().accepted_at == timezone.now()
        assert rate.standing(gateway).is_usable

    def test_throttling_makes_every_host_wait(self) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        rate.note(gateway, [Throttled(7.0), Throttled(3.0)])
        assert rate.standing(gateway).wait == pytest.approx(7.0)
        assert state().throttled_at == timezone.now()


class TestHosts:
    @pytest.mark.parametrize("failure", [NotSent("pas de connexion"), SILENCE])
    def test_a_host_that_cannot_reach_the_gateway_leaves_it_to_the_others(
        self, settings, failure
    ) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        for _twice in range(2):
            rate.note(gateway, [failure])
        assert rate.standing(gateway).is_away
        settings.HOST_NAME = "srv-2"
        assert not rate.standing(gateway).is_absent
        assert not rate.standing(gateway).is_on_probation

    def test_what_the_gateway_itself_answered_keeps_all_away(self, settings) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        rate.note(gateway, [NotSent("compte inconnu", answered=True)])
        assert state().complaint == "compte inconnu"
        settings.HOST_NAME = "srv-2"
        assert rate.standing(gateway).is_away

    def test_an_answer_to_one_host_does_not_end_the_backoff_of_another(self, settings) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        rate.note(gateway, [NotSent()])
        settings.HOST_NAME = "srv-2"
        rate.note(gateway, [Accepted("p")])
        assert GatewayReach.objects.get().failures_in_a_row == 1


class TestUnexplainedWaits:
    """Moments that another clock wrote: nothing waits longer than a rate or a pause explains."""

    def test_of_the_rate(self) -> None:
        gateway = FakeGateway(parts_per_second=10.0)
        rate.standing(gateway)
        ahead = timezone.now() + dt.timedelta(hours=1)
        GatewayState.objects.update(free_at=ahead)
        assert rate.standing(gateway).wait == 0
        rate.spend(gateway, [1])
        assert rate.standing(gateway).wait == pytest.approx(0.1)

    def test_of_an_absence(self) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        GatewayState.objects.update(away_until=timezone.now() + dt.timedelta(hours=1))
        assert rate.standing(gateway).is_usable

    def test_a_pause_that_the_gateway_asked_for_is_kept_but_no_longer_than_minutes(self) -> None:
        gateway = FakeGateway()
        rate.standing(gateway)
        rate.note(gateway, [Throttled(86400.0)])
        assert rate.standing(gateway).wait == pytest.approx(300.0)
