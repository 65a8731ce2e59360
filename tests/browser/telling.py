"""The numbers of the telling, as they stand on a page that asks for them again and again."""

from playwright.sync_api import Locator, Page, expect


def tile(page: Page, name: str) -> Locator:
    """Return a number of the telling as it stands on the page."""
    return page.locator(f"#tile-{name}")


def number(page: Page, name: str) -> int:
    """Return the number itself."""
    return int(tile(page, name).inner_text())


def refreshed(page: Page) -> None:
    """Wait until the numbers have come anew."""
    moment = page.locator(".updated").first
    expect(moment).not_to_have_text(moment.inner_text())
