"""Ages, numbers and deadlines as people read them."""

import datetime as dt

import pytest

from appointments.templatetags.care import age, phone, ticking, time_left
from patients.models import Patient
from tests.appointments.bulletins.builders import SATURDAY_NOON

pytestmark = pytest.mark.usefixtures("saturday_noon")


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("1960-05-14", "62 ans"),
        ("1960-05-15", "61 ans"),
        ("2020-05-14", "2 ans"),
        ("2020-05-15", "23 mois"),
        ("2022-04-15", "0 mois"),
        ("2022-04-14", "1 mois"),
    ],
)
def test_an_age_is_in_years_and_in_months_for_the_youngest(born, expected):
    assert age(Patient(birth_date=dt.date.fromisoformat(born))) == expected


def test_without_a_birth_date_there_is_no_age():
    assert age(Patient()) == ""


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (dt.timedelta(days=2, hours=4, minutes=59), "2 j 4 h"),
        (dt.timedelta(hours=3, minutes=5), "3 h 05"),
        (dt.timedelta(minutes=25), "25 min"),
        (dt.timedelta(seconds=20), "1 min"),
        (dt.timedelta(0), ""),
        (dt.timedelta(minutes=-1), ""),
    ],
)
def test_the_time_left_is_said_in_two_units_at_most(ahead, expected):
    assert time_left(SATURDAY_NOON + ahead) == expected


def test_no_deadline_leaves_nothing_to_say():
    assert time_left(None) == ""


@pytest.mark.parametrize(
    ("number", "expected"),
    [("+32495123456", "0495 12 34 56"), ("+352621123456", "+352 621 123 456"), ("", "")],
)
def test_a_number_is_national_at_home_and_international_abroad(number, expected):
    assert phone(number) == expected


def test_a_ticking_deadline_carries_the_hospital_s_own_time():
    shown = ticking(SATURDAY_NOON + dt.timedelta(minutes=25))
    assert shown.startswith('<time datetime="2022-05-14T12:25:00+02:00" data-until="1652523900000"')
    assert 'data-now="1652522400000" data-day="j" data-hour="h" data-minute="min">25 min<' in shown
    assert ticking(None) == ""
