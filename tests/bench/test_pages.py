"""Pages of a hospital with years behind it against those of one that began last Friday.

Two copies of one database: 10,000 appointments around today, the other then grown to
``BENCH_ROWS`` appointments or a few more, as many patients, and decisions, notices, tries,
receipts, notes, printed sheets and a trail to match. A hospital's day has a bounded number of
appointments: the days around today are the very same rows on both sides (``hospital.py``), so
what is measured is what the past and the far future cost. Whoever asks turns from one side to the
other, request by request, so that a busy machine slows both.

A page fails when its 95th percentile on the large side is more than 1.5 times that of the small
one *and* more than ``NOTHING`` seconds above it (a page of a few milliseconds is not judged by
one), twice: what looks slow is measured again with more requests. Below ``JUDGED_FROM`` rows the
pages are only opened.
"""

import gc
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test import Client

from appointments.models import Appointment
from patients.models import Patient
from staff.models import User
from tests.access_matrix import PAGES
from tests.bench import crisis
from tests.bench.copies import Side, two_copies
from tests.bench.visits import Visit, all_visits
from tests.test_access_matrix import BACKEND

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SMALL = 10_000
JUDGED_FROM = 100_000  # fewer rows say nothing about years
MOST, NOTHING = 1.5, 0.005
WARMING = 3
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "40"))
ONLY = os.environ.get("BENCH_PAGES", "")


Browsers = dict[str, tuple[Side, dict[str, Client]]]
"""By the name of a side: the side, and a browser of each person."""


@dataclass
class Times:
    """Seconds of one visit on both sides."""

    visit: Visit
    small: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times longer the large side takes."""
        return p95(self.large) / p95(self.small)

    @property
    def is_slow(self) -> bool:
        """Whether years cost more than they may."""
        return self.ratio > MOST and p95(self.large) - p95(self.small) > NOTHING

    def __str__(self) -> str:
        return (
            f"{p95(self.small) * 1000:7.1f} {p95(self.large) * 1000:8.1f} ms {self.ratio:6.2f}"
            f"  {self.visit}"
        )


def p95(seconds: Sequence[float]) -> float:
    """Return the 95th percentile (nearest rank)."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


@pytest.fixture
def rows(bench_rows: int) -> tuple[int, int]:
    """How many appointments the small side has, and the large one."""
    return min(SMALL, bench_rows // 2), bench_rows


@pytest.fixture
def sides(
    rows: tuple[int, int], transactional_db: None, tmp_path: Path
) -> Iterator[tuple[Side, Side]]:
    """Build the hospital, sign everybody in, copy it, and let one copy grow."""
    small, large = rows
    crisis.at_once(small)
    with two_copies(tmp_path) as (one, other):
        with other:
            crisis.for_years(large - small, per_day=max(1, small * 13 // 100))
            assert Appointment.objects.count() == Patient.objects.count() >= large
        yield one, other


def signed_in(people: set[str]) -> dict[str, Client]:
    """Return a browser of each person."""
    clients = {}
    for user in User.objects.filter(username__in=people):
        clients[user.username] = Client()
        clients[user.username].force_login(user, backend=BACKEND)
    return clients


def seconds_of(client: Client, address: str) -> float:
    """Return how long a page takes."""
    started = time.perf_counter()
    answer = client.get(address)
    spent = time.perf_counter() - started
    assert answer.status_code == 200, f"{address}: {answer.status_code}"
    answer.close()
    return spent


def address_of(visit: Visit, client: Client) -> str:
    """Return where a visit goes: the next page is named by the one before, if there is any."""
    if not visit.turn:
        return visit.address
    cursor = client.get(visit.address).context["page"].next_cursor
    return f"{visit.address}{'&' if visit.query else '?'}cursor={cursor}"


# Why a page is not asked for.
LEFT_OUT = {
    "trail_export": "a file of all that was chosen, which grows with it",
    "operation_new_day": "one day of one theatre, of an operation that is still to be ruled on",
}


def everything() -> list[Visit]:
    """Return the visits: no page is forgotten."""
    pages = {page.name for page in PAGES if page.method == "GET" and page.found == 200}
    visits = all_visits()
    assert {visit.name for visit in visits} == pages - LEFT_OUT.keys()
    return visits


def measure(visit: Visit, sides: Browsers, requests: int) -> Times:
    """Ask both sides in turn, after some requests that warm them."""
    times, addresses = Times(visit), {}
    for name, (side, clients) in sides.items():
        with side:
            addresses[name] = address_of(visit, clients[visit.who])
            for _ in range(WARMING):
                seconds_of(clients[visit.who], addresses[name])
    for _ in range(requests):
        for name, (side, clients) in sides.items():
            gc.collect()  # or one side always pays for the rubbish of the other
            with side:
                getattr(times, name).append(seconds_of(clients[visit.who], addresses[name]))
    return times


def judge(visit: Visit, sides: Browsers) -> Times:
    """Measure a visit, once more when it looks slow, and say it at once: the whole takes long."""
    times = measure(visit, sides, REQUESTS)
    if times.is_slow:
        times = measure(visit, sides, 2 * REQUESTS)
    print(times, "SLOW" if times.is_slow else "", flush=True)
    return times


def browsers(sides: tuple[Side, Side], visits: Sequence[Visit]) -> Browsers:
    """Sign everybody in on both sides."""
    found = {}
    for name, side in zip(("small", "large"), sides, strict=True):
        with side:
            found[name] = (side, signed_in({visit.who for visit in visits}))
    return found


def test_pages_of_years_take_as_long_as_those_of_a_week(
    sides: tuple[Side, Side], rows: tuple[int, int], capsys: pytest.CaptureFixture
) -> None:
    with time_machine.travel(crisis.NOW, tick=False):
        with sides[0]:
            visits = [one for one in everything() if ONLY in str(one)]
        opened = browsers(sides, visits)
        if rows[1] < JUDGED_FROM:
            open_each(visits, opened)
            return
        gc.freeze()
        with capsys.disabled():
            print(
                f"\n{len(visits)} pages on {connection.vendor}, p95 of {REQUESTS} requests at "
                f"{rows[0]:,} and {rows[1]:,} appointments and patients"
            )
            measured = [judge(visit, opened) for visit in visits]
            ratios = sorted(times.ratio for times in measured)
            print(f"median {ratios[len(ratios) // 2]:.2f}, largest {ratios[-1]:.2f}")
    assert [str(times) for times in measured if times.is_slow] == []


def open_each(visits: Sequence[Visit], sides: Browsers) -> None:
    """Ask for each page once on both sides: that it opens is all that few rows can say."""
    for visit in visits:
        for side, clients in sides.values():
            with side:
                seconds_of(clients[visit.who], address_of(visit, clients[visit.who]))
