"""The auditor reads the trail; nobody else does, and nobody writes in it."""

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse

from appointments import trail as about_patients
from staff import queries
from staff.models import AuditEvent, AuditHead, Role
from staff.services import audit
from tests.builders import a_site, a_user, an_appointment, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client: Client):
    user = a_user("audit", Role.AUDITOR)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def listed(client: Client, **filters: str) -> list[str]:
    page = client.get(reverse("trail"), filters).context["page"]
    return [event.action for event in page.items]


def test_the_newest_event_comes_first(client: Client, auditor):
    for action in ("first", "second", "third"):
        audit.record(action=action, by=None)
    assert listed(client) == ["third", "second", "first"]


def test_events_are_found_by_who_what_and_which(client: Client, auditor):
    anne, site = a_user("anne"), a_site()
    audit.record(action="appointment.viewed", by=anne)
    audit.record(action="appointment.kept", by=auditor)
    audit.record(action="bulletin.approved", by=anne, subject=site)
    assert listed(client, actor="anne") == ["bulletin.approved", "appointment.viewed"]
    assert listed(client, action="appointment") == ["appointment.kept", "appointment.viewed"]
    assert listed(client, object_type="site", object_id=str(site.pk)) == ["bulletin.approved"]
    assert listed(client, actor="personne") == []


def test_a_number_is_found_whatever_it_is_the_number_of(client: Client, auditor):
    site = a_site()
    audit.record(action="site.changed", by=auditor, subject=site)
    audit.record(action="user.changed", by=auditor, subject=a_user("anne"))
    assert listed(client, object_id=str(site.pk), action="site") == ["site.changed"]
    assert "site.changed" in listed(client, object_id=str(site.pk))
    assert listed(client, object_id="no number at all") == []


def test_a_day_begins_and_ends_at_midnight_in_brussels(client: Client, auditor):
    for moment in ("2022-05-15 23:59", "2022-05-16 00:00", "2022-05-16 23:59", "2022-05-17 00:00"):
        with time_machine.travel(at(moment), tick=False):
            audit.record(action=moment, by=None)
    assert listed(client, day="2022-05-16") == ["2022-05-16 23:59", "2022-05-16 00:00"]


@pytest.mark.parametrize("few", [0, 2000])
def test_rare_and_frequent_events_are_found_alike(client: Client, auditor, monkeypatch, few):
    monkeypatch.setattr(queries, "FEW_EVENTS", few)
    anne, site = a_user("anne"), a_site()
    audit.record(action="bulletin.approved", by=anne, subject=site)
    audit.record(action="appointment.kept", by=auditor)
    audit.record(action="bulletin_text.changed", by=auditor)
    assert listed(client, actor="anne") == ["bulletin.approved"]
    assert listed(client, action="bulletin") == ["bulletin_text.changed", "bulletin.approved"]
    assert listed(client, action="bulletin.") == ["bulletin.approved"]
    assert listed(client, object_type="site") == ["bulletin.approved"]


def test_the_page_shows_the_end_of_the_chain(client: Client, auditor):
    audit.record(action="first", by=None)
    assert AuditHead.objects.get().hash in client.get(reverse("trail")).content.decode()


def test_details_are_shown_escaped(client: Client, auditor):
    audit.record(action="first", by=None, reason="<script>")
    page = client.get(reverse("trail")).content.decode()
    assert "&lt;script&gt;" in page


def test_the_trail_pages_by_key_and_keeps_its_filters(client: Client, auditor):
    for number in range(60):
        audit.record(action=f"seen.{number:02}", by=None)
    first = client.get(reverse("trail"), {"action": "seen"})
    cursor = first.context["page"].next_cursor
    assert f"action=seen&amp;cursor={cursor}" in first.content.decode()
    assert listed(client, action="seen", cursor=cursor)[0] == "seen.09"


def test_the_number_of_queries_does_not_grow(
    client: Client, auditor, django_assert_max_num_queries
):
    for number in range(40):
        audit.record(action="seen", by=a_user(f"user{number}"))
    with django_assert_max_num_queries(9):
        client.get(reverse("trail"))


@pytest.mark.parametrize("role", [role for role in Role if role != Role.AUDITOR])
def test_no_other_role_opens_the_trail(client: Client, role):
    user = a_user("anne", role)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("trail")).status_code == 403


def test_an_auditor_of_one_site_reads_nothing_for_an_event_has_no_place(client: Client):
    audit.record(action="first", by=None)
    user = a_user("anne", Role.AUDITOR, site=a_site())
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert listed(client) == []


class TestAPatientIsSearchedFor:
    @pytest.fixture
    def events(self):
        visit, other = an_appointment(source_id="A-1"), an_appointment(source_id="A-2")
        visit.patient.search_name = "DUPONT ANNE"
        visit.patient.save()
        for action, subject, facts in (
            ("appointment.viewed", visit, {}),
            ("patient.viewed", visit.patient, {}),
            ("schedule.viewed", None, {"appointments": [1, visit.pk]}),
            ("patients.sms_stopped", None, {"patients": [visit.patient_id]}),
            ("patients.linked", None, {"links": [{"record": "D", "patient": visit.patient_id}]}),
            ("attendance.noted", None, {"rows": [[visit.pk, "2022-05-16", "arrived", "x"]]}),
            ("patients.unlinked", None, {"now_patient": visit.patient_id}),
            ("appointment.viewed", other, {}),
            ("patient.viewed", other.patient, {}),
            ("schedule.viewed", None, {"appointments": [other.pk]}),
            ("attendance.noted", None, {"rows": 12}),
        ):
            audit.record(action=action, by=None, subject=subject, **facts)

    def test_what_touches_them_is_found_also_in_lists(self, client: Client, auditor, events):
        assert listed(client, patient="dupont") == [
            "patients.unlinked",
            "attendance.noted",
            "patients.linked",
            "patients.sms_stopped",
            "schedule.viewed",
            "patient.viewed",
            "appointment.viewed",
        ]

    def test_filters_hold_together(self, client: Client, auditor, events):
        assert listed(client, patient="dupont", action="schedule") == ["schedule.viewed"]

    def test_nobody_of_that_name_has_no_events(self, client: Client, auditor, events):
        assert listed(client, patient="zwartkop") == []

    def test_too_many_of_a_name_are_refused_in_words(
        self, client: Client, auditor, events, monkeypatch
    ):
        monkeypatch.setattr(about_patients, "MOST_PATIENTS", 0)
        page = client.get(reverse("trail"), {"patient": "dupont"})
        assert list(page.context["page"].items) == []
        assert "ajoutez le prénom" in page.content.decode()

    def test_who_looks_somebody_up_stands_in_the_trail(self, client: Client, auditor, events):
        client.get(reverse("trail"), {"patient": "dupont"})
        found = AuditEvent.objects.get(action="trail.searched")
        assert (found.actor, len(found.detail["patients"])) == (auditor, 1)


class TestVerifying:
    def test_a_whole_trail_is_said_to_be_whole(self, client: Client, auditor):
        audit.record(action="first", by=None)
        page = client.post(reverse("trail_verify")).content.decode()
        assert "Le journal est entier" in page
        assert AuditEvent.objects.get(action="trail.verified").detail == {"faults": 0}

    def test_a_break_is_named_in_the_readers_language(self, client: Client, auditor, monkeypatch):
        audit.record(action="first", by=None)
        monkeypatch.setattr(settings, "TRAIL_KEY", "another key")
        auditor.language = "de"
        auditor.save()
        page = client.post(reverse("trail_verify")).content.decode()
        assert "Ereignis 1" in page
        assert "Le journal est entier" not in page


def test_the_trail_is_given_as_a_file_the_oldest_first(client: Client, auditor):
    audit.record(action="appointment.viewed", by=auditor, subject=a_site(), typed="=1+1")
    audit.record(action="patient.viewed", by=None)
    answer = client.get(reverse("trail_export"), {"action": "appointment"})
    text = b"".join(answer.streaming_content).decode()
    head, line, *rest = text.splitlines()
    assert head.startswith("\ufeffN°;Quand;Qui;Ce qui s'est passé;")
    assert "a ouvert le rendez-vous" in line
    assert rest == []
    assert AuditEvent.objects.get(action="trail.exported").detail["filters"] == {
        "action": "appointment"
    }
