"""The wording is edited in the admin, and refused there when it says too much."""

import pytest
from django.test import Client
from django.urls import reverse

from notifications import texts
from notifications.models import MessageText
from staff.models import AuditEvent, User

pytestmark = pytest.mark.django_db
GOOD = "{hospital}: {day} {times} annulé. {number} {reference}"


@pytest.fixture
def admin(client: Client) -> Client:
    """A signed-in administrator."""
    client.force_login(User.objects.create_superuser("admin", password="motdepasse-de-test"))
    return client


def save(admin: Client, body: str) -> str:
    """Add a French text for cancellations and return the page."""
    address = reverse("admin:notifications_messagetext_add")
    values = {"language": "fr", "kind": "cancelled", "body": body}
    return admin.post(address, values, follow=True).content.decode()


def test_a_good_text_is_saved_used_at_once_and_recorded(admin) -> None:
    save(admin, GOOD)
    assert MessageText.objects.get().body == GOOD
    assert texts._text("fr", "cancelled") == GOOD
    assert AuditEvent.objects.filter(action="message_text.saved").exists()


def test_a_text_that_names_an_act_is_refused(admin) -> None:
    assert "retirez irm" in save(admin, GOOD + " Votre IRM")
    assert not MessageText.objects.exists()


def test_a_long_text_is_saved_with_a_warning_about_its_parts(admin) -> None:
    assert "prend 2 parties" in save(admin, GOOD + " et encore" * 15)


def test_the_list_shows_the_parts(admin) -> None:
    save(admin, GOOD)
    page = admin.get(reverse("admin:notifications_messagetext_changelist")).content.decode()
    assert "Parties" in page


def test_a_deleted_text_gives_way_to_the_shipped_one(admin) -> None:
    save(admin, GOOD)
    text = MessageText.objects.get()
    admin.post(reverse("admin:notifications_messagetext_delete", args=[text.pk]), {"post": "yes"})
    assert texts._text("fr", "cancelled").startswith("{hospital}: {votre|vos}")
