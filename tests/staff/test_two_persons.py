"""Whether two accounts are two persons, as sentences and over all shapes."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from staff.two_persons import LATELY, AccountEdit, IdentityDoubt, doubt

NOW = dt.datetime(2022, 5, 14, 4, 0, tzinfo=dt.UTC)
ANNE, LUC, ADA = 1, 2, 3  # ADA is an administrator
HOUR = dt.timedelta(hours=1)


def change(
    account: int, by: int | None, hours_ago: float, gives_password: bool = False
) -> AccountEdit:
    return AccountEdit(account, by, gives_password, NOW - hours_ago * HOUR)


def between(*changes: AccountEdit) -> IdentityDoubt | None:
    return doubt(ANNE, LUC, changes, now=NOW)


def test_two_accounts_that_nobody_touched_are_two_persons():
    assert between() is None


def test_whoever_made_the_others_account_today_is_not_the_second_person():
    assert between(change(LUC, ANNE, 1, True)) == IdentityDoubt(ANNE, (LUC,), is_refused=True)


def test_nor_is_whoever_was_made_by_the_other_today():
    assert between(change(ANNE, LUC, 1, True)) == IdentityDoubt(LUC, (ANNE,), is_refused=True)


def test_a_changed_role_counts_as_much_as_a_password():
    assert between(change(LUC, ANNE, 23)).is_refused


def test_after_a_day_they_are_two_persons_again():
    assert between(change(LUC, ANNE, 24)) is None


def test_what_somebody_changes_of_their_own_account_is_no_doubt():
    assert between(change(LUC, LUC, 1, True), change(ANNE, ANNE, 1)) is None


def test_two_passwords_from_one_third_person_are_refused_however_old():
    found = between(change(ANNE, ADA, 1000, True), change(LUC, ADA, 2000, True))
    assert found == IdentityDoubt(ADA, (ANNE, LUC), is_refused=True)


def test_only_who_still_has_that_password_is_named():
    changes = [change(ANNE, ADA, 1000, True), change(LUC, ADA, 1000, True)]
    assert between(*changes, change(ANNE, ANNE, 5, True)) == IdentityDoubt(
        ADA, (LUC,), is_refused=True
    )


def test_once_both_chose_their_own_it_is_only_said():
    changes = [change(ANNE, ADA, 1000, True), change(LUC, ADA, 1000, True)]
    own = [change(ANNE, ANNE, 5, True), change(LUC, LUC, 5, True)]
    assert between(*changes, *own) == IdentityDoubt(ADA, (ANNE, LUC), is_refused=False)


def test_a_password_given_again_after_ones_own_counts_again():
    changes = [change(ANNE, ADA, 9, True), change(LUC, ADA, 9, True)]
    own = [change(ANNE, ANNE, 5, True), change(LUC, LUC, 5, True)]
    assert between(*changes, *own, change(LUC, ADA, 2, True)).accounts == (LUC,)


def test_a_role_given_by_a_third_person_is_no_password():
    assert between(change(ANNE, ADA, 1), change(LUC, ADA, 1)) is None


def test_the_command_line_is_nobody():
    assert between(change(ANNE, None, 1, True), change(LUC, None, 1, True)) is None


def test_two_passwords_from_two_people_are_no_doubt():
    assert between(change(ANNE, ADA, 1, True), change(LUC, 4, 1, True)) is None


people = st.sampled_from([ANNE, LUC, ADA, 4, None])
changes = st.lists(
    st.builds(
        AccountEdit,
        st.sampled_from([ANNE, LUC]),
        people,
        st.booleans(),
        st.integers(0, 60).map(lambda hours: NOW - hours * HOUR),
    ),
    max_size=8,
)


@given(changes)
def test_the_order_of_the_two_does_not_matter_for_the_verdict(found):
    one, other = doubt(ANNE, LUC, found, now=NOW), doubt(LUC, ANNE, found, now=NOW)
    assert (one is None) == (other is None)
    assert one is None or one.is_refused == other.is_refused


@given(changes)
def test_whoever_touched_the_other_lately_is_always_refused(found):
    touched = any({one.account, one.by} == {ANNE, LUC} and NOW - one.at < LATELY for one in found)
    if touched:
        assert doubt(ANNE, LUC, found, now=NOW).is_refused
