"""Benchmarks keep their data for the test: they measure large sets, not isolation."""

import os

import pytest

from tests.bench.appointments import fill_days

DAYS = 10


@pytest.fixture(scope="session")
def bench_rows() -> int:
    """How many appointments there are (``BENCH_ROWS``), spread evenly over ten days."""
    return int(os.environ.get("BENCH_ROWS", "1000000"))


@pytest.fixture
def ten_days(transactional_db, bench_rows: int) -> list:
    """Fill ten days with appointments, one per patient, and return the days."""
    return fill_days(per_day=bench_rows // DAYS, days=DAYS)
