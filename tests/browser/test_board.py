"""The board refreshes by itself, and whoever reads it does not lose their place."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import PHONE, People

pytestmark = pytest.mark.browser
TUESDAY = "2022-05-17"
REFRESHED = "(before) => document.querySelector('.updated').textContent.trim() !== before"
PLACE = """(link) => [
  Math.round(link.getBoundingClientRect().top),
  document.getElementById("board-grid").scrollLeft,
]"""
READ = """(link) => {
  link.scrollIntoView({ behavior: "instant", block: "center" });
  link.focus({ preventScroll: true });
  document.getElementById("board-grid").scrollLeft = 120;
}"""


def test_a_refresh_keeps_scroll_and_focus(people: People) -> None:
    page = people.signed_in("crise1", PHONE).open(f"/board/?day={TUESDAY}")
    link = page.locator("#count-consultation-arlon-cancelled")
    link.evaluate(READ)
    place, before = link.evaluate(PLACE), page.locator(".updated").first.inner_text()

    page.wait_for_function(REFRESHED, arg=before)

    assert page.evaluate("window.scrollY") > 0
    assert link.evaluate(PLACE) == place
    assert place[1] == 120
    expect(link).to_be_focused()
