"""Cards of patients: an article each, which takes no tap just after it has changed."""

from playwright.sync_api import Locator, Page

# As static/continuity/care.js has it; without scripts a card takes every tap.
_SETTLED = """(card) => {
  if (typeof changedAt === "undefined") return true;
  if (card.classList.contains("htmx-added")) return false;
  return performance.now() - (changedAt.get(card) ?? -Infinity) >= SETTLES_MS;
}"""


def the_same(page: Page, card: Locator) -> Locator:
    """Return the card by its number, so that it is still found when it has changed."""
    return page.locator(f"#{card.get_attribute('id')}")


def until_settled(card: Locator) -> None:
    """Wait until a card takes taps again."""
    card.page.wait_for_function(_SETTLED, arg=card.element_handle())


def unfold(card: Locator, name: str) -> None:
    """Open one of the parts of a card that are folded away."""
    until_settled(card)
    part = card.locator("details", has=card.page.locator("summary", has_text=name)).first
    if part.get_attribute("open") is None:
        part.locator("summary").first.click()


def tap(card: Locator, name: str) -> None:
    """Touch a button of a card, once the card takes taps again."""
    until_settled(card)
    card.get_by_role("button", name=name).click()
