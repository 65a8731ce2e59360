"""Files as hospitals export them, and files that are nothing of the kind."""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest

from appointments.feeds.files import limits
from appointments.feeds.files.schedule_file import open_schedule
from staff.errors import Refusal
from tests.appointments.feeds.files.builders import (
    ROW,
    a_record,
    csv_file,
    csv_text,
    naive,
    read,
    xlsx_file,
)
from tests.builders import at

EXPECTED = {
    "source_id": "R1",
    "patient_id": "D1",
    "family_name": "Dupont",
    "given_name": "Hélène",
    "phones": ("0495 12 34 56",),
    "service": "consultation",
    "starts_at": at("2022-05-16 09:10"),
}


def assert_is_the_row(path: Path) -> None:
    (record,), faults = read(path)
    assert not faults
    assert {name: getattr(record, name) for name in EXPECTED} == EXPECTED


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_with_any_delimiter_and_encoding(tmp_path, delimiter, encoding):
    assert_is_the_row(csv_file(tmp_path, delimiter=delimiter, encoding=encoding))


def test_the_content_tells_the_kind_not_the_name(tmp_path):
    assert_is_the_row(xlsx_file(tmp_path, name="agenda.csv"))
    assert_is_the_row(csv_file(tmp_path, name="agenda.xlsx"))


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_every_line_ending_is_one(tmp_path, ending):
    path = tmp_path / "agenda.csv"
    path.write_bytes(csv_text([ROW]).replace("\r\n", ending).encode())
    assert_is_the_row(path)


DUTCH = ("Afspraaknummer", "DOSSIERNUMMER", "naam", "Voornaam", "gsm-nummer", "vestiging")
ENGLISH = ("Appointment ID", "Patient id", "LAST NAME", "first name", "Mobile phone", "hospital")


@pytest.mark.parametrize(
    "headings",
    [
        (*DUTCH, "afdeling", "Activiteit", "Datum en uur"),
        (*ENGLISH, "unit", "service", "Starts at"),
        (
            "n° rdv",
            "N°  DOSSIER",
            "NOM",
            "prenom",
            "G.S.M.",
            "hopital",
            "unite",
            "activite",
            "debut",
        ),
    ],
)
def test_headings_may_be_dutch_english_or_sloppy(tmp_path, headings):
    assert_is_the_row(csv_file(tmp_path, dict(zip(headings, ROW.values(), strict=True))))


def test_a_title_above_the_headings_is_passed_over(tmp_path):
    path = tmp_path / "agenda.csv"
    path.write_text("Agenda du 16 mai\n\n" + csv_text([ROW]), encoding="utf-8")
    (record,), _faults = read(path)
    assert record.line == 4


def test_a_spreadsheet_keeps_dates_and_numbers(tmp_path):
    row = ROW | {"Dossier": 4711, "Date et heure": naive("2022-05-16 09:10"), "GSM": 495123456}
    (record,), faults = read(xlsx_file(tmp_path, row))
    assert not faults
    assert (record.patient_id, record.starts_at) == ("4711", at("2022-05-16 09:10"))
    assert record.phones == ("495123456",)


def test_a_spreadsheet_may_split_date_and_time(tmp_path):
    row = {key: value for key, value in ROW.items() if key != "Date et heure"}
    row |= {"Date": dt.date(2022, 5, 16), "Heure": dt.time(9, 10)}
    (record,), _faults = read(xlsx_file(tmp_path, row))
    assert record.starts_at == at("2022-05-16 09:10")


def test_the_first_sheet_that_holds_anything_is_read(tmp_path):
    path = xlsx_file(tmp_path)
    workbook = openpyxl.load_workbook(path)
    workbook.create_sheet("vide", 0)
    workbook.save(path)
    assert_is_the_row(path)


def test_a_bad_row_names_line_column_value_and_remedy_and_the_rest_lands(tmp_path):
    rows = [ROW, ROW | {"N° RDV": "R2", "Activité": "sieste"}, ROW | {"N° RDV": "R3"}]
    records, (fault,) = read(csv_file(tmp_path, *rows))
    assert [record.source_id for record in records] == ["R1", "R3"]
    assert (fault.line, fault.column, fault.value) == (3, "Activité", "sieste")
    assert "Mots connus" in str(fault.why)
    assert not fault.landed
    assert fault.source_id == "R2"


def test_every_fault_of_a_row_is_said_at_once(tmp_path):
    row = ROW | {"Activité": "sieste", "Date et heure": "hier", "GSM": "12"}
    records, faults = read(csv_file(tmp_path, row))
    assert not records
    assert [fault.column for fault in faults] == ["Activité", "Date et heure", "GSM"]


def test_a_wrong_telephone_or_national_number_does_not_lose_the_patient(tmp_path):
    row = ROW | {"GSM": "12", "NISS": "12345678901", "Date de naissance": "30/02/1960"}
    (record,), faults = read(csv_file(tmp_path, row))
    assert (record.phones, record.national_number) == ((), "12345678901")
    assert record.birth_date is None
    assert {fault.column for fault in faults} == {"GSM", "NISS", "Date de naissance"}
    assert all(fault.landed for fault in faults)


def test_an_unknown_status_lands_as_planned_with_a_remark_and_an_empty_one_without(tmp_path):
    rows = [ROW | {"Statut": ""}, ROW | {"N° RDV": "R2", "Statut": "perdu"}]
    (record, unknown), (fault,) = read(csv_file(tmp_path, *rows))
    assert (record.status, unknown.status, fault.column) == ("booked", "booked", "Statut")
    assert fault.landed


def test_mobiles_and_landlines_come_from_as_many_columns_as_there_are(tmp_path):
    (record,), _ = read(csv_file(tmp_path, ROW | {"Téléphone": "063 22 33 44"}))
    assert record.phones == ("0495 12 34 56", "063 22 33 44")


def test_a_quote_never_closed_costs_its_row_only(tmp_path):
    rows = [ROW | {"N° RDV": f"R{number}"} for number in range(1, 6)]
    path = tmp_path / "agenda.csv"
    path.write_text(csv_text(rows).replace("R2;D1;", 'R2;"D1;'), encoding="utf-8")
    records, (fault,) = read(path)
    assert [record.source_id for record in records] == ["R1", "R3", "R4", "R5"]
    assert (fault.line, [record.line for record in records]) == (3, [2, 4, 5, 6])
    assert "Guillemet" in str(fault.why)


def test_a_separator_too_many_refuses_the_row(tmp_path):
    path = tmp_path / "agenda.csv"
    path.write_text(csv_text([ROW]).replace("Hélène", "Hélène;Marie"), encoding="utf-8")
    records, faults = read(path)
    assert not records
    assert "Plus de cellules" in str(faults[-1].why)


def test_one_damaged_byte_costs_its_row_not_every_accent(tmp_path):
    rows = [ROW, ROW | {"N° RDV": "R2"}]
    path = csv_file(tmp_path, *rows)
    damaged = path.read_bytes()
    last = damaged.rindex("é".encode())
    path.write_bytes(damaged[:last] + b"\xff" + damaged[last + 2 :])
    (record, other), (fault,) = read(path)
    assert (record.given_name, other.given_name) == ("Hélène", "")
    assert "Caractère illisible" in str(fault.why)


REFUSED = {
    "empty": (b"", "vide"),
    "only headings": (csv_text([ROW]).splitlines()[0].encode(), "que des titres"),
    "binary": (bytes(range(256)) * 20, "pas un fichier de texte"),
    "prose": (b"Bonjour, voici l'agenda.\n", "Aucun titre"),
    "pdf": (b"%PDF-1.7 x", "PDF"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "mot de passe"),
    "cut zip": (b"PK\x03\x04" + b"x" * 50, "abîmé"),
    "web page": (b"\xef\xbb\xbf\r\n <!DOCTYPE html><table>", "page web"),
    "excel 2003": (b'<?xml version="1.0"?><Workbook>', "page web"),
    "web archive": (b"MIME-Version: 1.0\r\n", "page web"),
    "web page of utf-16": ("<html><body>".encode("utf-16"), "page web"),
    "one endless line": (b"Nom;" * limits.LONGEST_LINE, "pas un fichier de texte"),
    "columns missing": ("Nom;Prénom;Unité\nA;B;C\n".encode(), "Colonne obligatoire absente"),
    "column twice": (b"Nom;Naam\nA;B\n", "« Nom » et « Naam »"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_with_one_sentence(tmp_path, case):
    content, why = REFUSED[case]
    path = tmp_path / "agenda"
    path.write_bytes(content)
    with pytest.raises(Refusal, match=why):
        open_schedule(path)


def test_a_missing_column_is_named_with_what_was_found(tmp_path):
    row = {key: value for key, value in ROW.items() if key != "Unité"}
    with pytest.raises(Refusal, match="absente : Unité.*N° RDV, Dossier, Nom"):
        open_schedule(csv_file(tmp_path, row))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refusal, match="introuvable"):
        open_schedule(tmp_path / "absent.csv")


def test_the_other_kind_than_asked_is_refused(tmp_path):
    with pytest.raises(Refusal, match="XLSX, pas CSV"):
        open_schedule(xlsx_file(tmp_path), file_format="csv")


def test_a_file_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("appointments.feeds.files.schedule_file.LARGEST_FILE", 10)
    with pytest.raises(Refusal, match="dépasse"):
        open_schedule(csv_file(tmp_path))


def test_rows_beyond_the_limit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("appointments.feeds.files.schedule_file.MOST_ROWS", 2)
    with pytest.raises(Refusal, match="Plus de 2 lignes"):
        read(csv_file(tmp_path, *[ROW | {"N° RDV": str(n)} for n in range(3)]))


def test_a_stray_cell_at_the_end_of_the_sheet_does_not_take_all_memory(tmp_path):
    path = xlsx_file(tmp_path)
    workbook = openpyxl.load_workbook(path)
    workbook.active["XFD1048576"] = "x"
    workbook.save(path)
    with pytest.raises(Refusal, match="trop grand"):
        open_schedule(path)


def test_a_zip_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("appointments.feeds.files.workbook.LARGEST_UNPACKED", 1000)
    with pytest.raises(Refusal, match="trop grand"):
        open_schedule(xlsx_file(tmp_path))


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "agenda.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lisez-moi.txt", "bonjour")
    with pytest.raises(Refusal, match="pas un classeur"):
        open_schedule(path)


def test_an_empty_workbook_is_refused(tmp_path):
    path = tmp_path / "agenda.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(Refusal, match="vide"):
        open_schedule(path)


def test_blank_rows_and_unknown_columns_are_passed_over(tmp_path):
    blank = dict.fromkeys(ROW, "") | {"Couleur": ""}
    path = csv_file(tmp_path, ROW | {"Couleur": "vert"}, blank)
    assert_is_the_row(path)
    assert open_schedule(path).headings.unused == ("Couleur",)


def test_a_record_says_where_it_stands():
    assert a_record(3).line == 4


def text_file(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "agenda.csv"
    path.write_bytes(text.encode(encoding))
    return path


def several(count: int = 3) -> str:
    return csv_text([ROW | {"N° RDV": f"R{number}"} for number in range(1, count + 1)])


def test_a_separator_too_many_is_seen_although_the_last_cells_are_empty(tmp_path):
    rows = [ROW | {"N° RDV": f"R{number}", "Remarque": ""} for number in range(1, 5)]
    text = csv_text(rows).replace("R3;D1;Dupont", "R3;D1;Du;pont")
    records, (fault,) = read(text_file(tmp_path, text))
    assert [record.source_id for record in records] == ["R1", "R2", "R4"]
    assert (fault.source_id, "Plus de cellules" in str(fault.why)) == ("R3", True)


def test_a_note_beside_the_table_of_a_spreadsheet_refuses_no_row(tmp_path):
    path = xlsx_file(tmp_path, ROW | {"": "à rappeler"})
    (record,), faults = read(path)
    assert (record.source_id, faults) == ("R1", [])


def test_rows_below_a_second_line_of_headings_that_does_not_fit_are_refused(tmp_path):
    text = several(1) + "N° RDV;Dossier;Nom;Prénom\r\nR8;D8;Peeters;Luc\r\n" + several(1)
    records, faults = read(text_file(tmp_path, text))
    assert [record.line for record in records] == [2, 6]
    assert [(fault.line, fault.landed) for fault in faults] == [(3, False), (4, False)]
    assert "Colonne obligatoire absente" in str(faults[0].why)


def test_files_joined_one_after_the_other_keep_no_mark_of_the_second(tmp_path):
    (one, other), faults = read(text_file(tmp_path, f"{several(1)}\ufeff{several(1)}", "utf-8-sig"))
    assert (one.source_id, other.source_id, faults) == ("R1", "R1", [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_without_its_mark(tmp_path, encoding):
    assert_is_the_row(csv_file(tmp_path, encoding=encoding))


def test_a_bar_separates_too(tmp_path):
    assert_is_the_row(csv_file(tmp_path, delimiter="|"))


def test_padding_at_the_end_is_no_row(tmp_path):
    path = tmp_path / "agenda.csv"
    path.write_bytes(several(1).encode() + b"\x1a" + bytes(3000))
    assert_is_the_row(path)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("opened", range(9))
@pytest.mark.parametrize("closed", range(9))
def test_two_stray_quotes_swallow_no_row_silently(tmp_path, delimiter, opened, closed):
    rows = [list((ROW | {"N° RDV": f"R{number}"}).values()) for number in range(1, 6)]
    rows[1][opened] = '"' + rows[1][opened]
    rows[3][closed] += '"'
    lines = [delimiter.join(cells) for cells in [list(ROW), *rows]]
    records, faults = read(text_file(tmp_path, "\r\n".join(lines)))
    said = {record.line for record in records} | {fault.line for fault in faults}
    assert said == {2, 3, 4, 5, 6}
    assert {2, 4, 6} <= {record.line for record in records}


def test_a_text_of_several_lines_stays_one_row(tmp_path):
    row = {"Remarque": "à jeun; sans métal\nprendre; la carte"} | ROW | {"Acte": "a\nb; c"}
    rows = [row, row | {"N° RDV": "R2"}]
    records, faults = read(
        csv_file(tmp_path, *[row | {"Remarque": "à jeun\nla carte"} for row in rows])
    )
    assert ([record.source_id for record in records], faults) == (["R1", "R2"], [])


@pytest.mark.parametrize(
    "moments",
    [
        ["05/06/2022 09:10", "05/13/2022 09:10"],
        ["05/06/2022 02:30 PM", "05/07/2022 09:10 AM"],
        ["2022-06-05 09:10", "2022-13-05 09:10"],
    ],
)
def test_a_file_of_another_order_is_refused_whole(tmp_path, moments):
    rows = [ROW | {"N° RDV": str(n), "Date et heure": text} for n, text in enumerate(moments)]
    with pytest.raises(Refusal, match="Rien n'est lu"):
        read(csv_file(tmp_path, *rows))


def test_birth_dates_of_another_order_refuse_the_file_too(tmp_path):
    births = ["03/04/1958", "11/23/1958", "12/31/1960"]
    rows = [ROW | {"N° RDV": birth, "Date de naissance": birth} for birth in births]
    with pytest.raises(Refusal, match="Date de naissance"):
        read(csv_file(tmp_path, *rows))


def test_one_date_of_another_order_among_ours_is_a_slip_of_its_row(tmp_path):
    rows = [ROW, ROW | {"N° RDV": "R2", "Date et heure": "05/13/2022 09:10"}]
    rows += [ROW | {"N° RDV": "R3", "Date de naissance": "11/23/1958"}]
    records, faults = read(csv_file(tmp_path, *[{"Date de naissance": ""} | row for row in rows]))
    assert [record.source_id for record in records] == ["R1", "R3"]
    assert {fault.column for fault in faults} == {"Date et heure", "Date de naissance"}


def test_days_and_months_that_excel_swapped_refuse_the_file(tmp_path):
    late = [f"{day}/05/2022 09:10" for day in (13, 16, 20)]
    early = [naive(f"2022-{day:02}-05 09:10") for day in (2, 3, 9)]
    rows = [ROW | {"N° RDV": str(n), "Date et heure": cell} for n, cell in enumerate(late + early)]
    with pytest.raises(Refusal, match="inversé"):
        read(xlsx_file(tmp_path, *rows))


def test_a_name_that_lost_letters_lands_but_is_not_certain(tmp_path):
    rows = [ROW | {"Nom": "Lef?vre", "Prénom": "H?l?ne"}]
    (record,), faults = read(csv_file(tmp_path, *rows))
    assert (record.family_name, record.given_name) == ("Lef?vre", "")
    assert not record.is_name_certain
    assert [(fault.column, fault.landed) for fault in faults] == [("Nom", True), ("Prénom", True)]
