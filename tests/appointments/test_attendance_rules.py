"""When something can have happened on the day of an appointment."""

import datetime as dt

import pytest

from appointments.attendance_rules import Timing, moment_of, timing
from appointments.vocabulary import Attended
from tests.builders import MONDAY, at

STARTS = at("2022-05-16 09:10")
NOON = at("2022-05-16 12:00")
TUESDAY = at("2022-05-17 08:00")


def test_whoever_ticks_means_now():
    for what in Attended:
        assert moment_of(what, starts_at=STARTS, asked=None, now=NOON) == NOON


def test_what_somebody_said_holds():
    asked = at("2022-05-16 09:05")
    assert moment_of(Attended.ARRIVED, starts_at=STARTS, asked=asked, now=TUESDAY) == asked


def test_who_did_not_come_was_missed_at_the_hour_of_the_appointment():
    assert moment_of(Attended.ABSENT, starts_at=STARTS, asked=None, now=TUESDAY) == STARTS


def test_a_past_day_leaves_the_hour_of_an_arrival_open():
    for what in (Attended.ARRIVED, Attended.DONE, Attended.LEFT):
        assert moment_of(what, starts_at=STARTS, asked=None, now=TUESDAY) is None


@pytest.mark.parametrize(
    ("happened_at", "now", "expected"),
    [
        (at("2022-05-16 09:05"), NOON, Timing.FITS),
        (at("2022-05-16 00:00"), NOON, Timing.FITS),
        (NOON, NOON, Timing.FITS),
        (NOON + dt.timedelta(minutes=1), NOON, Timing.FUTURE),
        (at("2022-05-15 23:59"), NOON, Timing.OTHER_DAY),
        (at("2022-05-17 00:00"), TUESDAY, Timing.OTHER_DAY),
        (at("2022-05-15 10:00"), at("2022-05-15 10:00"), Timing.NOT_YET),
        (None, TUESDAY, Timing.NO_TIME),
    ],
)
def test_a_moment_is_of_the_day_and_not_to_come(happened_at, now, expected):
    assert timing(Attended.ARRIVED, happened_at, day=MONDAY, now=now) == expected


def test_a_mistake_is_taken_back_on_any_day():
    assert timing(Attended.CLEARED, TUESDAY, day=MONDAY, now=TUESDAY) == Timing.FITS
