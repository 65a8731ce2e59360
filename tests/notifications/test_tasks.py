"""What Celery runs, called as functions."""

import datetime as dt
from threading import Timer
from typing import Any

import pytest
from celery.signals import before_task_publish, worker_shutting_down
from django.conf import settings
from django.db import OperationalError as DatabaseIsAway
from django.utils import timezone
from kombu.exceptions import OperationalError

from notifications import tasks
from notifications.gateways import configured, configured_sessions
from notifications.models import Delivery, GatewaySeat, Sending
from notifications.sending import dispatch, switch
from notifications.sending import sweep as sweeping
from tests.builders import a_user, at
from tests.notifications.builders import SUNDAY, FakeGateway, a_notice, an_sms
from vivalia_continuity import celery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Hear what is rung for instead of a broker."""
    heard: list[str] = []
    monkeypatch.setattr(switch, "_send", heard.append)
    return heard


def test_everything_due_is_sent_through_the_gateway_of_the_settings() -> None:
    for _ in range(3):
        an_sms()
    tasks.dispatch_sms()
    states = Delivery.objects.values_list("state", "gateway")
    assert list(states) == [("accepted", "console")] * 3


def test_a_run_sweeps_meanwhile(monkeypatch) -> None:
    an_sms()
    swept: list[object] = []
    gateway = FakeGateway(seconds=0.5)
    monkeypatch.setattr(tasks, "configured_sessions", lambda: [gateway])
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(sweeping, "sweep", lambda **_options: swept.append(1))
    tasks.dispatch_sms()
    assert len(gateway.messages) == 1
    assert swept


@pytest.mark.parametrize("error", [DatabaseIsAway("database is locked"), ValueError("a mistake")])
def test_a_sweep_that_breaks_ends_neither_the_run_nor_the_next_sweep(
    monkeypatch, caplog, error: Exception
) -> None:
    an_sms()
    swept: list[object] = []

    def sweep(*, gateways: list) -> None:
        swept.append(gateways)
        raise error

    gateway = FakeGateway(seconds=0.5)
    monkeypatch.setattr(tasks, "configured_sessions", lambda: [gateway])
    monkeypatch.setattr(dispatch, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(sweeping, "sweep", sweep)
    tasks.dispatch_sms()
    assert len(gateway.messages) == 1
    assert len(swept) >= 2
    assert "did not work" in caplog.text


def test_a_worker_that_is_told_to_stop_ends_its_senders(monkeypatch) -> None:
    an_sms()
    monkeypatch.setattr(tasks, "_is_stopping", bytearray(1))
    gateway = FakeGateway()
    gateway.listens = True
    monkeypatch.setattr(tasks, "configured_sessions", lambda: [gateway])
    ringing = Timer(0.5, worker_shutting_down.send, args=[None])
    ringing.start()
    tasks.dispatch_sms()
    ringing.join()
    assert len(gateway.messages) == 1


def test_the_sweep_starts_a_sender_when_something_is_due(
    bell, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_outbox()
        an_sms(not_before=at("2022-05-15 10:00"))
        tasks.sweep_outbox()
    assert bell == []
    with django_capture_on_commit_callbacks(execute=True):
        an_sms()
        tasks.sweep_outbox()
    assert len(bell) == 1


def test_a_gateway_that_cannot_be_read_holds_up_no_call(settings, bell, caplog) -> None:
    settings.SMS_GATEWAY_URL = "pigeon://"
    late = an_sms(a_notice(items=[("2022-05-15 09:20", "cancelled")]))
    past = timezone.now() - dt.timedelta(seconds=1)
    unknown = an_sms(state="unknown", gateway="smpp a", lease_until=past)
    died = an_sms(state="claimed", claimed_by="dead", lease_until=past)
    kept = an_sms(state="queued", client_reference="r1", gateway="smpp a", submitted_at=SUNDAY)
    tasks.sweep_outbox()
    for sms, state in ((late, "expired"), (unknown, "failed"), (died, "queued"), (kept, "queued")):
        sms.refresh_from_db()
        assert sms.state == state
    calls = Delivery.objects.filter(channel="phone").values_list("notice", flat=True)
    assert set(calls) == {late.notice_id, unknown.notice_id}
    assert "pigeon" in caplog.text
    assert bell == []


def test_a_pause_starts_no_sender(bell, django_capture_on_commit_callbacks) -> None:
    an_sms()
    Sending.objects.create(paused_at=SUNDAY, paused_by=a_user("chief"))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_outbox()
    assert bell == []


def test_no_sender_starts_for_a_gateway_without_a_free_session(
    settings, bell, django_capture_on_commit_callbacks
) -> None:
    settings.SMS_GATEWAY_URL = "smpp://u:p@smsc.example?sessions=2"
    an_sms()
    with django_capture_on_commit_callbacks(execute=True):
        take_seats(1)
        tasks.sweep_outbox()
    assert len(bell) == 1
    with django_capture_on_commit_callbacks(execute=True):
        take_seats(2)
        tasks.sweep_outbox()
    assert len(bell) == 1


def test_no_sender_starts_while_another_one_holds_the_last_session_of_a_gateway(
    settings, bell, django_capture_on_commit_callbacks
) -> None:
    settings.SMS_GATEWAY_URL = "smpp://u:p@smsc.example?sessions=1 console://"
    an_sms()
    with django_capture_on_commit_callbacks(execute=True):
        take_seats(1)
        tasks.sweep_outbox()
    assert bell == []


def take_seats(number: int, *, seconds: float = 5) -> None:
    """Let so many workers be connected to the first gateway."""
    GatewaySeat.objects.all().delete()
    gateway, until = configured()[0].name, timezone.now() + dt.timedelta(seconds=seconds)
    for seat in range(number):
        GatewaySeat.objects.create(gateway=gateway, seat=seat, worker=f"w{seat}", until=until)


def test_no_broker_hands_out_a_running_sender_again() -> None:
    assert not tasks.dispatch_sms.acks_late  # acknowledged before it runs


def test_a_gateway_with_two_sessions_has_two_senders(settings) -> None:
    settings.SMS_GATEWAY_URL = "smpp://u:p@smsc.example?sessions=2 console://"
    first, second, console = configured_sessions()
    assert first.name == second.name != console.name
    assert first is not second


def test_a_lease_that_ran_out_starts_another_sender(
    settings, bell, django_capture_on_commit_callbacks
) -> None:
    settings.SMS_GATEWAY_URL = "smpp://u:p@smsc.example?sessions=1"
    with django_capture_on_commit_callbacks(execute=True):
        take_seats(1, seconds=-1)
        tasks.sweep_outbox()
    assert len(bell) == 1


def test_a_dead_broker_is_no_reason_to_fail(
    monkeypatch, caplog, django_capture_on_commit_callbacks
) -> None:
    def dead(*_args, **_options) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(switch.current_app, "send_task", dead)
    with django_capture_on_commit_callbacks(execute=True):
        switch.ring()
    assert "waits for the next sweep" in caplog.text


def test_beat_knows_the_sweep_by_its_name() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.sweep_outbox.name in scheduled


def test_a_task_expires_by_the_clock_that_all_hosts_share(bell, monkeypatch) -> None:
    moment = dt.datetime(2022, 5, 15, 9, tzinfo=dt.UTC)
    swept: list[object] = []
    monkeypatch.setattr(tasks.sweeping, "sweep", lambda **_options: swept.append(1))
    monkeypatch.setattr(celery.clock, "real", lambda: moment)
    headers: dict[str, Any] = {}
    before_task_publish.send(None, headers=headers)
    for seconds, heard in ((-3600, 1), (14, 2), (16, 2)):  # set back, in time, too late
        moment = dt.datetime(2022, 5, 15, 9, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
        tasks.sweep_outbox.push_request(**headers)
        try:
            tasks.sweep_outbox()
        finally:
            tasks.sweep_outbox.pop_request()
        assert len(swept) == heard


def test_no_sweep_is_rarer_than_a_task_expires() -> None:
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        assert not name.startswith("sweep") or entry["schedule"] <= settings.DOORBELL_SECONDS
