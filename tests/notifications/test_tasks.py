"""What Celery runs, called as functions."""

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from notifications import tasks
from notifications.models import Delivery, Sending
from notifications.services import doorbell
from tests.builders import a_user, at
from tests.notifications.builders import SUNDAY, an_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Hear what is rung for instead of a broker."""
    heard: list[str] = []
    monkeypatch.setattr(doorbell, "_send", heard.append)
    return heard


def test_everything_due_is_sent_through_the_gateway_of_the_settings() -> None:
    for _ in range(3):
        an_sms()
    tasks.dispatch_sms()
    states = Delivery.objects.values_list("state", "gateway")
    assert list(states) == [("accepted", "console")] * 3


def test_a_task_goes_on_until_nothing_is_due(monkeypatch) -> None:
    for _ in range(5):
        an_sms()
    whole = tasks.dispatch.dispatch_batch
    monkeypatch.setattr(tasks.dispatch, "dispatch_batch", lambda **kw: whole(**kw, limit=2))
    tasks.dispatch_sms()
    assert not Delivery.objects.exclude(state="accepted").exists()


def test_a_task_that_ran_for_a_minute_lets_others_have_their_turn(
    monkeypatch, bell, django_capture_on_commit_callbacks
) -> None:
    an_sms()
    monkeypatch.setattr(tasks, "LONGEST_RUN_SECONDS", -1.0)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.dispatch_sms()
    assert bell == ["notifications.tasks.dispatch_sms"]


def test_the_sweep_wakes_a_sender_when_something_is_due(
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


def test_a_pause_keeps_the_bell_quiet(bell, django_capture_on_commit_callbacks) -> None:
    an_sms()
    Sending.objects.create(paused_at=SUNDAY, paused_by=a_user("chief"))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep_outbox()
    assert bell == []


def test_a_dead_broker_is_no_reason_to_fail(
    monkeypatch, caplog, django_capture_on_commit_callbacks
) -> None:
    def dead(*_args, **_options) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(doorbell.current_app, "send_task", dead)
    with django_capture_on_commit_callbacks(execute=True):
        doorbell.ring()
    assert "waits for the next sweep" in caplog.text


def test_beat_knows_the_sweep_by_its_name() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert tasks.sweep_outbox.name in scheduled
