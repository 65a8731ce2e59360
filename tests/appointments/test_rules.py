"""The rules, as sentences that a nurse can check."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.rules import (
    ALREADY_MAINTAINED,
    NOBODY_MAY,
    NOTHING_TO_KEEP,
    ONLY_THE_DIRECTOR,
    ONLY_THE_DOCTOR,
    TOO_LATE,
    Clause,
    Facts,
    Keeper,
    decide,
    may_keep,
    ruling_is_overdue,
    told_over,
)
from appointments.vocabulary import Basis, Channel, KeptBy, Outcome, Ruling, Service, Tell
from staff.clock import local_day
from tests.builders import at

MONDAY = dt.date(2022, 5, 16)
DEADLINE = at("2022-05-15 18:00")
DOCTOR, DIRECTOR = Keeper(frozenset({7})), Keeper(is_medical_director=True)


def the_clause(*services: str, **fields) -> Clause:
    """Return a clause on these services, first on the page unless told otherwise."""
    return Clause(**({"position": 1, "services": frozenset(services)} | fields))


CONSULTATIONS_CANCELLED = the_clause(
    "consultation",
    ruling=Ruling.CANCEL,
    tell=Tell.CANCELLED,
    kept_by=KeptBy.DOCTOR,
    keep_until=DEADLINE,
)
OPERATIONS_CASE_BY_CASE = the_clause(
    "surgery",
    ruling=Ruling.CASE_BY_CASE,
    tell=Tell.BOTH,
    channel=Channel.PHONE,
    kept_by=KeptBy.MEDICAL_DIRECTOR,
)
EVERYTHING_CANCELLED = the_clause(ruling=Ruling.CANCEL, tell=Tell.CANCELLED)


def a(service: str, site: str = "arlon", *groups: str, unit: str = "u1") -> Facts:
    """Return the facts of an appointment on Monday."""
    return Facts(service, site, unit, MONDAY, frozenset(groups))


def outcome(facts: Facts, *clauses: Clause) -> str | None:
    """Return the outcome in short."""
    verdict = decide(facts, clauses)
    return verdict.outcome.value if verdict else None


class TestDecide:
    def test_a_cancelling_clause_cancels_what_it_selects(self):
        assert outcome(a("consultation"), CONSULTATIONS_CANCELLED) == "cancelled"

    def test_without_a_clause_there_is_no_decision(self):
        assert outcome(a("dialysis"), CONSULTATIONS_CANCELLED) is None

    def test_case_by_case_is_under_review(self):
        assert outcome(a("surgery"), OPERATIONS_CASE_BY_CASE) == "under_review"

    def test_a_site_that_keeps_everything_stands_above_the_service(self):
        marche = the_clause(ruling=Ruling.MAINTAIN, sites=frozenset({"marche"}), position=9)
        assert outcome(a("consultation", "marche"), CONSULTATIONS_CANCELLED, marche) == "maintained"
        assert outcome(a("consultation", "arlon"), CONSULTATIONS_CANCELLED, marche) == "cancelled"

    def test_a_protected_group_stands_above_everything_else(self):
        oncology = the_clause(ruling=Ruling.MAINTAIN, groups=frozenset({"oncology"}), position=9)
        narrow = the_clause(
            "consultation",
            ruling=Ruling.CANCEL,
            sites=frozenset({"arlon"}),
            units=frozenset({"u1"}),
            days=frozenset({MONDAY}),
        )
        patient = a("consultation", "arlon", "oncology", "diabetes")
        assert outcome(patient, narrow, oncology) == "maintained"

    def test_among_equals_the_first_on_the_page_wins(self):
        first = the_clause("consultation", ruling=Ruling.MAINTAIN, position=1)
        second = the_clause("consultation", ruling=Ruling.CANCEL, position=2)
        assert outcome(a("consultation"), second, first) == "maintained"

    @pytest.mark.parametrize("ruling", list(Ruling))
    def test_emergency_is_never_cancelled(self, ruling):
        clause = the_clause("emergency", ruling=ruling, units=frozenset({"u1"}))
        assert outcome(a("emergency"), clause, EVERYTHING_CANCELLED) == "maintained"

    def test_a_day_is_a_day_in_brussels(self):
        """23:30 in Brussels on Monday is 21:30 UTC; 00:30 on Tuesday is still Monday in UTC."""
        clause = the_clause(ruling=Ruling.CANCEL, days=frozenset({MONDAY}))
        late, early = at("2022-05-16 23:30"), at("2022-05-17 00:30")
        assert outcome(replace(a("other"), day=local_day(late.astimezone(dt.UTC))), clause)
        assert not outcome(replace(a("other"), day=local_day(early.astimezone(dt.UTC))), clause)


codes = st.sampled_from(["a", "b", "c"])
facts = st.builds(
    Facts,
    service=st.sampled_from(list(Service)),
    site=codes,
    unit=codes,
    day=st.dates(MONDAY, MONDAY + dt.timedelta(days=2)),
    groups=st.frozensets(codes),
)
clauses = st.lists(
    st.builds(
        Clause,
        position=st.integers(1, 50),
        ruling=st.sampled_from(list(Ruling)),
        tell=st.sampled_from(list(Tell)),
        channel=st.sampled_from(list(Channel)),
        services=st.frozensets(st.sampled_from(list(Service)), max_size=3),
        sites=st.frozensets(codes, max_size=2),
        units=st.frozensets(codes, max_size=2),
        days=st.frozensets(st.dates(MONDAY, MONDAY + dt.timedelta(days=2)), max_size=2),
        groups=st.frozensets(codes, max_size=2),
    ),
    max_size=8,
    unique_by=lambda clause: clause.position,
)


class TestDecideAlways:
    @given(facts, clauses, st.randoms())
    def test_the_order_in_which_clauses_are_read_changes_nothing(self, case, page, random):
        shuffled = list(page)
        random.shuffle(shuffled)
        assert decide(case, page) == decide(case, shuffled)

    @given(facts, clauses)
    def test_emergency_is_maintained_or_undecided(self, case, page):
        verdict = decide(replace(case, service=Service.EMERGENCY), page)
        assert verdict is None or verdict.outcome == Outcome.MAINTAINED

    @given(facts, clauses)
    def test_the_winner_selects_the_appointment_and_is_on_the_page(self, case, page):
        verdict = decide(case, page)
        if verdict is None:
            assert not any(clause.selects(case) for clause in page)
        else:
            assert verdict.clause in page
            assert verdict.clause.selects(case)

    @given(facts, clauses)
    def test_a_clause_that_does_not_select_changes_nothing(self, case, page):
        elsewhere = the_clause(ruling=Ruling.CANCEL, sites=frozenset({"elsewhere"}), position=0)
        assert decide(case, [*page, elsewhere]) == decide(case, page)


def keeping(clause: Clause | None, keeper: Keeper, now: str = "2022-05-15 12:00"):
    """Ask whether patient 7's appointment at 09:10 on Monday may be kept."""
    service = "surgery" if clause is OPERATIONS_CASE_BY_CASE else "consultation"
    return may_keep(
        verdict=decide(a(service), [clause]) if clause else None,
        service=service,
        practitioner_id=7,
        starts_at=at("2022-05-16 09:10"),
        keeper=keeper,
        now=at(now),
    )


class TestMayKeep:
    def test_the_doctor_concerned_keeps_until_the_deadline(self):
        answer = keeping(CONSULTATIONS_CANCELLED, DOCTOR, "2022-05-15 18:00")
        assert (answer.allowed, answer.until) == (True, DEADLINE)

    def test_a_minute_after_the_deadline_it_is_too_late(self):
        assert keeping(CONSULTATIONS_CANCELLED, DOCTOR, "2022-05-15 18:01").why == TOO_LATE

    def test_another_doctor_may_not(self):
        assert keeping(CONSULTATIONS_CANCELLED, Keeper(frozenset({8}))).why == ONLY_THE_DOCTOR

    def test_the_director_does_not_keep_consultations(self):
        assert keeping(CONSULTATIONS_CANCELLED, DIRECTOR).why == ONLY_THE_DOCTOR

    def test_only_the_director_rules_on_operations(self):
        assert keeping(OPERATIONS_CASE_BY_CASE, DIRECTOR).allowed
        assert keeping(OPERATIONS_CASE_BY_CASE, DOCTOR).why == ONLY_THE_DIRECTOR

    def test_without_a_deadline_nothing_is_kept_after_it_began(self):
        assert keeping(OPERATIONS_CASE_BY_CASE, DIRECTOR, "2022-05-16 09:11").why == TOO_LATE

    def test_nobody_keeps_an_examination(self):
        clause = replace(CONSULTATIONS_CANCELLED, kept_by=KeptBy.NOBODY)
        assert keeping(clause, DOCTOR).why == NOBODY_MAY

    def test_what_is_maintained_or_unruled_needs_no_keeping(self):
        maintained = replace(CONSULTATIONS_CANCELLED, ruling=Ruling.MAINTAIN)
        assert keeping(maintained, DOCTOR).why == ALREADY_MAINTAINED
        assert keeping(None, DOCTOR).why == NOTHING_TO_KEEP


keepers = st.builds(
    Keeper,
    practitioner_ids=st.frozensets(st.integers(6, 8)),
    is_medical_director=st.booleans(),
)


class TestMayKeepAlways:
    @given(facts, clauses, st.sampled_from(list(KeptBy)), keepers)
    def test_nobody_but_the_director_decides_about_an_operation(self, case, page, kept_by, keeper):
        """Whatever the clauses say of who may keep."""
        case = replace(case, service=Service.SURGERY)
        verdict = decide(case, [replace(clause, kept_by=kept_by) for clause in page])
        answer = may_keep(
            verdict=verdict,
            service=Service.SURGERY,
            practitioner_id=7,
            starts_at=at("2022-05-16 09:10"),
            keeper=keeper,
            now=at("2022-05-15 12:00"),
        )
        is_open = verdict is not None and verdict.outcome != Outcome.MAINTAINED
        assert answer.allowed == (is_open and keeper.is_medical_director)
        if is_open and not keeper.is_medical_director:
            assert answer.why == ONLY_THE_DIRECTOR


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
