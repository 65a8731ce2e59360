"""What a load said is read in the language of whoever reads it, not of whoever loaded it."""

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext

from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.importing import uploads
from appointments.feeds.importing.refused_rows import dismiss, note_call
from appointments.feeds.importing.services import load_file
from appointments.feeds.records import RowFault
from appointments.models import Feed, RefusedRow, RejectedRow, ScheduleImport
from appointments.models.feed import about_counts
from staff import clock
from staff.errors import Refusal
from staff.models import Role
from tests.appointments.bulletins.builders import in_force
from tests.appointments.feeds.files.builders import ROW, a_record, csv_file, xlsx_file
from tests.appointments.feeds.loads import load, run
from tests.builders import a_unit, a_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db

LANGUAGES = ["fr", "nl", "de", "en"]
CASES = Path(__file__).parents[1] / "files" / "cases"


def in_each(msgid: str, **values: str) -> dict[str, str]:
    """Return what the catalogues make of a sentence, in each language."""
    said = {}
    for language in LANGUAGES:
        with translation.override(language):
            said[language] = gettext(msgid) % values if values else gettext(msgid)
    assert len(set(said.values())) == len(LANGUAGES)
    return said


UNKNOWN_UNIT = in_each(
    "Unité inconnue : corrigez le code, ou créez l'unité dans les données de référence."
)
HIDDEN = in_each("feuille masquée : si elle contient des rendez-vous, affichez-la.")
UNUSED = in_each("Colonnes non utilisées : %(names)s.", names="Salle")
PDF = in_each("Ceci est un PDF : exportez l'agenda en CSV ou en XLSX.")
GONE = {
    language: in_each(
        "%(site)s, %(day)s : %(n)s des %(known)s rendez-vous connus ont disparu.",
        site="arlon",
        day=day,
        n="6",
        known="6",
    )[language]
    for language, day in {
        "fr": "lundi 16 mai 2022",
        "nl": "maandag 16 mei 2022",
        "de": "Montag, 16. Mai 2022",
        "en": "Monday 16 May 2022",
    }.items()
}


@pytest.fixture(autouse=True)
def arlon(saturday_noon, settings, tmp_path) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    settings.MEDIA_ROOT = tmp_path / "media"
    a_unit()


def reader(language: str, role: str = Role.FEED_OPERATOR) -> Client:
    return signed_in(a_user(f"lecteur-{language}-{role}", role, language=language))


def a_workbook(folder: Path) -> Path:
    """Return one with a hidden sheet, a column of its own, a refused row and a remark."""
    path = xlsx_file(
        folder,
        ROW | {"Salle": "3"},
        ROW | {"N° RDV": "R2", "Dossier": "D2", "Unité": "nulle-part", "Salle": "3"},
        ROW | {"N° RDV": "R3", "Dossier": "D3", "Date et heure": "16/05/2022", "Salle": "3"},
        ROW | {"N° RDV": "R4", "Dossier": "D4", "Activité": "sieste", "Salle": "3"},
        ROW | {"N° RDV": "R5", "Dossier": "D5", "GSM": "12", "Salle": "3"},
    )
    book = openpyxl.load_workbook(path)
    book.create_sheet("Archives").append(["Code"])
    book["Archives"].sheet_state = "hidden"
    book.save(path)
    return path


def loaded(folder: Path, language: str) -> ScheduleImport:
    """Return the load of that workbook by somebody who speaks a language."""
    with translation.override(language):
        load_file(path=a_workbook(folder), feed_name="agenda")
    return ScheduleImport.objects.latest("id")


def kept() -> list[tuple]:
    """Return what the database itself holds of every load."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT why, '' FROM appointments_rejectedrow UNION ALL "
            "SELECT why, content FROM appointments_refusedrow UNION ALL "
            "SELECT message, CAST(sheets AS text) FROM appointments_scheduleimport ORDER BY 1, 2"
        )
        return cursor.fetchall()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_stored_is_the_same_in_whatever_language_it_is_loaded(language, tmp_path):
    loaded(tmp_path, language)
    there = kept()
    RejectedRow.objects.all().delete()
    RefusedRow.objects.all().delete()
    ScheduleImport.objects.all().delete()
    loaded(tmp_path, "fr")
    assert kept() == there


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_no_fault_of_any_export_depends_on_the_language_of_the_reading(case):
    def found(language: str) -> list[object]:
        with translation.override(language):
            try:
                file = open_schedule(case)
                faults = [one for one in file.entries() if isinstance(one, RowFault)]
            except Refusal as refusal:
                return [refusal.sentence]
        return [*faults, *(sheet.left_out for sheet in file.sheets)]

    assert found("nl") == found("fr")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("loader", ["fr", "de"])
def test_the_page_of_a_load_speaks_the_language_of_its_reader(language, loader, tmp_path):
    load = loaded(tmp_path, loader)
    page = reader(language).get(reverse("import", args=[load.pk])).content.decode()
    for said in (UNKNOWN_UNIT, HIDDEN, UNUSED):
        assert [one for one in LANGUAGES if escape(said[one]) in page] == [language]
    with translation.override(language):
        for row in load.rejected_rows.all():
            assert escape(str(row.why)) in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_faults_as_a_file_speak_the_language_of_their_reader(language, tmp_path):
    load = loaded(tmp_path, "nl")
    answer = reader(language).get(reverse("import_faults", args=[load.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    _heading, left_out, *rows = csv.reader(io.StringIO(text), delimiter=";")
    assert HIDDEN[language] in left_out[4]
    with translation.override(language):
        assert [row[4] for row in rows] == [
            str(row.why) for row in load.rejected_rows.order_by("id")
        ]
    assert any(row[4].startswith(UNKNOWN_UNIT[language]) for row in rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_of_refused_rows_and_the_board_speak_the_language_of_their_reader(
    language, tmp_path
):
    in_force()
    loaded(tmp_path, "nl")
    page = reader(language).get(reverse("refused_rows")).content.decode()
    separator = " : " if language == "fr" else ": "
    assert escape(f"Unité{separator}{UNKNOWN_UNIT[language]}") in page
    assert [one for one in LANGUAGES if escape(UNKNOWN_UNIT[one]) in page] == [language]
    board = reader(language, Role.CRISIS_CELL).get(reverse("board")).content.decode()
    assert 'id="tile-refused">3<' in board


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_says_it_in_the_language_of_the_terminal(language, tmp_path):
    with translation.override(language):
        _code, out, _err = run(a_workbook(tmp_path))
        _code, in_json, _err = run(a_workbook(tmp_path), "--json")
    for said in (UNKNOWN_UNIT[language], HIDDEN[language], UNUSED[language]):
        assert said in out
    assert UNKNOWN_UNIT[language] in in_json
    assert HIDDEN[language] in in_json


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_that_cannot_be_read_says_why_in_the_language_of_the_reader(language, tmp_path):
    by = a_user("flux", Role.FEED_OPERATOR)
    with translation.override("nl"):
        upload = SimpleUploadedFile("agenda.pdf", b"%PDF-1.7")
        found = uploads.receive(upload=upload, feed_name="agenda", by=by)
        uploads.run_waiting()
    page = reader(language).get(reverse("import", args=[found.pk])).content.decode()
    assert escape(PDF[language]) in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_asks_first_is_said_in_the_language_of_who_answers(language, tmp_path):
    load(*(a_record(number) for number in range(1, 7)))
    by = a_user("flux", Role.FEED_OPERATOR)
    other = csv_file(tmp_path, ROW | {"N° RDV": "R9", "Dossier": "D9"})
    with translation.override("nl"):
        upload = SimpleUploadedFile("agenda.csv", other.read_bytes())
        found = uploads.receive(upload=upload, feed_name="agenda", by=by)
        uploads.run_waiting()
    client = reader(language)
    page = client.get(reverse("import", args=[found.pk])).content.decode()
    assert GONE[language].lower() in page.lower()
    refused = client.post(reverse("import_confirm", args=[found.pk])).content.decode()
    assert refused.lower().count(GONE[language].lower()) == 2


def test_a_row_that_somebody_closed_stays_closed_when_it_is_loaded_in_another_language(tmp_path):
    loaded(tmp_path, "fr")
    by = a_user("flux", Role.FEED_OPERATOR)
    first, *others = RefusedRow.objects.order_by("line")
    note_call(refused_row_id=first.pk, by=by)
    for row in others:
        dismiss(refused_row_id=row.pk, by=by, note="Vu")
    there = list(RefusedRow.objects.order_by("line").values("pk", "key", "content", "state"))
    for language in LANGUAGES:
        loaded(tmp_path, language)
        now = RefusedRow.objects.order_by("line").values("pk", "key", "content", "state")
        assert list(now) == there


def test_a_report_with_many_reasons_takes_as_many_queries_as_one_with_few(tmp_path):
    client = reader("nl")

    def queries(number: int) -> int:
        faults = [a_record(n, unit="nulle-part") for n in range(number)]
        before = ScheduleImport.objects.create(
            feed=Feed.objects.get_or_create(name="agenda")[0],
            started_at=clock.now(),
            state="running",
        )
        load(*faults, schedule_import=before)
        with CaptureQueriesContext(connection) as found:
            client.get(reverse("import", args=[before.pk]))
        return len(found)

    assert queries(2) == queries(40)


COUNTED = {
    ("fr", 0): """0 ligne : 0 nouvelle, 0 modifiée, 0 déplacée, 0 inchangée, 0 rejetée ;
        0 rendez-vous disparu.""",
    ("fr", 1): """1 ligne : 1 nouvelle, 1 modifiée, 1 déplacée, 1 inchangée, 1 rejetée ;
        1 rendez-vous disparu.""",
    ("fr", 2): """2 lignes : 2 nouvelles, 2 modifiées, 2 déplacées, 2 inchangées, 2 rejetées ;
        2 rendez-vous disparus.""",
    ("nl", 0): """0 rijen: 0 nieuw, 0 gewijzigd, 0 verplaatst, 0 onveranderd, 0 geweigerd;
        0 afspraken verdwenen.""",
    ("nl", 1): """1 rij: 1 nieuw, 1 gewijzigd, 1 verplaatst, 1 onveranderd, 1 geweigerd;
        1 afspraak verdwenen.""",
    ("de", 0): """0 Zeilen: 0 neu, 0 geändert, 0 verschoben, 0 unverändert, 0 abgewiesen;
        0 Termine verschwunden.""",
    ("de", 1): """1 Zeile: 1 neu, 1 geändert, 1 verschoben, 1 unverändert, 1 abgewiesen;
        1 Termin verschwunden.""",
    ("en", 0): """0 rows: 0 new, 0 changed, 0 moved, 0 unchanged, 0 rejected;
        0 appointments gone.""",
    ("en", 1): """1 row: 1 new, 1 changed, 1 moved, 1 unchanged, 1 rejected;
        1 appointment gone.""",
}


@pytest.mark.parametrize(("language", "number"), COUNTED)
def test_none_and_one_are_counted_as_the_language_counts(language, number):
    names = ["rows", "created", "updated", "moved", "unchanged", "rejected", "missing"]
    with translation.override(language):
        said = about_counts(dict.fromkeys(names, number))
    assert said == " ".join(COUNTED[language, number].split())


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "1 ligne : 1 nouvelle, 0 modifiée"),
        ("nl", "1 rij: 1 nieuw, 0 gewijzigd"),
        ("de", "1 Zeile: 1 neu, 0 geändert"),
        ("en", "1 row: 1 new, 0 changed"),
    ],
)
def test_the_command_and_the_list_of_loads_count_one_row_in_the_singular(language, said, tmp_path):
    with translation.override(language):
        _code, out, _err = run(csv_file(tmp_path))
    assert said in out
    assert said in reader(language).get(reverse("imports")).content.decode()


def test_nothing_that_reads_or_takes_in_a_file_translates_before_it_stores():
    """What it says is stored: ``gettext_stored``. Only a page translates at once."""
    feeds = Path("appointments/feeds").rglob("*.py")
    at_once = re.compile(r"from django\.utils\.translation import .*\bn?gettext\b")
    found = [path.name for path in feeds if at_once.search(path.read_text())]
    assert sorted({*found} - {"views.py"}) == []
