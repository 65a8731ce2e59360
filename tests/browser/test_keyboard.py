"""Each job by keyboard alone; the doctor's is in test_pages.py."""

import pytest
from playwright.sync_api import expect

from tests.browser.cards import until_settled
from tests.browser.looking import tab_to
from tests.browser.people import DESK, People

pytestmark = pytest.mark.browser
TUESDAY = "2022-05-17"


def test_by_keyboard_alone_a_clerk_ticks_an_arrival_and_takes_it_back(people: People) -> None:
    page = people.signed_in("secretariat", DESK).open("/wards/")
    tab_to(page, ".ward-units li:first-child .ward-unit")
    page.keyboard.press("Enter")
    page.wait_for_url("**/wards/*/*/")
    card = page.locator("article").nth(3)
    name = f"#{card.get_attribute('id')}"
    tab_to(page, f"{name} button[value=arrived]")
    page.keyboard.press("Enter")
    expect(card.locator(".ward-arrived")).to_be_visible()
    # The focus stays on the card: the next Tab does not start again at the top of the page.
    assert page.evaluate("document.activeElement.closest('article') !== null")
    until_settled(card)
    tab_to(page, f"{name} details.change summary")
    page.keyboard.press("Enter")
    tab_to(page, f"{name} button[value=cleared]")
    page.keyboard.press("Enter")
    expect(card.get_by_text("Attendu", exact=True)).to_be_visible()


def test_by_keyboard_alone_the_director_rules_on_an_operation(people: People) -> None:
    page = people.signed_in("directeur", DESK).open(f"/operations/?day={TUESDAY}")
    card = page.locator("article").last
    name = f"#{card.get_attribute('id')}"
    tab_to(page, f"{name} button[value=maintained]")
    page.keyboard.press("Enter")
    expect(page.locator(name).get_by_text("Maintenu", exact=True)).to_be_visible()


def test_by_keyboard_alone_the_crisis_cell_stops_all_sending_and_resumes(people: People) -> None:
    page = people.signed_in("crise1", DESK).open("/telling/")
    for banner in (1, 0):
        tab_to(page, "#sending-switch")
        page.keyboard.press("Enter")
        expect(page.locator(".banner-paused")).to_have_count(banner)


def test_by_keyboard_alone_an_agent_opens_a_call_and_reaches_its_answers(people: People) -> None:
    page = people.signed_in("agent", DESK).open("/calls/")
    first = page.locator("main ol a[href^='/calls/'], main ul a[href^='/calls/']").first
    tab_to(page, f"a[href='{first.get_attribute('href')}']")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ce qu'il faut dire")).to_be_visible()
    tab_to(page, ".number-to-call")
    tab_to(page, "main button[type=submit]")
