"""What a file says of telephones: every number that can be dialled lands, the others are said."""

import io

import pytest
from django.core.management import call_command
from django.urls import reverse

from appointments.feeds.files import headings
from appointments.feeds.importing.services import FileLoad, load_file
from appointments.models import ScheduleImport
from patients.models import Patient
from tests.appointments.feeds.files.builders import ROW, csv_file, xlsx_file
from tests.builders import a_unit, a_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unit():
    """Make the unit that the files name."""
    return a_unit()


def load(tmp_path, *cells: str, heading: str = "GSM", **fields: str) -> FileLoad:
    """Load a file of one patient for each cell."""
    row = {key: value for key, value in ROW.items() if key != "GSM"}
    rows = [
        row | {"N° RDV": f"R{n}", "Dossier": f"D{n}", heading: cell} | fields
        for n, cell in enumerate(cells)
    ]
    return load_file(path=csv_file(tmp_path, *rows), feed_name="agenda")


def numbers(record: str = "D0") -> list[str]:
    """Return what is kept of a patient, in order."""
    patient = Patient.objects.get(identifiers__value=record)
    return [one.number for one in patient.numbers]


def remarks(done: FileLoad) -> list[tuple[str, str]]:
    """Return column and value of each remark."""
    return [(fault.column, fault.value) for fault in done.result.remarks]


def test_a_number_that_cannot_be_dialled_is_a_remark_and_never_a_landline(tmp_path):
    done = load(tmp_path, "0495 12 34 5", "621 123 456", "06 12 34 56 78", "0000000000")
    assert remarks(done) == [("GSM", "0495 12 34 5"), ("GSM", "0000000000")]
    assert [numbers(f"D{n}") for n in range(4)] == [[], ["+352621123456"], ["+33612345678"], []]
    assert not Patient.objects.exclude(landline="").exists()


def test_a_number_that_cannot_be_dialled_never_takes_the_place_of_a_good_one(tmp_path):
    load(tmp_path, "0495 12 34 56", Téléphone="063 22 33 44")
    load(tmp_path, "0495 12 34 5", Téléphone="")
    patient = Patient.objects.get()
    assert (patient.mobile, patient.landline) == ("+32495123456", "+3263223344")
    assert numbers() == ["+32495123456", "+3263223344"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("0495 12 34 56 (fille)", ["+32495123456"]),
        ("0495123456/063223344", ["+32495123456", "+3263223344"]),
        ("0495 12 34 56\n063 22 33 44", ["+32495123456", "+3263223344"]),
        ("0495 12 34 56 / ?", ["+32495123456"]),
        ("0495/12.34.56 - 063/22.33.44", ["+32495123456", "+3263223344"]),
        ("0495123456,0496123456", ["+32495123456", "+32496123456"]),
    ],
)
def test_every_good_number_of_a_cell_is_kept_in_order(tmp_path, cell, expected):
    done = load(tmp_path, cell)
    assert numbers() == expected
    assert remarks(done) == []


def test_a_line_break_in_a_spreadsheet_separates_two_numbers(tmp_path):
    path = xlsx_file(tmp_path, ROW | {"GSM": "0495 12 34 56\n0496 12 34 56"})
    load_file(path=path, feed_name="agenda")
    assert numbers("D1") == ["+32495123456", "+32496123456"]


def test_a_doubtful_number_is_named_and_its_neighbour_lands(tmp_path):
    done = load(tmp_path, "0495 12 34 5 / 063 22 33 44")
    assert numbers() == ["+3263223344"]
    assert remarks(done) == [("GSM", "0495 12 34 5")]


def test_the_numbers_of_all_rows_of_a_patient_are_kept(tmp_path):
    first = ROW | {"GSM": "0495 12 34 56"}
    rows = [first, first | {"N° RDV": "R2", "GSM": "063 22 33 44"}]
    rows.append(first | {"N° RDV": "R3", "GSM": ""})
    load_file(path=csv_file(tmp_path, *rows), feed_name="agenda")
    assert sorted(numbers("D1")) == ["+32495123456", "+3263223344"]


def test_a_relatives_number_stands_behind_the_patients_own_and_says_whose_it_is(tmp_path):
    row = {"Dossier": "D1", "GSM fille": "0496 12 34 56"} | ROW
    load_file(path=csv_file(tmp_path, row), feed_name="agenda")
    patient = Patient.objects.get()
    assert patient.mobile == "+32495123456"
    assert [(one.number, one.label) for one in patient.numbers] == [
        ("+32495123456", ""),
        ("+32496123456", "fille"),
    ]


@pytest.mark.parametrize(
    "heading",
    [
        "Téléphone", "N° de téléphone", "Tél. privé", "N° GSM", "Contact", "GSM 2", "Tél/GSM",
        "Telefoonnummer patiënt", "Mobile number", "N° de contact", "GSM (privé)", "Tel1",
    ],
)  # fmt: skip
def test_natural_headings_are_understood(tmp_path, heading):
    load(tmp_path, "0495 12 34 56", heading=heading)
    assert numbers() == ["+32495123456"]


@pytest.mark.parametrize(
    "heading", ["Tél. médecin traitant", "Fax", "Nom contact", "Motif de contact", "Tél. service"]
)
def test_somebody_elses_telephone_is_not_the_patients(heading):
    assert headings.key_of(heading) is None


class TestAFileWithoutTelephone:
    def test_the_command_says_so_in_its_first_line(self, tmp_path):
        row = {key: value for key, value in ROW.items() if key != "GSM"}
        path, out = csv_file(tmp_path, row | {"Couleur": "vert"}), io.StringIO()
        for options in (["--dry-run"], []):
            with pytest.raises(SystemExit):
                call_command("import_schedule", str(path), *options, stdout=out)
            assert out.getvalue().splitlines()[0].startswith("Aucun numéro de téléphone")

    def test_the_page_says_so_before_the_counts(self, client, tmp_path):
        load(tmp_path, "inconnu", "")
        client.force_login(a_user("feeds", "feed_operator"))
        page = client.get(reverse("import", args=[_last_load()])).content.decode()
        assert page.index("Aucun numéro de téléphone") < page.index("Nouveaux rendez-vous")

    def test_one_number_is_enough_to_say_nothing(self, client, tmp_path):
        load(tmp_path, "", "0495 12 34 56")
        client.force_login(a_user("feeds", "feed_operator"))
        page = client.get(reverse("import", args=[_last_load()])).content.decode()
        assert "Aucun numéro de téléphone" not in page


def _last_load() -> int:
    return ScheduleImport.objects.latest("id").pk
