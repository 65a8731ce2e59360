"""The auditor reads the trail; nobody else does, and nobody writes in it."""

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from staff import queries
from staff.models import AuditHead, Role
from staff.services import audit
from tests.builders import a_site, a_user, at

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
