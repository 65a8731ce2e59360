"""One person or two under one record number; one or two under two of them."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from patients.identity import (
    Difference,
    IdentityVerdict,
    LinkCertainty,
    Person,
    Remark,
    are_compatible,
    are_one_family,
    compare,
    link,
    merged,
)

ANNE_NUMBER, OTHER_NUMBER, WRONG_NUMBER = "58.11.03-002.39", "85.07.30-033 28", "58.11.03-002.40"
ANNE = Person("Dupont", "Anne", dt.date(1958, 11, 3), ANNE_NUMBER)
WITHOUT_NUMBER = replace(ANNE, national_number="")


def test_the_same_description_is_the_same_person_without_a_word():
    assert compare(ANNE, ANNE) == IdentityVerdict()


@pytest.mark.parametrize("missing", ["given_name", "birth_date", "national_number"])
def test_an_empty_value_contradicts_nothing(missing):
    bare = replace(ANNE, **{missing: None if missing == "birth_date" else ""})
    assert compare(ANNE, bare) == compare(bare, ANNE) == IdentityVerdict()


def test_a_family_name_alone_may_change():
    married = replace(ANNE, family_name="Lambert")
    assert compare(ANNE, married) == IdentityVerdict(remarks=(Remark.FAMILY_NAME,))
    assert compare(Person("Dupont"), Person("Lambert")).is_same


def test_a_family_name_that_changes_with_another_value_is_another_person():
    other = replace(WITHOUT_NUMBER, family_name="Lambert")
    assert compare(ANNE, replace(other, given_name="Jean")).difference is Difference.NAMES
    unrelated = replace(other, birth_date=dt.date(1970, 2, 1))
    assert compare(ANNE, unrelated).difference is Difference.BIRTH_DATE


def test_three_people_under_record_number_0_are_three():
    jean = Person("Lambert", "Jean", dt.date(1970, 2, 1))
    luc = Person("Peeters", "Luc", dt.date(1980, 6, 5))
    pairs = [(WITHOUT_NUMBER, jean), (jean, luc), (WITHOUT_NUMBER, luc)]
    assert not any(compare(one, other).is_same for one, other in pairs)


def test_two_valid_national_numbers_are_two_people_whatever_else_is_equal():
    other = replace(ANNE, national_number=OTHER_NUMBER)
    assert compare(ANNE, other).difference is Difference.NATIONAL_NUMBER


def test_a_wrong_national_number_contradicts_nothing():
    assert compare(ANNE, replace(ANNE, national_number=WRONG_NUMBER)) == IdentityVerdict()


def test_a_national_number_may_be_written_otherwise():
    assert compare(ANNE, replace(ANNE, national_number="58110300239")) == IdentityVerdict()


def test_twins_are_two_people():
    twin = replace(WITHOUT_NUMBER, given_name="Jean")
    assert compare(ANNE, twin).difference is Difference.GIVEN_NAME
    assert compare(WITHOUT_NUMBER, twin).difference is Difference.GIVEN_NAME


def test_brothers_whose_birth_dates_differ_by_a_digit_are_two_people():
    brother = replace(WITHOUT_NUMBER, given_name="Jean", birth_date=dt.date(1959, 11, 3))
    assert not compare(WITHOUT_NUMBER, brother).is_same


def test_another_given_name_with_the_same_national_number_is_remarked():
    corrected = replace(ANNE, given_name="Hannah")
    assert compare(ANNE, corrected) == IdentityVerdict(remarks=(Remark.GIVEN_NAME,))


def test_father_and_son_are_two_people():
    father = Person("Dupont", "Jean", dt.date(1950, 3, 12))
    son = Person("Dupont", "Jean", dt.date(1981, 6, 7))
    assert compare(father, son).difference is Difference.BIRTH_DATE


def test_a_newborn_in_its_mothers_record_is_another_person():
    baby = Person("Bébé de Dupont", "", dt.date(2022, 5, 15))
    assert compare(ANNE, baby).difference is Difference.BIRTH_DATE


def test_a_newborn_gets_its_name():
    baby = Person("Bébé de Dupont", "NN", dt.date(2022, 5, 15))
    assert compare(baby, Person("Dupont", "Léa", dt.date(2022, 5, 15))) == IdentityVerdict()


@pytest.mark.parametrize(
    "written",
    [dt.date(1958, 3, 11), dt.date(1958, 11, 2), dt.date(1968, 11, 3), dt.date(1958, 11, 13)],
)
def test_one_other_digit_or_a_swapped_birth_date_is_remarked(written):
    assert compare(ANNE, replace(ANNE, birth_date=written)) == IdentityVerdict(
        remarks=(Remark.BIRTH_DATE,)
    )


def test_names_in_each_others_columns_are_remarked():
    swapped = replace(ANNE, family_name="Anne", given_name="DUPONT")
    assert compare(ANNE, swapped) == IdentityVerdict(remarks=(Remark.SWAPPED_NAMES,))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hélène", "HELENE"),
        ("J.", "Jean"),
        ("J.P.", "Jean-Pierre"),
        ("JP", "Jean-Pierre"),
        ("Jean Pierre", "Jeanpierre"),
        ("Jean", "Jean-Pierre"),
        ("Pierre", "Jean-Pierre"),
        ("Anne Marie Louise", "Anne"),
        ("Anne M.", "Anne Marie"),
        ("Alex", "Alexandre"),
        ("Fred", "Frédéric"),
        ("Bébé", "Léa"),
        ("", "Léa"),
    ],
)
def test_given_names_that_may_be_one_persons(one, other):
    assert are_compatible(one, other)
    assert are_compatible(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anne", "Jean"),
        ("Marie-Claire", "Marie-Louise"),
        ("Louis", "Louise"),
        ("Jean", "Jeanne"),
        ("Paul", "Paulette"),
        ("Simon", "Simone"),
        ("Bébé 1", "Bébé 2"),
        ("J.", "Anne"),
        ("Jo", "Jonathan"),
    ],
)
def test_given_names_that_may_not(one, other):
    assert not are_compatible(one, other)
    assert not are_compatible(other, one)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("D'Hôte", "DHOTE", True),
        ("Van den Berg", "VANDENBERG", True),
        ("Dupont", "Dupont-Martin", True),
        ("Dupont", "Dupond", False),
    ],
)
def test_family_names_written_otherwise(one, other, same):
    assert are_one_family(one, other) is same


def test_two_record_numbers_are_linked_when_all_four_are_equal():
    written_otherwise = Person("DUPONT", "ANNE", ANNE.birth_date, "58110300239")
    assert link(ANNE, written_otherwise) is LinkCertainty.SURE


def test_anything_less_is_only_proposed():
    twin_with_a_copied_number = replace(ANNE, given_name="Jean")
    assert link(ANNE, twin_with_a_copied_number) is LinkCertainty.PROPOSED
    assert link(ANNE, replace(ANNE, birth_date=None)) is LinkCertainty.PROPOSED
    assert link(ANNE, WITHOUT_NUMBER) is LinkCertainty.PROPOSED
    assert link(ANNE, replace(ANNE, national_number=WRONG_NUMBER)) is LinkCertainty.PROPOSED
    assert link(ANNE, replace(ANNE, family_name="Dupont-Martin")) is LinkCertainty.PROPOSED


def test_equal_names_alone_or_two_valid_numbers_are_not_even_proposed():
    assert link(ANNE, replace(ANNE, national_number=OTHER_NUMBER)) is LinkCertainty.NO
    assert link(ANNE, Person("Dupont", "Anne")) is LinkCertainty.NO
    assert link(Person("Dupont"), Person("Dupont")) is LinkCertainty.NO


def test_a_wrong_national_number_does_not_replace_a_valid_one():
    assert merged(ANNE, replace(ANNE, national_number=WRONG_NUMBER)) == ANNE
    assert merged(WITHOUT_NUMBER, ANNE) == ANNE


NAMES = st.sampled_from(
    ["", "Dupont", "Dupont-Martin", "Lambert", "Anne", "Jean", "J.", "Jean-Pierre", "Louis"]
)
DATES = st.sampled_from(
    [None, *(dt.date(1958, 11, 3), dt.date(1958, 3, 11), dt.date(1959, 11, 3), dt.date(1990, 1, 2))]
)
NUMBERS = st.sampled_from(["", ANNE_NUMBER, "58110300239", OTHER_NUMBER, WRONG_NUMBER])
PEOPLE = st.builds(Person, NAMES, NAMES, DATES, NUMBERS)
VALID = {ANNE_NUMBER: 1, "58110300239": 1, OTHER_NUMBER: 2}


def contradictions(one: Person, other: Person) -> int:
    """Count, in other words than the rule's, what contradicts."""
    names = fold_words(one.given_name), fold_words(other.given_name)
    births = {one.birth_date, other.birth_date} - {None}
    close = [
        {dt.date(1958, 11, 3), dt.date(1958, 3, 11)},
        {dt.date(1958, 11, 3), dt.date(1959, 11, 3)},
    ]
    numbers = {VALID.get(one.national_number), VALID.get(other.national_number)} - {None}
    return (
        (all(names) and not are_compatible(one.given_name, other.given_name))
        + (len(births) == 2 and births not in close)
        + (len(numbers) == 2)
    )


def fold_words(name: str) -> list[str]:
    return name.upper().split()


@given(PEOPLE, PEOPLE)
@example(ANNE, ANNE)
def test_who_is_the_same_does_not_depend_on_who_was_first(one, other):
    assert compare(one, other).is_same == compare(other, one).is_same
    assert link(one, other) is link(other, one)


@given(PEOPLE)
def test_everybody_is_the_same_as_themselves(one):
    assert compare(one, one) == IdentityVerdict()
    assert compare(one, Person(one.family_name)).is_same
    assert compare(Person(), one).is_same


@given(PEOPLE, PEOPLE)
def test_whatever_contradicts_twice_is_another_person(one, other):
    swapped = Remark.SWAPPED_NAMES in compare(one, other).remarks
    if contradictions(one, other) >= 2 and not swapped:
        assert not compare(one, other).is_same


@given(PEOPLE, PEOPLE)
def test_where_nothing_contradicts_there_is_one_person(one, other):
    if contradictions(one, other) == 0:
        assert compare(one, other).is_same


@given(PEOPLE, PEOPLE)
def test_two_valid_numbers_or_unrelated_births_are_always_two_people(one, other):
    numbers = {VALID.get(one.national_number), VALID.get(other.national_number)} - {None}
    births = {one.birth_date, other.birth_date}
    if len(numbers) == 2 or births == {dt.date(1958, 11, 3), dt.date(1990, 1, 2)}:
        assert not compare(one, other).is_same


@given(PEOPLE, PEOPLE)
def test_what_is_linked_for_sure_is_one_person_without_a_remark(one, other):
    if link(one, other) is LinkCertainty.SURE:
        assert compare(one, other) == IdentityVerdict()
        assert one.birth_date == other.birth_date is not None
        assert VALID[one.national_number] == VALID[other.national_number]


@given(PEOPLE, PEOPLE)
def test_one_more_description_loses_nothing_and_keeps_who_it_is(one, other):
    if compare(one, other).is_same:
        after = merged(one, other)
        assert compare(after, other).is_same
        assert bool(after.given_name) == bool(one.given_name or other.given_name)
        assert bool(after.birth_date) == bool(one.birth_date or other.birth_date)
