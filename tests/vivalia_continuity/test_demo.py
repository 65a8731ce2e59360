"""``manage.py demo`` plays the whole day, with a real worker, and touches nothing else."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from appointments.demo.accounts import ACCOUNTS

ROOT = Path(__file__).resolve().parents[2]
# It always runs on its own SQLite; the PostgreSQL pass would only repeat it.
pytestmark = pytest.mark.sqlite


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Play the day once; give what was printed and the folder."""
    folder = tmp_path_factory.mktemp("demo")
    environment = os.environ | {
        "DATA_DIR": str(folder / "mine"),
        "DJANGO_SETTINGS_MODULE": "vivalia_continuity.settings",
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", "demo", "--out", str(folder / "out")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout, folder


@pytest.fixture
def printed(played):
    return played[0]


@pytest.fixture
def out(played):
    return played[1] / "out"


def test_it_says_what_came_in_and_names_each_bad_row(printed):
    assert "9000 patients" in printed
    assert "4 lignes rejetées" in printed
    for value in ("arlon-cardiologi", "31/02/2022", "radiologgie", "25:40"):
        assert f"« {value}" in printed or f"{value} »" in printed


def test_the_drafter_may_not_approve_and_a_second_person_does(printed):
    assert "crise1 essaie d'approuver son propre texte" in printed
    assert "approuve : le bulletin 1 est en vigueur" in printed


def test_no_operation_is_left_to_examine_and_no_emergency_is_cancelled(printed):
    rows = {
        line.split()[0]: line.split()[-4:] for line in printed.splitlines() if line[:3] == "   "
    }
    assert rows["Opération"][2] == "–"
    assert rows["Opération"][0] != "–" != rows["Opération"][1]
    assert rows["Urgences"][0] == "–"


def test_every_sms_is_left_as_a_file_and_nobody_got_two(out):
    with (out / "messages.csv").open(encoding="utf-8-sig", newline="") as file:
        messages = list(csv.DictReader(file, delimiter=";"))
    assert len(messages) > 500
    assert len({message["Référence"] for message in messages}) == len(messages)
    assert {message["Langue"] for message in messages} == {"fr", "nl", "de", "en"}
    assert {message["Parties"] for message in messages} == {"1"}
    assert all(message["Référence"] in message["Texte"] for message in messages)


def test_every_unit_has_its_paper(out):
    papers = [path.stem for path in (out / "feuilles").iterdir()]
    assert len(papers) > 50
    assert any(paper.startswith("libramont-bloc") for paper in papers)


def test_the_promises_are_kept_at_the_end(printed):
    assert "Tout est tenu." in printed
    assert "ROMPUE" not in printed


def test_the_users_own_database_was_not_touched(played):
    own = played[1] / "mine"
    assert not list(own.glob("*.sqlite3*"))


def test_the_accounts_are_named_once():
    names = [account.username for account in ACCOUNTS]
    assert len(set(names)) == len(names)
