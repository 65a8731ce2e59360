"""The menu stands in one line from 1280 px on, for every job and in every language."""

import pytest

from tests.browser.people import People, Person

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
NARROWEST, DESK = (1280, 800), (1440, 900)
ONE_OF_EACH_JOB = (
    *("crise2", "docteur1", "chirurgien", "infirmiere", "directeur"),
    *("agent", "secretariat", "flux", "audit"),
)
# What stands in the head from left to right, with the middle of each; a folded menu shows a button.
MIDDLES = """() => [
  ...document.querySelectorAll(".navbar-brand, .navbar-toggler, .navbar-nav > li, .user-menu")
].filter((one) => one.checkVisibility()).map((one) => {
  const { top, height } = one.getBoundingClientRect();
  return [one.innerText.trim().split("\\n")[0], Math.round(top + height / 2), height];
})"""
TALLEST_LINE = 50


def faults_of_the_menu(person: Person, size: tuple[int, int]) -> list[str]:
    """Return what folds, wraps or stands below the first line at a size."""
    width, height = size
    person.page.set_viewport_size({"width": width, "height": height})
    if person.page.locator(".navbar-toggler").is_visible():
        return [f"folded at {width}"]
    entries = person.page.evaluate(MIDDLES)
    line = entries[0][1]
    faults = [
        f"{label!r} wraps at {width}"
        for label, middle, tall in entries
        if abs(middle - line) > 6 or tall > TALLEST_LINE
    ]
    return [*faults, *([f"{person.too_wide} px too wide"] if person.too_wide > 0 else [])]


@pytest.mark.parametrize("username", ONE_OF_EACH_JOB)
def test_it_is_one_line_on_a_small_laptop_in_every_language(people: People, username: str) -> None:
    person = people.signed_in(username, DESK)
    person.open("/account/2fa/")  # everybody's, and light
    faults = []
    for language in ("nl", "de", "en", "fr"):
        person.forge("/language/", language=language)
        person.page.reload(wait_until="load")
        assert person.page.locator("html").get_attribute("lang") == language
        for size in (NARROWEST, DESK):
            faults += [f"{language}: {fault}" for fault in faults_of_the_menu(person, size)]
    assert faults == []


def test_what_is_seldom_needed_is_behind_one_entry(people: People) -> None:
    person = people.signed_in("crise2", NARROWEST)
    page = person.open("/board/")
    page.locator(".navbar-nav .dropdown-toggle").press("Enter")
    person.picture("41-menu")
    page.get_by_role("link", name="Textes", exact=True).click()
    page.wait_for_url("**/texts/")
    assert page.locator(".navbar-nav [aria-current=page]").inner_text() == "Textes"
