"""Health answers a monitor: no sign-in, no name, and an honest status."""

import json

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from appointments.models import Feed
from staff import clock
from vivalia_continuity.health import health

pytestmark = pytest.mark.django_db


def test_health_answers_without_a_sign_in_and_without_a_name(client: Client, settings, tmp_path):
    settings.BROKER_DIR = tmp_path
    Feed.objects.create(name="agenda", heard_at=clock.now())
    answer = client.get(reverse("health"))
    assert answer.status_code == 200
    found = json.loads(answer.content)
    assert (found["ok"], found["database"], found["migrated"], found["broker"]) == (True,) * 4
    assert (found["data_age_hours"], found["data_is_old"]) == (0, False)
    assert not found["data_age_unknown"]


def test_a_missing_broker_is_told_but_people_work_on(client: Client, settings, tmp_path):
    settings.REDIS_URL, settings.BROKER_DIR = "", tmp_path / "nothing"
    answer = client.get(reverse("health"))
    assert (answer.status_code, answer.json()["broker"]) == (200, False)


def test_an_unreachable_redis_is_a_missing_broker(settings, monkeypatch):
    from celery import current_app

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(current_app.conf, "broker_url", settings.REDIS_URL)
    monkeypatch.setattr(current_app.conf, "broker_write_url", settings.REDIS_URL)
    assert health().broker is False


def test_a_database_behind_this_version_is_not_healthy(client: Client, monkeypatch):
    monkeypatch.setattr(
        "vivalia_continuity.health._newest_migrations", lambda: frozenset({("staff", "9999")})
    )
    answer = client.get(reverse("health"))
    assert (answer.status_code, answer.json()["migrated"]) == (503, False)


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_a_database_that_goes_away_between_two_questions_is_no_server_error(
    client: Client, answered: int
):
    questions = iter(range(answered))

    def goes_away(execute, *statement):
        if next(questions, None) is None:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(*statement)

    with connection.execute_wrapper(goes_away):
        answer = client.get(reverse("health"))
    assert (answer.status_code, answer.json()["database"]) == (503, False)
