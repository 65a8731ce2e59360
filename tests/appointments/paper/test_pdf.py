"""The PDF, read back with pypdf."""

import io
import re

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from appointments.paper.words import self_contained
from staff.paper.pdf import PdfUnavailable, draw
from tests.appointments.paper.sheets import a_row, a_sheet, by_clause, many_rows

# Shrinking would draw hundreds of sheets with letters that no font has, a second each.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
A4_LANDSCAPE = (842, 595)  # points, ISO 216

try:
    draw("<p>Essai</p>")
except PdfUnavailable as error:
    pytest.skip(f"no PDF on this machine: {error}", allow_module_level=True)


def read(sheet) -> PdfReader:
    """Draw a sheet and open the result."""
    return PdfReader(io.BytesIO(draw(self_contained(sheet)).body))


def pages_of(reader: PdfReader) -> list[str]:
    """Return the text of each page, spaces evened out.

    pypdf reads a font byte by byte, not by pairs, once it holds a letter without a glyph
    (poppler does not): hence the zero bytes.
    """
    return [" ".join(page.extract_text().replace("\0", "").split()) for page in reader.pages]


@pytest.fixture(scope="module")
def long_roster() -> list[str]:
    """The pages of a sheet with 120 rows."""
    return pages_of(read(a_sheet(*many_rows(120))))


def test_a_short_sheet_is_one_page_with_everything_on_it():
    sheet = a_sheet(
        a_row(1, act="Holter", **by_clause("maintained")), a_row(2, **by_clause("cancelled"))
    )
    (page,) = pages_of(read(sheet.numbered(2)))
    for said in ["Cardiologie", "version 2", "remplace la version 1", "09:10", "ESSAI1", "ESSAI2",
                 "01/01/1960 (62 ans)", "D00001", "Holter", "bulletin 3, point 2", "0495 12 34 56",
                 "1 / 1"]:  # fmt: skip
        assert said in page


def test_the_paper_is_a4_on_its_side():
    page = read(a_sheet(a_row())).pages[0]
    assert (round(page.mediabox.width), round(page.mediabox.height)) == A4_LANDSCAPE


def test_the_document_has_a_title_a_language_and_tags():
    reader = read(a_sheet(a_row()))
    assert reader.metadata.title == "Cardiologie (Arlon) – lundi 16 mai 2022 – version 1"
    assert reader.trailer["/Root"]["/Lang"] == "fr"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_every_page_of_a_long_sheet_says_which_it_is_and_repeats_the_headings(long_roster):
    assert len(long_roster) > 5
    for number, page in enumerate(long_roster, start=1):
        assert f"{number} / {len(long_roster)}" in page
        assert page.count("Cardiologie (Arlon) – lundi 16 mai 2022 – version 1") == 2
        assert "N° Heure Patient Acte, praticien Décision Téléphone Arrivé à" in page


def test_no_row_of_a_long_sheet_is_split_or_lost(long_roster):
    for number in range(1, 121):
        name, record = rf"\bESSAI{number}\b", f"dossier D{number:05d}"
        (page,) = [page for page in long_roster if re.search(name, page)]
        # The record number is the last line of the patient's cell.
        assert record in page
        assert sum(record in other for other in long_roster) == 1


def test_a_heading_never_stands_alone_at_the_foot_of_a_page(long_roster):
    for title in ["Maintenus ou prévus", "À examiner : décision attendue", "Annulés"]:
        (page,) = [page for page in long_roster if f"{title} : 40" in page]
        assert re.search(rf"{title} : 40 \d+ \d\d:\d\d", page)


@example(name="Es\x1bcape", act="\x00")
@settings(max_examples=15, deadline=None, phases=NO_SHRINKING)
@given(
    name=st.text(st.characters(codec="utf-8", max_codepoint=0x2FFF), min_size=1, max_size=80),
    act=st.text(st.characters(codec="utf-8"), max_size=60),
)
def test_no_name_and_no_act_breaks_the_sheet(name, act):
    rows = [a_row(n, family_name=name, act=act, **by_clause("maintained")) for n in (1, 2, 3)]
    text = " ".join(pages_of(read(a_sheet(*rows))))
    assert text.count("09:10") == 3
    assert text.count("dossier D") == 3


@settings(max_examples=10, deadline=None)
@given(
    name=st.text("éèêëàçñœßüöïÉÈŁøşğ'’-<>&\"", min_size=3, max_size=25),
    length=st.integers(1, 200),
)
def test_names_of_the_region_are_read_back_as_written(name, length):
    act = ("W" * 40 + " ") * 5
    text = "".join(pages_of(read(a_sheet(a_row(family_name=name, act=act[:length])))))
    assert name.upper().replace(" ", "") in text.replace(" ", "")
