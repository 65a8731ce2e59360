"""An operation postponed to a day is expected and ticked there; on its own day it is called off."""

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, Attendance
from tests.appointments.operations.builders import postponed
from tests.appointments.wards.pages import signed_in
from tests.builders import MONDAY, a_patient, at
from tests.page_rules import faults_of
from tests.pages import HTMX

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday_noon")]
NEXT_WEEK = MONDAY.replace(day=24)


@pytest.fixture
def clerk() -> Client:
    return signed_in()


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
        sent = {f"{row}-done": "1", f"{row}-done_at": "10:15", f"{row}-version": "0"}
        page = clerk.post(address, sent, follow=True)
        note = Attendance.objects.get()
        assert (note.day, note.happened_at) == (NEXT_WEEK, at("2022-05-24 10:15"))
        assert "1 ligne notée." in page.content.decode()

    def test_who_did_not_come_needs_no_hour_on_a_sheet_of_a_past_day(self, operation):
        address = reverse("ward_paper", args=[operation.unit_id, NEXT_WEEK])
        row = f"r{operation.pk}"
        with time_machine.travel(at("2022-05-25 12:00"), tick=False):
            signed_in().post(address, {f"{row}-absent": "1", f"{row}-version": "0"})
        assert Attendance.objects.get().happened_at == at("2022-05-24 09:10")

    def test_the_history_says_of_which_day_a_note_is(self, clerk, operation):
        self.send(clerk, operation)
        page = clerk.get(reverse("appointment", args=[operation.pk])).content.decode()
        assert page.count("Accueil : arrivé") == 1
        assert "pour le mar 24/05/2022" in page
