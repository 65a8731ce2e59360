"""A refused row is a patient who may travel for nothing: open until somebody sees to it."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from appointments.board.queries import board
from appointments.bulletins.preview import preview
from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.importing.refused_rows import (
    RefusedCount,
    count_refused,
    dismiss,
    note_call,
    refused_by_day,
)
from appointments.feeds.importing.services import load_file, load_records
from appointments.feeds.records import RowFault
from appointments.models import RefusedRow, ScheduleImport
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Role
from tests.appointments.bulletins.builders import a_draft, in_force
from tests.appointments.feeds.files.builders import ROW, a_record, csv_file
from tests.appointments.feeds.loads import load, terms
from tests.builders import MONDAY, a_site, a_unit, a_user

pytestmark = pytest.mark.django_db

ANNE = {"family_name": "Dupont", "given_name": "Anne", "birth_date": dt.date(1958, 11, 3)}
JEAN = {"family_name": "Lambert", "given_name": "Jean", "birth_date": dt.date(1970, 2, 1)}


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    a_unit()


def the_row() -> RefusedRow:
    return RefusedRow.objects.get()


def test_who_is_refused_can_be_called_with_name_phone_day_and_reason():
    load(a_record(1, **ANNE, patient_id="0"), a_record(2, **JEAN, patient_id="0"))
    row = the_row()
    assert (row.state, row.source_id, row.line) == ("open", "R2", 3)
    assert (row.name, row.record_number, row.phones) == ("LAMBERT Jean", "0", "0495 12 00 02")
    assert (row.day, row.moment, row.place) == (MONDAY, "16/05/2022 09:10", "arlon-cardio arlon")
    assert "DUPONT Anne" in str(row.why)
    assert str(row.why).startswith("Numéro de dossier : ")


def test_what_can_be_read_of_a_row_that_a_file_garbled(tmp_path):
    file = csv_file(
        tmp_path,
        ROW | {"Activité": "sieste", "GSM": "0495 12 34 56 / 063 22 33 44"},
        ROW | {"N° RDV": "R2", "Date et heure": "16/05/2022 vers 9h"},
        ROW | {"N° RDV": "", "Date et heure": "lundi", "Dossier": "D3"},
    )
    load_file(path=file, feed_name="agenda")
    rows = RefusedRow.objects.order_by("line")
    assert [row.source_id for row in rows] == ["R1", "R2", ""]
    assert [row.day for row in rows] == [MONDAY, MONDAY, None]
    assert {row.name for row in rows} == {"DUPONT Hélène"}
    assert rows[0].phones == "0495 12 34 56 / 063 22 33 44"
    assert rows[2].moment == "lundi"
    assert rows[0].schedule_import == ScheduleImport.objects.get()


def test_a_place_where_the_file_itself_is_broken_is_kept_as_it_stands():
    load(a_record(1), RowFault(7, "", 'R9;Lambert;"', "Guillemet ouvert."))
    row = the_row()
    assert (row.name, row.day, row.line) == ('R9;Lambert;"', None, 7)


def test_a_dry_run_keeps_nothing():
    load(a_record(1, unit="nulle-part"), dry_run=True)
    assert not RefusedRow.objects.exists()


def test_all_that_is_wrong_with_a_row_is_one_open_row():
    faults = [RowFault(2, name, "?", "Faux.", source_id="R1") for name in ("Site", "Unité")]
    load(*faults)
    assert str(the_row().why) == "Site : Faux. Unité : Faux."


def test_the_same_file_twice_keeps_the_row_once_and_a_closed_one_closed():
    operator = a_user("flux", Role.FEED_OPERATOR)
    for _time in range(2):
        load(a_record(1, unit="nulle-part"))
    note_call(refused_row_id=the_row().pk, by=operator)
    load(a_record(1, unit="nulle-part"))
    assert the_row().state == "called"


def test_a_closed_row_that_says_something_else_is_open_again():
    operator = a_user("flux", Role.FEED_OPERATOR)
    load(a_record(1, unit="nulle-part"))
    note_call(refused_row_id=the_row().pk, by=operator)
    load(a_record(1, unit="nulle-part", starts="2022-05-17 10:00"))
    row = the_row()
    assert (row.state, row.day, row.settled_by) == ("open", dt.date(2022, 5, 17), None)


def test_the_number_that_lands_later_mends_the_row():
    load(a_record(1, unit="nulle-part"))
    load(a_record(1))
    row = the_row()
    assert (row.state, row.settled_by) == ("mended", None)
    load(a_record(1, unit="nulle-part"))
    assert the_row().state == "open"


def test_another_source_mends_nothing():
    load(a_record(1, unit="nulle-part"))
    load_records(feed_name="labo", records=[a_record(1)], terms=terms())
    assert the_row().state == "open"


def test_two_people_under_one_number_of_an_appointment_leave_the_second_open():
    load(a_record(1), a_record(1, line=9, patient_id="D9", family_name="Autre"))
    assert (the_row().name, the_row().state) == ("AUTRE", "open")
    load(a_record(1))
    assert the_row().state == "mended"


def test_a_row_that_stands_twice_in_a_file_loses_nobody():
    result = load(a_record(1), a_record(1, line=9))
    assert result.rows_rejected == 1
    assert not RefusedRow.objects.exists()


def test_three_refused_rows_of_one_number_are_three():
    load(*[a_record(1, line=n, patient_id=f"D{n}", unit="nulle-part") for n in range(3)])
    assert RefusedRow.objects.filter(state="open").count() == 3


def test_dismissing_needs_a_name_and_a_reason():
    operator = a_user("flux", Role.FEED_OPERATOR)
    load(a_record(1, unit="nulle-part"))
    with pytest.raises(Refusal, match="Dites pourquoi"):
        dismiss(refused_row_id=the_row().pk, by=operator, note=" ")
    dismiss(refused_row_id=the_row().pk, by=operator, note="Ligne d'essai du programme")
    row = the_row()
    assert (row.state, row.settled_by, row.note) == (
        "dismissed",
        operator,
        "Ligne d'essai du programme",
    )
    event = AuditEvent.objects.get(action="schedule.refused_row_dismissed")
    assert (event.actor, event.object_id) == (operator, str(row.pk))
    with pytest.raises(Refusal, match="déjà close"):
        note_call(refused_row_id=row.pk, by=operator)


def test_who_may_not_load_files_may_not_close_their_rows():
    load(a_record(1, unit="nulle-part"))
    for user in (a_user("ward", Role.WARD_CLERK), a_user("arlon", Role.CRISIS_CELL, site=a_site())):
        with pytest.raises(AccessRefused):
            note_call(refused_row_id=the_row().pk, by=user)
    assert the_row().state == "open"


@pytest.mark.parametrize("state", ["called", "dismissed"])
def test_the_database_refuses_a_closed_row_that_nobody_closed(state):
    load(a_record(1, unit="nulle-part"))
    with pytest.raises(IntegrityError), transaction.atomic():
        RefusedRow.objects.update(state=state, note="x", settled_at=the_row().refused_at)


def test_open_rows_are_counted_by_day_and_on_ruled_days():
    in_force()
    load(
        a_record(1, unit="nulle-part"),
        a_record(2, unit="nulle-part", starts="2022-06-20 09:00"),
        RowFault(9, "Date", "lundi", "Illisible.", source_id="R3"),
    )
    assert refused_by_day() == {MONDAY: 1, dt.date(2022, 6, 20): 1, None: 1}
    assert count_refused({MONDAY}) == RefusedCount(open=3, on_ruled_days=1, without_day=1)
    assert board(a_user("cellule", Role.CRISIS_CELL)).refused.on_ruled_days == 1


def test_the_preview_says_how_many_nobody_will_tell():
    load(a_record(1, unit="nulle-part"), a_record(2, unit="nulle-part", starts="2022-06-20 09:00"))
    found = preview(a_draft().pk)
    assert (found.refused_open, found.refused_on_its_days) == (2, 1)
    assert "2 lignes refusées au chargement restent ouvertes, dont 1" in found.warnings[0]


def test_queries_do_not_grow_with_the_rows():
    def queries(count: int) -> int:
        records = [a_record(n, unit="nulle-part") for n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            load(*records)
        return len(captured)

    queries(2)  # the source is new, and what never changes is read
    assert queries(3) == queries(40)


def test_a_file_of_the_reader_says_what_it_could_not_read(tmp_path):
    entries = list(open_schedule(csv_file(tmp_path, ROW | {"Activité": "sieste"})).entries())
    assert entries[0].row.name == "DUPONT Hélène"
