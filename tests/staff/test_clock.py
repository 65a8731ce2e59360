"""What time it is for the hospital: Brussels, and in a drill always the same day."""

import datetime as dt

import time_machine
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


def test_a_moment_falls_on_the_day_it_has_in_brussels():
    assert clock.local_day(dt.datetime(2022, 5, 15, 22, 0, tzinfo=dt.UTC)) == dt.date(2022, 5, 16)
