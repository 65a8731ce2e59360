"""Wards and reception: a tick, its undo, the second clerk, and the sheet entered afterwards."""

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, Attendance
from staff.models import AuditEvent
from tests.appointments.operations import postponed
from tests.builders import MONDAY, a_patient, a_unit, a_user, an_appointment, at
from tests.page_rules import faults_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SUNDAY = MONDAY.replace(day=15)
NEXT_WEEK = MONDAY.replace(day=24)


@pytest.fixture(autouse=True)
def monday_noon():
    """Freeze the day of the appointments."""
    with time_machine.travel(at("2022-05-16 12:00"), tick=False):
        yield


def signed_in(name: str = "secretariat", role: str = "ward_clerk") -> Client:
    client = Client()
    client.force_login(a_user(name, role))
    return client


@pytest.fixture
def clerk() -> Client:
    return signed_in()


def tick(client: Client, appointment: Appointment, what: str = "arrived", version: int = 0, **more):
    address = reverse("ward_tick", args=[appointment.pk])
    return client.post(address, {"what": what, "version": version}, **more)


def page_of(client: Client, appointment: Appointment) -> str:
    address = reverse("ward_day", args=[appointment.unit_id, appointment.day])
    return client.get(address).content.decode()


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


class TestTheNewDay:
    """Whoever was postponed to a day is on its page, and can be ticked there."""

    @pytest.fixture
    def operation(self) -> Appointment:
        """Return an operation of Monday 09:10, postponed to next week."""
        return postponed(to=NEXT_WEEK, patient=a_patient(family_name="Dupont"))

    @pytest.fixture(autouse=True)
    def next_tuesday(self, operation, monday_noon):
        """Freeze the day to which it was postponed."""
        with time_machine.travel(at("2022-05-24 12:00"), tick=False):
            yield

    def page(self, client: Client, operation: Appointment, day: dt.date = NEXT_WEEK) -> str:
        address = reverse("ward_day", args=[operation.unit_id, day])
        page = client.get(address).content.decode()
        assert faults_of(page) == []
        return re.sub(r"\s+", " ", page).replace("&#x27;", "'")

    def send(self, client: Client, operation: Appointment, day: object = NEXT_WEEK, **more):
        fields = {"what": "arrived", "version": 0, "day": str(day), "counted": "1"}
        address = reverse("ward_tick", args=[operation.pk])
        return client.post(address, fields | more.pop("fields", {}), **more)

    def test_its_card_has_no_hour_of_that_day_and_says_when_it_was_planned(self, clerk, operation):
        page = self.page(clerk, operation)
        assert '<span class="card-time"> mar 24/05 </span>' in page
        assert "était prévu lun 16 mai à 09:10 ; heure à fixer" in page
        assert "Reporté à ce jour" in page
        assert "Annulé" not in page
        assert '<input type="hidden" name="day" value="2022-05-24">' in page
        assert "<strong>1</strong> attendu" in page

    def test_the_planned_day_says_the_new_one_and_cannot_be_ticked_any_more(self, clerk, operation):
        page = self.page(clerk, operation, MONDAY)
        assert "Reporté au mar 24/05/2022" in page
        assert "/tick/" not in page

    def test_a_tick_is_of_the_pages_day_and_brings_its_card_and_counts(self, clerk, operation):
        answer = self.send(clerk, operation, headers=HTMX)
        text = re.sub(r"\s+", " ", answer.content.decode())
        assert answer.status_code == 200
        assert faults_of(text, whole=False) == []
        assert Attendance.objects.get().day == NEXT_WEEK
        assert "mar 24/05 12:00" in text
        assert "<strong>1</strong> arrivé" in text
        assert 'name="day" value="2022-05-24"' in text

    def test_without_javascript_the_way_back_leads_to_the_pages_day(self, clerk, operation):
        answer = self.send(clerk, operation)
        day = reverse("ward_day", args=[operation.unit_id, NEXT_WEEK])
        assert answer.url == f"{day}#appointment-{operation.pk}"
        assert "1 arrivé" in self.page(clerk, operation).replace("<strong>1</strong>", "1")

    def test_a_refusal_stands_on_the_card_of_the_pages_day(self, clerk, operation):
        self.send(signed_in("infirmiere", "nurse"), operation, fields={"what": "absent"})
        answer = self.send(clerk, operation, headers=HTMX)
        text = answer.content.decode()
        assert answer.status_code == 409
        assert "infirmiere vient de noter" in text
        assert "heure à fixer" in text

    def test_who_got_yet_another_day_meanwhile_is_no_longer_of_this_one(self, clerk, operation):
        later = NEXT_WEEK.replace(day=25)
        Appointment.objects.filter(pk=operation.pk).update(postponed_to=later)
        answer = self.send(clerk, operation, headers=HTMX)
        text = re.sub(r"\s+", " ", answer.content.decode()).replace("&#x27;", "'")
        assert answer.status_code == 409
        assert faults_of(text, whole=False) == []
        assert f'id="appointment-{operation.pk}"' in text
        assert "Ce patient n'est pas attendu le mardi 24 mai 2022 : rechargez la page." in text
        assert "<strong>0</strong> attendu" in text
        assert not Attendance.objects.exists()

    def test_a_day_that_makes_no_sense_is_refused_in_words(self, clerk, operation):
        answer = self.send(clerk, operation, "gone", headers=HTMX)
        assert answer.status_code == 409
        assert "Rechargez la page" in answer.content.decode()
        assert not Attendance.objects.exists()

    def test_who_comes_on_the_planned_day_all_the_same_is_noted_there(self, clerk, operation):
        with time_machine.travel(at("2022-05-16 12:00"), tick=False):
            text = self.send(clerk, operation, MONDAY, headers=HTMX).content.decode()
        assert "ward-stands" in text
        assert "Reporté au mar 24/05/2022" in text
        assert Attendance.objects.get().day == MONDAY

    def test_the_unit_is_listed_and_the_patient_found_that_day(self, clerk, operation):
        units = clerk.get(reverse("wards")).context["units"]
        assert [one.unit.pk for one in units] == [operation.unit_id]
        found = clerk.get(reverse("wards"), {"q": "dupont"}).content.decode()
        assert 'name="day" value="2022-05-24"' in found
        assert "heure à fixer" in found

    def test_the_next_day_with_somebody_may_be_one_with_a_postponed_one_only(self, clerk):
        with time_machine.travel(at("2022-05-20 12:00"), tick=False):
            page = clerk.get(reverse("wards")).content.decode()
        assert "?day=2022-05-24" in page

    def test_the_sheet_is_entered_for_the_pages_day(self, clerk, operation):
        address = reverse("ward_paper", args=[operation.unit_id, NEXT_WEEK])
        blank = re.sub(r"\s+", " ", clerk.get(address).content.decode())
        assert '<span class="card-time"> mar 24/05 </span>' in blank
        row = f"r{operation.pk}"
        sent = {f"{row}-what": "done", f"{row}-time": "10:15", f"{row}-version": "0"}
        page = clerk.post(address, sent, follow=True)
        note = Attendance.objects.get()
        assert (note.day, note.happened_at) == (NEXT_WEEK, at("2022-05-24 10:15"))
        assert "1 ligne notée." in page.content.decode()

    def test_who_did_not_come_needs_no_hour_on_a_sheet_of_a_past_day(self, operation):
        address = reverse("ward_paper", args=[operation.unit_id, NEXT_WEEK])
        row = f"r{operation.pk}"
        with time_machine.travel(at("2022-05-25 12:00"), tick=False):
            signed_in().post(address, {f"{row}-what": "absent", f"{row}-version": "0"})
        assert Attendance.objects.get().happened_at == at("2022-05-24 09:10")

    def test_the_history_says_of_which_day_a_note_is(self, clerk, operation):
        self.send(clerk, operation)
        page = clerk.get(reverse("appointment", args=[operation.pk])).content.decode()
        assert page.count("Accueil : arrivé") == 1
        assert "pour le mar 24/05/2022" in page


class TestAllUnits:
    def test_a_patient_is_found_whatever_the_unit(self, clerk):
        an_appointment(patient=a_patient(family_name="Dupont"), unit=a_unit("virton-x"))
        page = clerk.get(reverse("wards"), {"q": "dupont"}).content.decode()
        assert "Dupont" in page
        assert "virton-x" in page

    def test_a_day_without_anybody_points_to_the_next(self, clerk):
        an_appointment(starts="2022-05-18 09:00")
        page = clerk.get(reverse("wards")).content.decode()
        assert "?day=2022-05-18" in page
        assert "Prochain jour : mercredi 18 mai" in page


class TestPaper:
    def form(self, appointment: Appointment, **fields) -> dict:
        values = {"what": "", "time": "", "remark": "", "version": 0} | fields
        return {f"r{appointment.pk}-{name}": value for name, value in values.items()}

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
            self.form(first, what="done", time="9h05", remark="en fauteuil"),
            self.form(second, what="absent"),
            self.form(empty),
        )
        row = Attendance.objects.get(appointment=first)
        assert (row.happened_at, row.from_paper) == (at("2022-05-16 09:05"), True)
        assert Attendance.objects.count() == 2
        assert "2 lignes notées." in page.content.decode()

    def test_a_day_that_is_past_is_entered_afterwards(self, clerk):
        appointment = an_appointment(starts="2022-05-15 09:00")
        self.enter(clerk, self.form(appointment, what="arrived", time="08:55"), day=SUNDAY)
        row = Attendance.objects.get()
        assert row.happened_at == at("2022-05-15 08:55")
        assert row.noted_at == at("2022-05-16 12:00")

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"what": "arrived"}, "Écrivez l'heure"),
            ({"what": "arrived", "time": "25:00"}, "Cette heure n'existe pas"),
            ({"what": "arrived", "time": "23:59"}, "n'est pas encore passé"),
            ({"time": "09:00"}, "Cochez ce qui s'est passé"),
            ({"what": "gone", "time": "09:00"}, "gone"),
            ({"what": "done", "time": "09:00", "remark": "x" * 201}, "200"),
        ],
    )
    def test_a_row_at_fault_keeps_what_was_typed_and_the_others_land(self, clerk, fields, said):
        good, bad = an_appointment(), an_appointment()
        page = self.enter(
            clerk, self.form(good, what="done", time="09:00"), self.form(bad, **fields)
        )
        text = page.content.decode().replace("&#x27;", "'")
        assert page.status_code == 422
        assert said in text
        assert "1 ligne n'est pas encore notée" in text
        assert fields.get("time", "") in text
        assert list(Attendance.objects.values_list("appointment", flat=True)) == [good.pk]
        assert faults_of(page.content.decode()) == []

    def test_a_colleague_who_was_faster_is_named_at_the_row(self, clerk):
        appointment = an_appointment()
        tick(signed_in("infirmiere", "nurse"), appointment, "absent")
        page = self.enter(clerk, self.form(appointment, what="done", time="09:00"))
        assert "infirmiere vient de noter" in page.content.decode()
        assert f'name="r{appointment.pk}-version" value="1"' in page.content.decode()

    def test_an_empty_sheet_says_what_to_do(self, clerk):
        page = self.enter(clerk, self.form(an_appointment()))
        assert page.status_code == 422
        assert "remplissez au moins une ligne" in page.content.decode()

    def test_a_sheet_of_another_unit_slips_nothing_in(self, clerk):
        here, there = an_appointment(), an_appointment(unit=a_unit("virton-x"))
        self.enter(clerk, self.form(here), self.form(there, what="absent"))
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
