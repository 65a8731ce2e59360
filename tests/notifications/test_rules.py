"""When an SMS is still of use, how urgent it is, and whom to call next: over all shapes."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import rules
from tests.builders import at

HOME, MOBILE, DAUGHTER = "+3263550001", "+32470000001", "+32496123456"


def test_an_sms_leaves_no_later_than_so_long_before_the_appointment():
    latest = rules.latest_departure(at("2022-05-16 09:10"), seconds_before=1800)
    assert latest == at("2022-05-16 08:40")


def test_the_hour_before_is_a_real_one_in_the_night_of_the_changed_clocks():
    """At 03:10 on 30 October, two hours and ten minutes after 02:00 summer time."""
    latest = rules.latest_departure(at("2022-10-30 03:10"), seconds_before=7200)
    assert latest.utcoffset() == dt.timedelta()
    assert latest == dt.datetime(2022, 10, 30, 0, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("number", "seconds"),
    [(1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (8, 3600), (13, 3600), (5000, 3600)],
)
def test_the_wait_before_another_try_doubles_up_to_an_hour(number, seconds):
    assert rules.seconds_before_try(number, jitter=1) == seconds
    assert rules.seconds_before_try(number, jitter=0.5) == seconds / 2


@given(st.dates(min_value=rules.URGENCY_COUNTS_FROM), st.integers(0, rules.RANKS - 1))
def test_an_urgency_is_made_of_the_day_and_then_the_kind_of_act(day, rank):
    urgency = rules.urgency(day, rank)
    assert rules.rank_of(urgency) == rank
    assert urgency == (day.toordinal() - dt.date(2000, 1, 1).toordinal()) * 10 + rank


@pytest.mark.parametrize(
    ("numbers", "tries", "expected"), [(1, 3, 3), (3, 3, 3), (4, 3, 4), (0, 1, 1)]
)
def test_each_number_is_called_once_at_least(numbers, tries, expected):
    assert rules.tries_before_giving_up(numbers, tries=tries) == expected


class TestNextNumber:
    NUMBERS = (HOME, MOBILE, DAUGHTER)

    @pytest.mark.parametrize(
        ("tried", "last", "moves_on", "following"),
        [
            ([(HOME, False)], HOME, True, MOBILE),
            ([(HOME, False), (MOBILE, False)], MOBILE, True, DAUGHTER),
            ([(HOME, False), (MOBILE, False), (DAUGHTER, False)], DAUGHTER, True, HOME),
            ([(HOME, True)], HOME, False, MOBILE),
            ([(HOME, True), (MOBILE, False)], MOBILE, True, DAUGHTER),
            ([(HOME, False)], HOME, False, HOME),
            ([(HOME, True), (MOBILE, True), (DAUGHTER, True)], DAUGHTER, False, None),
            ([("", False)], "", True, HOME),
        ],
    )
    def test_the_next_number_is_the_one_least_often_called(self, tried, last, moves_on, following):
        assert following == rules.next_number(
            self.NUMBERS, tried=tried, last=last, moves_on=moves_on
        )

    @given(st.lists(st.sampled_from(range(5)), unique=True, min_size=1), st.integers(1, 4))
    def test_each_number_is_called_before_the_trying_ends(self, order, tries):
        numbers = [f"+{n}" for n in order]
        tried: list[tuple[str, bool]] = []
        address: str | None = numbers[0]
        while address and len(tried) < rules.tries_before_giving_up(len(numbers), tries=tries):
            tried.append((address, False))
            address = rules.next_number(numbers, tried=tried, last=address, moves_on=True)
        assert {number for number, _wrong in tried} == set(numbers)
