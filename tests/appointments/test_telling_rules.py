"""Who is told what over which channel, and from when a missing ruling is loud: sentences."""

import datetime as dt
from dataclasses import replace

import pytest

from appointments.rules import (
    Clause,
    ruling_is_overdue,
    told_over,
)
from appointments.vocabulary import Basis, Channel, Outcome, Ruling, Service, Tell
from tests.appointments.clauses import (
    CONSULTATIONS_CANCELLED,
    EVERYTHING_CANCELLED,
    MONDAY,
    OPERATIONS_CASE_BY_CASE,
    the_clause,
)
from tests.builders import at


def telling(clause: Clause | None, to: Outcome, basis: Basis, heard: Outcome | None = None):
    """Ask over which channel a patient is told."""
    return told_over(
        clause=clause, service=Service.CONSULTATION, outcome=to, basis=basis, heard=heard
    )


class TestToldOver:
    def test_a_cancelled_consultation_is_told_by_sms(self):
        assert telling(CONSULTATIONS_CANCELLED, Outcome.CANCELLED, Basis.CLAUSE) == Channel.SMS

    def test_a_kept_consultation_is_told_by_phone(self):
        assert telling(CONSULTATIONS_CANCELLED, Outcome.MAINTAINED, Basis.PERSON) == Channel.PHONE

    @pytest.mark.parametrize("ruled", [Outcome.MAINTAINED, Outcome.CANCELLED])
    def test_an_operation_is_told_by_phone_whatever_was_ruled(self, ruled):
        assert telling(OPERATIONS_CASE_BY_CASE, ruled, Basis.PERSON) == Channel.PHONE

    @pytest.mark.parametrize("tell", list(Tell))
    @pytest.mark.parametrize("channel", list(Channel))
    @pytest.mark.parametrize(
        ("ruled", "heard"),
        [
            (Outcome.MAINTAINED, None),
            (Outcome.CANCELLED, None),
            (Outcome.MAINTAINED, Outcome.CANCELLED),
            (Outcome.CANCELLED, Outcome.MAINTAINED),
        ],
    )
    def test_case_by_case_is_told_by_phone_whatever_the_clause_says(
        self, tell, channel, ruled, heard
    ):
        clause = replace(OPERATIONS_CASE_BY_CASE, tell=tell, channel=channel)
        assert telling(clause, ruled, Basis.PERSON, heard) == Channel.PHONE

    @pytest.mark.parametrize("clause", [OPERATIONS_CASE_BY_CASE, EVERYTHING_CANCELLED, None])
    @pytest.mark.parametrize("heard_day", [None, dt.date(2022, 5, 23)])
    def test_another_day_is_told_by_phone_whatever_was_heard(self, clause, heard_day):
        told = told_over(
            clause=clause,
            service=Service.SURGERY,
            outcome=Outcome.CANCELLED,
            basis=Basis.PERSON,
            heard=Outcome.CANCELLED,
            postponed_to=dt.date(2022, 5, 24),
            heard_postponed_to=heard_day,
        )
        assert told == Channel.PHONE

    def test_the_same_other_day_is_told_once(self):
        day = dt.date(2022, 5, 24)
        told = told_over(
            clause=OPERATIONS_CASE_BY_CASE,
            service=Service.SURGERY,
            outcome=Outcome.CANCELLED,
            basis=Basis.PERSON,
            heard=Outcome.CANCELLED,
            postponed_to=day,
            heard_postponed_to=day,
        )
        assert told is None

    def test_nobody_is_told_before_the_ruling(self):
        assert telling(OPERATIONS_CASE_BY_CASE, Outcome.UNDER_REVIEW, Basis.CLAUSE) is None

    def test_nobody_is_told_the_same_thing_twice(self):
        heard = Outcome.CANCELLED
        assert telling(CONSULTATIONS_CANCELLED, heard, Basis.CLAUSE, heard=heard) is None

    @pytest.mark.parametrize("basis", list(Basis))
    def test_whoever_heard_cancelled_is_called_when_it_is_maintained_after_all(self, basis):
        maintained = the_clause(ruling=Ruling.MAINTAIN, tell=Tell.NOBODY)
        told = telling(maintained, Outcome.MAINTAINED, basis, heard=Outcome.CANCELLED)
        assert told == Channel.PHONE

    def test_a_lifted_bulletin_tells_only_those_who_heard_it(self):
        assert telling(None, Outcome.MAINTAINED, Basis.LAPSE) is None
        told = telling(None, Outcome.MAINTAINED, Basis.LAPSE, heard=Outcome.CANCELLED)
        assert told == Channel.PHONE

    def test_emergency_patients_are_not_written_to(self):
        told = told_over(
            clause=EVERYTHING_CANCELLED,
            service=Service.EMERGENCY,
            outcome=Outcome.MAINTAINED,
            basis=Basis.CLAUSE,
            heard=None,
        )
        assert told is None


SIX = dt.time(18)


class TestRulingIsOverdue:
    @pytest.mark.parametrize(
        ("now", "is_overdue"),
        [
            ("2022-05-15 17:59", False),
            ("2022-05-15 18:00", True),
            ("2022-05-15 18:01", True),
            ("2022-05-16 07:00", True),
            ("2022-05-14 23:00", False),
        ],
    )
    def test_from_the_hour_of_the_evening_before_on(self, now, is_overdue):
        assert ruling_is_overdue(MONDAY, at(now), SIX) == is_overdue

    @pytest.mark.parametrize(
        ("day", "evening"), [("2022-03-28", "2022-03-27"), ("2022-10-31", "2022-10-30")]
    )
    def test_the_hour_is_that_of_the_wall_when_the_clocks_have_just_changed(self, day, evening):
        """Whatever the zone in which the moment is given."""
        day = dt.date.fromisoformat(day)
        for minute, is_overdue in (("17:59", False), ("18:01", True)):
            now = at(f"{evening} {minute}")
            assert ruling_is_overdue(day, now, SIX) == is_overdue
            assert ruling_is_overdue(day, now.astimezone(dt.UTC), SIX) == is_overdue
