"""``manage.py import_schedule``: exit codes and what it prints."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from appointments.models import Appointment, Feed, ScheduleImport
from tests.appointments.feeds.files import ROW, csv_file
from tests.builders import a_unit

pytestmark = pytest.mark.django_db

BAD = ROW | {"N° RDV": "R2", "Activité": "sieste"}


@pytest.fixture(autouse=True)
def unit():
    """Make the unit that the file names."""
    return a_unit()


def run(path: Path, *options: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of the command."""
    out, errors = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("import_schedule", str(path), *options, stdout=out, stderr=errors)
    return int(ended.value.code or 0), out.getvalue(), errors.getvalue()


def test_it_ends_with_0_when_every_row_is_in(tmp_path):
    code, out, _ = run(csv_file(tmp_path), "--source", "labo")
    assert code == 0
    assert "1 nouvelles" in out
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


def test_a_partial_export_flags_nothing_as_missing(tmp_path):
    run(csv_file(tmp_path, ROW, ROW | {"N° RDV": "R2"}))
    assert json.loads(run(csv_file(tmp_path), "--partial", "--json")[1])["missing"] == 0
    assert json.loads(run(csv_file(tmp_path), "--json")[1])["missing"] == 1
