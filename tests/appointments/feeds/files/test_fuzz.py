"""Whatever bytes arrive: a refusal or faults, never a stack trace; what is written is read back."""

import csv
import datetime as dt
import io
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.importing.plan import digest_of
from appointments.feeds.records import RowFault, ScheduleRecord
from staff.clock import BRUSSELS
from staff.errors import Refusal
from tests.appointments.feeds.files.builders import ROW, csv_text, xlsx_file

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)
GOOD = csv_text([ROW, ROW | {"N° RDV": "R2"}]).encode()


def entries_of(content: bytes) -> list[ScheduleRecord | RowFault]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fichier"
        path.write_bytes(content)
        try:
            return list(open_schedule(path).entries())
        except Refusal:
            return []


@cache
def a_workbook() -> bytes:
    """Return one workbook for all examples: its time of making would differ from call to call."""
    with tempfile.TemporaryDirectory() as folder:
        return xlsx_file(Path(folder)).read_bytes()


@quick
@given(st.binary(max_size=2000))
def test_any_bytes_are_refused_or_faulted(content):
    entries_of(content)


@quick
@given(st.integers(0, len(GOOD)), st.binary(min_size=1, max_size=12), st.integers(0, 12))
def test_a_good_file_with_a_piece_replaced_is_read_or_refused(place, piece, cut):
    for entry in entries_of(GOOD[:place] + piece + GOOD[place + cut :]):
        assert isinstance(entry, RowFault) or digest_of(entry)


def test_a_workbook_whose_directory_names_a_part_in_no_text_is_refused():
    content = a_workbook()
    name = content.rindex(b"xl/workbook.xml")
    utf8_flag = content.rindex(b"PK\x01\x02", 0, name) + 9
    broken = bytearray(content)
    broken[utf8_flag] |= 0x08
    broken[name] = 0xD2
    assert entries_of(bytes(broken)) == []


@quick
@given(st.binary(min_size=1, max_size=40), st.integers(0, 10_000))
def test_a_damaged_workbook_is_read_or_refused(piece, place):
    content = bytearray(a_workbook())
    place %= len(content)
    content[place : place + len(piece)] = piece
    entries_of(bytes(content))


cells = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["16/05/2022 09:10", "consultation", "0495123456", "", '"', "1E+99", "²"]),
)


@quick
@given(st.lists(st.lists(cells, min_size=len(ROW), max_size=len(ROW) + 2), max_size=6))
def test_any_cells_below_good_headings_are_records_or_faults(rows):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";")
    writer.writerow([*ROW, "NISS"])
    writer.writerows(rows)
    for entry in entries_of(buffer.getvalue().encode("utf-8", "replace")):
        if isinstance(entry, ScheduleRecord):
            assert entry.source_id
            assert entry.starts_at.tzinfo is not None
        else:
            assert str(entry.why)


names = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzéèêëàâçîïôöùûüÉÀ' -;,\""), min_size=1, max_size=40
).map(lambda text: " ".join(text.split()))
# Midnight is read with a remark that the hour may be unknown.
moments = st.builds(
    dt.datetime.combine,
    st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31)),
    st.times(dt.time(0, 1)).map(lambda time: time.replace(second=0, microsecond=0)),
)
STYLES = (
    "%d/%m/%Y %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%d-%m-%Y %Hh%M",
    "%Y-%m-%d %H:%M",
    "%d.%m.%Y %H.%M",
)


@quick
@given(
    names.filter(bool),
    names.filter(bool),
    moments,
    st.sampled_from(STYLES),
    st.sampled_from(";,\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
)
def test_what_is_written_in_any_style_is_read_back(family, given_name, moment, style, mark, coding):
    aware = moment.replace(tzinfo=BRUSSELS)
    is_plain = aware.utcoffset() == aware.replace(fold=1).utcoffset()
    row = ROW | {"Nom": family, "Prénom": given_name, "Date et heure": moment.strftime(style)}
    (entry,) = entries_of(csv_text([row], delimiter=mark).encode(coding))
    if is_plain:
        assert isinstance(entry, ScheduleRecord)
        assert (entry.family_name, entry.given_name) == (family, given_name)
        assert entry.starts_at == aware
    else:
        assert isinstance(entry, RowFault)
        assert "ce jour-là" in str(entry.why)
