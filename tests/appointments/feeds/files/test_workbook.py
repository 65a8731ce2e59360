"""Workbooks: every sheet is read or named, and what would fill the machine is refused alive."""

import json
import multiprocessing
import struct
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest

from appointments.feeds.files import workbook_child
from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.files.workbook import limits_for
from staff.errors import Refusal
from tests.appointments.feeds.files.builders import ROW, read, xlsx_file

CASES = Path(__file__).parent / "cases"
MEGABYTE = 1 << 20


def workbook(folder: Path, **sheets: list[dict]) -> Path:
    """Write a workbook; each sheet is a list of rows, the headings are those of the first."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for cells in [list(row) for row in rows[:1]] + [list(row.values()) for row in rows]:
            sheet.append(cells)
    path = folder / "agenda.xlsx"
    book.save(path)
    return path


def hide(path: Path, name: str, state: str = "hidden") -> None:
    book = openpyxl.load_workbook(path)
    book[name].sheet_state = state
    book.save(path)


def sheets_of(path: Path) -> dict[str, int | str]:
    """Return the rows read of each sheet, or why it was left out."""
    file = open_schedule(path)
    list(file.entries())
    return {sheet.name: sheet.left_out or sheet.rows for sheet in file.sheets}


def rows(*numbers: str) -> list[dict]:
    return [ROW | {"N° RDV": number} for number in numbers]


def test_every_visible_sheet_is_read_and_counted():
    records, faults = read(CASES / "multisheet.xlsx")
    assert not faults
    assert [(record.sheet, record.line) for record in records] == [
        (day, line) for day in ("Lundi", "Mardi", "Mercredi") for line in (2, 3, 4)
    ]
    assert sheets_of(CASES / "multisheet.xlsx") == {"Lundi": 3, "Mardi": 3, "Mercredi": 3}


def test_a_hidden_sheet_is_named_as_left_out():
    records, _faults = read(CASES / "hidden_first.xlsx")
    assert [record.source_id for record in records] == ["R1"]
    found = sheets_of(CASES / "hidden_first.xlsx")
    assert found["Agenda"] == 1
    assert "masquée" in str(found["Listes"])


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_left_out_although_its_headings_fit(tmp_path, state):
    path = workbook(tmp_path, Lundi=rows("R1"), Mardi=rows("R2"))
    hide(path, "Mardi", state)
    assert "masquée" in str(sheets_of(path)["Mardi"])


def test_a_sheet_whose_headings_do_not_fit_is_left_out_with_the_reason(tmp_path):
    legend = [{"Code": "RX", "Sens": "radiologie"}]
    short = [{"N° RDV": "R2", "Dossier": "D2", "Nom": "Peeters"}]
    path = workbook(tmp_path, Agenda=rows("R1"), Légende=legend, Suite=short)
    found = sheets_of(path)
    assert found["Agenda"] == 1
    assert "Aucun titre" in str(found["Légende"])
    assert "Colonne obligatoire absente" in str(found["Suite"])


def test_each_sheet_has_headings_of_its_own(tmp_path):
    other = {name: ROW[name] for name in reversed(ROW)} | {"N° RDV": "R2"}
    records, faults = read(workbook(tmp_path, Lundi=rows("R1"), Mardi=[other]))
    assert not faults
    assert [(r.source_id, r.family_name) for r in records] == [("R1", "Dupont"), ("R2", "Dupont")]


def test_the_sheet_of_a_day_without_appointments_is_read_with_no_row(tmp_path):
    path = workbook(tmp_path, Lundi=rows("R1"), Dimanche=rows("X"), Vide=[])
    book = openpyxl.load_workbook(path)
    book["Dimanche"].delete_rows(2)
    book.save(path)
    assert sheets_of(path) == {"Lundi": 1, "Dimanche": 0}


def test_a_workbook_with_hidden_sheets_only_says_which(tmp_path):
    path = workbook(tmp_path, Agenda=rows("R1"), Vide=[])
    hide(path, "Agenda")
    with pytest.raises(Refusal, match=r"masquées \(Agenda\)"):
        open_schedule(path)


def test_a_workbook_without_a_sheet_that_fits_says_why_of_each(tmp_path):
    path = workbook(tmp_path, Un=[{"a": "b"}], Deux=[{"c": "d"}])
    with pytest.raises(Refusal, match="« Un » : Aucun titre.*« Deux » : Aucun titre"):
        open_schedule(path)


def test_a_number_on_two_sheets_names_the_sheet(tmp_path):
    path = workbook(tmp_path, Lundi=rows("R1"), Mardi=rows("R1"))
    records, _faults = read(path)
    assert [str(record.where) for record in records] == [
        "2 (feuille « Lundi »)",
        "2 (feuille « Mardi »)",
    ]


def test_cells_without_a_result_are_said_and_computed_ones_are_not(tmp_path):
    path = xlsx_file(tmp_path, *rows("R1", "R2", "R3"))
    book = openpyxl.load_workbook(path)
    sheet = book.active
    column = {title: number for number, title in enumerate(ROW, start=1)}
    sheet.cell(2, column["Nom"]).value = "#N/A"
    sheet.cell(3, column["GSM"]).value = '=CONCATENATE("0495"," 12 34 56")'
    sheet.cell(5, column["N° RDV"]).value = "=A4&1"
    book.save(path)
    records, faults = read(path)
    assert [record.source_id for record in records] == ["R2", "R3"]
    assert [
        (fault.line, fault.column, fault.landed) for fault in faults if "formule" in str(fault.why)
    ] == [
        (2, "Nom", False),
        (3, "GSM", True),
        (5, "N° RDV", False),
    ]


def test_a_formula_whose_result_is_an_empty_text_is_an_empty_cell(tmp_path):
    path = xlsx_file(tmp_path, ROW | {"Acte": '=IF(TRUE,"","")'})
    replace_in(path, "xl/worksheets/sheet1.xml", b'<c r="J2"><f>', b'<c r="J2" t="str"><f>')
    (record,), faults = read(path)
    assert (record.act, faults) == ("", [])


def replace_in(path: Path, part: str, old: bytes, new: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def bomb(folder: Path, megabytes: int = 380) -> Path:
    """Write a small workbook with very many shared strings."""
    path = xlsx_file(folder)
    strings = b"<si><t>a</t></si>" * (MEGABYTE // 17)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part,
    ):
        part.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
        for _megabyte in range(megabytes):
            part.write(strings)
        part.write(b"</sst>")
    return path


# A process of its own: what a child is said to have used at most (getrusage(2), ru_maxrss)
# includes what its parent used when it was forked, and the tests' process grows.
MEASURE = """
import json, os, subprocess, sys
quiet = subprocess.DEVNULL
child = subprocess.Popen([sys.executable, "-I", *sys.argv[1:]], stdout=quiet, stderr=quiet)
_pid, status, used = os.wait4(child.pid, 0)
seconds = used.ru_utime + used.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, used.ru_maxrss]))
"""


def cost_of(path: Path) -> tuple[int, float, float]:
    """Return exit code, seconds of processor time and megabytes of the child for a workbook."""
    limits = json.dumps(limits_for(path.stat().st_size))
    command = [sys.executable, "-I", "-c", MEASURE, workbook_child.__file__, str(path), limits]
    said = subprocess.run(command, capture_output=True, check=True, text=True)
    code, seconds, peak = json.loads(said.stdout)
    unit = 1 if sys.platform == "darwin" else 1024
    return code, seconds, peak * unit / MEGABYTE


@pytest.fixture(scope="module")
def the_bomb(tmp_path_factory) -> Path:
    return bomb(tmp_path_factory.mktemp("bomb"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["ref9letters.xlsx", "redos_c.xlsx", "bomb"])
def test_what_would_fill_the_machine_is_refused_at_little_cost(name, the_bomb):
    path = the_bomb if name == "bomb" else CASES / name
    code, seconds, megabytes = cost_of(path)
    assert code in {workbook_child.DAMAGED, workbook_child.TOO_LARGE}
    assert seconds < 2
    assert megabytes < 300
    with pytest.raises(Refusal, match="trop grand|abîmé"):
        open_schedule(path)


REFERENCES = ["A99999999999", "AAAAAAAAA3", "XFE1", "A1048577", "A0", "1A", "A"]


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("attribute", ['<c r="{}"', "<c r='{}'", '<c r = "{}"', '<x:c r="{}"'])
def test_a_cell_beyond_the_corner_of_every_sheet_is_refused(tmp_path, reference, attribute):
    path = xlsx_file(tmp_path)
    cell = attribute.format(reference).encode()
    replace_in(path, "xl/worksheets/sheet1.xml", b'<c r="A2"', cell)
    with pytest.raises(Refusal, match="abîmé|trop grand"):
        open_schedule(path)


def test_a_row_beyond_the_last_is_refused(tmp_path):
    path = xlsx_file(tmp_path)
    replace_in(path, "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="99999999999"')
    with pytest.raises(Refusal, match="abîmé|trop grand"):
        open_schedule(path)


@pytest.mark.parametrize("piece", [b"<c ", b"<row ", b"<c r=", b'<c r="A', b"<f", b"<c><f>", b"\t"])
def test_no_pattern_takes_longer_than_its_length(tmp_path, piece):
    path = xlsx_file(tmp_path)
    replace_in(
        path, "xl/worksheets/sheet1.xml", b"</sheetData>", piece * (3 * MEGABYTE // len(piece))
    )
    code, seconds, megabytes = cost_of(path)
    assert code
    assert seconds < 5
    assert megabytes < 300


def test_a_directory_that_lies_about_a_length_is_refused(tmp_path):
    path = bomb(tmp_path, 100)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"xl/sharedStrings.xml") - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = struct.pack("<I", 1000)
    path.write_bytes(content)
    with pytest.raises(Refusal, match="abîmé"):
        open_schedule(path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit memory")
def test_memory_beyond_the_limit_ends_the_child_only(tmp_path, monkeypatch):
    monkeypatch.setattr("appointments.feeds.files.workbook._MEMORY", 90 * MEGABYTE)
    with pytest.raises(Refusal, match="trop grand"):
        open_schedule(bomb(tmp_path, 60))


def a_child(folder: Path, monkeypatch, program: str) -> None:
    """Put another program in the place of the child."""
    path = folder / "child.py"
    path.write_text(program, encoding="utf-8")
    monkeypatch.setattr(workbook_child, "__file__", str(path))


@pytest.mark.parametrize("program", ["import os; os.abort()", "import os; os.kill(os.getpid(), 9)"])
def test_a_child_that_dies_refuses_the_file(tmp_path, monkeypatch, program):
    a_child(tmp_path, monkeypatch, program)
    with pytest.raises(Refusal, match="trop grand"):
        open_schedule(xlsx_file(tmp_path))


@pytest.mark.parametrize(
    "program", ["", "print('x' * 5000)", "print('[]'); print(' ' * 19 + '0', end='')"]
)
def test_a_child_that_writes_nonsense_refuses_the_file(tmp_path, monkeypatch, program):
    a_child(tmp_path, monkeypatch, program)
    with pytest.raises(Refusal, match="abîmé|vide"):
        open_schedule(xlsx_file(tmp_path))


def test_a_child_that_never_ends_is_stopped(tmp_path, monkeypatch):
    a_child(tmp_path, monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr("appointments.feeds.files.workbook._WAIT_FOR_A_SECOND", 0.01)
    with pytest.raises(Refusal, match="trop grand"):
        open_schedule(xlsx_file(tmp_path))


def test_the_child_is_told_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    seen = tmp_path / "seen"
    a_child(tmp_path, monkeypatch, f"import os; open({str(seen)!r}, 'w').write(str(os.environ))")
    with pytest.raises(Refusal):
        open_schedule(xlsx_file(tmp_path))
    assert "s3cret" not in seen.read_text(encoding="utf-8")


def test_a_system_without_limits_reads_all_the_same(tmp_path):
    path = xlsx_file(tmp_path)
    program = (
        "import runpy, sys; sys.modules['resource'] = None;"
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    limits = json.dumps(limits_for(path.stat().st_size))
    ended = subprocess.run(
        [sys.executable, "-I", "-c", program, workbook_child.__file__, str(path), limits],
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"Dupont" in ended.stdout


def test_it_is_read_in_a_thread_of_a_web_server(tmp_path):
    path = xlsx_file(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, [path] * 4))
    assert all(records and not faults for records, faults in found)


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_it_is_read_in_a_child_of_a_worker(tmp_path):
    """Children of a Celery worker are daemons, which may have no children of their own kind."""
    process = multiprocessing.get_context("fork").Process(
        target=read, args=(xlsx_file(tmp_path),), daemon=True
    )
    process.start()
    process.join()
    assert process.exitcode == 0
