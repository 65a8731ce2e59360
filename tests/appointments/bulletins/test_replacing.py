"""Which days a draft takes from which bulletin, and which it leaves."""

import datetime as dt

import pytest

from appointments.bulletins.queries import replaced_by
from appointments.bulletins.sentences import days_in_words
from tests.appointments.bulletins.builders import a_draft, in_force
from tests.builders import MONDAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + dt.timedelta(days=n) for n in (1, 2, 3))


def test_a_draft_over_nothing_takes_days_that_no_bulletin_rules():
    (free,) = replaced_by(a_draft())
    assert (free.bulletin, free.days, free.still) == (None, (MONDAY,), ())


def test_a_bulletin_that_reaches_further_goes_on_ruling_the_rest():
    old = in_force(first_day=MONDAY, last_day=WEDNESDAY)
    taken, free = replaced_by(a_draft(first_day=WEDNESDAY, last_day=THURSDAY))
    assert (taken.bulletin, taken.days, taken.still) == (old, (WEDNESDAY,), (MONDAY, TUESDAY))
    assert len(taken.clauses) == 6
    assert (free.bulletin, free.days) == (None, (THURSDAY,))


def test_a_day_that_a_third_bulletin_took_is_not_ruled_by_the_first_any_more():
    in_force(first_day=MONDAY, last_day=WEDNESDAY)
    in_force(first_day=MONDAY, last_day=MONDAY)
    found = replaced_by(a_draft(first_day=WEDNESDAY, last_day=WEDNESDAY))
    assert [one.still for one in found] == [(TUESDAY,)]


def test_the_number_of_queries_does_not_grow(django_assert_num_queries):
    draft = a_draft(first_day=MONDAY, last_day=THURSDAY)
    in_force(first_day=MONDAY, last_day=TUESDAY)
    with django_assert_num_queries(2):
        replaced_by(draft)
    in_force(first_day=TUESDAY, last_day=WEDNESDAY)
    in_force(first_day=THURSDAY, last_day=THURSDAY + dt.timedelta(days=3))
    with django_assert_num_queries(4):
        replaced_by(draft)


def test_days_that_follow_each_other_are_said_as_one_run():
    assert days_in_words([]) == ""
    assert days_in_words([MONDAY]) == "lundi 16/05"
    assert (
        days_in_words([MONDAY, WEDNESDAY, THURSDAY])
        == "lundi 16/05, du mercredi 18/05 au jeudi 19/05"
    )
