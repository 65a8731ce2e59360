"""On which days a Belgian hospital does not operate as planned: weekends and legal holidays.

Source: the ten legal holidays of the law of 4 January 1974 and the royal decree of 18 April 1974
(article 1). Pure functions without Django.
"""

import datetime as dt
import enum


class DayOff(enum.Enum):
    """Why a day is no working day."""

    NEW_YEAR = "new_year"
    EASTER_MONDAY = "easter_monday"
    LABOUR_DAY = "labour_day"
    ASCENSION = "ascension"
    WHIT_MONDAY = "whit_monday"
    NATIONAL_DAY = "national_day"
    ASSUMPTION = "assumption"
    ALL_SAINTS = "all_saints"
    ARMISTICE = "armistice"
    CHRISTMAS = "christmas"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_FIXED = {
    (1, 1): DayOff.NEW_YEAR,
    (5, 1): DayOff.LABOUR_DAY,
    (7, 21): DayOff.NATIONAL_DAY,
    (8, 15): DayOff.ASSUMPTION,
    (11, 1): DayOff.ALL_SAINTS,
    (11, 11): DayOff.ARMISTICE,
    (12, 25): DayOff.CHRISTMAS,
}
# Days after Easter Sunday. Easter and Whit Sunday are Sundays anyway.
_AFTER_EASTER = {1: DayOff.EASTER_MONDAY, 39: DayOff.ASCENSION, 50: DayOff.WHIT_MONDAY}
_WEEKEND = {5: DayOff.SATURDAY, 6: DayOff.SUNDAY}


def easter(year: int) -> dt.date:
    """Return Easter Sunday of a year of the Gregorian calendar.

    Source: the anonymous algorithm of "Nature", 20 April 1876, as in J. Meeus, "Astronomical
    Algorithms", chapter 8.
    """
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon + 15) % 30
    quads, years = divmod(of_century, 4)
    weekday = (32 + 2 * rest + 2 * quads - epact - years) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return dt.date(year, month, day + 1)


def day_off(day: dt.date) -> DayOff | None:
    """Return why a day is no working day in Belgium, None of a working day.

    A holiday at a weekend is named as the holiday; the day that an employer gives instead is
    each hospital's own and not known here.
    """
    holiday = _FIXED.get((day.month, day.day)) or _AFTER_EASTER.get((day - easter(day.year)).days)
    return holiday or _WEEKEND.get(day.weekday())
