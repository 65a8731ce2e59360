"""A page that stands open after its sign-in ran out: nothing is lost without a word."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.builders import an_appointment

pytestmark = pytest.mark.django_db
LIVE = {
    "HX-Request": "true",
    "HX-Current-URL": "http://testserver/my-day/?practitioner=dr-1",
    "Accept-Language": "fr",
}


def test_a_tap_is_answered_that_it_is_not_recorded_with_the_way_to_sign_in() -> None:
    appointment = an_appointment()
    answer = Client().post(reverse("keep", args=[appointment.pk]), headers=LIVE)
    said = answer.content.decode()
    assert answer.status_code == 401
    assert "Votre connexion a expiré" in said
    assert "n&#x27;est pas enregistré" in said
    assert 'href="/account/login/?next=%2Fmy-day%2F%3Fpractitioner%3Ddr-1"' in said
    assert "<html" not in said


def test_a_page_of_another_host_is_no_way_back() -> None:
    elsewhere = LIVE | {"HX-Current-URL": "https://example.org/elsewhere/"}
    answer = Client().post(reverse("keep", args=[an_appointment().pk]), headers=elsewhere)
    assert "next=%2F&quot;" in answer.content.decode().replace('"', "&quot;")


def test_a_live_part_that_is_only_read_loads_its_page_again() -> None:
    answer = Client().get(reverse("board_live"), headers=LIVE)
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_without_a_live_page_the_sign_in_page_is_shown() -> None:
    answer = Client().post(reverse("keep", args=[an_appointment().pk]))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
