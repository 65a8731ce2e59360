"""What the hosts that send share about a gateway, and what is put right when the clock that counts
was set back under them.
"""

import datetime as dt

import pytest
from django.conf import settings
from django.utils import timezone

from notifications.gateways import Accepted, NotSent, Refused, Throttled, Unknown
from notifications.models import (
    ClockStep,
    Delivery,
    Failure,
    GatewayReach,
    GatewaySeat,
    GatewayState,
    SendingHost,
)
from notifications.sending import limits
from notifications.sending import sweep as sweeping
from tests.notifications.builders import FakeGateway, a_call, a_notice, an_sms, send

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
        limits.spend(gateway, [1, 2, 1])
        assert limits.standing(gateway).wait == pytest.approx(0.4)
        limits.spend(gateway, [1])
        assert limits.standing(gateway).wait == pytest.approx(0.5)

    def test_messages_count_beside_parts_and_the_slower_holds(self) -> None:
        gateway = FakeGateway(parts_per_second=10.0, messages_per_second=1.0)
        limits.spend(gateway, [3, 3])
        assert limits.standing(gateway).wait == pytest.approx(2.0)

    def test_what_was_not_used_is_not_saved_up(self, sunday) -> None:
        gateway = FakeGateway(parts_per_second=10.0)
        limits.spend(gateway, [1])
        sunday.shift(3600)
        limits.spend(gateway, [1])
        assert limits.standing(gateway).wait == pytest.approx(0.1)

    def test_a_gateway_without_a_rate_waits_for_nothing(self) -> None:
        limits.spend(FakeGateway(), [1] * 1000)
        assert limits.standing(FakeGateway()).wait == 0

    def test_it_is_counted_all_the_same_each_day_anew(self, sunday) -> None:
        for costs in ([2, 1], [4]):
            limits.spend(FakeGateway(), costs)
        assert state().parts_of_day == 7
        sunday.shift(24 * 3600)
        limits.spend(FakeGateway(), [3])
        assert state().parts_of_day == 3


class TestCap:
    def test_only_so_many_parts_leave_in_a_day(self) -> None:
        gateway = FakeGateway(parts_per_day=5)
        assert limits.spend(gateway, [2, 2]) == 2
        assert limits.standing(gateway).parts_left == 1
        assert limits.spend(gateway, [1]) == 1
        assert limits.spend(gateway, [1]) == 0
        assert not limits.standing(gateway).is_usable

    def test_what_is_too_little_for_the_next_message_is_given_up(self) -> None:
        gateway = FakeGateway(parts_per_day=5)
        assert limits.spend(gateway, [2, 2, 2]) == 2
        assert limits.standing(gateway).is_full

    def test_parts_given_back_lift_a_reached_cap(self) -> None:
        gateway = FakeGateway(parts_per_day=5)
        limits.spend(gateway, [2, 2, 2])
        limits.give_back(gateway, 2)
        assert limits.standing(gateway).parts_left == 2

    def test_the_next_day_begins_anew(self, sunday) -> None:
        gateway = FakeGateway(parts_per_day=2)
        limits.spend(gateway, [2])
        sunday.shift(dt.timedelta(days=1))
        assert limits.standing(gateway).is_usable
        assert limits.spend(gateway, [1]) == 1
        assert state().parts_of_day == 1

    def test_what_did_not_leave_is_given_back(self) -> None:
        gateway = FakeGateway(parts_per_day=3)
        limits.spend(gateway, [3])
        limits.give_back(gateway, 2)
        assert limits.standing(gateway).parts_left == 2


class TestHealth:
    def test_a_gateway_never_used_may_be_used(self) -> None:
        standing = limits.standing(FakeGateway())
        assert (standing.is_usable, standing.is_on_probation) == (True, False)

    def test_the_backoff_from_one_out_of_reach_grows_each_time(self, sunday) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        waits = []
        for _ in range(8):
            limits.note_answers(gateway, [NotSent("pas de connexion")])
            waits.append((way().away_until - timezone.now()).total_seconds())  # type: ignore[operator]
        assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
        assert not limits.standing(gateway).is_usable
        sunday.shift(61)
        assert limits.standing(gateway).is_usable
        assert limits.standing(gateway).is_on_probation

    def test_a_backoff_lasts_at_least_as_long_as_the_gateway_asks(self, sunday) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        refused = NotSent("mot de passe refusé", retry_after=60.0, answered=True)
        limits.note_answers(gateway, [refused, NotSent()])
        sunday.shift(59)
        assert limits.standing(gateway).is_away
        sunday.shift(2)
        assert limits.standing(gateway).is_usable

    def test_two_silences_in_a_row_start_a_backoff_one_does_not(self) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        limits.note_answers(gateway, [SILENCE])
        assert limits.standing(gateway).is_usable
        limits.note_answers(gateway, [SILENCE, SILENCE])
        assert not limits.standing(gateway).is_usable
        assert state().complaint == f"{settings.HOST_NAME} : pas de réponse"

    def test_any_answer_ends_the_probation_also_a_refusal(self, sunday) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        limits.note_answers(gateway, [NotSent()])
        limits.note_answers(gateway, [Refused(Failure.INVALID_NUMBER)])
        assert not limits.standing(gateway).is_on_probation
        assert state().accepted_at is None
        limits.note_answers(gateway, [Accepted("p"), SILENCE])
        assert state().accepted_at == timezone.now()
        assert limits.standing(gateway).is_usable

    def test_throttling_makes_every_host_wait(self) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        limits.note_answers(gateway, [Throttled(7.0), Throttled(3.0)])
        assert limits.standing(gateway).wait == pytest.approx(7.0)
        assert state().throttled_at == timezone.now()


class TestHosts:
    @pytest.mark.parametrize("failure", [NotSent("pas de connexion"), SILENCE])
    def test_a_host_that_cannot_reach_the_gateway_leaves_it_to_the_others(
        self, settings, failure
    ) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        for _twice in range(2):
            limits.note_answers(gateway, [failure])
        assert limits.standing(gateway).is_away
        settings.HOST_NAME = "srv-2"
        assert not limits.standing(gateway).is_absent
        assert not limits.standing(gateway).is_on_probation

    def test_what_the_gateway_itself_answered_keeps_all_away(self, settings) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        limits.note_answers(gateway, [NotSent("compte inconnu", answered=True)])
        assert state().complaint == "compte inconnu"
        settings.HOST_NAME = "srv-2"
        assert limits.standing(gateway).is_away

    def test_an_answer_to_one_host_does_not_end_the_backoff_of_another(self, settings) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        limits.note_answers(gateway, [NotSent()])
        settings.HOST_NAME = "srv-2"
        limits.note_answers(gateway, [Accepted("p")])
        assert GatewayReach.objects.get().failures_in_a_row == 1


class TestUnexplainedWaits:
    """Moments that another clock wrote: nothing waits longer than a rate or a pause explains."""

    def test_of_the_rate(self) -> None:
        gateway = FakeGateway(parts_per_second=10.0)
        limits.standing(gateway)
        ahead = timezone.now() + dt.timedelta(hours=1)
        GatewayState.objects.update(free_at=ahead)
        assert limits.standing(gateway).wait == 0
        limits.spend(gateway, [1])
        assert limits.standing(gateway).wait == pytest.approx(0.1)

    def test_of_an_absence(self) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        GatewayState.objects.update(away_until=timezone.now() + dt.timedelta(hours=1))
        assert limits.standing(gateway).is_usable

    def test_a_pause_that_the_gateway_asked_for_is_kept_but_no_longer_than_minutes(self) -> None:
        gateway = FakeGateway()
        limits.standing(gateway)
        limits.note_answers(gateway, [Throttled(86400.0)])
        assert limits.standing(gateway).wait == pytest.approx(300.0)


# --- sessions ---------------------------------------------------------------------------------


def test_as_many_hold_a_session_as_the_provider_allows() -> None:
    gateway = FakeGateway(sessions=2)
    with (
        limits.lease_held(gateway, worker="a") as first,
        limits.lease_held(gateway, worker="b") as second,
        limits.lease_held(gateway, worker="c") as third,
    ):
        assert (first, second, third) == (True, True, False)


def test_a_lease_that_is_given_back_is_free() -> None:
    gateway = FakeGateway(sessions=1)
    with limits.lease_held(gateway, worker="a"):
        pass
    with limits.lease_held(gateway, worker="b") as has_lease:
        assert has_lease


def test_a_worker_that_died_gives_its_lease_back_by_doing_nothing(sunday) -> None:
    gateway = FakeGateway(sessions=1)
    with limits.lease_held(gateway, worker="dead"):
        sunday.shift(limits.LEASE_SECONDS - 1)
        with limits.lease_held(gateway, worker="next") as has_lease:
            assert not has_lease
        sunday.shift(2)
        with limits.lease_held(gateway, worker="next") as has_lease:
            assert has_lease
            assert not limits.keep_lease(gateway, worker="dead")


def test_a_lease_that_is_renewed_is_kept(sunday) -> None:
    gateway = FakeGateway(sessions=1)
    with limits.lease_held(gateway, worker="a"):
        sunday.shift(limits.LEASE_SECONDS - 1)
        assert limits.keep_lease(gateway, worker="a")
        sunday.shift(limits.LEASE_SECONDS - 1)
        with limits.lease_held(gateway, worker="b") as has_lease:
            assert not has_lease


def test_a_gateway_without_a_limit_needs_no_lease() -> None:
    with limits.lease_held(FakeGateway(), worker="a") as has_lease:
        assert has_lease
        assert limits.keep_lease(FakeGateway(), worker="a")
    assert not GatewaySeat.objects.exists()


# --- the clock was set back -------------------------------------------------------------------

HOUR = dt.timedelta(hours=1)


def in_seconds(seconds: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=seconds)


def sweep() -> None:
    sweeping.sweep(gateways=[FakeGateway()])


def test_a_host_notes_every_few_seconds_that_it_is_alive(sunday, settings) -> None:
    limits.note_presence()
    sunday.shift(10)
    limits.note_presence()
    settings.HOST_NAME = "srv-2"
    limits.note_presence()
    assert set(SendingHost.objects.values_list("seen_at", flat=True)) == {timezone.now()}
    assert SendingHost.objects.count() == 2


def test_a_clock_that_runs_on_or_wavers_by_seconds_is_no_step(sunday) -> None:
    limits.note_presence()
    for seconds in (HOUR, -4):
        sunday.shift(seconds)
        limits.note_presence()
    assert not ClockStep.objects.exists()


def test_the_step_is_noted_once(sunday) -> None:
    limits.note_presence()
    sunday.shift(-HOUR)
    for _twice in range(2):
        limits.note_presence()
    step = ClockStep.objects.get()
    assert (step.noticed_at, step.was_at) == (timezone.now(), timezone.now() + HOUR)


def test_sending_goes_on_at_the_rate_that_it_had(sunday) -> None:
    gateway = FakeGateway(parts_per_second=2.0)
    limits.note_presence()
    limits.spend(gateway, [4])
    sunday.shift(-HOUR)
    limits.note_presence()
    assert limits.standing(gateway).wait == pytest.approx(2.0)
    for _ in range(3):
        an_sms(a_notice(), not_before=in_seconds(-60))
    GatewayState.objects.update(free_at=None)
    assert send(FakeGateway()).accepted == 3


@pytest.mark.parametrize("failure", [NotSent(), NotSent(answered=True)])
def test_a_backoff_is_moved_back_with_the_clock(sunday, failure) -> None:
    gateway = FakeGateway()
    limits.standing(gateway)
    limits.note_presence()
    limits.note_answers(gateway, [failure])
    sunday.shift(-dt.timedelta(minutes=10))
    limits.note_presence()
    assert limits.standing(gateway).is_away
    sunday.shift(3)
    assert limits.standing(gateway).is_usable


def test_a_pause_that_was_asked_for_keeps_its_length(sunday) -> None:
    gateway = FakeGateway()
    limits.standing(gateway)
    limits.note_presence()
    limits.note_answers(gateway, [Throttled(30.0)])
    sunday.shift(-HOUR)
    limits.note_presence()
    assert limits.standing(gateway).wait == pytest.approx(30.0)


def test_claims_of_a_dead_worker_are_free_after_one_lease(sunday, settings) -> None:
    limits.note_presence()
    lease = {"claimed_by": "dead", "lease_until": in_seconds(settings.SMS_LEASE_SECONDS)}
    claimed = an_sms(state="claimed", not_before=in_seconds(0), **lease)
    leaving = an_sms(state="submitting", client_reference="r", submitted_at=in_seconds(0), **lease)
    sunday.shift(-HOUR)
    sweep()
    sunday.shift(settings.SMS_LEASE_SECONDS + 1)
    sweep()
    claimed.refresh_from_db()
    leaving.refresh_from_db()
    assert (claimed.state, leaving.state) == ("queued", "unknown")
    assert claimed.not_before < timezone.now()


def test_a_session_of_a_dead_worker_is_free_after_its_lease(sunday) -> None:
    gateway = FakeGateway(sessions=1)
    limits.note_presence()
    until = in_seconds(limits.LEASE_SECONDS)
    GatewaySeat.objects.create(gateway="fake", seat=0, worker="dead", until=until)
    sunday.shift(-HOUR)
    limits.note_presence()
    sunday.shift(limits.LEASE_SECONDS + 1)
    with limits.lease_held(gateway, worker="w") as has_lease:
        assert has_lease


def test_another_try_comes_after_the_time_it_had_to_wait(sunday) -> None:
    limits.note_presence()
    retry = an_sms(state="queued", number=2, not_before=in_seconds(60))
    released = an_sms(state="held", not_before=in_seconds(600))
    sunday.shift(-HOUR)
    sweep()
    retry.refresh_from_db()
    released.refresh_from_db()
    assert retry.not_before == in_seconds(60)
    assert released.not_before == in_seconds(3600 + 600)  # an hour of the day, which stays


def test_calls_that_were_due_stay_on_the_list_and_an_hour_asked_for_is_kept(sunday) -> None:
    limits.note_presence()
    due = a_call(not_before=in_seconds(-60))
    asked = a_call(not_before=in_seconds(1800))
    sunday.shift(-HOUR)
    sweep()
    moments = dict(Delivery.objects.values_list("pk", "not_before"))
    assert moments[due.pk] == timezone.now()
    assert moments[asked.pk] == in_seconds(3600 + 1800)
