"""Weekends and the ten legal holidays of Belgium."""

import datetime as dt

import pytest
from dateutil.easter import easter as easter_of_dateutil

from appointments.operations.queries import DayOff, day_off, easter

OF_2022 = {
    "2022-01-01": DayOff.NEW_YEAR,
    "2022-04-18": DayOff.EASTER_MONDAY,
    "2022-05-01": DayOff.LABOUR_DAY,
    "2022-05-26": DayOff.ASCENSION,
    "2022-06-06": DayOff.WHIT_MONDAY,
    "2022-07-21": DayOff.NATIONAL_DAY,
    "2022-08-15": DayOff.ASSUMPTION,
    "2022-11-01": DayOff.ALL_SAINTS,
    "2022-11-11": DayOff.ARMISTICE,
    "2022-12-25": DayOff.CHRISTMAS,
}


def test_each_day_of_2022_is_a_holiday_a_weekend_or_a_working_day():
    for number in range(365):
        day = dt.date(2022, 1, 1) + dt.timedelta(days=number)
        weekend = {5: DayOff.SATURDAY, 6: DayOff.SUNDAY}.get(day.weekday())
        assert day_off(day) == OF_2022.get(day.isoformat(), weekend), day


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2026-04-06", DayOff.EASTER_MONDAY),
        ("2026-05-14", DayOff.ASCENSION),
        ("2027-05-17", DayOff.WHIT_MONDAY),
        ("2024-05-09", DayOff.ASCENSION),
        ("2026-12-26", DayOff.SATURDAY),
        ("2026-12-24", None),
    ],
)
def test_days_of_other_years(day, why):
    assert day_off(dt.date.fromisoformat(day)) == why


def test_easter_of_three_centuries_agrees_with_another_reckoning():
    years = range(1900, 2200)
    assert [easter(year) for year in years] == [easter_of_dateutil(year) for year in years]
