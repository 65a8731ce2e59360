"""What of an SMS goes into submit_sm."""

from typing import NamedTuple

import gsm0338  # noqa: F401  # registers the codec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways.smpp.pdu import decode, encode, parts_of
from notifications.rules import SEPTETS, count

GSM = st.text(alphabet=sorted(SEPTETS), max_size=700)
ANYTHING = st.text(max_size=300)
ALPHABETS = st.sampled_from(["gsm7", "latin1"])
CODECS = {0: "gsm03.38", 3: "latin-1", 8: "utf-16-be"}


class Part(NamedTuple):
    """The fields of one submission; ``payload``: its data is in message_payload."""

    esm_class: int
    coding: int
    data: bytes
    payload: bool = False


def parts(text: str, **options) -> list[Part]:
    """Return the submissions of a text, with the usual options."""
    usual = {"reference": 0xABCD, "alphabet": "gsm7", "whole": False}
    return [
        Part(
            one.get("esm_class", 0),
            one["data_coding"],
            one.get("short_message") or one.get("message_payload", b""),
            "message_payload" in one,
        )
        for one in parts_of(text, **(usual | options))
    ]


def body_of(part: Part) -> bytes:
    """Return the octets behind the header."""
    return part.data[1 + part.data[0] :] if part.esm_class & 0x40 else part.data


class TestParts:
    def test_a_short_text_is_septets_one_to_an_octet(self) -> None:
        assert parts("É€[") == [Part(0, 0, b"\x1f\x1b\x65\x1b\x3c")]

    def test_another_script_is_utf16_big_endian(self) -> None:
        assert parts("Ж🙂") == [Part(0, 8, b"\x04\x16\xd8\x3d\xde\x42")]

    def test_a_long_text_has_a_header_with_a_reference_of_16_bits(self) -> None:
        first, second = parts("a" * 200)
        assert first.data[:7] == bytes.fromhex("060804abcd0201")
        assert second.data[:7] == bytes.fromhex("060804abcd0202")
        assert (first.esm_class, len(first.data), len(second.data)) == (0x40, 159, 55)

    def test_with_8_bits_where_16_would_cost_a_part_more_than_was_counted(self) -> None:
        first, second = parts("a" * 306)
        assert first.data[:6] == bytes.fromhex("050003cd0201")
        assert len(first.data) == len(second.data) == 159

    def test_whole_for_an_smsc_that_cuts_itself(self) -> None:
        assert parts("a" * 200, whole=True) == [Part(0, 0, b"a" * 200, payload=True)]
        assert parts("a" * 160, whole=True) == [Part(0, 0, b"a" * 160)]

    def test_latin1_where_the_smsc_translates_and_ucs2_where_it_could_not(self) -> None:
        assert parts("É[à", alphabet="latin1") == [Part(0, 3, b"\xc9[\xe0")]
        assert parts("3 €", alphabet="latin1") == [Part(0, 8, "3 €".encode("utf-16-be"))]
        long = parts("€" + "a" * 99, alphabet="latin1")
        assert [len(body_of(part)) // 2 for part in long] == [66, 34]

    def test_latin1_as_ucs2_makes_no_part_more_than_was_counted(self) -> None:
        text = "€" + "a" * 133  # 134 UTF-16 units: two parts with a reference of 8 bits
        assert count(text).parts == 1
        assert count(text, alphabet="latin1").parts == 2
        assert [len(body_of(part)) // 2 for part in parts(text, alphabet="latin1")] == [67, 67]

    def test_latin1_is_cut_by_what_the_radio_carries(self) -> None:
        lengths = [len(body_of(part)) for part in parts("[" * 100, alphabet="latin1")]
        assert lengths == [76, 24]  # an escape makes two septets of each

    @given(GSM | ANYTHING, st.integers(0, 1 << 40))
    def test_what_is_counted_is_what_is_sent(self, text: str, reference: int) -> None:
        assert len(parts(text, reference=reference)) == count(text).parts

    @given(GSM | ANYTHING, ALPHABETS, st.booleans())
    def test_the_parts_decode_to_the_text(self, text: str, alphabet: str, whole: bool) -> None:
        sent = parts(text, alphabet=alphabet, whole=whole)
        codec = CODECS[sent[0].coding]
        assert "".join(body_of(part).decode(codec) for part in sent) == text

    @given(GSM | ANYTHING)
    def test_no_part_is_longer_than_a_message(self, text: str) -> None:
        for part in parts(text):
            header = len(part.data) - len(body_of(part))
            bits = len(body_of(part)) * (7 if part.coding == 0 else 8)
            assert header * 8 + bits <= 1120


class TestDecode:
    @given(GSM)
    def test_septets_come_back(self, text: str) -> None:
        assert decode(encode(text, 0), 0) == text

    @pytest.mark.parametrize(
        ("data", "coding", "text"),
        [
            (b"\x05t\x05", 0, "été"),
            (b"\xe9t\xe9", 3, "été"),
            (b"\x00\xe9", 8, "é"),
            (b"STOP", 1, "STOP"),
            (b"\x05", 0xF0, "é"),
            (b"\xe9", 0xF4, "é"),
            (b"\x05", 0x11, "é"),
            (b"\x00\xe9", 0x18, "é"),
            (b"a\0b", 3, "ab"),
        ],
    )
    def test_each_alphabet_is_read(self, data: bytes, coding: int, text: str) -> None:
        assert decode(data, coding) == text

    def test_the_default_alphabet_may_be_latin1(self) -> None:
        assert decode(b"\xe9", 0, alphabet="latin1") == "é"

    @given(st.binary(max_size=160), st.integers(0, 255))
    def test_whatever_a_phone_sends_is_read_as_something(self, data: bytes, coding: int) -> None:
        text = decode(data, coding)
        assert "\0" not in text
        text.encode()
