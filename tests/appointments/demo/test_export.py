"""The exported file is read back as the very records it was made from."""

from dataclasses import replace

import pytest

from appointments.demo.hospital import build
from appointments.demo.loading import BAD_ROWS, write_csv
from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.records import RowFault, ScheduleRecord
from patients import phones


@pytest.fixture(scope="module")
def hospital():
    """Give a hospital of which three thousand appointments are exported."""
    whole = build()
    return replace(whole, records=whole.records[:3000])


def read_back(path) -> tuple[list[ScheduleRecord], list[RowFault]]:
    entries = list(open_schedule(path).entries())
    records = [entry for entry in entries if isinstance(entry, ScheduleRecord)]
    return records, [entry for entry in entries if isinstance(entry, RowFault)]


def comparable(record: ScheduleRecord) -> ScheduleRecord:
    """Leave out what a file cannot say, or says with other signs."""
    numbers = tuple(phones.read(phone).number for phone in record.phones)
    return replace(record, line=0, national_number="", phones=numbers)


def test_a_file_says_what_the_records_say(hospital, tmp_path):
    path = tmp_path / "agenda.csv"
    write_csv(hospital, path, with_bad_rows=False)
    records, faults = read_back(path)
    for read, made in zip(records, hospital.records, strict=True):
        assert comparable(read) == comparable(made)
    assert {fault.column for fault in faults} <= {"Numéro national"}
    assert all(fault.landed for fault in faults)


def test_the_bad_rows_carry_one_fault_each_and_the_others_land(hospital, tmp_path):
    path = tmp_path / "agenda.csv"
    write_csv(hospital, path)
    records, faults = read_back(path)
    refused = {fault.source_id for fault in faults if not fault.landed}
    # The unknown unit is found when it is looked up in the reference data.
    assert refused == {bad[0] for bad in BAD_ROWS[1:]}
    assert len(records) == len(hospital.records) + 1
