"""When something can have happened on the day of an appointment."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.vocabulary import Attended
from appointments.wards.attendance_rules import (
    MarkConflict,
    Timing,
    conflict_of,
    in_order,
    moment_of,
    timing,
)
from tests.builders import BRUSSELS, MONDAY, at

NEXT_WEEK = dt.date(2022, 5, 24)
STARTS = at("2022-05-16 09:10")
NOON = at("2022-05-16 12:00")
TUESDAY = at("2022-05-17 08:00")
# Sunday 30 October 2022 shows the hour from two to three twice.
TWICE = dt.date(2022, 10, 30)


def moment(what: Attended, now: dt.datetime, *, day: dt.date = MONDAY, **more):
    values = {"starts_at": STARTS, "asked": None} | more
    return moment_of(what, day=day, now=now, **values)


def test_whoever_ticks_means_now():
    for what in Attended:
        assert moment(what, NOON) == NOON


def test_whoever_ticks_on_the_day_to_which_it_was_postponed_means_now():
    now = at("2022-05-24 10:00")
    for what in Attended:
        assert moment(what, now, day=NEXT_WEEK) == now


def test_what_somebody_said_holds():
    asked = at("2022-05-16 09:05")
    assert moment(Attended.ARRIVED, TUESDAY, asked=asked) == asked


def test_who_did_not_come_was_missed_at_the_hour_of_the_appointment():
    assert moment(Attended.ABSENT, TUESDAY) == STARTS


def test_who_did_not_come_on_the_new_day_was_missed_there_at_the_planned_hour():
    later = at("2022-05-25 08:00")
    assert moment(Attended.ABSENT, later, day=NEXT_WEEK) == at("2022-05-24 09:10")


def test_the_hour_that_happens_twice_stays_the_one_that_was_planned():
    for fold in (0, 1):
        starts = dt.datetime(2022, 10, 30, 2, 30, tzinfo=BRUSSELS, fold=fold)
        missed = moment(Attended.ABSENT, at("2022-10-31 08:00"), day=TWICE, starts_at=starts)
        assert missed.astimezone(dt.UTC) == starts.astimezone(dt.UTC)


@given(
    time=st.times(),
    fold=st.sampled_from((0, 1)),
    day=st.dates(dt.date(2022, 1, 1), dt.date(2023, 12, 31)),
)
def test_who_did_not_come_can_always_be_noted_afterwards_without_an_hour(time, fold, day):
    starts_at = dt.datetime.combine(MONDAY, time, tzinfo=BRUSSELS).replace(fold=fold)
    now = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=BRUSSELS)
    missed = moment(Attended.ABSENT, now, day=day, starts_at=starts_at)
    assert missed.time() == time
    assert timing(Attended.ABSENT, missed, day=day, now=now) == Timing.FITS


def test_a_past_day_leaves_the_hour_of_an_arrival_open():
    for what in (Attended.ARRIVED, Attended.DONE, Attended.LEFT):
        assert moment(what, TUESDAY) is None


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


def test_in_the_hour_that_happens_twice_the_first_has_passed_in_the_second():
    first, second = (
        dt.datetime(2022, 10, 30, 2, minute, tzinfo=BRUSSELS, fold=fold)
        for minute, fold in ((50, 0), (10, 1))
    )
    assert timing(Attended.ARRIVED, first, day=TWICE, now=second) == Timing.FITS
    assert timing(Attended.ARRIVED, second, day=TWICE, now=first) == Timing.FUTURE


def test_a_mistake_is_taken_back_on_any_day():
    assert timing(Attended.CLEARED, TUESDAY, day=MONDAY, now=TUESDAY) == Timing.FITS


EARLY, LATE = at("2022-05-16 09:00"), at("2022-05-16 09:30")


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({}, None),
        ({Attended.ABSENT: None}, None),
        ({Attended.ARRIVED: EARLY, Attended.DONE: LATE}, None),
        ({Attended.ARRIVED: EARLY, Attended.DONE: EARLY}, None),
        ({Attended.ARRIVED: LATE, Attended.DONE: None}, None),
        ({Attended.ARRIVED: None, Attended.DONE: EARLY}, None),
        ({Attended.ARRIVED: EARLY, Attended.LEFT: None}, None),
        ({Attended.ARRIVED: LATE, Attended.DONE: EARLY}, MarkConflict.DONE_BEFORE_ARRIVAL),
        ({Attended.ARRIVED: LATE, Attended.LEFT: EARLY}, MarkConflict.LEFT_BEFORE_ARRIVAL),
        ({Attended.DONE: LATE, Attended.LEFT: None}, MarkConflict.DONE_AND_LEFT),
        ({Attended.ABSENT: None, Attended.ARRIVED: None}, MarkConflict.NOT_COME_AND_SEEN),
        ({Attended.ABSENT: None, Attended.DONE: LATE}, MarkConflict.NOT_COME_AND_SEEN),
        ({Attended.ABSENT: None, Attended.LEFT: None}, MarkConflict.NOT_COME_AND_SEEN),
    ],
)
def test_marks_of_one_patient_contradict_each_other_or_not(marks, expected):
    assert conflict_of(marks) == expected


def test_the_hour_that_happens_twice_contradicts_nothing():
    first, second = (
        dt.datetime(2022, 10, 30, 2, minute, tzinfo=BRUSSELS, fold=fold)
        for minute, fold in ((50, 0), (10, 1))
    )
    assert conflict_of({Attended.ARRIVED: first, Attended.DONE: second}) is None


@given(
    st.lists(
        st.tuples(st.datetimes(timezones=st.just(dt.UTC)), st.booleans()), min_size=1, max_size=2
    )
)
def test_a_tick_without_an_hour_gives_way_to_the_hours_and_hours_stay(moments):
    known = [moment for moment, is_known in moments if is_known]
    if known != sorted(known):
        return  # refused before
    settled = in_order(moments)
    assert settled == sorted(settled)
    assert [
        now for now, (_then, is_known) in zip(settled, moments, strict=True) if is_known
    ] == known
