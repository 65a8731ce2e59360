"""The screens in the other languages: German words are long, and a phone is narrow."""

import pytest

from tests.browser.people import DESK, PHONE, People, Person
from tests.browser.test_pages import PAGES, address_of

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
READERS = ("crise1", "docteur1", "directeur", "agent", "secretariat")


def choose_in_the_menu(person: Person, language: str) -> None:
    """Choose a language in the menu of the account, as people do."""
    person.page.locator(".user-menu > button").click()
    person.page.locator(f".user-menu button[value={language}]").click()
    person.page.wait_for_load_state("load")
    assert person.page.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize("language", ["nl", "de", "en"])
def test_pages_fit_a_phone_in_every_language(people: People, language: str) -> None:
    faults = []
    for username in READERS:
        person = people.signed_in(username, DESK)
        first, *_others = PAGES[username]
        person.open(first)
        if username == READERS[0]:
            choose_in_the_menu(person, language)
        else:
            person.forge("/language/", language=language)
        person.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        for number, template in enumerate(PAGES[username]):
            path = address_of(template, person)
            person.open(path)
            if person.too_wide > 0:
                faults.append(f"{path}: {person.too_wide} px wider than {PHONE[0]}")
            if number == 0:
                person.picture(f"40-{language}-{username}")
        person.forge("/language/", language="fr")
    assert faults == []
