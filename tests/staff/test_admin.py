"""The reference data: for administrators only, and each change goes into the trail."""

import pytest
from django.test import Client
from django.urls import reverse

from staff.models import AccountChange, AuditEvent, Role, RoleAssignment, Site, User
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


@pytest.fixture
def superuser(db) -> User:
    return User.objects.create_superuser("root")


class TestASuperuserIsOutOfReach:
    def test_an_administrator_neither_changes_nor_deletes_one(
        self, client: Client, administrator, superuser
    ):
        for page in ("change", "delete"):
            address = reverse(f"admin:staff_user_{page}", args=[superuser.pk])
            answer = client.post(address, {"username": "root", "language": "fr", "post": "yes"})
            assert answer.status_code == 403
        assert User.objects.get(username="root").is_active

    def test_an_administrator_gives_one_no_password(self, client, administrator, superuser):
        address = reverse("admin:auth_user_password_change", args=[superuser.pk])
        new = {"password1": "cheval vert sous la table", "password2": "cheval vert sous la table"}
        assert client.post(address, new).status_code == 403

    def test_an_administrator_deletes_none_of_a_list(self, client, administrator, superuser):
        form = {"action": "delete_selected", "_selected_action": [superuser.pk], "post": "yes"}
        client.post(reverse("admin:staff_user_changelist"), form)
        assert User.objects.filter(pk=superuser.pk).exists()

    def test_a_superuser_changes_another(self, client, superuser):
        sign_in(client, User.objects.create_superuser("root2"))
        address = reverse("admin:staff_user_change", args=[superuser.pk])
        assert client.get(address).status_code == 200


def changes(account: User) -> list[tuple[str, User | None]]:
    rows = AccountChange.objects.filter(account=account).order_by("pk")
    return [(row.what, row.by) for row in rows]


class TestWhoChangedWhoseAccount:
    NEW = "cheval vert sous la table"

    def test_a_made_account_is_noted(self, client, administrator):
        form = {
            "username": "luc",
            "language": "fr",
            "usable_password": "true",
            "password1": self.NEW,
            "password2": self.NEW,
            "role_assignments-TOTAL_FORMS": "0",
            "role_assignments-INITIAL_FORMS": "0",
        }
        client.post(reverse("admin:staff_user_add"), form)
        assert changes(User.objects.get(username="luc")) == [("made", administrator)]

    def test_a_given_password_is_noted_and_makes_every_device_a_stranger(
        self, client, administrator
    ):
        luc = a_user("luc")
        form = {"password1": self.NEW, "password2": self.NEW}
        client.post(reverse("admin:auth_user_password_change", args=[luc.pk]), form)
        assert changes(luc) == [("password", administrator)]
        luc.refresh_from_db()
        assert luc.check_password(self.NEW)
        assert luc.devices_version == 1

    def test_a_guessable_password_is_refused_and_noted_nowhere(self, client, administrator):
        luc = a_user("luc")
        form = {"password1": "motdepasse2026", "password2": "motdepasse2026"}
        client.post(reverse("admin:auth_user_password_change", args=[luc.pk]), form)
        assert changes(luc) == []

    def test_a_given_role_and_a_closed_account_are_noted(self, client, administrator):
        luc = a_user("luc")
        form = {
            "username": "luc",
            "language": "fr",
            "role_assignments-TOTAL_FORMS": "1",
            "role_assignments-INITIAL_FORMS": "0",
            "role_assignments-0-role": Role.NURSE,
        }
        client.post(reverse("admin:staff_user_change", args=[luc.pk]), form)
        assert set(changes(luc)) == {("access", administrator), ("role", administrator)}

    def test_sessions_are_ended_on_every_device(self, client, administrator):
        luc, his = a_user("luc"), Client()
        his.force_login(luc)
        assert his.get(reverse("account_change_password")).status_code == 200
        form = {"action": "end_sessions", "_selected_action": [luc.pk]}
        client.post(reverse("admin:staff_user_changelist"), form)
        assert his.get(reverse("account_change_password")).status_code == 302
        event = AuditEvent.objects.get(action="account.sessions_ended")
        assert (event.actor, event.object_id) == (administrator, str(luc.pk))
        assert client.get(reverse("admin:staff_user_changelist")).status_code == 200

    def test_the_sessions_of_a_superuser_are_out_of_reach(self, client, administrator):
        root = User.objects.create_superuser("root", password=self.NEW)
        form = {"action": "end_sessions", "_selected_action": [root.pk]}
        client.post(reverse("admin:staff_user_changelist"), form)
        root.refresh_from_db()
        assert root.devices_version == 0

    def test_a_new_name_is_no_change_of_access(self, client, administrator):
        luc = a_user("luc")
        form = {
            "username": "luc",
            "language": "nl",
            "is_active": "on",
            "role_assignments-TOTAL_FORMS": "0",
            "role_assignments-INITIAL_FORMS": "0",
        }
        client.post(reverse("admin:staff_user_change", args=[luc.pk]), form)
        assert changes(luc) == []
