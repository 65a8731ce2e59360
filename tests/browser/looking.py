"""How a page looks to those who need it large, narrow, without colours, or on paper."""

from playwright.sync_api import Page

NARROW = 320  # WCAG 2.2, 1.4.10: nothing scrolls sideways
LARGE = "200%"  # WCAG 2.2, 1.4.4: letters of twice the size
MOST_BYTES = 150_000  # of a page with an empty cache, everything it loads included
MOST_TABS = 80

_CLIPPED = """() => {
  const hides = (value) => value === "hidden" || value === "clip";
  return [...document.querySelectorAll("header *, main *, footer *")].filter((element) => {
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (box.width <= 1 || box.height <= 1 || !element.innerText?.trim()) return false;
    return (
      (hides(style.overflowX) && element.scrollWidth > element.clientWidth + 1) ||
      (hides(style.overflowY) && element.scrollHeight > element.clientHeight + 1)
    );
  }).map((element) => element.outerHTML.slice(0, 90));
}"""
_PALE = """() => {
  const dark = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
    return alpha === 0 || Math.max(red, green, blue) < 110;
  };
  return [...document.querySelectorAll("body *")].filter((element) => {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest("svg, progress")) return false;
    return !dark(getComputedStyle(element).color);
  }).map((element) => element.outerHTML.slice(0, 90));
}"""
_WITHOUT_BORDER = """(selector) => [...document.querySelectorAll(selector)].filter((element) => {
  const style = getComputedStyle(element);
  return style.borderTopStyle === "none" || parseFloat(style.borderTopWidth) < 1;
}).map((element) => element.outerHTML.slice(0, 90))"""

_RING = """(element) => {
  const style = getComputedStyle(element);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""


def sideways(page: Page) -> int:
    """Return by how many pixels a page is wider than its screen."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def faults_when_narrow(page: Page) -> list[str]:
    """Return what does not fit a screen of 320 pixels; the screen is as before afterwards."""
    size = page.viewport_size
    page.set_viewport_size({"width": NARROW, "height": 740})
    found = [f"{sideways(page)} px wider than {NARROW}"] if sideways(page) > 0 else []
    if size:
        page.set_viewport_size(size)
    return found


def faults_when_large(page: Page) -> list[str]:
    """Return what does not fit with letters of twice the size."""
    page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", LARGE)
    found = _what_does_not_fit(page, f"at {LARGE}")
    page.evaluate("() => { document.documentElement.style.fontSize = ''; }")
    return found


def _what_does_not_fit(page: Page, when: str) -> list[str]:
    found = [f"cut off {when}: {one}" for one in page.evaluate(_CLIPPED)]
    if sideways(page) > 0:
        found.append(f"{sideways(page)} px wider than the screen {when}")
    return found


def faults_for_large_letters(page: Page) -> list[str]:
    """Return what does not fit where the reader set letters of twice the size in the browser.

    Unlike a style of the page, that setting also counts in the page's media queries.
    """
    letters = page.context.new_cdp_session(page)
    letters.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    found = _what_does_not_fit(page, "with large letters")
    letters.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
    letters.detach()
    return found


def pale_on_paper(page: Page) -> list[str]:
    """Return what a printer would not put on white paper in ink."""
    page.emulate_media(media="print")
    found = page.evaluate(_PALE)
    page.emulate_media(media="screen")
    return found


def without_border(page: Page, selector: str) -> list[str]:
    """Return what shows no edge to people who see their own colours only."""
    page.emulate_media(forced_colors="active")
    found = page.evaluate(_WITHOUT_BORDER, selector)
    page.emulate_media(forced_colors="none")
    return found


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus, as people do, and see that the focus shows."""
    wanted = page.locator(selector).last.element_handle()
    for _key in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("(element) => document.activeElement === element", wanted):
            assert page.evaluate(_RING, wanted), f"{selector} does not show its focus"
            return
    raise AssertionError(f"{selector} is not reached by Tab")


class Scales:
    """Weighs what a page brings over the wire when nothing is in the cache."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.loadingFinished", self._add)

    def _add(self, event: dict) -> None:
        self.bytes += int(event["encodedDataLength"])

    def weighed(self) -> int:
        """Return what came since the last time."""
        weight, self.bytes = self.bytes, 0
        return weight
