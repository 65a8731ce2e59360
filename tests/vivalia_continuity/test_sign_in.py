"""One way in: user name and password, a second factor if wanted, locked after too many tries."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from staff.models import Role
from tests.builders import a_user

pytestmark = pytest.mark.django_db
PASSWORD = "motdepasse-de-test"  # of every a_user


def sign_in(client: Client, password: str = PASSWORD) -> HttpResponse:
    return client.post(reverse("account_login"), {"login": "anne", "password": password})


def test_people_sign_in_with_their_user_name(client: Client):
    a_user("anne", Role.NURSE)
    assert sign_in(client).url == reverse("home")


@pytest.mark.parametrize(
    "path", ["signup/", "email/", "confirm-email/", "password/reset/", "password/set/"]
)
def test_nobody_signs_themselves_up_or_resets_by_mail(client: Client, path):
    client.force_login(
        a_user("anne", Role.NURSE), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert client.get(f"/account/{path}").status_code == 404


def test_no_page_offers_a_mail_that_will_not_come(client: Client):
    page = client.get(reverse("account_login"), headers={"accept-language": "fr"}).content.decode()
    assert reverse("account_reset_password") not in page
    assert "en donne un nouveau" in page


@pytest.mark.parametrize("page", ["mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"])
def test_a_second_factor_can_be_set_up(client: Client, page):
    a_user("anne", Role.NURSE)
    sign_in(client)
    answer = client.get(reverse(page), follow=True)
    assert answer.status_code == 200
    assert "site-header" in answer.content.decode()


def test_the_reference_data_have_no_other_way_in(client: Client):
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_a_live_page_whose_sign_in_ran_out_loads_itself_again(client: Client):
    answer = client.get(reverse("board_live"), headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")


class TestTheLanguageChosenBeforeSigningIn:
    def choose(self, client: Client, language: str) -> None:
        client.post(reverse("set_language"), {"language": language})

    def test_it_becomes_the_accounts(self, client: Client):
        anne = a_user("anne", Role.NURSE)
        self.choose(client, "nl")
        sign_in(client)
        anne.refresh_from_db()
        assert anne.language == "nl"
        assert '<html lang="nl">' in client.get(reverse("schedule")).content.decode()

    def test_who_chose_nothing_keeps_the_accounts(self, client: Client):
        anne = a_user("anne", Role.NURSE, language="de")
        sign_in(client)
        anne.refresh_from_db()
        assert anne.language == "de"

    def test_the_next_person_at_the_same_computer_keeps_theirs(self, client: Client):
        a_user("anne", Role.NURSE)
        self.choose(client, "nl")
        sign_in(client)
        client.post(reverse("account_logout"))
        bert = a_user("bert", Role.NURSE, language="de")
        client.post(reverse("account_login"), {"login": "bert", "password": PASSWORD})
        bert.refresh_from_db()
        assert bert.language == "de"
