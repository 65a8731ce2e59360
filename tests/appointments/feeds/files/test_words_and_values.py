"""Words of the sources, numbers, telephones, lengths."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.feeds.files import values
from appointments.feeds.files.values import BadValue
from appointments.models import Priority, ProtectedGroup, Service, Status
from patients.models import Language


@pytest.mark.parametrize(
    ("table", "choices"),
    [
        (values.SERVICES, Service),
        (values.STATUSES, Status),
        (values.PRIORITIES, Priority),
        (values.PROTECTED_GROUPS, ProtectedGroup),
        (values.LANGUAGES, Language),
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
    assert values.meaning(word, values.SERVICES) == service


def test_an_unknown_word_is_answered_with_the_known_ones_and_the_closest():
    with pytest.raises(BadValue, match="radiologie.*« radiologie »"):
        values.meaning("radiologei", values.SERVICES)


@pytest.mark.parametrize(
    "word",
    [
        "Cardiologie", "cardio", "Urologie", "Neurologie", "Audiologie", "Dermatologie", "ORL",
        "Oncologie", "Service de cardiologie", "Cardiologie Arlon", "Gynécologie-obstétrique",
        "Pédiatrie", "Médecine interne", "Oogheelkunde", "Kardiologie", "Cardiology",
    ],
)  # fmt: skip
def test_a_speciality_is_no_activity_and_is_never_taken_for_one_spelt_alike(word):
    with pytest.raises(BadValue) as error:
        values.meaning(word, values.SERVICES)
    assert "Une spécialité n'est pas une activité" in str(error.value)
    assert "Vouliez-vous dire" not in str(error.value)
    assert len(str(error.value)) <= 300  # what the list of faults keeps


@pytest.mark.parametrize(
    ("word", "table"),
    [
        ("Podologie", values.SERVICES),
        ("Biologie", values.SERVICES),
        ("Radiothérapie", values.SERVICES),
        ("Audio", values.SERVICES),
        ("non annulé", values.STATUSES),
        ("non vue", values.STATUSES),
    ],
)
def test_another_word_that_is_spelt_alike_is_not_proposed(word, table):
    with pytest.raises(BadValue) as error:
        values.meaning(word, table)
    assert "Vouliez-vous dire" not in str(error.value)


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("consultaton", "consultation"),
        ("consulttaion", "consultation"),
        ("radiologgie", "radiologie"),
        ("dialyze", "dialyse"),
    ],
)
def test_one_slip_of_the_pen_is_answered_with_the_word_meant(slip, meant):
    with pytest.raises(BadValue, match=f"Vouliez-vous dire « {meant} »"):
        values.meaning(slip, values.SERVICES)


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


@pytest.mark.parametrize("hidden", "\u00ad\u200b\u200d\u200e\u2060\ufeff\u034f\u3164\ufe0f\u2800")
def test_what_cannot_be_seen_makes_no_other_number(hidden):
    assert values.identifier(f"{hidden}R{hidden}1{hidden}", 80) == "R1"


def test_an_accent_in_two_characters_is_the_same_as_in_one():
    assert values.text("He\u0301le\u0300ne") == "Hélène"


@pytest.mark.parametrize(
    "cell",
    ["#N/A", "#REF!", "#NOM?", "#WAARDE!", "#DIV/0!", "########", values.Uncomputed("=A1&B1")],
)
def test_a_formula_without_result_is_said(cell):
    with pytest.raises(BadValue, match="formule"):
        values.text(cell)


def test_a_number_kept_as_text_by_a_formula_is_read():
    assert values.identifier('="004711"', 80) == "004711"


@pytest.mark.parametrize(
    "name",
    ["Lefèvre", "Müller", "D'Hôte-Noël", "Çelik", "Œuvrard", "ANDRÉ’S", "JOSÉ–MARIA", "Ðorđe Þór"],
)
def test_a_good_name_is_left_alone_and_one_read_wrongly_is_made_whole(name):
    assert values.decoded_again(name) == name
    assert values.text(name) == name
    garbled = name.encode().decode("cp1252", "ignore")
    if garbled.encode("cp1252").decode(errors="ignore") == name:
        assert values.decoded_again(garbled) == name


@given(st.text("abcéèêëàâçîïôöûüùœÉÈÀÇŒÄßñø '-", min_size=1, max_size=30))
def test_text_decoded_wrongly_is_made_whole_or_refused(text):
    text = " ".join(text.split())
    garbled = "".join(
        bytes([byte]).decode("cp1252") if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else chr(byte)
        for byte in text.encode()
    )
    assert values.decoded_again(garbled) == text
    assert values.decoded_again(text) == text


@pytest.mark.parametrize("written", ["Lef├¿vre", "H‚lŠne", "HŽlne", "HÚlÞne", "LefÃ vre"])
def test_other_wrong_alphabets_are_refused_rather_than_kept(written):
    with pytest.raises(BadValue, match="UTF-8"):
        values.text(values.decoded_again(written))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Annulée par le service", "cancelled"),
        ("geannuleerd door patiënt", "cancelled"),
        ("Prévues", "booked"),
        ("Absente", "noshow"),
        ("Terminée", "fulfilled"),
    ],
)
def test_a_status_may_be_feminine_or_say_by_whom(word, status):
    assert values.meaning(word, values.STATUSES) == status


@pytest.mark.parametrize("word", ["non annulé", "annulé non", "prévu annulé", "bloqué"])
def test_a_status_that_may_mean_the_contrary_is_not_guessed(word):
    with pytest.raises(BadValue):
        values.meaning(word, values.STATUSES)


@pytest.mark.parametrize(
    ("word", "service"),
    [
        ("Consultation de suivi", "consultation"),
        ("IRM genou", "radiology"),
        ("Opérations ambulatoires", "surgery"),
        ("Prise de sang à jeun", "blood_sampling"),
    ],
)
def test_an_activity_may_be_followed_by_more(word, service):
    assert values.meaning(word, values.SERVICES) == service


@pytest.mark.parametrize("word", ["Urgence relative", "Autre consultation", "Cardiologie"])
def test_more_words_make_no_emergency_and_a_speciality_no_activity(word):
    with pytest.raises(BadValue):
        values.meaning(word, values.SERVICES)


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.booleans()))
def test_any_cell_is_a_number_a_length_or_a_reason(cell):
    for read in (lambda it: values.identifier(it, 80), values.minutes, values.national_number):
        with suppress(BadValue):
            found = read(cell)
            assert found is None or str(found) == " ".join(str(found).split())


@given(st.integers(0, 10**15 - 1))
def test_a_number_that_a_spreadsheet_keeps_is_read_back(number):
    assert values.identifier(float(number), 80) == str(number)


@given(
    st.integers(10**15, 10**25), st.sampled_from([float, lambda n: f"{n:.5E}".replace(".", ",")])
)
def test_a_number_that_a_spreadsheet_rounds_is_never_taken(number, kept):
    with pytest.raises(BadValue, match="arrondi"):
        values.identifier(kept(number), 80)


@given(st.integers(1, 1440))
def test_every_length_of_a_day_is_read_in_minutes(count):
    assert values.minutes(str(count)) == values.minutes(float(count)) == count
    assert values.minutes(f"{count // 60}:{count % 60:02}") == count
