"""Words of the sources, numbers, telephones, lengths."""

import datetime as dt

import pytest

from appointments.feeds import values, words
from appointments.feeds.words import BadValue
from appointments.models import Priority, ProtectedGroup, Service, Status
from patients.models import Language


@pytest.mark.parametrize(
    ("table", "choices"),
    [
        (words.SERVICES, Service),
        (words.STATUSES, Status),
        (words.PRIORITIES, Priority),
        (words.PROTECTED_GROUPS, ProtectedGroup),
        (words.LANGUAGES, Language),
    ],
)
def test_every_value_of_ours_has_words_and_no_word_means_anything_else(table, choices):
    assert set(table.values()) == set(choices.values)


@pytest.mark.parametrize(
    ("word", "service"),
    [
        ("Consultation", "consultation"),
        ("RAADPLEGING", "consultation"),
        ("Opération", "surgery"),
        ("ingreep", "surgery"),
        ("scintigraphie", "nuclear_medicine"),
        ("prise de sang", "blood_sampling"),
        ("bloedafname", "blood_sampling"),
        ("Spoed", "emergency"),
        ("hôpital de jour", "day_hospital"),
        ("nuclear_medicine", "nuclear_medicine"),
    ],
)
def test_a_service_is_known_in_three_languages(word, service):
    assert words.meaning(word, words.SERVICES) == service


def test_an_unknown_word_is_answered_with_the_known_ones_and_the_closest():
    with pytest.raises(BadValue, match="radiologie.*« radiologie »"):
        words.meaning("radiologei", words.SERVICES)


def test_groups_are_several_and_an_unknown_one_is_not_passed_over():
    assert values.groups("grossesse + Diabète") == {"pregnancy", "diabetes"}
    assert values.groups("") == values.groups("non") == frozenset()
    with pytest.raises(BadValue, match="Mot inconnu"):
        values.groups("grossesse, lune")


def test_a_cell_may_hold_two_telephones():
    cell = values.phone_numbers("0495/12.34.56 / 063 22 33 44")
    assert cell.written == ("0495/12.34.56", "063 22 33 44")


def test_a_telephone_without_its_zero_is_still_one():
    assert values.phone_numbers(495123456.0).written == ("495123456",)


@pytest.mark.parametrize("written", ["12", "inconnu", "0495 12 34 5"])
def test_what_cannot_be_dialled_is_said(written):
    assert values.phone_numbers(written).doubtful == (written,)


@pytest.mark.parametrize("written", ["3,24954E+10", 3.24954123456789e16])
def test_a_telephone_that_a_spreadsheet_rounded_says_so(written):
    with pytest.raises(BadValue, match="arrondi"):
        values.phone_numbers(written)


@pytest.mark.parametrize("cell", ["1,23457E+11", "1E+5", 1.23e17])
def test_a_number_that_a_spreadsheet_rounded_is_refused(cell):
    with pytest.raises(BadValue, match="arrondi"):
        values.identifier(cell, 80)


def test_a_number_kept_by_a_spreadsheet_has_no_decimals():
    assert values.identifier(12345.0, 80) == "12345"


def test_a_number_that_is_too_long_is_refused():
    with pytest.raises(BadValue, match="Trop long"):
        values.identifier("x" * 81, 80)


def test_control_characters_and_spaces_become_one_space():
    assert values.text("  a\x00\tb\u00a0c\n") == "a b c"


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("20", 20),
        ("20 min", 20),
        (20.0, 20),
        ("0:20", 20),
        ("1h30", 90),
        ("", None),
        (dt.time(0, 20), 20),
        (dt.timedelta(hours=1), 60),
    ],
)
def test_a_length_is_read_however_it_is_written(cell, minutes):
    assert values.minutes(cell) == minutes


@pytest.mark.parametrize("cell", ["long", "0", "5000", "-5"])
def test_a_length_that_cannot_be_is_said(cell):
    with pytest.raises(BadValue, match="Durée"):
        values.minutes(cell)


def test_a_national_number_gets_its_leading_zeros_back():
    assert values.national_number(1490700185.0) == "01490700185"


@pytest.mark.parametrize(("cell", "code"), [("fr-BE", "fr"), ("Néerlandais", "nl"), ("", "")])
def test_a_language_may_be_a_locale_or_a_word(cell, code):
    assert values.language(cell) == code
