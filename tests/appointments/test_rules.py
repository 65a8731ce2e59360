"""The rules, as sentences that a nurse can check."""

import datetime as dt
from dataclasses import replace
from itertools import compress, product

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
    ClauseTerms,
    Facts,
    KeepAnswer,
    Keeper,
    Verdict,
    decide,
    may_keep,
    may_undo,
    specificity,
)
from appointments.vocabulary import KeptBy, Outcome, Ruling, Service, Tell
from notifications.vocabulary import Channel
from staff.clock import local_day
from tests.appointments.clauses import (
    CONSULTATIONS_CANCELLED,
    DEADLINE,
    EVERYTHING_CANCELLED,
    MONDAY,
    OPERATIONS_CASE_BY_CASE,
    the_clause,
)
from tests.builders import at

DOCTOR, DIRECTOR = Keeper(frozenset({7})), Keeper(is_medical_director=True)


def a(service: str, site: str = "arlon", *groups: str, unit: str = "u1") -> Facts:
    """Return the facts of an appointment on Monday."""
    return Facts(service, site, unit, MONDAY, frozenset(groups))


def outcome(facts: Facts, *clauses: ClauseTerms) -> str | None:
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


class TestSpecificity:
    """A protected group is the narrowest word, then the unit, the site, the day, the service."""

    SHAPES = list(product((False, True), repeat=5))

    def clause(self, shape: tuple[bool, ...]) -> ClauseTerms:
        names = ("groups", "units", "sites", "days", "services")
        says = {
            "groups": frozenset({"oncology"}),
            "units": frozenset({"u1"}),
            "sites": frozenset({"arlon"}),
            "days": frozenset({MONDAY}),
            "services": frozenset({"consultation"}),
        }
        given = {name: says[name] for name, is_said in zip(names, shape, strict=True) if is_said}
        return ClauseTerms(position=1, ruling=Ruling.CANCEL, **given)

    def test_of_any_two_shapes_the_one_with_the_narrower_word_wins(self):
        case = a("consultation", "arlon", "oncology")
        weights = (16, 8, 4, 2, 1)
        for one, other in product(self.SHAPES, repeat=2):
            weight, against = (sum(compress(weights, shape)) for shape in (one, other))
            first = replace(self.clause(one), ruling=Ruling.MAINTAIN, position=2)
            second = replace(self.clause(other), position=1)
            expected = "maintained" if weight > against else "cancelled"
            assert outcome(case, first, second) == expected, (one, other)

    @pytest.mark.parametrize(
        ("wider", "narrower"),
        [("services", "days"), ("days", "sites"), ("sites", "units"), ("units", "groups")],
    )
    def test_one_narrower_word_stands_above_all_wider_ones(self, wider, narrower):
        order = ["groups", "units", "sites", "days", "services"]
        alone = tuple(name == narrower for name in order)
        all_wider = tuple(order.index(name) > order.index(narrower) for name in order)
        assert all_wider[order.index(wider)]
        assert specificity(self.clause(alone)) > specificity(self.clause(all_wider))


class TestSelects:
    @pytest.mark.parametrize(
        ("asked", "has", "is_selected"),
        [
            ((), (), True),
            ((), ("oncology",), True),
            (("oncology",), (), False),
            (("oncology",), ("oncology", "diabetes"), True),
            (("oncology", "pregnancy"), ("oncology",), True),
            (("oncology", "pregnancy"), ("diabetes",), False),
        ],
    )
    def test_one_shared_group_is_enough(self, asked, has, is_selected):
        clause = the_clause(ruling=Ruling.CANCEL, groups=frozenset(asked))
        assert clause.selects(a("consultation", "arlon", *has)) is is_selected


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
        ClauseTerms,
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


def keeping(clause: ClauseTerms | None, keeper: Keeper, now: str = "2022-05-15 12:00"):
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


STARTS, BEFORE, AFTER = (at(f"2022-05-16 {hour}") for hour in ("09:10", "08:00", "10:00"))
DEADLINES = (None, BEFORE, STARTS, AFTER)
ASKERS = (
    Keeper(),
    DOCTOR,
    Keeper(frozenset({8})),
    DIRECTOR,
    Keeper(frozenset({7}), is_medical_director=True),
)
MOMENTS = (
    at("2022-05-16 07:59"),
    BEFORE,
    at("2022-05-16 08:01"),
    STARTS,
    at("2022-05-16 09:11"),
    at("2022-05-16 10:01"),
)


def kept_by_the_table(
    verdict: Verdict | None, service: str, keeper: Keeper, now: dt.datetime, is_sent_back: bool
) -> str:
    """Say why patient 7's appointment at 09:10 may not be kept; nothing if it may."""
    if verdict is None and not is_sent_back:
        return NOTHING_TO_KEEP
    if verdict and verdict.outcome == Outcome.MAINTAINED:
        return ALREADY_MAINTAINED
    whom = verdict.clause.kept_by if verdict else "doctor"
    if service == "surgery":
        whom = "medical_director"
    refusal = {
        "nobody": NOBODY_MAY,
        "doctor": "" if 7 in keeper.practitioner_ids else ONLY_THE_DOCTOR,
        "medical_director": "" if keeper.is_medical_director else ONLY_THE_DIRECTOR,
    }[whom]
    deadline = verdict.clause.keep_until if verdict else None
    is_late = now > STARTS or (deadline is not None and now > deadline)
    return refusal or (TOO_LATE if is_late else "")


@pytest.mark.parametrize("service", ["consultation", "surgery"])
@pytest.mark.parametrize("kept_by", list(KeptBy))
@pytest.mark.parametrize("ruled", [None, *Outcome])
def test_every_shape_is_kept_as_the_table_says(ruled, kept_by, service):
    """Nothing is kept once it began, whatever deadline the clause gives."""
    shapes = product(DEADLINES, ASKERS, MOMENTS, (False, True))
    for keep_until, keeper, now, is_sent_back in shapes:
        clause = ClauseTerms(Ruling.CANCEL, position=1, kept_by=kept_by, keep_until=keep_until)
        verdict = Verdict(ruled, clause) if ruled else None
        answer = may_keep(
            verdict=verdict,
            service=service,
            practitioner_id=7,
            starts_at=STARTS,
            keeper=keeper,
            now=now,
            is_sent_back=is_sent_back,
        )
        shape = (verdict, service, keeper, now, is_sent_back)
        assert answer.why == kept_by_the_table(*shape), shape
        assert answer.allowed == (answer.why == "")
        if answer.allowed:
            deadline = keep_until if verdict and keep_until else STARTS
            assert answer.until == min(deadline, STARTS)


@pytest.mark.parametrize("keep_until", DEADLINES)
@pytest.mark.parametrize("kept_by", list(KeptBy))
@pytest.mark.parametrize("ruled", list(Outcome))
def test_every_answer_about_a_ruling_says_until_when_it_holds(ruled, kept_by, keep_until):
    """A refusal too: pages show the deadline to those who may not keep."""
    verdict = Verdict(
        ruled, the_clause(ruling=Ruling.CANCEL, kept_by=kept_by, keep_until=keep_until)
    )
    for service, keeper, now in product(("consultation", "surgery"), ASKERS, MOMENTS):
        answer = may_keep(
            verdict=verdict,
            service=service,
            practitioner_id=7,
            starts_at=STARTS,
            keeper=keeper,
            now=now,
        )
        assert answer.until == (BEFORE if keep_until == BEFORE else STARTS)


def test_where_nothing_is_ruled_there_is_no_deadline_unless_it_was_sent_back():
    asked = {"verdict": None, "service": "consultation", "practitioner_id": 7, "now": BEFORE}
    for is_sent_back, until in ((False, None), (True, STARTS)):
        answer = may_keep(**asked, starts_at=STARTS, keeper=DOCTOR, is_sent_back=is_sent_back)
        assert (answer.allowed, answer.until) == (is_sent_back, until)


class TestMayUndo:
    @pytest.mark.parametrize("why", [NOTHING_TO_KEEP, ALREADY_MAINTAINED, NOBODY_MAY])
    def test_where_it_is_left_to_nobody_whoever_decided_may(self, why):
        for is_theirs, now, expected in (
            (True, BEFORE, ""),
            (True, AFTER, TOO_LATE),
            (False, BEFORE, why),
        ):
            answer = may_undo(
                may_decide=KeepAnswer(False, why), is_theirs=is_theirs, starts_at=STARTS, now=now
            )
            assert (answer.allowed, answer.why) == (expected == "", expected)

    @pytest.mark.parametrize("why", [NOTHING_TO_KEEP, ALREADY_MAINTAINED, NOBODY_MAY])
    def test_whoever_decided_may_until_the_appointment_starts(self, why):
        for now, allowed in ((BEFORE, True), (STARTS, True), (AFTER, False)):
            answer = may_undo(
                may_decide=KeepAnswer(False, why), is_theirs=True, starts_at=STARTS, now=now
            )
            assert (answer.allowed, answer.until) == (allowed, STARTS)

    @pytest.mark.parametrize("why", [ONLY_THE_DOCTOR, ONLY_THE_DIRECTOR, TOO_LATE])
    def test_where_it_is_left_to_somebody_they_answer_for_it(self, why):
        refused = KeepAnswer(False, why)
        answer = may_undo(may_decide=refused, is_theirs=True, starts_at=STARTS, now=BEFORE)
        assert answer == refused

    def test_whoever_may_decide_may_take_it_back(self):
        allowed = KeepAnswer(True, "", STARTS)
        answer = may_undo(may_decide=allowed, is_theirs=False, starts_at=STARTS, now=BEFORE)
        assert answer == allowed


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
