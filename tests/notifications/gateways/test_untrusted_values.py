"""What gateways write, made fit to be kept."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import http
from tests.notifications.gateways.strange_values import json_values


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("0032470000001", "+32470000001"),
        ("+32 470 00 00 01", "+32470000001"),
        ("32470000001", "+32470000001"),
        (32470000001, "+32470000001"),
        ("00352691000001", "+352691000001"),
        ("0470000001", "0470000001"),
        ("8850", "8850"),
        ("Vivalia", "Vivalia"),
        ("", ""),
        (None, ""),
        ("٠٠٣٢", "٠٠٣٢"),
        ("0" * 80, "+" + "0" * 19),
    ],
)
def test_a_phone_is_written_with_its_country_where_it_is_known(written, phone: str) -> None:
    assert http.as_phone(written) == phone


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2022-05-15T18:30:00Z", dt.datetime(2022, 5, 15, 18, 30, tzinfo=dt.UTC)),
        ("2022-05-15T18:30:00", dt.datetime(2022, 5, 15, 18, 30, tzinfo=dt.UTC)),
        ("2022-05-15T20:30:00+02:00", dt.datetime(2022, 5, 15, 18, 30, tzinfo=dt.UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        (1652639400, None),
    ],
)
def test_a_moment_is_aware_or_none(written, moment: dt.datetime | None) -> None:
    assert http.as_moment(written) == moment


@pytest.mark.parametrize(
    ("written", "reference"),
    [("ab12" * 8, "ab12" * 8), ("ab12" * 8 + "0", ""), ("a b", ""), ("é", ""), (12, "12")],
)
def test_only_what_may_be_ours_is_a_reference(written, reference: str) -> None:
    assert http.as_reference(written) == reference


def test_a_long_key_stays_one_of_its_own() -> None:
    keys = {http.as_key("k" * 65), http.as_key("k" * 66), http.as_key("k" * 64)}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {64}


@given(json_values)
def test_whatever_is_written_can_be_kept(value) -> None:
    kept = [
        http.as_text(value, 20),
        http.as_reference(value),
        http.as_phone(value),
        http.as_key(value),
    ]
    assert all("\x00" not in text and text.encode() is not None for text in kept)
    assert all(len(text) <= longest for text, longest in zip(kept, (20, 32, 20, 64), strict=True))
    http.as_moment(value)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_json_or_nothing(body: bytes) -> None:
    http.as_object(http.json_of(body))


@pytest.mark.parametrize("body", [b"[" * 100_000, b"9" * 10_000, b"\xff\xfe", b""])
def test_a_body_meant_to_break_the_reader_is_nothing(body: bytes) -> None:
    assert http.json_of(body) is None
