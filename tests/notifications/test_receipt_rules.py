"""The table of what a receipt does to a delivery, held against every combination."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.models import DeliveryState, ReceiptState
from notifications.receipt_rules import (
    Candidate,
    after_receipt,
    newest_for,
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


class TestReusedNumbers:
    OLD = Candidate(1, 11, "+32470000001", "2022-05-15 08:00")
    NEW = Candidate(2, 12, "+32470000002", "2022-05-15 09:00")
    NEWEST = Candidate(3, 13, "+32470000001", "2022-05-15 10:00")

    def test_the_newest_is_meant_when_the_phone_is_not_known(self) -> None:
        assert newest_for("", [self.OLD, self.NEWEST, self.NEW]) == self.NEWEST

    def test_the_newest_to_that_phone_is_meant_when_it_is(self) -> None:
        assert newest_for(self.NEW.address, [self.OLD, self.NEWEST, self.NEW]) == self.NEW
        assert newest_for(self.OLD.address, [self.NEWEST, self.OLD]) == self.NEWEST

    def test_another_phone_is_no_match(self) -> None:
        assert newest_for("+32470000009", [self.OLD, self.NEW]) is None
        assert newest_for("", []) is None
