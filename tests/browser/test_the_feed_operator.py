"""The feed operator and a file with bad rows: what is wrong where, mended, and loaded again."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import People, Person

pytestmark = pytest.mark.browser
HEADINGS = (
    *("Numéro de rendez-vous", "Numéro de dossier", "Nom", "Prénom", "GSM"),
    *("Code unité", "Activité", "Date et heure"),
)
MAY = "27/05/2022"
GOOD = (
    ("F1", "D81", "Aubry", "Lise", "0470123451", "arlon-pneumo", "consultation", f"{MAY} 09:00"),
    ("F2", "D82", "Bodart", "Jean", "0470123452", "arlon-pneumo", "consultation", f"{MAY} 09:20"),
)  # fmt: skip
BAD = (
    ("F3", "D83", "Collin", "Rose", "0470123453", "arlon-pnemo", "consultation", f"{MAY} 09:40"),
    ("F4", "D84", "Denis", "Paul", "0470123454", "arlon-pneumo", "consultation", f"{MAY} 25:00"),
    ("F5", "D85", "Evrard", "Anne", "0470123455", "arlon-pneumo", "consultatoin", f"{MAY} 10:20"),
)  # fmt: skip
# Of each bad row: the line as a spreadsheet counts it, heading, value, some words of the reason.
FAULTS = (
    ("4", "Code unité", "arlon-pnemo", "arlon-pneumo"),
    ("5", "Date et heure", f"{MAY} 25:00", "heure"),
    ("6", "Activité", "consultatoin", "consultation"),
)
MENDED = (
    (*BAD[0][:5], "arlon-pneumo", *BAD[0][6:]),
    (*BAD[1][:7], f"{MAY} 10:00"),
    (*BAD[2][:6], "consultation", BAD[2][7]),
)


def test_bad_rows_are_named_mended_and_loaded_and_the_same_file_again_changes_nothing(
    people: People, tmp_path: Path
) -> None:
    operator = people.signed_in("flux")
    check(operator, write(tmp_path / "vendredi.csv", *GOOD, *BAD))
    page = operator.page
    rows = page.locator("section:has(#faults) tbody tr")
    expect(rows).to_have_count(len(FAULTS))
    for row, (line, column, value, reason) in zip(rows.all(), FAULTS, strict=True):
        cells = row.locator("td")
        expect(cells.nth(0)).to_have_text(line)
        expect(cells.nth(1)).to_have_text(column)
        expect(cells.nth(2)).to_have_text(value)
        expect(cells.nth(3)).to_contain_text(reason)
    operator.picture("65-import-faults")
    load(page)
    assert counts(page) == {"new": 2, "changed": 0, "same": 0, "rejected": 3}

    mended = write(tmp_path / "vendredi.csv", *GOOD, *MENDED)
    check(operator, mended)
    expect(page.locator("#faults")).to_have_count(0)
    load(page)
    assert counts(page) == {"new": 3, "changed": 0, "same": 2, "rejected": 0}

    check(operator, mended)
    load(page)
    assert counts(page) == {"new": 0, "changed": 0, "same": 5, "rejected": 0}
    operator.picture("66-import-nothing-new")
    patients = people.signed_in("crise1").open("/schedule/?day=2022-05-27")
    for row in (*GOOD, *MENDED):
        expect(patients.locator(".visit-patient").filter(has_text=row[2])).to_have_count(1)


def write(path: Path, *rows: Sequence[str]) -> Path:
    """Write a file as the agenda exports it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows([HEADINGS, *rows])
    return path


def check(operator: Person, path: Path) -> None:
    """Give the file and read what it would change."""
    page = operator.open("/imports/new/")
    page.set_input_files("#id_file", path)
    page.get_by_role("button", name="Vérifier le fichier").click()
    expect(page.get_by_role("heading", name="Ce que ce fichier changerait")).to_be_visible()


def load(page: Page) -> None:
    """Load the checked file for good."""
    page.get_by_role("button", name="Charger pour de bon").click()
    expect(page.get_by_role("heading", name="Ce qui a été chargé")).to_be_visible()


def counts(page: Page) -> dict[str, int]:
    """Return what the page says of the load."""
    titles = {
        "new": "Nouveaux rendez-vous",
        "changed": "Modifiés",
        "same": "Inchangés",
        "rejected": "Lignes rejetées",
    }
    rows = page.get_by_role("row")
    return {
        name: int(
            rows.filter(has=page.get_by_role("rowheader", name=title)).locator("td").inner_text()
        )
        for name, title in titles.items()
    }
