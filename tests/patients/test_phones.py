"""Telephone numbers: what is one, what a cell of them holds, and in which order they are kept."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.demo.people import Numbers
from patients import phones
from patients.phones import Phone

MOBILES = ["0495 12 34 56", "0495/12.34.56", "0495123456", "+32 (0)495 12 34 56", "0032495123456"]
E164 = {
    "0495 12 34 56": "+32495123456",
    "0496/22.33.44": "+32496223344",
    "063 22 33 44": "+3263223344",
    "063/22.33.44": "+3263223344",
    "02 345 67 89": "+3223456789",
    "+352 621 123 456": "+352621123456",
    "+33 6 12 34 56 78": "+33612345678",
    "00352 691 22 33 44": "+352691223344",
    "+49 171 3920000": "+491713920000",
}
SEPARATORS = [" / ", "\n", " ou ", "; ", ", ", " - ", " et ", " | ", " of ", "/", ","]
DOUBTFUL = ["0495 12 34 5", "063 22 33 4", "0495 12 34 56 78", "00 12", "12345"]


def numbers(text: str) -> list[str]:
    """Return the numbers of a cell."""
    return [one.number for one in phones.read_cell(text).phones]


class TestOneNumber:
    @pytest.mark.parametrize("written", [*MOBILES, "495123456", "0495 12 34 56\u200b"])
    def test_a_belgian_mobile_is_one_however_it_is_written(self, written):
        assert phones.read(written) == Phone("+32495123456", is_mobile=True)

    @pytest.mark.parametrize("written", ["063 22 33 44", "63223344", "(063) 22.33.44"])
    def test_a_landline_gets_no_sms(self, written):
        assert phones.read(written) == Phone("+3263223344", is_mobile=False)

    @pytest.mark.parametrize(
        "written",
        [
            "0495 12 34 5", "0495 12 34 56 7", "063 22 33 4", "0000000000", "22 33 44", "112",
            "0900 12 345", "0495ABCDEF", "12/05/2021x", "", "+", "+32", "58.11.03-002.39",
        ],
    )  # fmt: skip
    def test_what_cannot_be_dialled_is_no_number(self, written):
        assert phones.read(written) is None

    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ("621 123 456", "+352621123456"),
            ("691123456", "+352691123456"),
            ("352 621 123 456", "+352621123456"),
            ("06 12 34 56 78", "+33612345678"),
            ("03 82 23 45 67", "+33382234567"),
            ("33612345678", "+33612345678"),
        ],
    )
    def test_the_neighbours_numbers_are_known_without_their_prefix(self, written, number):
        read = phones.read(written)
        assert read
        assert read.number == number

    @pytest.mark.parametrize("written", ["0472 12 34 56", "26 12 34 56", "0456 12 34 56"])
    def test_a_number_that_is_belgian_too_is_belgian(self, written):
        read = phones.read(written)
        assert read
        assert read.number.startswith("+32")

    def test_every_number_of_the_drill_can_be_dialled(self):
        numbers_of_the_drill = Numbers(Random(1))
        made = [numbers_of_the_drill.mobile(country) for country in ("be", "lu", "de")]
        made += [numbers_of_the_drill.landline(country, "arlon") for country in ("be", "fr")]
        assert [one for one in made if phones.read(one) is None] == []


class TestACell:
    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("0495 12 34 56 (fille)", ["+32495123456"]),
            ("0495123456/063223344", ["+32495123456", "+3263223344"]),
            ("0495 12 34 56\n063 22 33 44", ["+32495123456", "+3263223344"]),
            ("0495 12 34 56 / ?", ["+32495123456"]),
            ("0495/12.34.56 - 063/22.33.44", ["+32495123456", "+3263223344"]),
            ("0495123456,0496123456", ["+32495123456", "+32496123456"]),
            ("GSM: 0495 12 34 56 Tél: 063 22 33 44", ["+32495123456", "+3263223344"]),
            ("063 22 33 44 poste 12", ["+3263223344"]),
            ("063 22 33 44 #12 ou 0495 12 34 56", ["+3263223344", "+32495123456"]),
            ("0495 12 34 56/57", ["+32495123456"]),
            ("063/22 33 44-45", ["+3263223344"]),
            ("0495 12 34 56 après 18h30", ["+32495123456"]),
            ("02 345 67 89 0495 12 34 56", ["+3223456789", "+32495123456"]),
            ("0495 12 34 56 / 0495123456", ["+32495123456"]),
            ("12/05/2021 0495 12 34 56", ["+32495123456"]),
            ("0495 / 12.34.56 - 063 / 22.33.44", ["+32495123456", "+3263223344"]),
            ("00 12 / 02 345 67 89", ["+3223456789"]),
            ("621123456 06 12 34 56 78", ["+352621123456", "+33612345678"]),
        ],
    )
    def test_every_good_number_is_found_in_order(self, cell, expected):
        assert numbers(cell) == expected

    @pytest.mark.parametrize(
        "cell",
        [
            "063 22 33 44 55",
            "0495 / 12 34 56 78",
            "0495123456063223344",
            "12/05/2021",
            "0495 12 34 5",
        ],
    )
    def test_no_number_is_made_of_a_part_of_something_longer(self, cell):
        assert phones.read_cell(cell).phones == ()
        assert phones.read_cell(cell).doubtful == (cell,)

    @pytest.mark.parametrize("cell", ["", " ", "-", "?", "/", "…"])
    def test_a_cell_that_says_nothing_says_nothing(self, cell):
        assert phones.read_cell(cell) == phones.PhoneCell()

    @pytest.mark.parametrize("cell", ["inconnu", "voir dossier", "12"])
    def test_what_is_no_number_is_said(self, cell):
        assert phones.read_cell(cell).doubtful == (cell,)

    @pytest.mark.parametrize(
        ("cell", "labels"),
        [
            ("0495 12 34 56 (fille)", ["fille"]),
            ("GSM: 0495 12 34 56", [""]),
            ("Tél. privé: 063 22 33 44 ou GSM fille 0495 12 34 56", ["privé", "fille"]),
            ("0495 12 34 56 fille, 063 22 33 44 voisin", ["fille", "voisin"]),
            ("063 22 33 44 (bureau, poste 12)", ["bureau, poste 12"]),
            ("M: 0495123456 F: 063223344", ["", ""]),
        ],
    )
    def test_whose_number_it_is_stays_with_it(self, cell, labels):
        assert [one.label for one in phones.read_cell(cell).phones] == labels

    @given(
        st.lists(st.sampled_from(sorted(E164)), min_size=1, max_size=5),
        st.lists(st.sampled_from(SEPARATORS), min_size=4, max_size=4),
    )
    def test_numbers_strung_together_are_all_found(self, written, separators):
        cell = written[0]
        for separator, one in zip(separators, written[1:], strict=False):
            cell += separator + one
        assert numbers(cell) == list(dict.fromkeys(E164[one] for one in written))

    @given(
        st.lists(
            st.one_of(st.sampled_from(sorted(E164)), st.sampled_from(DOUBTFUL)),
            min_size=1,
            max_size=5,
        ),
        st.sampled_from(["\n", "; ", " / ", " ou "]),
    )
    def test_a_doubtful_one_loses_only_itself(self, written, separator):
        good = [E164[one] for one in written if one in E164]
        cell = phones.read_cell(separator.join(written))
        assert [one.number for one in cell.phones] == list(dict.fromkeys(good))
        assert bool(cell.doubtful) or all(one in E164 or len(one) < 6 for one in written)

    @given(st.text(max_size=120))
    def test_whatever_is_written_gives_numbers_that_can_be_dialled(self, text):
        cell = phones.read_cell(text)
        for one, written in zip(cell.phones, cell.written, strict=True):
            assert phones.read(one.number) == Phone(one.number, one.is_mobile)
            assert phones.read_cell(written).phones[0].number == one.number

    @given(st.text(alphabet="0123456789 /.,-()+\nabou:", max_size=80))
    def test_what_was_found_is_found_again_in_what_is_kept(self, text):
        cell = phones.read_cell(text)
        again = [phones.read_cell(one).phones for one in cell.written]
        assert [(one[0].number, one[0].label) for one in again] == [
            (one.number, one.label) for one in cell.phones
        ]


class TestWhatIsKept:
    A, B, C = (Phone(f"+3249512345{n}", is_mobile=True) for n in range(3))
    HOME = Phone("+3263223344", is_mobile=False)

    def test_what_the_source_says_now_comes_first_and_nothing_known_is_lost(self):
        assert phones.merged([self.B], [self.A, self.HOME]) == (self.B, self.A, self.HOME)

    def test_nothing_said_changes_nothing(self):
        assert phones.merged([], [self.A, self.HOME]) == (self.A, self.HOME)

    def test_a_label_is_not_lost_to_a_source_that_has_none(self):
        known = Phone(self.A.number, is_mobile=True, label="fille")
        assert phones.merged([self.A], [known]) == (known,)

    def test_of_too_many_the_newest_stay_and_one_of_each_kind(self):
        said = [Phone(f"+324951234{n:02}", is_mobile=True) for n in range(12)]
        kept = phones.merged(said, [self.HOME])
        assert len(kept) == phones.MOST_KEPT
        assert kept == (*said[: phones.MOST_KEPT - 1], self.HOME)

    def test_a_person_rings_the_landline_then_the_mobile_then_the_others(self):
        ordered = phones.in_calling_order([self.A, self.B, self.HOME, self.C])
        assert ordered == (self.HOME, self.A, self.B, self.C)
