"""What was typed into the search box is recognised, however it is written."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.search_text import OLDEST_AGE_YEARS, read

TODAY = dt.date(2022, 5, 14)
BORN = dt.date(1960, 2, 1)
dates = st.dates(dt.date(TODAY.year - OLDEST_AGE_YEARS, 1, 1), TODAY)
date_styles = st.sampled_from(
    [
        "%d/%m/%Y",
        "%d-%m-%Y",
        "%d.%m.%Y",
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%d%m%Y",
        "%Y%m%d",
        "%d%m%y",
        "%d/%m/%y",
        "%d.%m.%y",
    ]
)


@pytest.mark.parametrize(
    "typed",
    [
        "01/02/1960",
        "1/2/1960",
        "01-02-1960",
        "01.02.1960",
        " 01 / 02 / 1960 ",
        "1960-02-01",
        "01021960",
        "19600201",
        "010260",
        "1/2/60",
        "01 02 1960",
        "1 février 1960",
        "1er FÉV. 1960",
    ],
)
def test_a_birth_date_is_read_in_every_usual_writing(typed):
    assert BORN in read(typed, today=TODAY).birth_dates


@given(date=st.dates(dt.date(1900, 1, 1), TODAY), style=date_styles)
def test_any_birth_date_is_read_back(date, style):
    assert date in read(date.strftime(style), today=TODAY).birth_dates


@given(date=dates, style=date_styles)
def test_nobody_is_born_tomorrow_or_two_centuries_ago(date, style):
    for read_date in read(date.strftime(style), today=TODAY).birth_dates:
        assert TODAY.replace(year=TODAY.year - OLDEST_AGE_YEARS - 1) < read_date <= TODAY


def test_a_year_of_two_digits_may_mean_a_child_or_a_great_grandparent():
    assert read("010215", today=TODAY).birth_dates == (dt.date(1915, 2, 1), dt.date(2015, 2, 1))


@pytest.mark.parametrize("typed", ["31/02/1960", "99/99/1960", "000000", "32 mai 1960"])
def test_a_date_that_does_not_exist_is_no_birth_date(typed):
    assert read(typed, today=TODAY).birth_dates == ()


@pytest.mark.parametrize("typed", ["1 jui 1960", "1 xyz 1960"])
def test_a_month_that_cannot_be_told_is_not_guessed(typed):
    assert read(typed, today=TODAY).birth_dates == ()


@pytest.mark.parametrize(
    "typed",
    [
        "0495123456",
        "0495/12.34.56",
        "0495 12 34 56",
        "+32 495 12 34 56",
        "0032495123456",
        "32495123456",
    ],
)
def test_a_phone_number_is_read_in_every_usual_writing(typed):
    assert read(typed, today=TODAY).phone == "+32495123456"


@given(number=st.integers(0, 999_999), gap=st.sampled_from(["", " ", ".", "/", "-"]))
def test_any_belgian_mobile_is_read_back(number, gap):
    digits = f"{number:06}"
    typed = gap.join(["0470", digits[:2], digits[2:4], digits[4:]])
    assert read(typed, today=TODAY).phone == f"+32470{digits}"


@pytest.mark.parametrize("typed", ["60.02.01-123.45", "60020112345", "600201-123-45"])
def test_a_national_number_is_read_with_or_without_its_punctuation(typed):
    assert read(typed, today=TODAY).national_number == "60020112345"


def test_a_national_number_that_begins_like_a_date_is_still_one():
    assert read("01.02.03-123.45", today=TODAY).national_number == "01020312345"


@pytest.mark.parametrize("typed", ["D-2041", "010260", "A12 B", "01/02/1960"])
def test_whatever_has_a_digit_may_be_a_record_number(typed):
    assert read(typed, today=TODAY).record_number == typed


def test_a_name_is_folded_word_by_word():
    assert read("  D’Hôte-Noël, Anaïs ", today=TODAY).words == ("D", "HOTE", "NOEL", "ANAIS")


@pytest.mark.parametrize(
    "typed",
    ["Dupont 01/02/1960", "01.02.1960 dupont", "dupont 1960-02-01", "Dupont 1 février 1960"],
)
def test_a_name_beside_a_birth_date_means_both(typed):
    search = read(typed, today=TODAY)
    assert (search.words, search.birth_dates) == (("DUPONT",), (BORN,))
    assert search.record_number == ""


@pytest.mark.parametrize("typed", ["", "   ", "'", "-", "!?"])
def test_nothing_typed_means_no_search(typed):
    assert not read(typed, today=TODAY)


@given(st.text(max_size=60))
def test_anything_may_be_typed(text):
    read(text, today=TODAY)
