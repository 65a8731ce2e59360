"""What time it is for the hospital: Brussels, and in a drill always the same day."""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from staff import clock
from tests.builders import at


def test_the_hospital_keeps_the_time_of_brussels():
    with time_machine.travel(dt.datetime(2022, 5, 14, 22, 30, tzinfo=dt.UTC), tick=False):
        assert clock.now() == timezone.now()
        assert clock.today() == dt.date(2022, 5, 15)


@override_settings(DEMO_TODAY="2022-05-14")
def test_in_a_drill_the_day_stays_and_the_hour_runs_on():
    with time_machine.travel(dt.datetime(2026, 11, 23, 8, 5, tzinfo=clock.BRUSSELS), tick=False):
        assert clock.now() == at("2022-05-14 08:05")
        assert clock.today() == dt.date(2022, 5, 14)


@override_settings(DEMO_TODAY="2022-05-14")
def test_in_a_drill_people_are_shown_no_moment_of_the_real_clock():
    with time_machine.travel(dt.datetime(2026, 11, 23, 8, 5, tzinfo=clock.BRUSSELS), tick=False):
        in_a_while = clock.real() + dt.timedelta(minutes=15)
        assert clock.shown(in_a_while) == at("2022-05-14 08:20")
        assert clock.of_host(in_a_while) == at("2022-05-14 08:20")


def test_without_a_drill_a_real_moment_is_shown_as_it_is():
    moment = clock.real()
    assert clock.shown(moment) is moment


def test_a_moment_falls_on_the_day_it_has_in_brussels():
    assert clock.local_day(dt.datetime(2022, 5, 15, 22, 0, tzinfo=dt.UTC)) == dt.date(2022, 5, 16)


class TestTheDatabasesClock:
    """PostgreSQL's clock counts, whatever this host's shows; here the host's is two years off."""

    @pytest.fixture(autouse=True)
    def _a_wrong_host(self, db, settings, monkeypatch) -> Iterator[None]:
        settings.DATABASE_CLOCK = True
        monkeypatch.setattr(clock, "_asked", None)
        with time_machine.travel(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), tick=True):
            yield

    @pytest.mark.postgresql
    def test_it_counts_and_the_difference_is_known(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (theirs,) = cursor.fetchone()
        assert dt.timedelta() <= clock.real() - theirs < dt.timedelta(seconds=5)
        assert clock.now() - theirs < dt.timedelta(seconds=5)
        assert clock.host_is_ahead() < dt.timedelta(days=-365)

    @pytest.mark.postgresql
    def test_it_is_asked_once_in_a_while(self, django_assert_num_queries) -> None:
        with django_assert_num_queries(1):
            moments = [clock.real() for _ in range(100)]
        assert moments == sorted(moments)

    @pytest.mark.postgresql
    def test_a_drill_keeps_its_day_at_the_databases_hour(self, settings) -> None:
        settings.DEMO_TODAY = "2022-05-14"
        assert clock.today() == dt.date(2022, 5, 14)
        hour = clock.real().astimezone(clock.BRUSSELS).hour
        assert clock.now().hour == hour

    @pytest.mark.postgresql
    def test_a_broken_transaction_and_an_event_loop_get_the_time_all_the_same(self) -> None:
        before = clock.real()
        clock._asked = dataclasses.replace(clock._asked, at=clock._asked.at - 60)  # type: ignore[type-var, union-attr]

        async def in_a_loop() -> dt.datetime:
            return clock.real()

        assert asyncio.run(in_a_loop()) >= before

    @pytest.mark.sqlite
    def test_sqlite_has_the_clock_of_its_host(self) -> None:
        assert clock.real() - dt.datetime(2024, 1, 1, tzinfo=dt.UTC) < dt.timedelta(minutes=1)
        assert clock.host_is_ahead() == dt.timedelta()
