"""What is put right when the clock that counts was set back under the hosts that send."""

import datetime as dt

import pytest
from django.utils import timezone

from notifications.gateways import NotSent, Throttled
from notifications.models import ClockStep, Delivery, GatewaySeat, GatewayState, SendingHost
from notifications.sending import hosts, leases, rate
from notifications.sending import sweep as sweeping
from tests.notifications.builders import FakeGateway, a_call, a_notice, an_sms, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
HOUR = dt.timedelta(hours=1)


def in_seconds(seconds: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=seconds)


def sweep() -> None:
    sweeping.sweep(gateways=[FakeGateway()])


def test_a_host_notes_every_few_seconds_that_it_is_alive(sunday, settings) -> None:
    hosts.note_presence()
    sunday.shift(10)
    hosts.note_presence()
    settings.HOST_NAME = "srv-2"
    hosts.note_presence()
    assert set(SendingHost.objects.values_list("seen_at", flat=True)) == {timezone.now()}
    assert SendingHost.objects.count() == 2


def test_a_clock_that_runs_on_or_wavers_by_seconds_is_no_step(sunday) -> None:
    hosts.note_presence()
    for seconds in (HOUR, -4):
        sunday.shift(seconds)
        hosts.note_presence()
    assert not ClockStep.objects.exists()


def test_the_step_is_noted_once(sunday) -> None:
    hosts.note_presence()
    sunday.shift(-HOUR)
    for _twice in range(2):
        hosts.note_presence()
    step = ClockStep.objects.get()
    assert (step.noticed_at, step.was_at) == (timezone.now(), timezone.now() + HOUR)


def test_sending_goes_on_at_the_rate_that_it_had(sunday) -> None:
    gateway = FakeGateway(parts_per_second=2.0)
    hosts.note_presence()
    rate.spend(gateway, [4])
    sunday.shift(-HOUR)
    hosts.note_presence()
    assert rate.standing(gateway).wait == pytest.approx(2.0)
    for _ in range(3):
        an_sms(a_notice(), not_before=in_seconds(-60))
    GatewayState.objects.update(free_at=None)
    assert send(FakeGateway()).accepted == 3


@pytest.mark.parametrize("failure", [NotSent(), NotSent(answered=True)])
def test_a_backoff_is_moved_back_with_the_clock(sunday, failure) -> None:
    gateway = FakeGateway()
    rate.standing(gateway)
    hosts.note_presence()
    rate.note(gateway, [failure])
    sunday.shift(-dt.timedelta(minutes=10))
    hosts.note_presence()
    assert rate.standing(gateway).is_away
    sunday.shift(3)
    assert rate.standing(gateway).is_usable


def test_a_pause_that_was_asked_for_keeps_its_length(sunday) -> None:
    gateway = FakeGateway()
    rate.standing(gateway)
    hosts.note_presence()
    rate.note(gateway, [Throttled(30.0)])
    sunday.shift(-HOUR)
    hosts.note_presence()
    assert rate.standing(gateway).wait == pytest.approx(30.0)


def test_claims_of_a_dead_worker_are_free_after_one_lease(sunday, settings) -> None:
    hosts.note_presence()
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
    hosts.note_presence()
    until = in_seconds(leases.LEASE_SECONDS)
    GatewaySeat.objects.create(gateway="fake", seat=0, worker="dead", until=until)
    sunday.shift(-HOUR)
    hosts.note_presence()
    sunday.shift(leases.LEASE_SECONDS + 1)
    with leases.held(gateway, worker="w") as has_lease:
        assert has_lease


def test_another_try_comes_after_the_time_it_had_to_wait(sunday) -> None:
    hosts.note_presence()
    retry = an_sms(state="queued", number=2, not_before=in_seconds(60))
    released = an_sms(state="held", not_before=in_seconds(600))
    sunday.shift(-HOUR)
    sweep()
    retry.refresh_from_db()
    released.refresh_from_db()
    assert retry.not_before == in_seconds(60)
    assert released.not_before == in_seconds(3600 + 600)  # an hour of the day, which stays


def test_calls_that_were_due_stay_on_the_list_and_an_hour_asked_for_is_kept(sunday) -> None:
    hosts.note_presence()
    due = a_call(not_before=in_seconds(-60))
    asked = a_call(not_before=in_seconds(1800))
    sunday.shift(-HOUR)
    sweep()
    moments = dict(Delivery.objects.values_list("pk", "not_before"))
    assert moments[due.pk] == timezone.now()
    assert moments[asked.pk] == in_seconds(3600 + 1800)
