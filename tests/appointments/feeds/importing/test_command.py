"""``manage.py import_schedule``: exit codes and what it prints."""

import datetime as dt
import json
import os

import openpyxl
import pytest

from appointments.models import Appointment, Feed, RefusedRow, ScheduleImport
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import in_force
from tests.appointments.feeds.files.builders import ROW, csv_file, xlsx_file
from tests.appointments.feeds.loads import run
from tests.builders import a_unit, at

pytestmark = pytest.mark.django_db

BAD = ROW | {"N° RDV": "R2", "Activité": "sieste"}


@pytest.fixture(autouse=True)
def unit():
    """Make the unit that the file names."""
    return a_unit()


def test_it_ends_with_0_when_every_row_is_in(tmp_path):
    code, out, _ = run(csv_file(tmp_path), "--source", "labo")
    assert code == 0
    assert "1 nouvelle, " in out
    assert Appointment.objects.get().feed.name == "labo"
    load = ScheduleImport.objects.get()
    assert (load.state, load.file_name, len(load.file_digest)) == ("loaded", "agenda.csv", 64)


def test_it_ends_with_1_and_names_each_rejected_row(tmp_path):
    code, out, _ = run(csv_file(tmp_path, ROW, BAD))
    assert code == 1
    assert "ligne 3, Activité « sieste » : Mot inconnu" in out
    assert Appointment.objects.count() == 1


def test_it_ends_with_2_when_the_file_cannot_be_read(tmp_path):
    code, out, errors = run(tmp_path / "absent.csv")
    assert (code, out) == (2, "")
    assert "introuvable" in errors


def test_an_unusable_source_name_is_refused(tmp_path):
    assert run(csv_file(tmp_path), "--source", "mon agenda !")[0] == 2


def test_a_dry_run_writes_nothing_at_all(tmp_path):
    code, out, _ = run(csv_file(tmp_path), "--dry-run")
    assert code == 0
    assert "rien n'a été écrit" in out
    assert not Feed.objects.exists()
    assert not ScheduleImport.objects.exists()


def test_json_says_the_same_to_scripts(tmp_path):
    code, out, _ = run(csv_file(tmp_path, ROW | {"Couleur": "x"}, BAD | {"Couleur": ""}), "--json")
    said = json.loads(out)
    assert code == 1
    assert (said["created"], said["rejected"], said["unused_columns"]) == (1, 1, ["Couleur"])
    (row,) = said["rejected_rows"]
    assert (row["line"], row["column"], row["value"]) == (3, "Activité", "sieste")
    assert json.loads(run(tmp_path / "absent.csv", "--json")[1])["error"]


def test_a_file_flags_what_is_missing_only_where_it_is_declared_complete(tmp_path):
    run(csv_file(tmp_path, ROW, ROW | {"N° RDV": "R2"}))
    assert json.loads(run(csv_file(tmp_path), "--partial", "--json")[1])["missing"] == 0
    assert json.loads(run(csv_file(tmp_path), "--json")[1])["missing"] == 0
    assert json.loads(run(csv_file(tmp_path), "--full", "--json")[1])["missing"] == 1


MOVED = ROW | {"Date et heure": "17/05/2022 14:00"}
FRIDAY, SATURDAY = "13/05/2022 06:00", "14/05/2022 06:00"


class TestAge:
    """Commands as a timer runs them: nobody is there to answer."""

    @pytest.fixture(autouse=True)
    def _today(self, saturday_noon):
        """Stand on Saturday 14 May 2022 at noon."""

    def test_an_older_file_undoes_no_newer_move_until_told(self, tmp_path):
        run(csv_file(tmp_path), "--exported-at", FRIDAY)
        run(csv_file(tmp_path, MOVED), "--exported-at", SATURDAY)
        code, out, errors = run(csv_file(tmp_path), "--exported-at", FRIDAY)
        assert code == 2
        assert "plus ancien" in errors
        assert "--accept-older" in errors
        assert "Rien n'a été chargé" in errors
        assert Appointment.objects.get().starts_at == at("2022-05-17 14:00")
        assert ScheduleImport.objects.count() == 2
        assert run(csv_file(tmp_path), "--exported-at", FRIDAY, "--accept-older")[0] == 0
        assert Appointment.objects.get().starts_at == at("2022-05-16 09:10")

    def test_the_same_file_again_is_the_older_one_even_of_one_moment(self, tmp_path):
        run(csv_file(tmp_path), "--exported-at", FRIDAY)
        run(csv_file(tmp_path, MOVED), "--exported-at", FRIDAY)
        assert run(csv_file(tmp_path), "--exported-at", FRIDAY)[0] == 2

    def test_an_age_that_nobody_knows_is_said_first_and_moves_wait(self, tmp_path):
        run(csv_file(tmp_path), "--exported-at", FRIDAY)
        code, out, _ = run(csv_file(tmp_path, MOVED, ROW | {"N° RDV": "R2"}))
        assert code == 1
        assert out.startswith("ÂGE INCONNU")
        assert "1 changement d'un rendez-vous connu attend" in out
        assert Appointment.objects.count() == 2
        assert Feed.objects.get().heard_at is None

    def test_the_age_is_read_from_the_title_or_the_name_of_the_file(self, tmp_path):
        path = csv_file(tmp_path)
        path.write_text(f"Agenda exporté le {FRIDAY}\n{path.read_text()}")
        assert "lu dans le titre" in run(path)[1]
        assert Feed.objects.get().heard_at == at("2022-05-13 06:00")
        named = csv_file(tmp_path, name="agenda-2022-05-14.csv")
        assert "lu dans le nom" in run(named)[1]

    def test_the_newest_change_in_the_file_tells_its_age(self, tmp_path):
        rows = [
            ROW | {"Modifié le": "12/05/2022 10:00"},
            ROW | {"N° RDV": "R2", "Modifié le": "13/05/2022 17:42"},
            ROW | {"N° RDV": "R3", "Modifié le": "hier"},
        ]
        assert run(csv_file(tmp_path, *rows))[0] == 0
        assert Feed.objects.get().heard_at == at("2022-05-13 17:42")

    def test_the_rule_of_the_source_may_believe_the_date_of_the_file(self, tmp_path):
        Feed.objects.create(name="agenda", age_rule="file_date")
        path = csv_file(tmp_path)
        written = at("2022-05-13 23:30").timestamp()
        os.utime(path, (written, written))
        assert "date d'écriture" in run(path)[1]
        assert Feed.objects.get().heard_at == at("2022-05-13 23:30")

    def test_an_export_of_tomorrow_is_refused(self, tmp_path):
        code, _, errors = run(csv_file(tmp_path), "--exported-at", "15/05/2022 06:00")
        assert code == 2
        assert "avenir" in errors


class TestDisappeared:
    def test_much_that_disappeared_stops_it_with_every_name(self, tmp_path):
        many = [ROW | {"N° RDV": f"R{n}", "Dossier": f"D{n}"} for n in range(12)]
        run(csv_file(tmp_path, *many))
        code, out, errors = run(csv_file(tmp_path, *many[:5]), "--complete", "units")
        assert code == 2
        assert out.count("DUPONT Hélène") == 7
        assert "--accept-disappeared" in errors
        assert not Appointment.objects.filter(missing_since__isnull=False).exists()
        said = json.loads(run(csv_file(tmp_path, *many[:5]), "--full", "--json")[1])
        assert said["accept_with"] == ["--accept-disappeared"]
        accepted = run(csv_file(tmp_path, *many[:5]), "--full", "--accept-disappeared")
        assert accepted[0] == 0
        assert Appointment.objects.filter(missing_since__isnull=False).count() == 7

    def test_a_row_refused_for_a_stray_quote_has_not_disappeared(self, tmp_path):
        rows = (ROW, ROW | {"N° RDV": "R2", "Dossier": "D2", "Prénom": "Anne"})
        run(csv_file(tmp_path, *rows))
        path = csv_file(tmp_path, *rows)
        path.write_text(path.read_text().replace(";Anne;", ';"An"ne;'))
        code, out, _ = run(path, "--full")
        assert code == 1
        assert "0 rendez-vous disparu" in out

    def test_days_can_be_declared(self, tmp_path):
        tuesday = ROW | {"N° RDV": "R2", "Date et heure": "17/05/2022 09:10"}
        run(csv_file(tmp_path, ROW, tuesday, ROW | {"N° RDV": "R3"}))
        days = ["--first-day", "17/05/2022", "--last-day", "18/05/2022"]
        said = json.loads(run(csv_file(tmp_path, ROW), "--full", *days, "--json")[1])
        assert [one["source_id"] for one in said["disappeared"]] == ["R2"]


def test_units_are_declared_one_by_one(tmp_path):
    a_unit("arlon-radio")
    other = ROW | {"N° RDV": "R2", "Dossier": "D2", "Unité": "arlon-radio"}
    third = ROW | {"N° RDV": "R3", "Dossier": "D3"}
    run(csv_file(tmp_path, ROW, other, third), "--exported-at", "13/05/2022 06:00")
    said = ("--exported-at", "13/05/2022 07:00", "--complete-unit", "arlon-radio")
    report = json.loads(run(csv_file(tmp_path), *said, "--dry-run", "--json")[1])
    assert [one["source_id"] for one in report["disappeared"]] == ["R2"]
    assert (report["complete_for"], report["complete_units"]) == ("chosen", ["arlon-radio"])
    code, _, errors = run(csv_file(tmp_path), "--complete-unit", "arlon-radoi")
    assert (code, "Unité inconnue : arlon-radoi" in errors) == (2, True)


def test_a_dry_run_says_how_many_sms_a_patient_with_two_days_gets(tmp_path, saturday_noon):
    in_force(last_day=dt.date(2022, 5, 17))
    saturday_noon.move_to(at("2022-05-15 19:00"))
    tuesday = ROW | {"N° RDV": "R2", "Date et heure": "17/05/2022 10:00"}
    out = run(csv_file(tmp_path, ROW, tuesday), "--dry-run")[1]
    assert "1 patient serait prévenu, dont 1 par SMS tout de suite. En tout 2 SMS, dont 2" in out


def test_a_dry_run_says_who_would_be_told(tmp_path, saturday_noon):
    in_force()
    saturday_noon.move_to(at("2022-05-15 19:00"))
    out = run(csv_file(tmp_path), "--dry-run")[1]
    assert "1 patient serait prévenu, dont 1 par SMS tout de suite." in out
    assert not Appointment.objects.exists()
    out = run(csv_file(tmp_path))[1]
    assert "1 patient à prévenir à cause de ce chargement, dont 1 par SMS tout de suite." in out
    assert json.loads(run(csv_file(tmp_path), "--json")[1])["patients_told"] == 0


def test_a_sheet_left_out_is_said_as_loudly_as_a_rejected_row(tmp_path):
    path = xlsx_file(tmp_path)
    book = openpyxl.load_workbook(path)
    book.active.title = "Lundi"
    hidden = book.copy_worksheet(book.active)
    hidden.title, hidden.sheet_state = "Mardi", "hidden"
    book.save(path)
    code, out, _ = run(path)
    assert code == 1
    assert "Feuille « Lundi » : lignes lues : 1." in out
    assert "Feuille « Mardi » laissée de côté : feuille masquée" in out
    load = ScheduleImport.objects.get()
    assert load.has_sheets_left_out
    assert [(sheet["name"], sheet["rows"]) for sheet in load.sheets] == [("Lundi", 1), ("Mardi", 0)]
    event = AuditEvent.objects.get(action="schedule.loaded")
    assert event.detail["sheets_left_out"] == ["Mardi"]
    code, out, _ = run(path, "--json")
    assert code == 1
    assert json.loads(out)["sheets"][1]["name"] == "Mardi"


def test_nothing_disappears_by_a_workbook_of_which_a_sheet_was_left_out(tmp_path):
    run(csv_file(tmp_path, ROW, ROW | {"N° RDV": "R2"}))
    path = xlsx_file(tmp_path)
    assert json.loads(run(path, "--full", "--dry-run", "--json")[1])["missing"] == 1
    book = openpyxl.load_workbook(path)
    book.create_sheet("Légende").append(["Code", "Sens"])
    book.save(path)
    said = json.loads(run(path, "--full", "--json")[1])
    assert (said["missing"], said["complete_for"]) == (0, "nothing")


def test_a_fault_names_its_sheet(tmp_path):
    path = xlsx_file(tmp_path, ROW)
    book = openpyxl.load_workbook(path)
    for title, number in (("Lundi", "R1"), ("Mardi", "R1"), ("Mercredi", "R3")):
        sheet = book.copy_worksheet(book.worksheets[0])
        sheet.title = title
        sheet["A2"] = number
    del book["Sheet"]
    book["Mercredi"]["H2"] = "sieste"
    book.save(path)
    code, out, _ = run(path)
    assert code == 1
    assert (
        "ligne 2 (feuille « Mardi »), N° RDV « R1 » : Ce numéro figure déjà à la ligne 2 "
        "(feuille « Lundi »)" in out
    )
    assert "ligne 2 (feuille « Mercredi »), Activité « sieste »" in out
    assert "3 lignes : 1 nouvelle, " in out
    load = ScheduleImport.objects.get()
    assert [row.sheet for row in load.rejected_rows.all()] == ["Mardi", "Mercredi"]
    assert RefusedRow.objects.filter(sheet="Mercredi").exists()
