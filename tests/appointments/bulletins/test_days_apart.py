"""A day apart rules as it is read off the screen, whatever stands above what in clauses."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.bulletins.grid import (
    EVERY,
    MOST_LAYERS,
    ROWS,
    Grid,
    GridRow,
    Layer,
    folded,
    read_off,
    rows_to_start,
    to_clauses,
    to_grid,
    to_name,
)
from appointments.rules import ClauseTerms, Facts, Verdict, decide, numbered
from appointments.vocabulary import Outcome, Service
from notifications.vocabulary import Channel
from tests.appointments.bulletins.test_grid import (
    DAYS,
    EVERYBODY,
    GROUPS,
    SERVICES,
    SITES,
    UNITS,
    ordered,
    settings,
)
from tests.appointments.bulletins.test_grid import rows as rows_of
from tests.builders import MONDAY

SATURDAY = MONDAY + dt.timedelta(days=5)
OUTCOMES = {
    "cancel": Outcome.CANCELLED,
    "maintain": Outcome.MAINTAINED,
    "case_by_case": Outcome.UNDER_REVIEW,
}


@st.composite
def layered(draw: st.DrawFn) -> Grid:
    """Return a grid of few services with up to two days apart, each of which says something."""
    window = draw(st.tuples(*map(rows_of, (EVERY, *SERVICES))))
    layers = []
    for day in draw(st.lists(st.sampled_from(DAYS), unique=True)):
        filled = draw(st.tuples(*map(rows_of, (EVERY, *SERVICES))))
        rows = [
            row if row.rulings else same
            for row, same in zip(filled, rows_to_start(window), strict=True)
        ]
        if any(row.rulings for row in rows):
            layers.append(Layer(day, tuple(rows)))
    return Grid(window, layers=tuple(sorted(layers, key=lambda layer: layer.day)))


def whole(grid: Grid) -> Grid:
    """Return the grid with all its rows, as it comes out of clauses."""
    more = tuple(to_grid((), SITES).rows[ROWS.index(name)] for name in ROWS if name not in _few)
    return replace(
        grid,
        rows=_in_order(grid.rows + more),
        layers=tuple(
            replace(layer, rows=_in_order(layer.rows + rows_to_start(more)))
            for layer in grid.layers
        ),
    )


_few = (EVERY, *SERVICES)


def _in_order(rows: tuple[GridRow, ...]) -> tuple[GridRow, ...]:
    return tuple(sorted(rows, key=lambda row: ROWS.index(row.service)))


def as_read(grid: Grid, facts: Facts) -> tuple | None:
    """Return what somebody reads who looks at the day first, then at the whole window."""
    of_day = {layer.day: layer.rows for layer in grid.layers}.get(facts.day, ())
    for rows in (of_day, grid.rows):
        for site in (facts.site, EVERY):
            for service in (facts.service, EVERY):
                for row in rows:
                    if row.service == service and site in row.rulings:
                        return _read(row, row.rulings[site], facts)
    return None


def _read(row: GridRow, ruling: str, facts: Facts) -> tuple:
    is_emergency = facts.service == Service.EMERGENCY
    outcome = Outcome.MAINTAINED if is_emergency else OUTCOMES[ruling]
    said = row.settings
    return outcome, said.tell, said.channel, said.kept_by, said.keep_until


@given(layered())
def test_what_a_person_reads_off_the_layers_is_what_the_clauses_order(grid: Grid) -> None:
    assert ordered(to_clauses(grid)) == [as_read(grid, facts) for facts in EVERYBODY]


plain_refinements = st.builds(
    ClauseTerms,
    ruling=st.sampled_from(["cancel", "maintain"]),
    tell=st.just("nobody"),
    services=st.sampled_from([(), SERVICES[:1], SERVICES]),
    sites=st.sampled_from([SITES[:1], SITES]),
)


@given(layered(), plain_refinements)
def test_a_refinement_of_a_site_stays_below_a_day_that_speaks_of_it(
    grid: Grid, refinement: ClauseTerms
) -> None:
    of_days = replace(grid, rows=rows_to_start(grid.rows))
    expected = [as_read(of_days, facts) for facts in EVERYBODY]

    found = ordered(to_clauses(replace(grid, refinements=(refinement,))))

    read = [pair for pair in zip(expected, found, strict=True) if pair[0] is not None]
    assert [one for one, _other in read] == [other for _one, other in read]


@given(layered())
def test_the_cell_that_the_screen_names_is_the_one_that_rules(grid: Grid) -> None:
    for facts in EVERYBODY:
        row = read_off(grid, facts.service, facts.site, facts.day)
        read = row and _read(row, *row.rulings.values(), facts)
        assert read == as_read(grid, facts)


@given(layered())
def test_layers_are_the_same_after_a_turn_through_clauses(grid: Grid) -> None:
    assert to_grid(to_clauses(grid), SITES) == whole(folded(grid))


@given(layered())
def test_folding_changes_no_clause(grid: Grid) -> None:
    assert ordered(to_clauses(folded(grid))) == ordered(to_clauses(grid))


# Clauses that speak of days and sites, with few words, so that they meet and outrank each other.
of_days = st.builds(
    lambda said, **selected: ClauseTerms(**vars(said), **selected),
    said=settings,
    ruling=st.sampled_from(["cancel", "maintain"]),
    services=st.sampled_from([(), (Service.CONSULTATION,), SERVICES[:2]]),
    sites=st.sampled_from([(), SITES[:1], SITES, ("fermé",)]),
    units=st.sampled_from([(), (), (), UNITS[:1]]),
    days=st.sampled_from([(), DAYS[:1], DAYS]),
    groups=st.sampled_from([(), (), (), GROUPS[:1]]),
)
same_settings = of_days.map(
    lambda clause: replace(
        clause, tell="both", channel=Channel.SMS, kept_by="nobody", keep_until=None
    )
)


@given(st.lists(of_days, max_size=5) | st.lists(same_settings, max_size=6))
def test_clauses_of_days_rule_the_same_after_a_turn_through_layers(
    drafts: list[ClauseTerms],
) -> None:
    once = to_clauses(to_grid(drafts, SITES))
    assert ordered(once) == ordered(tuple(drafts))
    assert to_clauses(to_grid(once, SITES)) == once


def consultations(window: dict, **by_day: dict) -> Grid:
    """Return a grid whose row of consultations says this, on Saturday ``saturday``."""
    layers = tuple(
        Layer(SATURDAY, (GridRow(EVERY), GridRow(Service.CONSULTATION, rulings=rulings)))
        for rulings in by_day.values()
    )
    return Grid((GridRow(EVERY), GridRow(Service.CONSULTATION, rulings=window)), layers=layers)


def test_all_sites_of_a_day_name_only_the_sites_that_the_window_speaks_of() -> None:
    grid = consultations({EVERY: "cancel", "arlon": "maintain"}, saturday={EVERY: "case_by_case"})

    said = [(clause.ruling, clause.sites, clause.days) for clause in to_clauses(grid)]

    assert said == [
        ("cancel", (), ()),
        ("maintain", ("arlon",), ()),
        ("case_by_case", (), (SATURDAY,)),
        ("case_by_case", ("arlon",), (SATURDAY,)),
    ]


def test_a_refinement_of_the_day_narrows_its_cell_of_all_sites() -> None:
    arlon = ClauseTerms(
        "maintain", "both", services=("consultation",), sites=("arlon",), days=(SATURDAY,)
    )
    grid = consultations({"arlon": "maintain", "virton": "maintain"}, saturday={EVERY: "cancel"})

    said = to_clauses(replace(grid, refinements=(arlon,)))

    assert said[-1] == arlon
    assert said[-2].sites == ("virton",)


def test_the_site_that_had_to_be_named_does_not_come_back_as_a_cell() -> None:
    grid = consultations({"arlon": "maintain"}, saturday={EVERY: "cancel"})

    (layer,) = to_grid(to_clauses(grid), SITES).layers

    assert layer.rows[ROWS.index(Service.CONSULTATION)].rulings == {EVERY: "cancel"}


def test_a_day_that_says_the_same_as_its_window_is_still_a_layer() -> None:
    grid = consultations({EVERY: "cancel"}, saturday={EVERY: "cancel", "arlon": "cancel"})

    (layer,) = to_grid(to_clauses(grid), SITES).layers

    assert layer.rows[ROWS.index(Service.CONSULTATION)].rulings == {
        EVERY: "cancel",
        "arlon": "cancel",
    }


def test_days_that_say_the_same_share_their_clauses() -> None:
    rows = (
        GridRow(EVERY),
        GridRow(Service.CONSULTATION, rulings={EVERY: "cancel", "arlon": "maintain"}),
    )
    grid = Grid(rows_to_start(rows), layers=tuple(Layer(day, rows) for day in DAYS))

    assert [(clause.ruling, clause.days) for clause in to_clauses(grid)] == [
        ("cancel", DAYS),
        ("maintain", DAYS),
    ]


def test_a_day_that_a_site_outranks_stays_a_refinement() -> None:
    drafts = (
        ClauseTerms("maintain", "nobody", sites=("arlon",)),
        ClauseTerms("cancel", "cancelled", services=("surgery",), days=(SATURDAY,)),
        ClauseTerms("cancel", "cancelled", sites=("virton",), days=(SATURDAY,)),
    )

    grid = to_grid(drafts, SITES)

    assert grid.refinements == (drafts[1],)
    assert [layer.day for layer in grid.layers] == [SATURDAY]
    assert grid.layers[0].rows[0].rulings == {"virton": "cancel"}


def test_more_days_than_somebody_can_oversee_stay_refinements() -> None:
    days = tuple(MONDAY + dt.timedelta(days=number) for number in range(MOST_LAYERS + 2))
    drafts = (
        *(ClauseTerms("cancel", "cancelled", days=(day,)) for day in days[:-1]),
        ClauseTerms("maintain", "nobody", services=("surgery",), days=days[:2]),
        ClauseTerms("maintain", "nobody", services=("surgery",), days=days[-2:]),
    )

    grid = to_grid(drafts, SITES)

    assert [layer.day for layer in grid.layers] == list(days[:MOST_LAYERS])
    assert grid.refinements == (drafts[MOST_LAYERS], drafts[-1])


def test_a_row_of_a_day_starts_with_the_settings_of_the_window() -> None:
    drafts = (
        ClauseTerms("cancel", "both", "phone", services=("radiology",)),
        ClauseTerms("maintain", "nobody", services=("dialysis",), days=(SATURDAY,)),
    )

    grid = to_grid(drafts, SITES)

    place = ROWS.index("radiology")
    assert grid.layers[0].rows[place].settings == grid.rows[place].settings
    assert grid.rows[place].settings.channel == "phone"


@pytest.mark.parametrize("site", ["arlon", "virton", "ouvert depuis"])
def test_a_site_that_came_after_the_bulletin_follows_the_day_too(site: str) -> None:
    grid = consultations({EVERY: "cancel", "arlon": "cancel"}, saturday={EVERY: "maintain"})

    verdict = verdict_of(grid, site)

    assert verdict
    assert verdict.outcome == Outcome.MAINTAINED
    assert to_name(grid.layers[0], grid) == {"consultation": frozenset({"arlon"})}


def verdict_of(grid: Grid, site: str) -> Verdict | None:
    """Return what the grid orders for a consultation on Saturday."""
    clauses = numbered(to_clauses(grid))
    return decide(Facts("consultation", site, "unité", SATURDAY), clauses)
