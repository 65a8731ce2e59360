"""One act in several sources is one appointment to the patient: told once, decided once."""

import datetime as dt
from importlib import import_module

import pytest
from django.db import connection
from django.urls import reverse

from appointments.decisions import keeping
from appointments.decisions.acts import count_double_entries, double_entries
from appointments.decisions.rulings import unsaid
from appointments.feeds.importing.results import LoadResult
from appointments.feeds.importing.services import load_records
from appointments.incoming.queries import days_of
from appointments.models import Appointment, Decision
from appointments.paper.queries import roster_contents
from appointments.paper.words import self_contained
from appointments.rules import ClauseTerms
from notifications.models import Delivery, Notice, NoticeItem
from notifications.telling.outbox import lines_of, text_of
from notifications.texts import render as texts
from patients.models import Patient
from staff.models import AuditEvent, Role, User
from tests.appointments.bulletins.builders import THE_DAY, in_force
from tests.appointments.decisions.told import hand_over, outcome
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import terms
from tests.builders import MONDAY, a_unit, a_user, at
from tests.pages import signed_in

pytestmark = pytest.mark.django_db

ANNE = {
    "family_name": "Dupont",
    "given_name": "Anne",
    "birth_date": dt.date(1958, 11, 3),
    "national_number": "58.11.03-002.39",
    "phones": ("0495 12 34 56",),
}
SOURCES = ("agenda", "bloc", "salle")


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with two units at Arlon."""
    a_unit()
    a_unit("arlon-salle")


@pytest.fixture
def operator() -> User:
    return a_user("flux", Role.FEED_OPERATOR)


def load(source: str, number: int = 1, **fields) -> LoadResult:
    """Load the one row of a source, about the same act unless told otherwise."""
    record = a_record(number, **(ANNE | {"patient_id": f"{source}-1"} | fields))
    return load_records(feed_name=source, records=[record], terms=terms(full=False))


def of(source: str) -> Appointment:
    return Appointment.objects.get(feed__name=source)


def three() -> None:
    load("agenda")
    load("bloc")
    load("salle", unit="arlon-salle")
    assert Patient.objects.count() == 1


def test_three_sources_name_one_appointment_in_the_message():
    three()
    in_force()
    notice = Notice.objects.get()
    assert notice.items.count() == 3
    text = text_of(Delivery.objects.get())
    assert "votre rendez-vous du lun. 16/05 à 09:10 est ANNULÉ" in text
    spoken = texts.spoken_of_notice(notice, lines_of(notice))
    assert "votre rendez-vous du lundi 16 mai à 09:10" in spoken
    assert "il est annulé" in spoken


def test_what_was_said_of_one_entry_is_not_said_again_of_the_next():
    in_force()
    load("agenda")
    hand_over(of("agenda"))
    assert load("bloc").telling.patients == 0
    assert load("salle", unit="arlon-salle").telling.patients == 0
    assert Notice.objects.count() == 1
    assert unsaid() == []


@pytest.mark.parametrize(
    "other",
    [
        {"starts": "2022-05-16 11:00"},
        {"service": "radiology"},
        {"unit": "virton-cardio", "site": "virton"},
    ],
)
def test_another_moment_service_or_site_is_another_appointment(other):
    a_unit("virton-cardio", site="virton")
    in_force()
    load("agenda")
    hand_over(of("agenda"))
    assert load("bloc", **other).telling.patients == 1


def test_two_numbers_of_one_source_are_two_appointments():
    in_force()
    load("agenda")
    hand_over(of("agenda"))
    assert load("agenda", 2).telling.patients == 1


def test_who_was_told_to_come_is_not_told_otherwise_while_another_source_plans_it():
    in_force(ClauseTerms("maintain", "maintained", services=("consultation",)))
    load("agenda")
    load("bloc")
    hand_over(of("agenda"))
    assert load("agenda", status="cancelled").telling.patients == 0
    assert load("bloc", status="cancelled").telling.patients == 1


def test_the_load_names_the_other_source_also_before_it_is_written():
    load("agenda")
    for dry_run in (True, False):
        record = a_record(1, **(ANNE | {"patient_id": "bloc-1"}))
        result = load_records(
            feed_name="bloc", records=[record], terms=terms(full=False), dry_run=dry_run
        )
        (remark,) = [one for one in result.remarks if one.column == "Numéro de rendez-vous"]
        assert "que le rendez-vous R1 (source agenda)" in str(remark.why)
    assert load("bloc").remarks == []


def test_a_decision_on_one_holds_for_the_others(doctor):
    three()
    Appointment.objects.update(practitioner=doctor.practitioner)
    in_force()
    keeping.keep(appointment_id=of("bloc").pk, by=doctor, reason="urgent")
    assert {outcome(of(source)) for source in SOURCES} == {"maintained"}
    assert set(NoticeItem.objects.filter(notice__state="open").values_list("word", flat=True)) == {
        "maintained"
    }
    event = AuditEvent.objects.get(action="decision.shared")
    assert event.detail["appointments"] == [of("agenda").pk, of("salle").pk]
    keeping.undo(appointment_id=of("agenda").pk, by=doctor)
    assert {outcome(of(source)) for source in SOURCES} == {"cancelled"}


def test_what_comes_after_a_decision_shares_it_and_nobody_hears_otherwise(doctor):
    load("agenda")
    Appointment.objects.update(practitioner=doctor.practitioner)
    in_force()
    keeping.keep(appointment_id=of("agenda").pk, by=doctor)
    load("bloc")
    assert outcome(of("bloc")) == "maintained"
    assert Decision.objects.filter(appointment=of("bloc")).get().decided_by == doctor
    said = NoticeItem.objects.filter(notice__state="open").values_list("word", flat=True)
    assert set(said) == {"maintained"}


def test_contradictions_are_counted_and_listed_first(operator):
    three()
    load("agenda", 2, starts="2022-05-16 11:00")
    load("bloc", 2, starts="2022-05-16 11:00")
    assert count_double_entries(operator) == (2, 0)
    unit_kept = ClauseTerms("maintain", "nobody", units=("arlon-salle",))
    in_force(unit_kept, *THE_DAY)
    assert count_double_entries(operator) == (2, 1)
    found = double_entries(operator)
    assert [one.is_contradictory for one in found] == [True, False]
    assert [entry.feed.name for entry in found[0].entries] == [*SOURCES]


def test_who_loads_for_one_site_is_asked_nothing():
    three()
    at_one_site = a_user("flux-arlon", Role.FEED_OPERATOR, site=a_unit().site)
    assert double_entries(at_one_site) == []
    assert count_double_entries(at_one_site) == (0, 0)


def test_the_pages_name_them_and_only_those_who_load_feeds_open_the_list(operator):
    three()
    page = " ".join(signed_in(operator).get(reverse("double_entries")).content.decode().split())
    assert "DUPONT Anne" in page
    assert page.count("R1</a>") == 3
    assert "bloc R1" in page
    listing = signed_in(operator).get(reverse("imports")).content.decode()
    assert "1 rendez-vous est dans plusieurs sources" in listing
    cell = signed_in(a_user("crise9", Role.CRISIS_CELL))
    assert "1 rendez-vous est dans plusieurs sources" in cell.get(reverse("board")).content.decode()
    one = cell.get(reverse("appointment", args=[of("agenda").pk])).content.decode()
    assert "bloc R1" in one
    ward = signed_in(a_user("ward", Role.WARD_CLERK))
    assert ward.get(reverse("double_entries")).status_code == 403


def test_a_roster_says_in_which_other_source_a_row_stands():
    three()
    in_force()
    hand_over(of("agenda"))
    (sheet,) = roster_contents(unit_ids=[a_unit("arlon-salle").pk], day=MONDAY).values()
    (row,) = sheet.rows
    assert row.also_in == ("agenda R1", "bloc R1")
    assert row.told == "told"
    assert "aussi dans : agenda R1, bloc R1" in self_contained(sheet)


def test_who_rings_in_hears_it_once():
    three()
    (day,) = days_of(Patient.objects.get(), a_user("appels", Role.CALL_AGENT))
    assert len(day.sentences) == 1
    assert len(day.appointments) == 3


def test_what_stood_twice_before_they_were_marked_is_found(operator):
    three()
    load("autre", starts_at=at("2022-05-16 15:00"))
    Appointment.objects.update(may_be_double=False)
    assert count_double_entries(operator) == (0, 0)
    migration = import_module("appointments.migrations.0028_double_entries")
    with connection.cursor() as cursor:
        cursor.execute(migration.MARK_WHAT_STANDS_TWICE)
    assert count_double_entries(operator) == (1, 0)
    assert Appointment.objects.filter(may_be_double=True).count() == 3
