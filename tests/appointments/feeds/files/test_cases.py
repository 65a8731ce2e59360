"""Schedule files as hospitals export them, each with exactly what it gives.

The files hold invented people, and what users of agendas report of their exports.
"""

import csv
import datetime as dt
from pathlib import Path

import pytest

from appointments.feeds.records import RowFault, ScheduleRecord
from staff.errors import Refusal
from tests.appointments.feeds.files.builders import read
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
        ("", "00:00"),  # landed, with a remark
        ("T14", "9:5"),
        ("T15", "09:10 (confirmé)"),
        ("T16", "vers 9h"),
    }
    (remark,) = [fault for fault in faults if fault.landed]
    assert str(remark.why).startswith("Minuit : heure inconnue ?")


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


SEVEN = [f"R{number}" for number in range(1, 8)]


def test_two_stray_quotes_cost_the_row_of_the_first():
    records, (fault,) = of("swallow.csv")
    assert [*records] == [number for number in SEVEN if number != "R2"]
    assert (fault.line, fault.source_id, fault.landed) == (3, "R2", False)
    assert "guillemet" in str(fault.why)


def test_a_quote_behind_a_text_costs_its_row_and_names_its_appointment():
    records, (fault,) = of("re_badquote.csv")
    assert [*records] == ["R0", "R2", "R3"]
    assert (fault.source_id, fault.landed) == ("R1", False)


def test_second_headings_in_another_order_are_followed():
    records, faults = of("merged_swapped.csv")
    assert not faults
    nine = records.pop("R9")
    assert (nine.family_name, nine.given_name) == ("Dupont", "Anne")
    assert [*records] == ["R1", "R2", "R3"]


def test_a_month_first_file_is_refused_whole_with_its_first_proof():
    with pytest.raises(Refusal, match=r"05/13/2022 09:10 \(ligne 14, Date et heure\)"):
        of("us_month.csv")


def test_characters_that_cannot_be_seen_make_no_other_patient():
    first, second = of("zwsp1.csv"), of("zwsp2.csv")
    assert first == second
    assert [*first[0]] == ["R1"]


def test_wrongly_decoded_names_are_made_whole_with_a_remark_each():
    records, faults = of("mojibake.csv")
    assert (records["R1"].family_name, records["R1"].given_name) == ("Lefèvre", "Hélène")
    assert [(fault.column, fault.landed) for fault in faults] == [("Nom", True), ("Prenom", True)]


def test_one_nul_costs_its_cell():
    records, (fault,) = of("nul.csv")
    assert [record.given_name for record in records.values()] == ["Hélène", "", "Anne"]
    assert (fault.line, fault.column, fault.landed) == (3, "Prénom", True)


@pytest.mark.parametrize("name", ["ctrlz.csv", "trailing.csv"])
def test_what_ends_lines_and_files_costs_nothing(name):
    records, faults = of(name)
    assert ([*records], faults) == (["R1", "R2", "R3"], [])


def test_newborns_and_names_of_every_length_land():
    records, faults = of("newborn.csv")
    assert [*records] == [*SEVEN, "R8", "R9"]
    assert (records["R1"].family_name, records["R1"].is_name_certain) == ("Bébé", False)
    assert (records["R3"].family_name, records["R3"].given_name) == ("NN", "")
    assert records["R9"].family_name == "Hélène"
    assert len(records["R6"].family_name) == 80
    assert [(fault.line, fault.landed) for fault in faults] == [(2, True), (7, True)]


def test_numbers_that_a_spreadsheet_rounded_are_refused():
    records, faults = of("sci_ids.csv")
    assert not records
    assert all("arrondi" in str(fault.why) for fault in faults)
    assert len(faults) == 3


STATUSES = {
    "cancelled": "Annulé Annulée annule ANNULÉ Supprimé Décommandé Excusé Geannuleerd Afgezegd "
    "Cancelled Canceled CANCELLED REJECTED",
    "booked": "Confirmé Confirmée Prévue Planifiée Scheduled ACCEPTED PENDING Bevestigd Gepland "
    "Reporté Déplacé Verplaatst Open A P 1 Libre Bloqué",
    "arrived": "Arrivée CheckedIn Aangemeld",
    "fulfilled": "Honoré Terminée Completed Closed Vu",
    "noshow": "Absente No-Show Missed",
}
IN_WORDS = {
    "Annulé par le patient": "cancelled",
    "Annulée par le service": "cancelled",
    "Geannuleerd door patiënt": "cancelled",
    "cancelled by patient": "cancelled",
    "En cours": "arrived",
    "Checked In": "arrived",
    "En attente": "booked",
    "x Canceled": "booked",
    "- None": "booked",
    "Non honoré": "noshow",
    "No Show": "noshow",
    "": "booked",
}


def cells(name: str, column: str) -> dict[str, str]:
    """Return what stands in a column of a case, by the number of the appointment."""
    with (CASES / name).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter=";")
        return {row["Numéro de rendez-vous"]: row[column].strip() for row in rows}


def test_every_status_is_understood_or_lands_as_planned_with_a_remark():
    records, faults = of("status.csv")
    written = cells("status.csv", "Statut")
    expected = IN_WORDS | {word: key for key, group in STATUSES.items() for word in group.split()}
    assert {written[number]: record.status for number, record in records.items()} == expected
    assert records.keys() == written.keys()
    assert {fault.value for fault in faults} == {
        *("Reporté", "Déplacé", "Verplaatst", "Open", "x Canceled", "- None", "A", "P", "1"),
        *("Libre", "Bloqué"),
    }
    assert all(fault.landed for fault in faults)


SERVICES = {
    "consultation": "Consultation Consultations Raadpleging Consultatie Téléconsultation Vidéo",
    "radiology": "Échographie Scanner IRM RMN CT Radio Mammographie RX",
    "nuclear_medicine": "Scintigraphie",
    "blood_sampling": "Labo",
    "surgery": "Opération Operatie",
    "day_hospital": "Chimio",
    "emergency": "Urgence Urgences",
    "dialysis": "Dialyse",
    "other": "Kiné Vaccination Endoscopie",
}
ACTIVITIES = {
    "Consultation cardio": "consultation",
    "Consultation de suivi": "consultation",
    "Prise de sang": "blood_sampling",
    "Bloc opératoire": "surgery",
    "Chirurgie ambulatoire": "surgery",
    "Hospitalisation de jour": "day_hospital",
    "One day": "day_hospital",
    "Médecine nucléaire": "nuclear_medicine",
}


def test_everyday_activities_are_understood_and_a_speciality_is_none():
    records, (fault,) = of("services.csv")
    written = cells("services.csv", "Activité")
    expected = ACTIVITIES | {word: key for key, group in SERVICES.items() for word in group.split()}
    assert {written[number]: record.service for number, record in records.items()} == expected
    assert (fault.value, fault.landed) == ("Cardiologie", False)
    assert str(fault.why).startswith("Une spécialité n'est pas une activité")
    assert "Vouliez-vous dire" not in str(fault.why)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("html.xls", "page web"),
        ("old.xls", "Ancien fichier Excel"),
        ("libre.ods", r"LibreOffice \(\.ods\)"),
        ("ref9letters.xlsx", "abîmé"),
        ("redos_c.xlsx", "abîmé"),
    ],
)
def test_other_kinds_of_file_are_refused_in_words(name, why):
    with pytest.raises(Refusal, match=why):
        of(name)


def test_all_sheets_of_a_workbook_are_read():
    records, faults = of("multisheet.xlsx")
    days = {"Lundi": 16, "Mardi": 17, "Mercredi": 18}
    assert not faults
    assert {(number, record.sheet, record.starts_at.day) for number, record in records.items()} == {
        (f"{sheet}{count}", sheet, day) for sheet, day in days.items() for count in range(3)
    }


def test_the_visible_sheet_is_read_behind_a_hidden_one():
    records, faults = of("hidden_first.xlsx")
    assert ([*records], faults) == (["R1"], [])
