"""The curve: few points, whole totals, inside the drawing."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.telling.pace import HEIGHT, MOST_POINTS, WIDTH, draw, nice_top, step_of
from tests.builders import at

NOW = at("2022-05-15 09:00")
MINUTE = int(NOW.timestamp() // 60)
TWO_DAYS = 2 * 24 * 60


def numbers(points: str) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in points.split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_totals_run_on_by_the_minute() -> None:
    drawn = draw({"sent": {MINUTE - 2: 10, MINUTE - 1: 5}}, now=NOW)
    (line,) = drawn.lines
    assert (drawn.step, line.totals, line.total) == (60, (10, 15), 15)
    assert drawn.moments == (at("2022-05-15 08:59"), NOW)
    assert line.points == "0.0,200.0 300.0,100.0 600.0,50.0"


def test_the_table_begins_with_the_newest() -> None:
    drawn = draw({"sent": {MINUTE - 2: 10, MINUTE - 1: 5}, "called": {}}, now=NOW)
    assert drawn.rows == [(NOW, [15, 0]), (at("2022-05-15 08:59"), [10, 0])]


def test_nothing_at_all_is_an_empty_curve() -> None:
    drawn = draw({"sent": {}}, now=NOW)
    assert drawn.is_empty
    assert drawn.lines[0].totals == (0,)


def test_what_a_clock_that_runs_ahead_wrote_counts_as_now() -> None:
    drawn = draw({"sent": {MINUTE - 1: 1, MINUTE + 3: 1}}, now=NOW)
    assert drawn.lines[0].total == 2


@pytest.mark.parametrize(
    ("hours", "step"), [(0.5, 60), (0.9, 60), (1.1, 300), (4.9, 300), (12, 900), (48, 3600)]
)
def test_the_step_grows_with_the_span(hours: float, step: int) -> None:
    assert step_of(hours * 3600) == step


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 1), (1, 1), (9, 9), (10, 10), (11, 20), (99, 100), (100, 100), (1300, 2000)],
)
def test_the_upper_edge_is_a_round_number(highest: int, top: int) -> None:
    assert nice_top(highest) == top


minutes = st.dictionaries(
    st.integers(MINUTE - TWO_DAYS, MINUTE - 1), st.integers(1, 500), max_size=40
)


@given(sent=minutes, called=minutes, late=st.integers(0, 59))
def test_a_curve_is_whole_short_and_inside_the_drawing(sent, called, late) -> None:
    now = NOW + dt.timedelta(seconds=late)
    drawn = draw({"sent": sent, "called": called}, now=now)
    assert [line.total for line in drawn.lines] == [sum(sent.values()), sum(called.values())]
    assert len(drawn.moments) <= MOST_POINTS
    assert drawn.moments[-1] == now
    assert drawn.started_at <= drawn.moments[0]
    for line in drawn.lines:
        assert list(line.totals) == sorted(line.totals)
        points = numbers(line.points)
        assert points[0] == (0.0, HEIGHT)
        assert points[-1][0] == WIDTH
        assert points == sorted(points, key=lambda point: point[0])
        assert all(0 <= y <= HEIGHT for _x, y in points)
