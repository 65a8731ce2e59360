"""The table of what a receipt does to a delivery, held against every combination."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.models import DeliveryState, ReceiptState
from notifications.rules import (
    Candidate,
    after_receipt,
    international,
    key_of,
    meant_by,
    one_line,
    part_after_receipt,
    sum_of_parts,
)

# One row per state: after on_its_way, delivered, failed, expired; a dot where nothing changes.
TABLE = """
    held        .         .          .       .
    queued      .         .          .       .
    claimed     .         .          .       .
    submitting  accepted  delivered  failed  expired
    accepted    .         delivered  failed  expired
    unknown     accepted  delivered  failed  expired
    delivered   .         .          .       .
    failed      .         delivered  .       .
    expired     .         delivered  .       .
    withdrawn   .         .          .       .
    suppressed  .         .          .       .
"""
SAYS = ("on_its_way", "delivered", "failed", "expired")
ROWS = {row.split()[0]: row.split()[1:] for row in TABLE.strip().splitlines()}
receipts = st.lists(st.sampled_from(SAYS), max_size=8)
states = st.sampled_from(list(ROWS))


def test_the_table_knows_every_state_and_every_receipt() -> None:
    assert set(ROWS) == set(DeliveryState.values)
    assert set(SAYS) == set(ReceiptState.values)


@pytest.mark.parametrize(("state", "says"), list(itertools.product(ROWS, SAYS)))
def test_a_receipt_leads_where_the_table_says(state: str, says: str) -> None:
    expected = ROWS[state][SAYS.index(says)]
    assert after_receipt(state, says) == (state if expected == "." else expected)


@pytest.mark.parametrize(("state", "says"), list(itertools.product(ROWS, SAYS)))
def test_only_what_waits_to_be_repeated_differs_once_it_may_have_left(state, says) -> None:
    seen_as = "unknown" if state in {"queued", "claimed"} else state
    assert after_receipt(state, says, may_have_left=True) == after_receipt(seen_as, says)


@given(states, receipts, st.booleans())
def test_the_same_receipt_again_changes_nothing(state, said, may_have_left) -> None:
    for says in said:
        state = after_receipt(state, says, may_have_left=may_have_left)
        assert after_receipt(state, says, may_have_left=may_have_left) == state


@given(st.sampled_from(["submitting", "accepted", "unknown", "failed", "expired"]), receipts)
def test_who_got_it_once_got_it_in_whatever_order_it_is_said(state, said) -> None:
    ends = set()
    for order in itertools.islice(itertools.permutations(said), 50):
        after = state
        for says in order:
            after = after_receipt(after, says)
        ends.add(after == "delivered")
    assert ends == {"delivered" in said}


class TestParts:
    @pytest.mark.parametrize(
        ("states", "whole"),
        [
            (["delivered", "delivered"], "delivered"),
            (["delivered", "on_its_way"], "on_its_way"),
            (["delivered", "failed"], "failed"),
            (["expired", "failed", "on_its_way"], "failed"),
            (["delivered", "expired"], "expired"),
        ],
    )
    def test_a_message_is_the_sum_of_its_parts(self, states, whole) -> None:
        assert sum_of_parts(states) == whole

    @pytest.mark.parametrize(("state", "says"), list(itertools.product(SAYS, SAYS)))
    def test_a_part_goes_the_way_of_a_delivery_that_was_accepted(self, state, says) -> None:
        as_delivery = dict(zip(SAYS, SAYS, strict=True)) | {"on_its_way": "accepted"}
        after = as_delivery[part_after_receipt(state, says)]
        assert after == after_receipt(as_delivery[state], says)


class TestWhichDelivery:
    """Numbers are used again, and SMSCs answer in one form and report in another."""

    OLD = Candidate(1, 11, "+32470000001", "2022-05-15 08:00", "77")
    NEW = Candidate(2, 12, "+32470000002", "2022-05-15 09:00", "77")
    NEWEST = Candidate(3, 13, "+32470000001", "2022-05-15 10:00", "77")
    SIXTEEN = Candidate(4, 14, "+32470000001", "2022-05-15 08:00", "16")
    TWENTY_TWO = Candidate(5, 15, "+32470000001", "2022-05-15 09:00", "22")  # 0x16

    def test_the_newest_is_meant_when_the_phone_is_not_known(self) -> None:
        assert meant_by("77", "", [self.OLD, self.NEWEST, self.NEW]) == self.NEWEST

    def test_the_newest_is_the_one_submitted_last_whatever_its_id(self) -> None:
        again = self.OLD._replace(delivery_id=9)
        assert meant_by("77", "", [again, self.NEWEST, self.NEW]) == self.NEWEST
        beside = self.NEWEST._replace(delivery_id=4, notice_id=1)
        assert meant_by("77", "", [beside, self.NEWEST]) == beside

    def test_the_newest_to_that_phone_is_meant_when_it_is(self) -> None:
        assert meant_by("77", self.NEW.address, [self.OLD, self.NEWEST, self.NEW]) == self.NEW
        assert meant_by("77", self.OLD.address, [self.NEWEST, self.OLD]) == self.NEWEST

    def test_of_several_none_is_meant_by_another_phone(self) -> None:
        assert meant_by("77", "+32470000009", [self.OLD, self.NEW]) is None
        assert meant_by("77", "", []) is None

    def test_the_number_as_said_wins_over_what_else_it_may_be_read_as(self) -> None:
        both = [self.SIXTEEN, self.TWENTY_TWO]
        for phone in ("", self.SIXTEEN.address, "Vivalia"):
            assert meant_by("16", phone, both) == self.SIXTEEN
            assert meant_by("22", phone, both) == self.TWENTY_TWO

    def test_the_only_one_is_believed_though_the_receipt_names_the_sender(self) -> None:
        for phone in ("Vivalia", "8850", "0470000001", "+3263000000"):
            assert meant_by("77", phone, [self.OLD]) == self.OLD

    def test_but_not_if_that_is_the_phone_of_another_patient(self) -> None:
        assert meant_by("77", "+32499999999", [self.OLD], notices_of_phone={99}) is None
        assert meant_by("77", "+3263111111", [self.OLD], notices_of_phone={11, 99}) == self.OLD

    def test_then_another_reading_to_that_phone_is_meant(self) -> None:
        exact = self.SIXTEEN._replace(address="+32470000008")
        found = meant_by(
            "16", self.TWENTY_TWO.address, [exact, self.TWENTY_TWO], notices_of_phone={15}
        )
        assert found == self.TWENTY_TWO

    def test_another_reading_needs_the_phone_as_a_witness(self) -> None:
        assert meant_by("16", "Vivalia", [self.TWENTY_TWO]) is None
        assert meant_by("16", "", [self.TWENTY_TWO]) == self.TWENTY_TWO
        assert meant_by("16", "", [self.TWENTY_TWO, self.NEW]) is None

    def test_zeros_and_case_make_no_other_number(self) -> None:
        uuid = "0E4B7F1C-0000-4000-8000-AB54A98CEB1F"
        mixed = self.OLD._replace(number=uuid.lower().replace("f", "F"))
        for said in (uuid, uuid.lower(), uuid.lstrip("0")):
            assert meant_by(said, "Vivalia", [mixed]) == mixed

    def test_the_number_letter_by_letter_wins_over_zeros_and_case(self) -> None:
        verbatim, alike = self.OLD._replace(number="0a"), self.NEWEST._replace(number="A")
        assert meant_by("0a", self.OLD.address, [verbatim, alike]) == verbatim


def test_one_part_is_enough_only_where_the_gateway_reports_no_other() -> None:
    for states in (["delivered", "on_its_way"], ["on_its_way", "delivered", "on_its_way"]):
        assert sum_of_parts(states) == "on_its_way"
        assert sum_of_parts(states, one_is_enough=True) == "delivered"
    assert sum_of_parts(["delivered", "failed"], one_is_enough=True) == "failed"
    assert sum_of_parts(["on_its_way"] * 2, one_is_enough=True) == "on_its_way"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+32470000042", "+32470000042"),
        ("32470000042", "+32470000042"),
        ("0470 00 00 42", "+32470000042"),
        ("Vivalia", "Vivalia"),
        ("", ""),
    ],
)
def test_a_number_is_read_as_e164_as_far_as_it_can_be(written: str, read: str) -> None:
    assert international(written) == read


def test_the_key_of_a_report_is_the_gateways_or_a_hash_of_its_content() -> None:
    assert key_of("a-key", "content") == "a-key"
    long_key = "k" * 65
    assert key_of(long_key, "a") == key_of(long_key, "b") != key_of("", "a")
    assert key_of("", "a", "b") == key_of("", "a", "b") != key_of("", "ab")
    assert len(key_of("", "half a pair \ud800")) == 64


def test_a_line_loses_what_no_column_takes() -> None:
    assert one_line("a\x00b\nc\ud800", 10) == "a b c "
    assert one_line("abc", 2) == "ab"
