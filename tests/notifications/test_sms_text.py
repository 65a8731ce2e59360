"""What an SMS can carry and costs, to the septet."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from notifications.rules import (
    HEADER_8_BIT,
    HEADER_16_BIT,
    SEPTETS,
    capacity,
    count,
    header_for,
    segments,
    transliterate,
)

GSM = st.text(alphabet=sorted(SEPTETS))
ANYTHING = st.text()


def parts_by_cutting(costs: list[int], single: int, part: int) -> int:
    """Cut a text by hand: the slow and obvious way, to hold the quick one against."""
    if sum(costs) <= single:
        return 1
    parts = [0]
    for cost in costs:
        if parts[-1] + cost > part:
            parts.append(0)
        parts[-1] += cost
    return len(parts)


class TestTransliterate:
    def test_what_belgian_texts_hold_becomes_plain(self) -> None:
        text = "Ça s’annule : « œuvre », hôtel, forêt, noël… n° 3 – à 9 h"
        plain = 'Ça s\'annule : " oeuvre ", hotel, foret, noel... no 3 - à 9 h'
        assert transliterate(text) == plain

    def test_every_kind_of_space_becomes_one(self) -> None:
        assert transliterate("9\u00a0h\u202f10\u2003:\u1680oui") == "9 h 10 : oui"

    def test_letters_of_the_alphabet_stay(self) -> None:
        assert transliterate("éèàùìòäöüñÉÇß§") == "éèàùìòäöüñÉÇß§"

    def test_lower_case_c_cedilla_has_no_place_and_upper_case_has(self) -> None:
        assert transliterate("çÇ") == "cÇ"

    def test_an_accent_written_as_a_character_of_its_own_is_joined_first(self) -> None:
        assert transliterate("e\u0301te\u0302") == "éte"

    def test_what_has_no_relative_stays(self) -> None:
        assert transliterate("Вивалия 🙂") == "Вивалия 🙂"

    @given(ANYTHING)
    def test_it_is_done_once(self, text: str) -> None:
        assert transliterate(transliterate(text)) == transliterate(text)

    @given(GSM)
    def test_a_text_in_the_alphabet_does_not_change(self, text: str) -> None:
        assert transliterate(text) == text

    def test_french_without_transliteration_would_cost_twice(self) -> None:
        text = "Votre rendez-vous de contrôle est annulé, nous vous rappellerons bientôt, promis."
        assert (count(text).parts, count(transliterate(text)).parts) == (2, 1)


class TestCount:
    def test_the_limits_of_the_alphabet(self) -> None:
        assert [count("a" * n).parts for n in (0, 1, 160, 161, 306, 307)] == [1, 1, 1, 2, 2, 3]

    def test_the_limits_of_ucs2(self) -> None:
        assert [count("ç" * n).parts for n in (1, 70, 71, 134, 135)] == [1, 1, 2, 2, 3]

    def test_a_euro_costs_two_septets(self) -> None:
        assert count("€").units == 2
        assert count("a" * 158 + "€").parts == 1
        assert count("a" * 159 + "€").parts == 2

    def test_an_escape_never_straddles_two_parts(self) -> None:
        # 306 septets would fit two parts, but the euro at septet 153 moves to the second one.
        assert count("a" * 152 + "€" + "a" * 152).units == 306
        assert count("a" * 152 + "€" + "a" * 152).parts == 3

    def test_a_surrogate_pair_never_straddles_two_parts(self) -> None:
        assert count("ç" * 66 + "🙂" + "ç" * 66).units == 134
        assert count("ç" * 66 + "🙂" + "ç" * 66).parts == 3

    def test_the_escape_character_itself_is_no_text(self) -> None:
        assert count("\x1b").encoding == "ucs2"

    @given(GSM)
    def test_septets_are_those_of_the_codec(self, text: str) -> None:
        counted = count(text)
        assert counted.encoding == "gsm7"
        assert counted.units == len(text.encode("gsm03.38"))
        assert counted.parts == parts_by_cutting([SEPTETS[c] for c in text], 160, 153)

    @given(ANYTHING.filter(lambda text: not set(text) <= SEPTETS.keys()))
    def test_units_of_ucs2_are_those_of_utf16(self, text: str) -> None:
        counted = count(text)
        assert counted.encoding == "ucs2"
        assert counted.units == len(text.encode("utf-16-be", "surrogatepass")) // 2
        assert counted.parts == parts_by_cutting(
            [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67
        )


HEADERS = st.sampled_from([HEADER_8_BIT, HEADER_16_BIT])
LONG_GSM = st.text(alphabet=[*"abcé €^{", "\n"], min_size=140, max_size=700)
LONG_UCS2 = st.text(alphabet=["ç", "a", "€", "🙂", "Ж"], min_size=60, max_size=300)


class TestSegments:
    def test_a_short_text_is_one_part_also_when_it_is_empty(self) -> None:
        assert segments("") == [""]
        assert segments("a" * 158 + "€") == ["a" * 158 + "€"]

    def test_a_euro_on_the_edge_moves_to_the_next_part_whole(self) -> None:
        assert segments("a" * 152 + "€" + "a" * 100) == ["a" * 152, "€" + "a" * 100]

    def test_a_surrogate_pair_on_the_edge_moves_to_the_next_part_whole(self) -> None:
        assert segments("ç" * 66 + "🙂" + "ç" * 5) == ["ç" * 66, "🙂" + "ç" * 5]

    def test_a_reference_of_16_bits_costs_a_septet_and_a_unit_of_each_part(self) -> None:
        rooms = [capacity(how, octets) for how in ("gsm7", "ucs2") for octets in (6, 7)]
        assert rooms == [153, 152, 67, 66]

    def test_a_wide_reference_is_taken_only_where_it_costs_no_part_more(self) -> None:
        assert [header_for("a" * n) for n in (304, 305, 306, 307)] == [7, 6, 6, 7]

    @given(LONG_GSM | LONG_UCS2 | ANYTHING, HEADERS)
    def test_together_they_are_the_text_and_as_many_as_counted(self, text, octets) -> None:
        parts = segments(text, header_octets=octets)
        assert "".join(parts) == text
        assert len(parts) == count(text, header_octets=octets).parts

    @given(LONG_GSM | LONG_UCS2, HEADERS)
    def test_none_holds_more_than_fits_and_none_less_than_it_could(self, text, octets) -> None:
        encoding = count(text).encoding
        parts = segments(text, header_octets=octets)
        units = [units_of(part, encoding) for part in parts]
        room = capacity(encoding, octets)
        if len(parts) > 1:
            assert max(units) <= room
            for part, following in pairwise(parts):
                assert units_of(part + following[0], encoding) > room

    @given(LONG_GSM, HEADERS)
    def test_each_part_decodes_by_itself(self, text, octets) -> None:
        parts = [part.encode("gsm03.38") for part in segments(text, header_octets=octets)]
        assert "".join(part.decode("gsm03.38") for part in parts) == text


def units_of(text: str, encoding: str) -> int:
    """Return the units of a text by the codecs themselves."""
    if encoding == "gsm7":
        return len(text.encode("gsm03.38"))
    return len(text.encode("utf-16-be")) // 2
