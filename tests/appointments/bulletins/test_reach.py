"""What a cell is said to touch is what it rules."""

from hypothesis import given
from hypothesis import strategies as st

from appointments.bulletins.grid import EVERY, Grid, GridRow, Layer, may_stand_in_cell, to_clauses
from appointments.bulletins.reach import NOTHING, attribute, sources_of
from appointments.rules import ClauseTerms, Facts, decide, numbered
from appointments.vocabulary import Ruling
from tests.appointments.bulletins.test_grid import DAYS, EVERYBODY, SERVICES, SITES, clauses
from tests.builders import MONDAY


def rows(service: str) -> st.SearchStrategy[GridRow]:
    offered = [ruling for ruling in Ruling if may_stand_in_cell(service, ruling)]
    places = st.sampled_from((EVERY, *SITES))
    rulings = st.dictionaries(places, st.sampled_from(offered), max_size=2)
    return rulings.map(lambda said: GridRow(service, rulings=said))


few_rows = st.tuples(*map(rows, (EVERY, *SERVICES)))
grids = st.builds(
    Grid,
    rows=few_rows,
    refinements=st.lists(clauses, max_size=2).map(tuple),
    layers=st.lists(st.builds(Layer, st.just(DAYS[0]), few_rows), max_size=1).map(tuple),
)
crowds = st.lists(st.tuples(st.sampled_from(EVERYBODY), st.integers(1, 500)), max_size=60)


@given(grids)
def test_each_part_orders_what_the_saved_grid_orders(grid: Grid) -> None:
    parts = [clause for _source, clause in sources_of(grid)]
    saved = numbered(to_clauses(grid))
    for facts in EVERYBODY:
        ruled, expected = decide(facts, parts), decide(facts, saved)
        assert (ruled and ruled.outcome) == (expected and expected.outcome)


@given(grids, crowds)
def test_everybody_is_counted_once_and_where_decide_says(
    grid: Grid, crowd: list[tuple[Facts, int]]
) -> None:
    parts = [clause for _source, clause in sources_of(grid)]
    ruled = attribute(crowd, parts)
    assert ruled.total() == sum(number for _facts, number in crowd)
    for clause in parts:
        verdicts = ((decide(facts, parts), number) for facts, number in crowd)
        assert ruled[clause.position] == sum(
            number for verdict, number in verdicts if verdict and verdict.clause is clause
        )


def test_a_narrower_cell_takes_its_people_from_the_wider_one() -> None:
    grid = Grid(
        (GridRow("consultation", rulings={EVERY: "cancel", "arlon": "maintain"}),),
        (ClauseTerms("maintain", "nobody", groups=("cast",)),),
    )
    crowd = [
        (Facts("consultation", "arlon", "u", MONDAY), 5),
        (Facts("consultation", "virton", "u", MONDAY), 7),
        (Facts("consultation", "virton", "u", MONDAY, frozenset({"cast"})), 2),
        (Facts("surgery", "virton", "u", MONDAY), 11),
    ]
    sources = sources_of(grid)
    ruled = attribute(crowd, [clause for _source, clause in sources])
    assert {source: ruled[clause.position] for source, clause in sources} == {
        (None, ("consultation", EVERY)): 7,
        (None, ("consultation", "arlon")): 5,
        0: 2,
    }
    assert ruled[NOTHING] == 11
