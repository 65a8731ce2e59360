"""What the characters of an SMS cost, and where its parts end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.rules import SEPTETS, count, transliterate
from notifications.texts.cost import reckon

LETTERS = st.text(st.sampled_from("aé€[^çœ’ ☺🙂\n"), max_size=400)


def effects(text: str) -> dict[str, tuple[str, int, str]]:
    return {c.text: (c.effect, c.times, c.becomes) for c in reckon(text).characters}


class TestCharacters:
    @pytest.mark.parametrize("character", "€{}[]~^|\\")
    def test_those_behind_an_escape_count_double(self, character) -> None:
        assert effects(f"à 10 {character}{character}") == {character: ("doubled", 2, "")}
        assert reckon(character).units == 2

    def test_those_that_are_replaced_are_named_with_what_they_become(self) -> None:
        assert effects("Reçu « çà »") == {
            "ç": ("replaced", 2, "c"),
            "«": ("replaced", 1, '"'),
            "»": ("replaced", 1, '"'),
        }

    def test_an_accent_written_apart_is_the_letter(self) -> None:
        assert effects("garc\u0327on") == {"ç": ("replaced", 1, "c")}

    def test_one_that_forces_unicode_is_named_first(self) -> None:
        reckoning = reckon("ç ☺ €")
        assert [c.effect for c in reckoning.characters] == ["unicode", "doubled", "replaced"]
        assert (reckoning.encoding, reckoning.parts[0].room) == ("ucs2", 70)

    def test_one_that_no_eye_sees_is_named_by_its_number(self) -> None:
        (selector,) = reckon("a\ufe0f").characters
        assert (selector.is_visible, selector.code) == (False, "U+FE0F")

    def test_the_plain_alphabet_costs_nothing(self) -> None:
        assert effects("À demain, où ? Ja, später: Grüße! @£$¥") == {"À": ("replaced", 1, "A")}


class TestParts:
    @given(LETTERS)
    def test_they_are_the_text_as_it_is_counted_and_none_overflows(self, text) -> None:
        reckoning, counted = reckon(text), count(transliterate(text))
        assert "".join(part.text for part in reckoning.parts) == transliterate(text)
        assert (len(reckoning.parts), reckoning.units) == (counted.parts, counted.units)
        assert all(part.units <= part.room for part in reckoning.parts)

    @given(LETTERS)
    def test_every_character_that_costs_is_listed_and_no_other(self, text) -> None:
        listed = {c.text for c in reckon(text).characters}
        assert listed == {c for c in text if SEPTETS.get(c) != 1}

    def test_a_part_of_several_holds_less(self) -> None:
        assert [(p.units, p.room) for p in reckon("a" * 160).parts] == [(160, 160)]
        assert [(p.units, p.room) for p in reckon("a" * 161).parts] == [(153, 153), (8, 153)]
        assert [(p.units, p.room) for p in reckon("☺" * 71).parts] == [(67, 67), (4, 67)]
