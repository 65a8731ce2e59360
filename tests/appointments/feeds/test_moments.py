"""Dates and times as hospitals write them."""

import datetime as dt

import pytest

from appointments.feeds.moments import read_date, read_date_and_time, read_moment
from appointments.feeds.words import BadValue
from tests.appointments.feeds.files import naive
from tests.builders import at

TEN_PAST_NINE = at("2022-05-16 09:10")


@pytest.mark.parametrize(
    "written",
    [
        "16/05/2022 09:10",
        "16/5/2022 9:10",
        "16-05-2022 9h10",
        "16.05.2022 09.10",
        "16/05/2022 09u10",
        "16/05/2022 à 9h10",
        "16/05/2022 0910",
        "16/05/2022 09:10:00",
        "2022-05-16 09:10",
        "2022-05-16T09:10",
        "2022-05-16T09:10:00",
        "2022-05-16T09:10:00.000",
        "2022-05-16T09:10:00+02:00",
        "2022-05-16T07:10:00Z",
        "2022-05-16 08:10 +0100",
        "202205160910",
        "  16/05/2022   09:10 ",
        naive("2022-05-16 09:10"),
        naive("2022-05-16 09:09:59.999"),
        44697.381944444445,
    ],
)
def test_a_moment_is_read_however_it_is_written(written):
    assert read_moment(written) == TEN_PAST_NINE


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("16/05/2022", "09:10"),
        ("16-05-2022", "9h10"),
        ("2022-05-16", "0910"),
        ("20220516", "910"),
        (naive("2022-05-16 00:00"), dt.time(9, 10)),
        (dt.date(2022, 5, 16), "9.10"),
        ("16/05/2022 00:00:00", naive("1899-12-31 09:10")),
        ("16/05/2022", 0.3819444444),
        (44697.0, dt.timedelta(hours=9, minutes=10)),
    ],
)
def test_date_and_time_in_two_columns_are_joined(date, time):
    assert read_date_and_time(date, time) == TEN_PAST_NINE


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("16/05/2022", "L'heure manque"),
        (dt.date(2022, 5, 16), "L'heure manque"),
        ("", "illisible"),
        ("demain", "illisible"),
        ("16/05/22 09:10", "illisible"),
        ("05/16/2022 09:10", "jour/mois/année"),
        ("30/02/2022 09:10", "n'existe pas"),
        ("16/05/2022 25:10", "n'existe pas"),
        ("16/05/2022 tôt", "illisible"),
        ("16/05/0022 09:10", "Année"),
        ("2022-05-16 09:10 +99:00", "Décalage"),
        (1.5, "Année"),
        (float("nan"), "illisible"),
    ],
)
def test_a_moment_that_cannot_be_used_says_why(written, why):
    with pytest.raises(BadValue, match=why):
        read_moment(written)


def test_the_hour_that_happens_twice_is_asked_about():
    with pytest.raises(BadValue, match="existe deux fois"):
        read_moment("30/10/2022 02:30")


def test_an_offset_settles_the_hour_that_happens_twice():
    first, second = read_moment("2022-10-30 02:30+02:00"), read_moment("2022-10-30 02:30+01:00")
    assert second - first == dt.timedelta(hours=1) or second.timestamp() - first.timestamp() == 3600


def test_the_hour_that_the_clocks_leave_out_is_refused():
    with pytest.raises(BadValue, match="n'existe pas ce jour-là"):
        read_moment("27/03/2022 02:30")


@pytest.mark.parametrize(
    "written", ["03/11/1958", "1958-11-03", "19581103", "3.11.1958", naive("1958-11-03 00:00")]
)
def test_a_birth_date_is_read_however_it_is_written(written):
    assert read_date(written) == dt.date(1958, 11, 3)


def test_a_birth_date_of_two_digits_is_not_guessed():
    with pytest.raises(BadValue, match="illisible"):
        read_date("03/11/58")
