"""The counts of a preview as rows and bars."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from appointments.bulletins.preview import (
    BAR_WIDTH,
    OUTCOMES,
    PreviewCount,
    Segment,
    tables_of,
    totals_of,
)
from appointments.vocabulary import Service
from tests.builders import MONDAY

NAMES = {"virton": "Virton", "arlon": "Arlon"}
counts = st.builds(
    PreviewCount,
    day=st.sampled_from([MONDAY, MONDAY + dt.timedelta(days=1)]),
    site=st.sampled_from(list(NAMES)),
    service=st.sampled_from([str(service) for service in Service]),
    outcome=st.sampled_from(OUTCOMES),
    was=st.sampled_from(OUTCOMES),
    appointments=st.integers(min_value=1, max_value=5000),
)


def test_a_service_shows_its_outcomes_by_site_and_a_bar_measured_by_the_largest() -> None:
    (monday,) = tables_of(
        [
            PreviewCount(MONDAY, "arlon", "consultation", "cancelled", "", 30),
            PreviewCount(MONDAY, "arlon", "consultation", "maintained", "maintained", 6),
            PreviewCount(MONDAY, "virton", "consultation", "cancelled", "cancelled", 4),
            PreviewCount(MONDAY, "arlon", "dialysis", "", "", 10),
        ],
        NAMES,
    )

    consultation, dialysis = monday.services
    assert (monday.total, monday.changed) == (50, 30)
    assert consultation.segments == (
        Segment("maintained", "maintenus", 6, 0, 150),
        Segment("cancelled", "annulés", 34, 150, 850),
    )
    assert consultation.sites == (("Virton", (0, 4)), ("Arlon", (6, 30)))
    assert dialysis.segments == (Segment("", "sans décision", 10, 0, 250),)


@given(st.lists(counts, max_size=30))
def test_nobody_is_lost_between_counts_and_tables(listed: list[PreviewCount]) -> None:
    days = tables_of(listed, NAMES)
    segments = [s for day in days for service in day.services for s in service.segments]
    rows = [numbers for day in days for service in day.services for _site, numbers in service.sites]

    everybody = sum(count.appointments for count in listed)
    assert sum(day.total for day in days) == everybody
    assert sum(segment.appointments for segment in segments) == everybody
    assert sum(map(sum, rows)) == everybody
    assert sum(number for _outcome, number in totals_of(listed)) == everybody
    assert all(segment.start + segment.width <= BAR_WIDTH for segment in segments)
