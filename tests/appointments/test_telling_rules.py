"""Who is told what over which channel, and from when a missing ruling is loud: sentences."""

import datetime as dt
from dataclasses import replace
from itertools import product

import pytest

from appointments.rules import (
    NOTHING_HEARD,
    ClauseTerms,
    Heard,
    Telling,
    ruling_is_overdue,
    telling_rank,
    told_over,
)
from appointments.vocabulary import Basis, Outcome, Ruling, Service, Tell
from notifications.vocabulary import Channel
from tests.appointments.clauses import (
    CONSULTATIONS_CANCELLED,
    EVERYTHING_CANCELLED,
    MONDAY,
    OPERATIONS_CASE_BY_CASE,
    the_clause,
)
from tests.builders import at

HEARD_CANCELLED, HEARD_MAINTAINED = Heard(Outcome.CANCELLED), Heard(Outcome.MAINTAINED)


def telling(
    clause: ClauseTerms | None,
    to: Outcome,
    basis: Basis,
    heard: Heard = NOTHING_HEARD,
    service: Service = Service.CONSULTATION,
    is_postponed: bool = False,
):
    """Ask over which channel a patient is told; None for not at all."""
    told = told_over(
        clause=clause,
        service=service,
        outcome=to,
        basis=basis,
        heard=heard,
        is_postponed=is_postponed,
    )
    return told and told.channel


class TestToldOver:
    def test_a_cancelled_consultation_is_told_by_sms(self):
        assert telling(CONSULTATIONS_CANCELLED, Outcome.CANCELLED, Basis.CLAUSE) == Channel.SMS

    def test_a_kept_consultation_is_told_by_phone_by_its_doctor(self):
        told = told_over(
            clause=CONSULTATIONS_CANCELLED,
            service=Service.CONSULTATION,
            outcome=Outcome.MAINTAINED,
            basis=Basis.PERSON,
        )
        assert told == Telling(Channel.PHONE, by_doctor=True)

    @pytest.mark.parametrize("ruled", [Outcome.MAINTAINED, Outcome.CANCELLED])
    def test_an_operation_is_told_by_phone_whatever_was_ruled(self, ruled):
        assert telling(OPERATIONS_CASE_BY_CASE, ruled, Basis.PERSON) == Channel.PHONE

    @pytest.mark.parametrize("tell", list(Tell))
    @pytest.mark.parametrize("channel", list(Channel))
    @pytest.mark.parametrize(
        ("ruled", "heard"),
        [
            (Outcome.MAINTAINED, Heard()),
            (Outcome.CANCELLED, Heard()),
            (Outcome.MAINTAINED, HEARD_CANCELLED),
            (Outcome.CANCELLED, HEARD_MAINTAINED),
        ],
    )
    def test_case_by_case_is_told_by_phone_whatever_the_clause_says(
        self, tell, channel, ruled, heard
    ):
        clause = replace(OPERATIONS_CASE_BY_CASE, tell=tell, channel=channel)
        assert telling(clause, ruled, Basis.PERSON, heard) == Channel.PHONE

    @pytest.mark.parametrize("clause", [OPERATIONS_CASE_BY_CASE, EVERYTHING_CANCELLED, None])
    @pytest.mark.parametrize("gave_a_day", [True, False])
    def test_another_day_is_told_by_phone_whatever_was_heard(self, clause, gave_a_day):
        heard = replace(HEARD_CANCELLED, gave_a_day=gave_a_day)
        told = telling(clause, Outcome.CANCELLED, Basis.PERSON, heard, is_postponed=True)
        assert told == Channel.PHONE

    def test_nobody_is_told_before_the_ruling(self):
        assert telling(OPERATIONS_CASE_BY_CASE, Outcome.UNDER_REVIEW, Basis.CLAUSE) is None

    def test_nobody_is_told_the_same_thing_twice(self):
        heard = replace(HEARD_CANCELLED, says_so=True)
        assert telling(CONSULTATIONS_CANCELLED, Outcome.CANCELLED, Basis.CLAUSE, heard) is None

    def test_unless_nobody_knows_if_it_arrived(self):
        heard = replace(HEARD_CANCELLED, says_so=True, in_doubt=True)
        told = telling(CONSULTATIONS_CANCELLED, Outcome.CANCELLED, Basis.CLAUSE, heard)
        assert told == Channel.PHONE

    @pytest.mark.parametrize("basis", list(Basis))
    def test_whoever_heard_cancelled_is_called_when_it_is_maintained_after_all(self, basis):
        maintained = the_clause(ruling=Ruling.MAINTAIN, tell=Tell.NOBODY)
        told = telling(maintained, Outcome.MAINTAINED, basis, HEARD_CANCELLED)
        assert told == Channel.PHONE

    def test_a_lifted_bulletin_tells_only_those_who_heard_it(self):
        assert telling(None, Outcome.MAINTAINED, Basis.LAPSE) is None
        told = telling(None, Outcome.MAINTAINED, Basis.LAPSE, HEARD_CANCELLED)
        assert told == Channel.PHONE

    @pytest.mark.parametrize("clause", [None, the_clause(ruling=Ruling.MAINTAIN, tell=Tell.NOBODY)])
    def test_what_a_person_cancelled_is_called_where_no_clause_cancels(self, clause):
        assert telling(clause, Outcome.CANCELLED, Basis.PERSON) == Channel.PHONE

    def test_who_only_heard_of_another_day_is_called_that_this_one_takes_place(self):
        heard = Heard(of_another_day=True)
        assert telling(None, Outcome.MAINTAINED, Basis.LAPSE, heard) == Channel.PHONE
        assert telling(None, Outcome.CANCELLED, Basis.LAPSE, heard) is None

    @pytest.mark.parametrize("tell", list(Tell))
    @pytest.mark.parametrize("ruling", list(Ruling))
    def test_emergency_patients_are_not_written_to(self, ruling, tell):
        clause = the_clause(ruling=ruling, tell=tell)
        told = telling(clause, Outcome.MAINTAINED, Basis.CLAUSE, service=Service.EMERGENCY)
        assert told is None


SMS, PHONE = Channel.SMS, Channel.PHONE
CLAUSES = [
    None,
    *(
        ClauseTerms(position=1, ruling=ruling, tell=tell, channel=channel)
        for ruling, tell, channel in product(Ruling, Tell, Channel)
    ),
]
SERVICES = (Service.CONSULTATION, Service.SURGERY, Service.EMERGENCY)
HEARD = [
    Heard(word, *flags)
    for word in (None, Outcome.CANCELLED, Outcome.MAINTAINED)
    for flags in product((False, True), repeat=5)
    # What was not heard says nothing, and only "cancelled" gives another day.
    if (word is not None or not any(flags[:3])) and (word == Outcome.CANCELLED or not flags[1])
]


def from_the_table(
    clause, service, outcome, basis, is_postponed, heard, back_by_sms
) -> Telling | None:
    """Read the table of ADR 0014: the first line that fits."""
    orders = clause.ruling if clause else None
    by_clause = Telling(clause.channel) if clause else None
    tells_cancelled = clause is not None and clause.tell in (Tell.CANCELLED, Tell.BOTH)
    tells_maintained = clause is not None and clause.tell in (Tell.MAINTAINED, Tell.BOTH)
    cancelled, maintained = outcome == Outcome.CANCELLED, outcome == Outcome.MAINTAINED
    emergency, person = service == Service.EMERGENCY, basis == Basis.PERSON
    by_phone = Telling(PHONE)
    lines = [
        (outcome == Outcome.UNDER_REVIEW, None),
        (heard.in_vain, None),
        (heard.says_so and not heard.in_doubt, None),
        (heard.in_doubt, by_phone),
        (is_postponed or heard.gave_a_day, by_phone),
        (orders == Ruling.CASE_BY_CASE and not emergency, by_phone),
        (
            back_by_sms and maintained and heard.word == Outcome.CANCELLED and not person,
            Telling(SMS),
        ),
        (maintained and (heard.word is not None or heard.of_another_day), by_phone),
        (maintained and (emergency or clause is None or basis == Basis.LAPSE), None),
        (maintained and person and orders == Ruling.CANCEL, Telling(PHONE, by_doctor=True)),
        (maintained, by_clause if tells_maintained else None),
        (cancelled and orders == Ruling.CANCEL and heard.word is not None, by_clause),
        (cancelled and orders == Ruling.CANCEL, by_clause if tells_cancelled else None),
        (cancelled and (heard.word is not None or person), by_phone),
        (cancelled, None),
    ]
    return next(answer for fits, answer in lines if fits)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("basis", list(Basis))
@pytest.mark.parametrize("service", SERVICES)
def test_every_shape_is_told_as_the_table_says(outcome, basis, service):
    either = (False, True)
    for clause, heard, is_postponed, by_sms in product(CLAUSES, HEARD, either, either):
        told = told_over(
            clause=clause,
            service=service,
            outcome=outcome,
            basis=basis,
            is_postponed=is_postponed,
            heard=heard,
            back_by_sms=by_sms,
        )
        shape = (clause, service, outcome, basis, is_postponed, heard, by_sms)
        assert told == from_the_table(*shape), shape


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


class TestTheRanks:
    @pytest.mark.parametrize(
        ("first", "then"),
        [
            (Service.SURGERY, Service.DIALYSIS),
            (Service.SURGERY, Service.CONSULTATION),
            (Service.DIALYSIS, Service.NUCLEAR_MEDICINE),
            (Service.DAY_HOSPITAL, Service.NUCLEAR_MEDICINE),
            (Service.NUCLEAR_MEDICINE, Service.RADIOLOGY),
            (Service.RADIOLOGY, Service.CONSULTATION),
            (Service.CONSULTATION, Service.BLOOD_SAMPLING),
            (Service.OTHER, Service.BLOOD_SAMPLING),
            (Service.BLOOD_SAMPLING, Service.COVID_CENTRE),
        ],
    )
    def test_one_before_the_other(self, first, then):
        assert telling_rank(first) < telling_rank(then)

    @pytest.mark.parametrize("service", Service)
    def test_every_service_has_a_rank_that_leaves_the_day_its_place(self, service):
        assert 0 <= telling_rank(service) <= 9
