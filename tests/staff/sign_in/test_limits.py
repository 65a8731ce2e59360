"""How often somebody may be wrong, as sentences and over all shapes."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from staff.sign_in.limits import (
    LONGEST_WAIT,
    WINDOW,
    Budget,
    FailedTry,
    paused_until,
    slowed_until,
)

NOW = dt.datetime(2022, 5, 14, 4, 0, tzinfo=dt.UTC)
BUDGET = Budget(device=3, address=3, strangers=6)
SECOND, MINUTE = dt.timedelta(seconds=1), dt.timedelta(minutes=1)


def ago(minutes: float) -> dt.datetime:
    return NOW - minutes * MINUTE


def pause(failures, *, address="10.0.0.1", device="", now=NOW):
    return paused_until(failures, address=address, device=device, budget=BUDGET, now=now)


def failures_at(address: str, *minutes: float, device: str = "") -> list[FailedTry]:
    return [FailedTry(ago(one), address, device) for one in minutes]


def test_two_failures_of_three_do_not_pause():
    assert pause(failures_at("10.0.0.1", 1, 2)) is None


def test_three_failures_pause_until_the_first_is_a_quarter_of_an_hour_old():
    assert pause(failures_at("10.0.0.1", 1, 2, 9)) == ago(9) + WINDOW


def test_failures_older_than_a_quarter_of_an_hour_are_forgotten():
    assert pause(failures_at("10.0.0.1", 1, 2, 15)) is None


def test_the_failures_of_another_address_do_not_pause_this_one():
    assert pause(failures_at("10.9.9.9", 1, 2, 3, 4)) is None


def test_strangers_at_many_addresses_share_a_budget():
    many = [FailedTry(ago(1), f"10.9.9.{number}") for number in range(6)]
    assert pause(many) == ago(1) + WINDOW


def test_a_known_device_is_not_paused_by_strangers_not_even_at_its_own_address():
    assert pause(failures_at("10.0.0.1", *range(1, 9)), device="mine") is None


def test_a_known_device_has_a_limit_of_its_own():
    assert pause(failures_at("10.0.0.1", 1, 2, 3, device="mine"), device="mine") is not None
    assert pause(failures_at("10.0.0.1", 1, 2, 3, device="other"), device="mine") is None


def test_the_failures_of_a_known_device_do_not_pause_strangers():
    assert pause(failures_at("10.0.0.1", 1, 2, 3, device="mine")) is None


def slow(accounts: int, seconds_ago: float = 0):
    last = NOW - dt.timedelta(seconds=seconds_ago)
    return slowed_until([(f"account-{n}", last) for n in range(accounts)], now=NOW)


def test_four_different_accounts_from_one_address_slow_nobody():
    assert slow(4) is None


def test_from_five_accounts_on_the_wait_doubles_up_to_a_minute():
    assert [slow(n) - NOW for n in (5, 6, 7)] == [SECOND, 2 * SECOND, 4 * SECOND]
    assert slow(50) - NOW == LONGEST_WAIT


def test_the_same_account_many_times_is_one_account():
    assert slowed_until([("anne", NOW)] * 50, now=NOW) is None


def test_a_failure_that_just_left_the_window_no_longer_counts():
    recent = [(f"account-{n}", NOW) for n in range(4)]
    assert slowed_until([*recent, ("account-4", NOW - WINDOW)], now=NOW) is None
    assert slowed_until([*recent, ("account-4", NOW - WINDOW + SECOND)], now=NOW) is not None


def test_the_wait_is_over_when_it_is_over():
    assert slow(5, seconds_ago=1) is None


moments = st.floats(0, 20, allow_nan=False).map(ago)
addresses = st.sampled_from(["10.0.0.1", "10.0.0.2"])
devices = st.sampled_from(["", "mine", "other"])
failures = st.lists(st.builds(FailedTry, moments, addresses, devices), max_size=20)


@given(failures, addresses, devices)
def test_a_pause_ends_within_a_quarter_of_an_hour_and_not_before_now(found, address, device):
    until = pause(found, address=address, device=device)
    assert until is None or NOW < until <= NOW + WINDOW


@given(failures, addresses, devices)
def test_when_a_pause_ends_one_more_try_is_free(found, address, device):
    until = pause(found, address=address, device=device)
    if until is not None:
        assert pause(found, address=address, device=device, now=until) is None


@given(failures, addresses, failures)
def test_nothing_that_strangers_do_changes_what_a_known_device_may(found, address, more):
    strangers = [FailedTry(one.at, one.address) for one in more]
    before = pause(found, address=address, device="mine")
    assert pause([*found, *strangers], address=address, device="mine") == before
