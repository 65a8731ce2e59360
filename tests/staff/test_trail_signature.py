"""How the trail is chained and signed, without a database."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staff.clock import BRUSSELS
from staff.services import audit
from staff.services.audit import Mark

AT = dt.datetime(2022, 5, 14, 4, 0, tzinfo=dt.UTC)
CONTENT = {
    "sequence": 7,
    "actor": 3,
    "actor_name": "anne",
    "action": "bulletin.approved",
    "object_type": "bulletin",
    "object_id": "1",
    "detail": {"cancelled": 931},
}
KEY = "one long key of the hospital"


def hashed(key: str = KEY, at: dt.datetime = AT, previous: str = audit.START, **changed) -> str:
    return audit.event_hash(CONTENT | changed, at=at, previous=previous, key=key)


def test_without_a_key_the_hash_is_the_plain_one_of_older_trails():
    assert hashed("") == "901e803bffd5c420b3ffcc9edcac79770b3413a2efd71233c506fd03f1936a6d"


@pytest.mark.parametrize("field", CONTENT)
def test_every_field_is_signed(field):
    assert hashed(**{field: "changed"}) != hashed()


def test_moment_predecessor_and_key_are_signed():
    others = [hashed(at=AT + dt.timedelta(seconds=1)), hashed(previous="1" * 64), hashed("other")]
    assert len({hashed(), *others}) == 4


def test_the_same_moment_in_another_zone_gives_the_same_hash():
    assert hashed(at=AT.astimezone(BRUSSELS)) == hashed()


def test_the_name_of_a_key_says_nothing_of_it():
    assert audit.key_id(KEY) not in (KEY, hashed()[:12])
    assert audit.key_id(KEY) == audit.key_id(KEY) != audit.key_id("other")


def test_a_head_is_believed_with_an_older_key_and_not_with_another():
    signature = audit.head_signature(7, "a" * 64, KEY)
    assert audit.is_signed_head(7, "a" * 64, signature, ["newer", KEY])
    assert not audit.is_signed_head(6, "a" * 64, signature, ["newer", KEY])
    assert not audit.is_signed_head(7, "a" * 64, signature, ["newer"])
    assert not audit.is_signed_head(7, "a" * 64, "é", [KEY])


@given(st.integers(1, 10**12), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_printed_mark_reads_as_what_was_printed(sequence, found):
    read = Mark.parse(f" {str(Mark(sequence, found)).upper()} ")
    assert read.sequence == sequence
    assert read.fits(found)


@pytest.mark.parametrize(
    "text", ["", "12", "12:", "12:abc", "x:0123456789abcdef", "12:" + "g" * 16]
)
def test_what_is_no_mark_is_refused(text):
    with pytest.raises(ValueError, match="^"):
        Mark.parse(text)


@given(st.integers(1, 10**12), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_an_anchor_line_reads_as_what_was_written(sequence, found):
    line = audit.anchor_line(Mark(sequence, found), at=AT, key=KEY)
    assert audit.read_anchor(line, ["newer", KEY]) == Mark(sequence, found)
    assert audit.read_anchor(line, ["newer"]) is None


@given(st.text())
def test_any_other_line_is_nobodys(line):
    assert audit.read_anchor(line, [KEY]) is None
