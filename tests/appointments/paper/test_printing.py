"""Many sheets at once into a folder: the service and its command."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command
from pypdf import PdfReader

from appointments.models import Roster
from appointments.paper import services as printing
from tests.builders import a_unit, an_appointment

pytestmark = pytest.mark.django_db


def print_rosters(out, *arguments: str) -> str:
    """Run the command for Monday; what it said."""
    said = io.StringIO()
    call_command("print_rosters", "--day=2022-05-16", f"--out={out}", *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def two_units():
    """A unit in Arlon and one in Virton, somebody in each."""
    an_appointment(unit=a_unit("arlon-cardiologie"))
    an_appointment(unit=a_unit("virton-bloc", site="virton"))


@pytest.fixture
def without_pango(monkeypatch):
    """A machine that cannot draw; nor does it start children for that."""

    class HerePool:
        def __init__(self, *args, **options) -> None: ...
        def __enter__(self):
            return self

        def __exit__(self, *args) -> None: ...
        def submit(self, work, *args):
            done = printing.Future()
            try:
                done.set_result(work(*args))
            except Exception as error:
                done.set_exception(error)
            return done

    monkeypatch.setattr(printing, "ProcessPoolExecutor", HerePool)
    monkeypatch.setitem(sys.modules, "weasyprint", None)


def test_one_pdf_per_unit_with_a_line_each_and_twice_gives_the_same_versions(two_units, tmp_path):
    pytest.importorskip("weasyprint", exc_type=OSError)
    out = tmp_path / "papier"
    said = print_rosters(out)
    names = ["arlon-cardiologie-2022-05-16-v1.pdf", "virton-bloc-2022-05-16-v1.pdf"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert [line.split()[0] for line in said.splitlines()] == names
    assert "Virton" in PdfReader(out / names[1]).pages[0].extract_text()
    assert set(Roster.objects.values_list("state", "pages")) == {("ready", 1)}
    assert print_rosters(out) == said
    assert Roster.objects.count() == 2


def test_site_and_unit_narrow_what_is_printed(two_units, without_pango, tmp_path):
    with pytest.raises(SystemExit):
        print_rosters(tmp_path, "--site=virton")
    with pytest.raises(SystemExit):
        print_rosters(tmp_path, "--unit=virton-bloc")
    assert [path.name for path in tmp_path.iterdir()] == ["virton-bloc-2022-05-16-v1.html"]


@pytest.mark.parametrize("wrong", ["--site=nulle-part", "--unit=aucune"])
def test_an_unknown_place_is_named(wrong, tmp_path):
    with pytest.raises(CommandError, match=wrong.split("=")[1]) as refused:
        print_rosters(tmp_path, wrong)
    assert refused.value.returncode == 2


def test_a_folder_that_cannot_be_made_is_named(two_units, tmp_path):
    (tmp_path / "fichier").touch()
    with pytest.raises(CommandError, match="fichier"):
        print_rosters(tmp_path / "fichier")


def test_a_day_without_anybody_prints_nothing_and_says_so(tmp_path):
    assert "aucune feuille" in print_rosters(tmp_path)


def test_without_pango_the_pages_themselves_are_written_and_it_exits_1(
    two_units, without_pango, tmp_path, capsys
):
    with pytest.raises(SystemExit) as ended:
        print_rosters(tmp_path)
    assert ended.value.code == 1
    assert "Pango" in capsys.readouterr().err
    page = (tmp_path / "arlon-cardiologie-2022-05-16-v1.html").read_text(encoding="utf-8")
    assert "data:text/css" in page
    assert set(Roster.objects.values_list("state", flat=True)) == {"failed"}
