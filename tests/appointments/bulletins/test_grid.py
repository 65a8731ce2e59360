"""The grid says what the clauses say, and back."""

import datetime as dt
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from appointments.bulletins.grid import (
    EVERY,
    ROWS,
    Grid,
    GridRow,
    RowSettings,
    may_stand_in_cell,
    settings_to_start,
    to_clauses,
    to_grid,
    unreachable,
)
from appointments.rules import ClauseTerms, Facts, Verdict, decide, numbered
from appointments.vocabulary import KeptBy, ProtectedGroup, Ruling, Service, Tell
from notifications.vocabulary import Channel
from tests.builders import MONDAY, at

SITES = ("arlon", "bastogne", "virton")
UNITS = ("arlon-cardio", "virton-bloc")
DAYS = (MONDAY, MONDAY + dt.timedelta(days=1))
UNTIL = at("2022-05-15 18:00")
# Few words, so that clauses meet in the same cells.
SERVICES = (Service.CONSULTATION, Service.SURGERY, Service.EMERGENCY)
GROUPS = (ProtectedGroup.CAST, ProtectedGroup.DIABETES)


def some(words: tuple) -> st.SearchStrategy[tuple]:
    return st.lists(st.sampled_from(words), max_size=2, unique=True).map(tuple)


settings = st.builds(
    RowSettings,
    tell=st.sampled_from([Tell.CANCELLED, Tell.BOTH]),
    channel=st.sampled_from(list(Channel)),
    kept_by=st.sampled_from([KeptBy.NOBODY, KeptBy.DOCTOR]),
    keep_until=st.sampled_from([None, UNTIL]),
)
rarely = st.one_of(st.just(()), st.just(()), st.just(()))
clauses = st.builds(
    lambda said, **selected: ClauseTerms(**vars(said), **selected),
    said=settings,
    ruling=st.sampled_from(list(Ruling)),
    services=some(SERVICES),
    sites=some((*SITES, "fermé")),
    units=rarely | some(UNITS),
    days=rarely | some(DAYS),
    groups=rarely | some(GROUPS),
)
# Clauses that a grid might show: here the order of what meets in one cell matters.
plain_clauses = st.builds(
    lambda said, **selected: ClauseTerms(**vars(said), **selected),
    said=st.sampled_from([RowSettings(), RowSettings(tell=Tell.BOTH)]),
    ruling=st.sampled_from(list(Ruling)),
    services=st.just((Service.CONSULTATION,)),
    sites=st.lists(st.sampled_from(SITES[:2]), min_size=1, max_size=2, unique=True).map(tuple),
)
EVERYBODY = [
    Facts(service, site, unit, day, frozenset(groups))
    for service, site, unit, day, groups in product(
        (*SERVICES, Service.DIALYSIS),
        (*SITES, "fermé"),
        (*UNITS, "autre"),
        DAYS,
        ((), GROUPS[:1], GROUPS),
    )
]


@st.composite
def rows(draw: st.DrawFn, service: str) -> GridRow:
    offered = [ruling for ruling in Ruling if may_stand_in_cell(service, ruling)]
    rulings = draw(st.dictionaries(st.sampled_from((EVERY, *SITES)), st.sampled_from(offered)))
    return GridRow(service, draw(settings) if rulings else settings_to_start(service), rulings)


grids = st.tuples(*map(rows, ROWS)).map(Grid)


def ordered(drafts: tuple[ClauseTerms, ...]) -> list[tuple | None]:
    """Return all that the clauses order, for everybody they could meet."""
    clauses = numbered(drafts)
    return [_order(decide(facts, clauses)) for facts in EVERYBODY]


def _order(verdict: Verdict | None) -> tuple | None:
    if verdict is None:
        return None
    clause = verdict.clause
    return verdict.outcome, clause.tell, clause.channel, clause.kept_by, clause.keep_until


@given(st.lists(clauses, max_size=6) | st.lists(plain_clauses, max_size=5))
def test_clauses_rule_the_same_after_a_turn_through_the_grid(drafts: list[ClauseTerms]) -> None:
    assert ordered(to_clauses(to_grid(drafts, SITES))) == ordered(tuple(drafts))


def test_a_clause_does_not_overtake_one_that_stayed_a_refinement() -> None:
    drafts = (
        ClauseTerms("cancel", "cancelled", services=("surgery",), sites=("arlon",)),
        ClauseTerms("maintain", "cancelled", services=("surgery",), sites=("arlon", "virton")),
        ClauseTerms("cancel", "cancelled", services=("surgery",), sites=("virton",)),
    )

    assert to_clauses(to_grid(drafts, SITES)) == drafts


@given(st.lists(clauses, max_size=8))
def test_a_second_turn_through_the_grid_changes_nothing(drafts: list[ClauseTerms]) -> None:
    once = to_clauses(to_grid(drafts, SITES))

    assert to_clauses(to_grid(once, SITES)) == once


@given(grids)
def test_a_grid_is_the_same_after_a_turn_through_clauses(grid: Grid) -> None:
    assert to_grid(to_clauses(grid), SITES) == grid


def test_operations_start_with_the_director_and_every_patient_told_by_phone() -> None:
    assert settings_to_start(Service.SURGERY) == RowSettings(
        Tell.BOTH, Channel.PHONE, KeptBy.MEDICAL_DIRECTOR
    )
    others = [settings_to_start(service) for service in ROWS if service != Service.SURGERY]
    assert set(others) == {RowSettings()}


def test_services_that_say_the_same_share_a_clause() -> None:
    cancelled = {EVERY: Ruling.CANCEL}
    grid = Grid(
        (
            GridRow(Service.RADIOLOGY, RowSettings(), cancelled),
            GridRow("covid_centre", rulings=cancelled),
        )
    )

    assert to_clauses(grid) == (
        ClauseTerms("cancel", "cancelled", services=("radiology", "covid_centre")),
    )


def test_a_row_of_all_services_stays_apart_from_the_row_of_one() -> None:
    cancelled = {EVERY: Ruling.CANCEL}
    grid = Grid((GridRow(EVERY, rulings=cancelled), GridRow(Service.DIALYSIS, rulings=cancelled)))

    assert [clause.services for clause in to_clauses(grid)] == [(), ("dialysis",)]


def test_what_a_cell_cannot_say_stays_a_refinement() -> None:
    drafts = (
        ClauseTerms("maintain", "nobody", groups=("pregnancy",)),
        ClauseTerms("cancel", "cancelled", services=("emergency",)),
        ClauseTerms("cancel", "cancelled", services=("consultation",)),
        ClauseTerms("maintain", "cancelled", services=("consultation",)),  # the cell is taken
        ClauseTerms("maintain", "both", services=("consultation",), sites=("arlon",)),
        ClauseTerms("maintain", "cancelled", services=("surgery",), sites=("namur",)),
    )

    grid = to_grid(drafts, SITES)

    assert grid.refinements == (*drafts[:2], *drafts[3:])
    assert grid.rows[ROWS.index("consultation")].rulings == {EVERY: "cancel"}


def test_a_clause_that_an_earlier_one_covers_never_rules() -> None:
    drafts = [
        ClauseTerms("cancel", "cancelled", services=("consultation", "surgery")),
        ClauseTerms("maintain", "nobody", services=("surgery",)),
        ClauseTerms("maintain", "nobody", services=("surgery",), sites=("arlon",)),
        ClauseTerms("maintain", "nobody", services=("surgery", "dialysis")),
    ]

    assert unreachable(drafts) == [1]


@given(st.lists(clauses, max_size=6))
def test_leaving_out_what_never_rules_changes_nothing(drafts: list[ClauseTerms]) -> None:
    idle = unreachable(drafts)
    others = tuple(draft for index, draft in enumerate(drafts) if index not in idle)

    assert ordered(others) == ordered(tuple(drafts))
