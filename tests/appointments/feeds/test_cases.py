"""Schedule files as hospitals export them, each with exactly what it gives.

The files hold invented people, and what users of agendas report of their exports.
"""

import datetime as dt
from pathlib import Path

import pytest

from appointments.feeds.records import RowFault, ScheduleRecord
from tests.appointments.feeds.files import read
from tests.builders import at

CASES = Path(__file__).parent / "cases"


def of(name: str) -> tuple[dict[str, ScheduleRecord], list[RowFault]]:
    """Return the records of a case by their number, and the faults."""
    records, faults = read(CASES / name)
    return {record.source_id: record for record in records}, faults


def on(hour: str) -> dt.datetime:
    return at(f"2022-05-16 {hour}")


RANGES = {
    "T00": ("09:10", 20),
    "T01": ("14:00", 30),
    "T02": ("09:10", 20),
    "T03": ("09:10", 20),
    "T04": ("09:10", 20),
    "T06": ("00:00", 20),
    "T07": ("09:10", 20),
    "T08": ("09:10", 20),
    "T09": ("09:10", 20),
    "T10": ("09:00", 20),
    "T11": ("09:10", 20),
    "T12": ("14:30", 20),
    "T13": ("09:10", 20),
    "T17": ("16:00", 30),
}


def test_time_ranges_give_start_and_length():
    records, faults = of("time_range.csv")
    found = {number: (record.starts_at, record.minutes) for number, record in records.items()}
    assert found == {number: (on(hour), length) for number, (hour, length) in RANGES.items()}
    assert {(fault.source_id, fault.value.split(" ", 1)[1]) for fault in faults} == {
        ("T05", "24:00"),
        ("T14", "9:5"),
        ("T15", "09:10 (confirmé)"),
        ("T16", "vers 9h"),
    }
    assert not any(fault.landed for fault in faults)


def test_every_appointment_of_the_monday_stays_on_the_monday():
    records, faults = of("range_bulletin.csv")
    assert not faults
    hours = ["09:10", "14:00", "10:00", "07:00", "13:30", "14:45", "15:00"]
    assert [record.starts_at for record in records.values()] == [on(hour) for hour in hours]


@pytest.mark.parametrize("name", ["jour.csv", "debut_fin.csv"])
def test_weekday_start_and_end_stand_beside_the_date(name):
    records, faults = of(name)
    assert not faults
    assert (records["R1"].starts_at, records["R1"].minutes) == (on("09:10"), 20)
