"""What a file is complete for, and what has therefore disappeared."""

import datetime as dt
from collections import Counter

import pytest

from appointments.feeds.records import (
    Area,
    Coverage,
    Declared,
    area_of,
    proposed_extent,
    span_of,
    speaks_for_all,
    too_many,
)
from appointments.vocabulary import Extent

MONDAY = dt.date(2022, 5, 16)
ARLON, VIRTON = 1, 2
CARDIOLOGY, RADIOLOGY, VIRTON_LAB = 11, 12, 21
SITES = {CARDIOLOGY: ARLON, RADIOLOGY: ARLON, VIRTON_LAB: VIRTON}


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


def a_file(*units: int, days: tuple[int, ...] = (0, 1, 2, 3, 4)) -> Coverage:
    """Return what a file names that has one row for each unit and day."""
    coverage = Coverage()
    for unit in units:
        for number in days:
            name = f"R{unit}-{number}"
            place = {"unit_id": unit, "site_id": SITES[unit]}
            coverage.take(name, str(len(coverage.lines) + 2), day=day(number), **place)
    return coverage


def covered(area: Area | None) -> set[int]:
    """Return the units for which a file is complete on Monday."""
    return {
        unit
        for unit, site in SITES.items()
        if area and area.covers(unit_id=unit, site_id=site, day=MONDAY)
    }


@pytest.mark.parametrize(
    ("extent", "units"),
    [
        (Extent.NOTHING, set()),
        (Extent.UNITS, {CARDIOLOGY}),
        (Extent.SITES, {CARDIOLOGY, RADIOLOGY}),
        (Extent.SOURCE, {CARDIOLOGY, RADIOLOGY, VIRTON_LAB}),
    ],
)
def test_a_file_is_complete_only_for_what_is_declared(extent, units):
    assert covered(area_of(Declared(extent), a_file(CARDIOLOGY))) == units


def test_declared_days_count_before_those_of_the_file():
    area = area_of(Declared(Extent.UNITS, day(1), day(2)), a_file(CARDIOLOGY))
    assert area == Area(day(1), day(2), frozenset({CARDIOLOGY}))


def test_a_file_without_rows_is_complete_for_nothing():
    assert area_of(Declared(Extent.SOURCE), Coverage()) is None


@pytest.mark.parametrize("far_off", [day(365 * 20), day(40), day(-300)])
def test_one_far_off_date_does_not_widen_the_span(far_off):
    rows = Counter({day(number): 30 for number in range(5)}) + Counter({far_off: 1})
    assert span_of(rows) == (day(0), day(4))


def test_a_weekend_without_rows_is_no_gap():
    assert span_of({day(0): 3, day(4): 3, day(7): 3}) == (day(0), day(7))


def test_one_units_list_is_not_proposed_as_the_whole():
    assert proposed_extent(a_file(CARDIOLOGY), planned_units=SITES) is Extent.NOTHING


def test_a_file_that_names_every_planned_unit_of_its_sites_is_proposed_as_complete_for_them():
    assert proposed_extent(a_file(CARDIOLOGY, RADIOLOGY), planned_units=SITES) is Extent.SITES


def test_nothing_is_proposed_for_a_source_of_which_nothing_is_known():
    assert proposed_extent(a_file(CARDIOLOGY), planned_units={}) is Extent.NOTHING
    assert proposed_extent(a_file(CARDIOLOGY), planned_units={VIRTON_LAB: VIRTON}) is Extent.NOTHING


def test_units_are_declared_one_by_one_also_where_the_file_names_nobody():
    one = Declared(Extent.CHOSEN, unit_ids=frozenset({RADIOLOGY}))
    assert covered(area_of(one, a_file(CARDIOLOGY))) == {RADIOLOGY}
    emptied = Declared(Extent.CHOSEN, day(0), day(1), frozenset({RADIOLOGY}))
    assert covered(area_of(emptied, Coverage())) == {RADIOLOGY}
    assert area_of(one, Coverage()) is None  # of which days, nobody says


def test_what_is_named_on_a_refused_row_has_not_disappeared():
    coverage = a_file(CARDIOLOGY)
    coverage.refuse("R90")
    coverage.refuse("", 'R91;D91;Dupont;"Écho" x;prévu')
    assert [coverage.mentions(name) for name in ("R11-0", "R90", "R91", "R9", "D9")] == [
        *(True, True, True),
        *(False, False),
    ]


@pytest.mark.parametrize(
    ("number", "known", "asks"),
    [(5, 10, False), (6, 60, False), (6, 59, True), (6, 6, True), (500, 6000, False)],
)
def test_more_than_five_and_more_than_a_tenth_of_a_site_and_day_asks(number, known, asks):
    place = ("Arlon", MONDAY)
    assert too_many([place] * number, {place: known}) == ({place: (number, known)} if asks else {})


def test_another_site_or_day_does_not_hide_what_disappeared_here():
    here, elsewhere = ("Arlon", MONDAY), ("Virton", MONDAY)
    asked = too_many([here] * 8, {here: 20, elsewhere: 5000})
    assert asked == {here: (8, 20)}


def test_a_file_speaks_for_all_that_is_planned_where_it_names_it_or_is_complete():
    coverage = a_file(CARDIOLOGY)
    named = ("R11-0", CARDIOLOGY, ARLON, day(0))
    gone = ("R99", CARDIOLOGY, ARLON, day(0))
    elsewhere = ("R98", VIRTON_LAB, VIRTON, day(0))
    area = area_of(Declared(Extent.SITES), coverage)
    assert speaks_for_all([named], coverage, None)
    assert speaks_for_all([named, gone], coverage, area)
    assert not speaks_for_all([named, gone], coverage, None)
    assert not speaks_for_all([named, elsewhere], coverage, area)
