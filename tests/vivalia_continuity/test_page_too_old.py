"""A form from a stale tab is refused in the house's own words."""

import pytest
from django.test import Client
from django.urls import reverse

from staff.models import Role
from tests.builders import a_user
from tests.page_rules import faults_of

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def stale() -> Client:
    """Return a browser whose forms are checked and whose pages all come from yesterday."""
    return Client(enforce_csrf_checks=True, headers={"accept-language": "fr"})


def sign_in(stale: Client, **more):
    return stale.post(reverse("account_login"), {"login": "anne", "password": "?"}, **more)


def test_a_stale_sign_in_tab_is_told_to_load_the_page_again(stale: Client):
    answer = sign_in(stale, headers={"referer": "http://testserver/account/login/"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Rechargez la page et recommencez." in page
    assert 'class="btn btn-primary" href="http://testserver/account/login/"' in page


def test_the_page_keeps_the_content_security_policy(stale: Client):
    assert faults_of(sign_in(stale).content.decode()) == []


@pytest.mark.parametrize("where", ["https://ailleurs.example/", "javascript:alert(1)", ""])
def test_another_sites_address_is_not_offered_as_the_way_back(stale: Client, where):
    page = sign_in(stale, headers={"referer": where}).content.decode()
    assert "ailleurs" not in page
    assert "javascript:" not in page
    assert f'class="btn btn-primary" href="{reverse("home")}"' in page


def test_a_live_part_gets_the_sentence_alone(stale: Client):
    stale.force_login(a_user("anne", Role.CRISIS_CELL), backend=BACKEND)
    answer = stale.post(reverse("sending_pause"), headers={"hx-request": "true"})
    assert answer.status_code == 403
    assert "Rechargez la page et recommencez." in answer.content.decode()
    assert "<html" not in answer.content.decode()
