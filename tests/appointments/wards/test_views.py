"""Wards and reception: a tick, its undo, the second clerk, and the sheet entered afterwards."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.models import Appointment, Attendance, Decision
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import in_force
from tests.appointments.wards.pages import page_of, signed_in, tick
from tests.builders import (
    BRUSSELS,
    MONDAY,
    a_patient,
    a_practitioner,
    a_unit,
    a_user,
    an_appointment,
    at,
)
from tests.page_rules import faults_of
from tests.pages import HTMX

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday_noon")]
SUNDAY = MONDAY.replace(day=15)


@pytest.fixture
def clerk() -> Client:
    return signed_in()


class TestWhatTheWardKnows:
    def test_a_card_has_tags_length_language_and_the_doctors_reason(self, clerk):
        doctor = a_user("docteur", "doctor", last_name="Lambert")
        patient = a_patient(language="de", landline="+3263223344")
        made = an_appointment(
            patient=patient,
            practitioner=a_practitioner("dr-1", user=doctor),
            protected_groups="cast oncology",
            priority="urgent",
            minutes=45,
        )
        in_force()
        Decision.objects.create(
            appointment=made,
            version=2,
            day=MONDAY,
            outcome="maintained",
            basis="person",
            decided_by=doctor,
            decided_at=at("2022-05-15 10:00"),
            reason="Plaie à revoir",
        )
        Appointment.objects.update(outcome="maintained", outcome_basis="person", decision_version=2)
        page = clerk.get(reverse("ward_day", args=[made.unit_id, MONDAY])).content.decode()
        words = ("plâtre", "oncologie", "urgente", "45 min", "allemand", "Plaie à revoir")
        for word in (*words, "063 22 33 44"):
            assert word in page, word


class TestTheDay:
    def test_the_card_comes_back_alone_with_the_counts(self, clerk):
        answer = clerk.post(
            reverse("ward_tick", args=[an_appointment().pk]),
            {"what": "arrived", "version": 0, "counted": "1"},
            headers=HTMX,
        )
        text = answer.content.decode()
        assert answer.status_code == 200
        assert faults_of(text, whole=False) == []
        assert "lun 16/05 12:00" in text
        assert 'id="ward-counts"' in text
        assert 'name="counted"' in text

    def test_where_several_units_are_shown_no_counts_come_along(self, clerk):
        text = tick(clerk, an_appointment(), headers=HTMX).content.decode()
        assert "ward-counts" not in text
        assert 'name="counted"' not in text

    def test_without_javascript_the_page_comes_back_at_the_card(self, clerk):
        appointment = an_appointment()
        answer = tick(clerk, appointment)
        assert answer.url == (
            reverse("ward_day", args=[appointment.unit_id, MONDAY])
            + f"#appointment-{appointment.pk}"
        )

    def test_the_way_back_is_never_another_site(self, clerk):
        address = reverse("ward_tick", args=[an_appointment().pk])
        sent = {"what": "arrived", "version": 0, "next": "https://ailleurs.example/"}
        assert clerk.post(address, sent).url.startswith("/wards/")

    def test_the_second_clerk_reads_who_was_faster_on_the_card_as_it_stands(self, clerk):
        appointment = an_appointment()
        tick(signed_in("infirmiere", "nurse"), appointment, "absent")
        answer = tick(clerk, appointment, headers=HTMX)
        assert answer.status_code == 409
        assert "infirmiere vient de noter" in answer.content.decode()
        assert 'name="version" value="1"' in answer.content.decode()

    def test_a_tick_that_makes_no_sense_is_refused_in_words(self, clerk):
        answer = tick(clerk, an_appointment(), "gone", headers=HTMX)
        assert answer.status_code == 409
        assert "Rechargez la page" in answer.content.decode()

    def test_a_cancelled_patient_who_stands_there_is_loud(self, clerk):
        appointment = an_appointment(status="cancelled")
        assert "ward-stands" not in page_of(clerk, appointment)
        tick(clerk, appointment)
        page = page_of(clerk, appointment)
        assert "ward-stands" in page
        assert "Ce patient est là, mais son rendez-vous est annulé." in page
        assert "1 là malgré l'annulation" in re.sub(r"\s+", " ", page).replace("&#x27;", "'")

    def test_only_today_can_be_ticked(self, clerk):
        for starts, can_tick in (("15", False), ("16", True), ("17", False)):
            page = page_of(clerk, an_appointment(starts=f"2022-05-{starts} 09:00"))
            assert ("/tick/" in page) is can_tick

    def test_opening_a_units_day_is_recorded_and_searching_in_it_is_not(self, clerk):
        appointment = an_appointment()
        address = reverse("ward_day", args=[appointment.unit_id, MONDAY])
        clerk.get(address)
        clerk.get(address, {"q": "dupont"}, headers=HTMX)
        assert AuditEvent.objects.filter(action="ward_day.viewed").count() == 1

    def test_the_search_leaves_the_counts_of_the_whole_day(self, clerk):
        an_appointment(patient=a_patient(family_name="Dupont"))
        appointment = an_appointment(patient=a_patient(family_name="Thiry"))
        address = reverse("ward_day", args=[appointment.unit_id, MONDAY])
        page = clerk.get(address, {"q": "thiry"})
        assert [card.line.row.family_name for card in page.context["cards"]] == ["Thiry"]
        assert page.context["counts"].expected == 2

    @pytest.mark.parametrize("day", ["2022-02-31", "0001-01-01", "9999-12-31"])
    def test_a_day_that_cannot_be_is_not_found(self, clerk, day):
        assert clerk.get(f"/wards/{a_unit().pk}/{day}/").status_code == 404
        assert clerk.get(reverse("wards"), {"day": day}).status_code == 200


class TestAllUnits:
    def test_a_patient_is_found_whatever_the_unit(self, clerk):
        an_appointment(patient=a_patient(family_name="Dupont"), unit=a_unit("virton-x"))
        page = clerk.get(reverse("wards"), {"q": "dupont"}).content.decode()
        assert "DUPONT" in page
        assert "virton-x" in page

    def test_a_day_without_anybody_points_to_the_next(self, clerk):
        an_appointment(starts="2022-05-18 09:00")
        page = clerk.get(reverse("wards")).content.decode()
        assert "?day=2022-05-18" in page
        assert "Prochain jour : mercredi 18 mai" in page


class TestPaper:
    def form(self, appointment: Appointment, **fields) -> dict:
        """Return a row as a browser sends it: a box that is not ticked is not sent."""
        values = {"arrived_at": "", "done_at": "", "remark": "", "version": 0} | fields
        return {f"r{appointment.pk}-{name}": value for name, value in values.items()}

    def notes(self, appointment: Appointment) -> list[tuple]:
        rows = Attendance.objects.filter(appointment=appointment).order_by("version")
        return [
            (row.what, f"{row.happened_at.astimezone(BRUSSELS):%H:%M}", row.hour_is_known)
            for row in rows
        ]

    def enter(self, client: Client, *rows: dict, day=MONDAY):
        sent = {key: value for row in rows for key, value in row.items()}
        return client.post(reverse("ward_paper", args=[a_unit().pk, day]), sent, follow=True)

    def test_rows_stand_in_the_order_of_the_printed_sheet(self, clerk):
        late = an_appointment(starts="2022-05-16 11:00")
        early = an_appointment(starts="2022-05-16 08:00")
        off = an_appointment(starts="2022-05-16 07:00", status="cancelled")
        page = clerk.get(reverse("ward_paper", args=[a_unit().pk, MONDAY]))
        shown = [card.line.row.appointment_id for card, _form in page.context["rows"]]
        assert shown == [early.pk, late.pk, off.pk]

    def test_what_was_written_is_noted_with_the_time_it_happened(self, clerk):
        first, second, empty = an_appointment(), an_appointment(), an_appointment()
        page = self.enter(
            clerk,
            self.form(first, done="1", done_at="9h05", remark="en fauteuil"),
            self.form(second, absent="1"),
            self.form(empty),
        )
        row = Attendance.objects.get(appointment=first)
        assert (row.happened_at, row.from_paper) == (at("2022-05-16 09:05"), True)
        assert Attendance.objects.count() == 2
        assert "2 lignes notées." in page.content.decode()

    def test_a_tick_without_an_hour_counts_and_says_so(self, clerk):
        today, past = an_appointment(), an_appointment(starts="2022-05-15 09:00")
        self.enter(clerk, self.form(today, arrived="1"))
        self.enter(clerk, self.form(past, done="1"), day=SUNDAY)
        for appointment in (today, past):
            row = Attendance.objects.get(appointment=appointment)
            assert (row.happened_at, row.hour_is_known) == (appointment.starts_at, False)
        page = clerk.get(reverse("ward_day", args=[today.unit_id, MONDAY])).content.decode()
        assert "heure non notée" in page

    def test_arrived_and_done_of_one_row_are_a_note_each(self, clerk):
        appointment = an_appointment()
        sent = self.form(appointment, arrived_at="9h05", done_at="940", remark="en fauteuil")
        page = self.enter(clerk, sent)
        assert self.notes(appointment) == [("arrived", "09:05", True), ("done", "09:40", True)]
        assert "1 ligne notée." in page.content.decode()
        assert Attendance.objects.get(version=2).remark == "en fauteuil"
        assert AuditEvent.objects.filter(action="attendance.noted").count() == 1
        self.enter(clerk, sent)  # the button pressed once more
        assert Attendance.objects.count() == 2

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"arrived": "1", "done": "1"}, [("arrived", "09:00"), ("done", "09:00")]),
            ({"arrived": "1", "done_at": "8h40"}, [("arrived", "08:40"), ("done", "08:40")]),
            ({"arrived_at": "9h20", "done": "1"}, [("arrived", "09:20"), ("done", "09:20")]),
            ({"arrived_at": "9h20", "left": "1"}, [("arrived", "09:20"), ("left", "09:20")]),
            ({"left": "1"}, [("left", "09:00")]),
        ],
    )
    def test_a_tick_without_an_hour_never_contradicts_the_hour_beside_it(
        self, clerk, fields, expected
    ):
        appointment = an_appointment(starts="2022-05-16 09:00")
        self.enter(clerk, self.form(appointment, **fields))
        assert [(what, hour) for what, hour, _known in self.notes(appointment)] == expected
        known = [f"{what}_at" in fields for what, _hour in expected]
        assert [is_known for _what, _hour, is_known in self.notes(appointment)] == known

    @pytest.mark.parametrize(
        "typed", ["9h05", "9H05", "9:05", "09:05", "9.05", "905", "0905", "9 05"]
    )
    def test_hours_are_read_as_people_write_them(self, clerk, typed):
        appointment = an_appointment()
        self.enter(clerk, self.form(appointment, arrived_at=typed))
        assert self.notes(appointment) == [("arrived", "09:05", True)]

    def test_what_was_ticked_at_the_screen_is_completed_from_the_sheet(self, clerk):
        arrived, done = an_appointment(), an_appointment()
        tick(clerk, arrived)
        tick(clerk, done, "done")
        self.enter(
            clerk,
            self.form(arrived, arrived="1", done="1", version=1),
            self.form(done, arrived_at="8h50", version=1),
        )
        assert [row[:2] for row in self.notes(arrived)] == [("arrived", "12:00"), ("done", "12:00")]
        assert [row[:2] for row in self.notes(done)] == [
            ("done", "12:00"),
            ("arrived", "08:50"),
            ("done", "12:00"),
        ]
        page = clerk.get(reverse("ward_paper", args=[done.unit_id, MONDAY])).content.decode()
        assert "arrivé lun 16/05 08:50" in page
        assert "fait lun 16/05 12:00" in page

    def test_done_before_the_arrival_noted_at_the_screen_is_refused_in_words(self, clerk):
        appointment = an_appointment()
        tick(clerk, appointment)
        page = self.enter(clerk, self.form(appointment, done_at="9h15", version=1))
        assert "avant l'arrivée, déjà notée à 12:00" in page.content.decode().replace("&#x27;", "'")
        self.enter(clerk, self.form(appointment, arrived_at="9h", done_at="9h15", version=1))
        assert [row[:2] for row in self.notes(appointment)][1:] == [
            ("arrived", "09:00"),
            ("done", "09:15"),
        ]

    def test_a_longer_sheet_asks_no_more_of_the_database(self, clerk):
        def entering(number: int) -> int:
            rows = [
                self.form(an_appointment(), arrived_at="8h50", done_at="9h10")
                for _ in range(number)
            ]
            sent = {key: value for row in rows for key, value in row.items()}
            with CaptureQueriesContext(connection) as queries:
                clerk.post(reverse("ward_paper", args=[a_unit().pk, MONDAY]), sent)
            return len(queries)

        entering(1)
        assert entering(2) == entering(12)

    def test_who_was_not_there_needs_no_hour(self, clerk):
        self.enter(clerk, self.form(an_appointment(), absent="1"))
        assert Attendance.objects.get().hour_is_known

    def test_rows_have_the_numbers_of_the_printed_sheet(self, clerk):
        for start in ("11:00", "08:00"):
            an_appointment(starts=f"2022-05-16 {start}")
        page = clerk.get(reverse("ward_paper", args=[a_unit().pk, MONDAY]))
        numbers = [card.words.number for card, _form in page.context["rows"]]
        assert numbers == [1, 2]
        assert "n° 2" in page.content.decode()

    def test_a_day_that_is_past_is_entered_afterwards(self, clerk):
        appointment = an_appointment(starts="2022-05-15 09:00")
        self.enter(clerk, self.form(appointment, arrived_at="08:55"), day=SUNDAY)
        row = Attendance.objects.get()
        assert row.happened_at == at("2022-05-15 08:55")
        assert row.noted_at == at("2022-05-16 12:00")

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"arrived": "1", "arrived_at": "25:00"}, "Arrivé à : Cette heure n'existe pas"),
            ({"done_at": "à midi"}, "Fait à : Cette heure n'existe pas"),
            ({"arrived_at": "9h05", "done_at": "23:59"}, "Fait à : lundi 16 mai 2022 23:59"),
            ({"remark": "en fauteuil"}, "Cochez aussi ce qui s'est passé"),
            ({"done_at": "09:00", "remark": "x" * 201}, "200"),
            ({"absent": "1", "arrived": "1"}, "« Pas venu » contredit"),
            ({"absent": "1", "done_at": "10:00"}, "« Pas venu » contredit"),
            ({"absent": "1", "left": "1"}, "« Pas venu » contredit"),
            ({"done": "1", "left": "1"}, "« Parti, non vu » contredit « Fait »"),
            (
                {"arrived_at": "9h20", "done_at": "9h05"},
                "« Fait à 09:05 » vient avant « Arrivé à 09:20 »",
            ),
        ],
    )
    def test_a_row_at_fault_keeps_what_was_typed_and_the_others_land(self, clerk, fields, said):
        good, bad = an_appointment(), an_appointment()
        page = self.enter(clerk, self.form(good, done_at="09:00"), self.form(bad, **fields))
        text = re.sub(r"\s+", " ", page.content.decode()).replace("&#x27;", "'")
        assert page.status_code == 422
        assert said in text
        assert f'href="#row-{bad.pk}"' in text
        assert "1 ligne n'est pas encore notée" in text
        for name, typed in fields.items():
            sent = f'name="r{bad.pk}-{name}" value="{typed}"'
            assert f"{sent} checked" in text if typed == "1" else sent in text, name
        assert list(Attendance.objects.values_list("appointment", flat=True)) == [good.pk]
        assert faults_of(page.content.decode()) == []

    def test_a_colleague_who_was_faster_is_named_at_the_row(self, clerk):
        appointment = an_appointment()
        tick(signed_in("infirmiere", "nurse"), appointment, "absent")
        page = self.enter(clerk, self.form(appointment, arrived_at="08:50", done_at="09:00"))
        assert "infirmiere vient de noter" in page.content.decode()
        assert f'name="r{appointment.pk}-version" value="1"' in page.content.decode()
        assert self.notes(appointment) == [("absent", "12:00", True)]

    def test_an_empty_sheet_says_what_to_do(self, clerk):
        page = self.enter(clerk, self.form(an_appointment()))
        assert page.status_code == 422
        assert "remplissez au moins une ligne" in page.content.decode()

    def test_a_sheet_of_another_unit_slips_nothing_in(self, clerk):
        here, there = an_appointment(), an_appointment(unit=a_unit("virton-x"))
        self.enter(clerk, self.form(here), self.form(there, absent="1"))
        assert not Attendance.objects.exists()


class TestTheWayThere:
    def test_the_printed_sheet_leads_whoever_may_to_the_form(self, clerk):
        appointment = an_appointment()
        sheet = reverse("roster_print", args=[appointment.unit_id, MONDAY])
        form = reverse("ward_paper", args=[appointment.unit_id, MONDAY])
        assert form in clerk.get(sheet).content.decode()
        assert form not in signed_in("crise", "crisis_cell").get(sheet).content.decode()

    def test_the_schedule_leads_whoever_may_to_the_unit(self, clerk):
        appointment = an_appointment()
        ward = reverse("ward_day", args=[appointment.unit_id, MONDAY])
        schedule = f"{reverse('schedule')}?day=2022-05-16"
        assert ward in clerk.get(schedule).content.decode()
        assert ward not in signed_in("agent", "call_agent").get(schedule).content.decode()

    def test_the_history_of_an_appointment_tells_it_once(self, clerk):
        appointment = an_appointment()
        tick(clerk, appointment)
        page = clerk.get(reverse("appointment", args=[appointment.pk])).content.decode()
        assert page.count("Accueil : arrivé") == 1
        assert "attendance.noted" not in page
