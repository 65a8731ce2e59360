"""Somebody rings in: found, read out to, logged; and calls on paper for when the screens go."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import PHONE, People

pytestmark = pytest.mark.browser
CANCELLED = "/schedule/?day=2022-05-17&site=arlon&service=radiology&outcome=cancelled"


def test_who_rings_in_is_found_by_name_read_out_to_and_not_told_again(people: People) -> None:
    crisis = people.signed_in("crise1").open(CANCELLED)
    name = crisis.locator(".visit-patient a").first.inner_text()
    agent = people.signed_in("agent")
    page = agent.open("/calls/")
    agent.picture("40-call-list")
    page.get_by_role("link", name="Un patient appelle").click()
    search_as_people_type(page, name)
    agent.picture("41-found")
    page.locator(".caller").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator(".to-say").first).to_be_visible()
    expect(page.get_by_text("Pas encore prévenu").first).to_be_visible()
    agent.picture("42-to-read-out")
    page.get_by_role("button", name="C'est dit : noter").first.click()
    expect(page.get_by_text("Déjà prévenu").first).to_be_visible()
    expect(page.get_by_role("heading", name="Déjà demandé")).to_be_visible()
    agent.picture("43-logged")
    outbox = people.signed_in("crise1").open(f"/outbox/?q={name}")
    expect(outbox.locator(".phone-card").first).to_contain_text("non envoyé")


def test_on_a_phone_a_forged_reference_is_called_so_and_noted(people: People) -> None:
    agent = people.signed_in("agent", PHONE)
    page = agent.open("/calls/incoming/")
    page.fill("#id_q", "2234-567")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Pas de nous", exact=True)).to_be_visible()
    agent.picture("44-forged-on-a-phone")
    page.get_by_role("button", name="Noter : ce message n'est pas de nous").click()
    expect(page.get_by_text("La question est notée")).to_be_visible()
    page = agent.open("/calls/incoming/?q=Zzzz")
    expect(page.get_by_text("Personne ne correspond")).to_be_visible()
    agent.picture("45-nobody-on-a-phone")
    page = agent.open("/calls/incoming/1/")
    agent.picture("46-to-read-out-on-a-phone")
    assert agent.too_wide <= 0


def test_a_call_that_is_printed_shows_its_number(people: People) -> None:
    agent = people.signed_in("agent")
    page = agent.open("/calls/")
    page.locator(".call-row a").first.click()
    page.emulate_media(media="print")
    expect(page.locator(".number-to-call")).to_be_visible()
    expect(page.get_by_role("navigation", name="Menu principal")).to_be_hidden()


def search_as_people_type(page: Page, name: str) -> None:
    """Type a name letter by letter; what is found comes by itself."""
    page.locator("#id_q").press_sequentially(name, delay=20)
    expect(page.locator(".caller").first).to_contain_text(name)
    expect(page).to_have_url(re.compile("q="))
