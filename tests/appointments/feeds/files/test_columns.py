"""The list of columns: no heading means two things, and the page about them is complete."""

from collections import Counter
from pathlib import Path

import pytest

from appointments.feeds.files.headings import COLUMNS, TEMPLATE_HEADINGS, Column, find
from patients.names import fold

PAGE = Path(__file__).parents[4] / "docs" / "schedule-files.md"


def test_no_heading_means_two_columns():
    meanings = {(fold(text).replace(" ", ""), c.key) for c in COLUMNS for text in c.headings}
    twice = [text for text, n in Counter(text for text, _key in meanings).items() if n > 1]
    assert not twice


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_the_page_about_schedule_files_names_each_column(column: Column):
    row = next(
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| {column.title} |")
    )
    assert f"`{column.example}`" in row
    assert all(heading in row for heading in column.headings)
    assert ("| yes |" in row) == column.required


def test_the_template_is_understood_by_the_reader():
    headings = find([(1, TEMPLATE_HEADINGS)])
    assert not headings.unused
    assert len(headings.places["phones"]) == 2
