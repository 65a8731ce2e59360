"""The frame of every page: home by role, menu, banners, language, refusals."""

import datetime as dt
import re

import pytest
import time_machine
from django.contrib.messages.storage.base import Message
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from appointments.feeds.data_age import data_age
from appointments.models import Feed
from notifications.models import Sending
from staff import clock
from staff.access import Capability
from staff.errors import AccessRefused, Refusal
from staff.middleware import RefusalMiddleware
from staff.models import Role, User
from tests.builders import a_site, a_unit, a_user, at
from vivalia_continuity.navigation import FIRST_PAGES, PAGES

pytestmark = pytest.mark.django_db


def signed_in(client: Client, *roles: str, **fields) -> User:
    user = a_user("anne", *roles)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


# --- Home and menu ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "page"),
    [
        (Role.CRISIS_CELL, "board"),
        (Role.MEDICAL_DIRECTOR, "board"),
        (Role.AUDITOR, "board"),
        (Role.DOCTOR, "doctor_day"),
        (Role.SURGEON, "doctor_day"),
        (Role.NURSE, "operations"),
        (Role.CALL_AGENT, "call_list"),
        (Role.WARD_CLERK, "wards"),
        (Role.FEED_OPERATOR, "imports"),
    ],
)
def test_each_role_starts_on_its_own_page(client: Client, role, page):
    signed_in(client, role)
    answer = client.get(reverse("home"), follow=True)
    assert answer.redirect_chain == [(reverse(page), 302)]
    assert answer.status_code == 200


def test_every_role_has_a_first_page():
    assert {page.name for page in PAGES} >= set(FIRST_PAGES)


def test_whoever_has_no_role_is_told_so(client: Client):
    signed_in(client)
    answer = client.get(reverse("home"))
    assert answer.status_code == 403
    assert "pas encore de rôle" in answer.content.decode()


def test_an_administrator_without_a_role_starts_in_the_reference_data(client: Client):
    signed_in(client, is_staff=True)
    assert client.get(reverse("home")).url == reverse("admin:index")


def test_home_asks_strangers_to_sign_in(client: Client):
    assert client.get(reverse("home")).url.startswith(reverse("account_login"))


def test_the_menu_shows_what_a_role_opens_and_nothing_else(client: Client):
    signed_in(client, Role.WARD_CLERK)
    page = client.get(reverse("rosters")).content.decode()
    menu = re.search(r'<ul class="navbar-nav.*?</ul>', page, re.DOTALL)[0]
    shown = re.findall(r'href="([^"]+)"', menu)
    assert shown == [reverse(name) for name in ("wards", "schedule", "bulletins", "rosters")]
    assert 'aria-current="page"' in menu


def test_whoever_opens_many_pages_finds_the_seldom_ones_behind_one_entry(client: Client):
    signed_in(client, Role.CRISIS_CELL)
    page = client.get(reverse("bulletins")).content.decode()
    in_line, more = page.split("dropdown-toggle", 2)[:2]
    for name in ("board", "schedule", "telling", "call_list"):
        assert f'href="{reverse(name)}"' in in_line
    for name in ("message_texts", "rosters", "imports"):
        assert f'href="{reverse(name)}"' in more.partition("user-menu")[0]
        assert f'href="{reverse(name)}"' not in in_line


# --- Banners ---------------------------------------------------------------------------------
def a_page(client: Client) -> str:
    return client.get(reverse("bulletins")).content.decode()


@override_settings(DEMO_TODAY="2022-05-14")
def test_a_drill_says_so_on_every_page_even_before_sign_in(client: Client):
    assert (
        "Exercice : nous sommes le 14 mai 2022"
        in client.get(reverse("account_login"), headers={"accept-language": "fr"}).content.decode()
    )


def test_outside_a_drill_no_page_speaks_of_one(client: Client):
    page = client.get(reverse("account_login")).content.decode()
    assert "Exercice" not in page
    assert "vivalia-14-mai-2022" not in page


def test_paused_sending_is_said_on_every_page(client: Client):
    user = signed_in(client, Role.NURSE)
    assert "banner-paused" not in a_page(client)
    Sending.objects.update_or_create(id=1, defaults={"paused_at": clock.now(), "paused_by": user})
    assert "banner-paused" in a_page(client)


@pytest.mark.parametrize(("hours", "is_loud"), [(1, False), (24, False), (25, True)])
def test_old_data_is_loud(client: Client, hours, is_loud):
    signed_in(client, Role.NURSE)
    now = at("2022-05-14 12:00")
    Feed.objects.create(name="agenda", heard_at=now - dt.timedelta(hours=hours))
    with time_machine.travel(now, tick=False):
        page = a_page(client)
    assert ("banner-old" in page) is is_loud
    assert "agenda" in page


def test_without_any_feed_the_page_says_that_nothing_was_loaded(client: Client):
    signed_in(client, Role.NURSE)
    assert "Aucune donnée n&#x27;a encore été chargée" in a_page(client).replace("'", "&#x27;")


def test_the_feed_that_is_silent_longest_speaks_for_all():
    now = at("2022-05-14 12:00")
    Feed.objects.create(name="vivant", heard_at=now)
    Feed.objects.create(name="muet", heard_at=now - dt.timedelta(hours=30))
    Feed.objects.create(name="jamais")
    with time_machine.travel(now, tick=False):
        age = data_age()
    assert (age.feed, age.silence, age.is_old) == ("muet", dt.timedelta(hours=30), True)


def test_a_feed_heard_later_in_a_drill_is_not_older_than_new():
    Feed.objects.create(name="agenda", heard_at=at("2022-05-14 13:00"))
    with time_machine.travel(at("2022-05-14 12:00"), tick=False):
        assert data_age().silence < dt.timedelta(hours=1)


# --- Language --------------------------------------------------------------------------------
def test_the_account_chooses_the_language_whatever_the_browser_prefers(client: Client):
    signed_in(client, Role.NURSE, language="en")
    page = client.get(reverse("bulletins"), headers={"accept-language": "fr"}).content.decode()
    assert '<html lang="en">' in page


def test_switching_the_language_is_remembered_with_the_account(client: Client):
    user = signed_in(client, Role.NURSE)
    answer = client.post(
        reverse("set_language"), {"language": "en", "next": reverse("bulletins")}, follow=True
    )
    assert '<html lang="en">' in answer.content.decode()
    user.refresh_from_db()
    assert user.language == "en"


@pytest.mark.parametrize("language", ["xx", "", "../etc"])
def test_a_language_that_is_not_offered_changes_nothing(client: Client, language):
    user = signed_in(client, Role.NURSE)
    client.post(reverse("set_language"), {"language": language})
    user.refresh_from_db()
    assert user.language == "fr"


# --- Refusals --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "status"), [(Refusal("Trop tard."), 409), (AccessRefused("Pas vous."), 403)]
)
@pytest.mark.parametrize("is_live", [True, False])
def test_a_refusal_becomes_a_sentence(rf: RequestFactory, error, status, is_live):
    request = rf.get("/")
    request.htmx = is_live
    answer = RefusalMiddleware(lambda _: HttpResponse()).process_exception(request, error)
    assert answer.status_code == status
    assert str(error) in answer.content.decode()
    assert ("<html" in answer.content.decode()) is not is_live


def test_what_is_no_refusal_is_left_to_fail(rf: RequestFactory):
    middleware = RefusalMiddleware(lambda _: HttpResponse())
    assert middleware.process_exception(rf.get("/"), ValueError("?")) is None


def test_a_page_that_a_role_does_not_open_is_refused_in_words(client: Client):
    signed_in(client, Role.WARD_CLERK)
    answer = client.get(reverse("trail"))
    assert answer.status_code == 403
    assert "Votre rôle ne permet pas" in answer.content.decode()


def test_a_page_that_does_not_exist_says_so_in_our_frame(client: Client):
    signed_in(client, Role.WARD_CLERK)
    answer = client.get("/nulle-part/")
    assert answer.status_code == 404
    assert "Page introuvable" in answer.content.decode()


# --- Scopes and messages ---------------------------------------------------------------------
def test_messages_stand_in_a_live_region(rf: RequestFactory):
    from django.template.loader import render_to_string

    page = render_to_string("_components/messages.html", {"messages": [Message(25, "Gardé.")]})
    assert 'aria-live="polite"' in page
    assert "Gardé." in page


def test_a_capability_opens_its_menu_entry_also_in_one_unit_only(client: Client):
    user = a_user("luc", Role.WARD_CLERK, unit=a_unit("virton-cardio", site=a_site("virton")))
    assert [page.name for page in PAGES if page.opens_for(user)] == [
        "wards",
        "schedule",
        "bulletins",
        "rosters",
    ]
    assert all(isinstance(c, Capability) for page in PAGES for c in page.capabilities)
