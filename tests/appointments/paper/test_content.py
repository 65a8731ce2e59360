"""What stands on a sheet and in which order, without a database."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.paper.content import arranged
from tests.appointments.paper.sheets import PRINTED_AT, a_row, a_sheet, by_clause
from tests.builders import MONDAY, at


def test_maintained_come_first_then_under_review_then_cancelled_each_by_time():
    sheet = a_sheet(
        a_row(1, starts="08:00", **by_clause("cancelled")),
        a_row(2, starts="11:00", **by_clause("maintained")),
        a_row(3, starts="07:00", **by_clause("under_review")),
        a_row(4, starts="09:00", **by_clause("maintained")),
        a_row(5, starts="06:30", **by_clause("cancelled")),
    )
    assert [row.appointment_id for row in sheet.rows] == [4, 2, 3, 5, 1]
    assert sheet.counts == {"maintained": 2, "under_review": 1, "cancelled": 2}


def test_what_nobody_ruled_on_stands_among_the_maintained():
    assert a_row(outcome="").section == "maintained"


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_what_the_source_struck_stands_among_the_cancelled_though_it_was_maintained(status):
    assert a_row(status=status, **by_clause("maintained")).section == "cancelled"


@pytest.mark.parametrize("status", ["booked", "arrived", "fulfilled", "noshow"])
def test_other_words_of_the_source_leave_a_row_where_the_decision_puts_it(status):
    assert a_row(status=status, **by_clause("under_review")).section == "under_review"


@given(st.permutations([(n, s) for n, s in enumerate(["", "maintained", "cancelled"] * 2)]))
def test_the_order_on_paper_does_not_depend_on_the_order_of_reading(pairs):
    rows = [a_row(number, outcome=outcome, family_name="Même") for number, outcome in pairs]
    assert arranged(rows) == arranged(sorted(rows, key=lambda row: row.appointment_id))


def test_the_digest_ignores_when_it_was_printed_and_how_old_the_data_are():
    sheet = a_sheet(a_row())
    later = replace(sheet, made_at=PRINTED_AT + dt.timedelta(hours=5), feeds=(), version=7)
    assert later.content_digest == sheet.content_digest


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": at("2022-05-16 09:11")},
        {"family_name": "Autre"},
        {"phones": ()},
        {"outcome": "cancelled"},
        {"decided_by": "Anne Collignon"},
        {"status": "cancelled"},
        {"missing_since": PRINTED_AT},
    ],
)
def test_any_change_of_what_is_printed_changes_both_digests(change):
    before, after = a_sheet(a_row()), a_sheet(replace(a_row(), **change))
    assert after.content_digest != before.content_digest
    assert after.plan_digest != before.plan_digest


def test_telling_a_patient_changes_the_content_but_not_the_plan():
    before, after = a_sheet(a_row(told="open")), a_sheet(a_row(told="told", told_word="cancelled"))
    assert after.content_digest != before.content_digest
    assert after.plan_digest == before.plan_digest


def test_a_patient_who_heard_cancelled_and_is_maintained_was_told_otherwise():
    assert a_row(told="told", told_word="cancelled", **by_clause("maintained")).is_told_otherwise
    assert not a_row(told="told", told_word="cancelled", **by_clause("cancelled")).is_told_otherwise
    assert not a_row(
        told="open", told_word="cancelled", **by_clause("maintained")
    ).is_told_otherwise


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (dt.date(1960, 5, 16), (62, 0)),
        (dt.date(1960, 5, 17), (61, 0)),
        (dt.date(2020, 5, 17), (1, 23)),
        (dt.date(2020, 5, 16), (2, 0)),
        (dt.date(2022, 5, 1), (0, 0)),
        (dt.date(2022, 5, 17), None),
        (None, None),
    ],
)
def test_the_age_is_in_years_and_below_two_years_in_months(born, age):
    assert a_row(birth_date=born).age_on(MONDAY) == age


def test_a_sheet_without_any_feed_is_old():
    assert a_sheet(feeds=()).is_old
    assert a_sheet(is_old=True).is_old
    assert not a_sheet().is_old


@pytest.mark.parametrize(
    ("code", "stem"),
    [
        ("arlon-cardiologie", "arlon-cardiologie-2022-05-16-v1"),
        ("cardiologie", "arlon-cardiologie-2022-05-16-v1"),
    ],
)
def test_the_file_says_site_unit_day_and_version(code, stem):
    assert a_sheet(unit_code=code).file_stem == stem


def test_a_version_replaces_the_one_before():
    assert a_sheet().numbered(1).replaces == 0
    assert a_sheet().numbered(3).replaces == 2
