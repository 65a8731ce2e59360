"""The reference data: for administrators only, and each change goes into the trail."""

import pytest
from django.test import Client
from django.urls import reverse

from staff.models import AuditEvent, Role, RoleAssignment, Site, User
from staff.services import audit
from tests.builders import a_site, a_unit, a_user

pytestmark = pytest.mark.django_db
PAGES = ("site", "unit", "practitioner", "user", "delegation")


def sign_in(client: Client, user: User) -> User:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def administrator(client: Client) -> User:
    user = a_user("ada")
    user.is_staff = True
    user.save()
    return sign_in(client, user)


@pytest.mark.parametrize("page", PAGES)
def test_an_administrator_opens_each_list_and_each_form(client: Client, administrator, page):
    for action in ("changelist", "add"):
        assert client.get(reverse(f"admin:staff_{page}_{action}")).status_code == 200


@pytest.mark.parametrize("role", Role)
def test_no_role_alone_opens_the_reference_data(client: Client, role):
    sign_in(client, a_user("anne", role))
    for page in PAGES:
        assert client.get(reverse(f"admin:staff_{page}_changelist")).status_code != 200


def test_an_administrator_gives_an_account_with_roles_at_places(client: Client, administrator):
    anne, unit = a_user("anne"), a_unit()
    form = {
        "username": "anne",
        "language": "fr",
        "is_active": "on",
        "role_assignments-TOTAL_FORMS": "2",
        "role_assignments-INITIAL_FORMS": "0",
        "role_assignments-0-role": Role.NURSE,
        "role_assignments-0-unit": unit.pk,
        "role_assignments-1-role": Role.AUDITOR,
    }
    answer = client.post(reverse("admin:staff_user_change", args=[anne.pk]), form)
    assert answer.status_code == 302
    held = RoleAssignment.objects.filter(user=anne).values_list("role", "unit")
    assert set(held) == {("nurse", unit.pk), ("auditor", None)}
    event = AuditEvent.objects.get(action="user.changed")
    assert (event.actor, event.object_id) == (administrator, str(anne.pk))


def test_adding_and_deleting_are_in_the_trail(client: Client, administrator):
    form = {"code": "bouillon", "name": "Bouillon", "callback_number": "+3261000000"}
    client.post(reverse("admin:staff_site_add"), form)
    site = Site.objects.get(code="bouillon")
    client.post(reverse("admin:staff_site_delete", args=[site.pk]), {"post": "yes"})
    assert list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True)) == [
        "site.added",
        "site.deleted",
    ]
    assert list(audit.faults()) == []


def test_a_site_in_use_cannot_be_deleted(client: Client, administrator):
    a_unit(site="arlon")
    client.post(reverse("admin:staff_site_delete", args=[a_site("arlon").pk]), {"post": "yes"})
    assert Site.objects.filter(code="arlon").exists()


def test_an_administrator_cannot_make_a_superuser(client: Client, administrator):
    page = client.get(reverse("admin:staff_user_change", args=[administrator.pk]))
    assert "is_superuser" not in page.content.decode()


def test_the_trail_is_only_read_in_the_reference_data(client: Client, administrator):
    User.objects.update(is_superuser=True)
    event = audit.record(action="first", by=None)
    assert client.get(reverse("admin:staff_auditevent_changelist")).status_code == 200
    change = reverse("admin:staff_auditevent_change", args=[event.pk])
    assert client.post(change, {"actor_name": "luc"}).status_code == 403
    assert client.get(reverse("admin:staff_auditevent_add")).status_code == 403
