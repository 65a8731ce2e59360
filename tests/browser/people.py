"""People before their screens, each in a browser of their own, and what their consoles say."""

import json
from types import TracebackType
from typing import Self

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
)

from appointments.demo.accounts import DEMO_PASSWORD
from tests.browser.app import OUTPUT
from tests.browser.looking import sideways

DESK, TABLET, PHONE = (1440, 900), (768, 1024), (360, 740)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Written where the console is heard; a breach of the policy is an event and no exception.
WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy ${event.violatedDirective} refuses ${event.blockedURI} ${event.sample}`);
});
"""
# What moves without an end is left out.
_STILL = """() => Promise.allSettled(
  document.getAnimations()
    .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime))
    .map((one) => one.finished)
)"""
expect.set_options(timeout=15_000)
_signed_in: dict[tuple[str, str], dict] = {}


class Person:
    """Somebody at a screen; ``page`` is what they see."""

    def __init__(self, context: BrowserContext, url: str, complaints: list[str]) -> None:
        self.url = url
        self._complaints = complaints
        context.add_init_script(WATCH)
        context.on("request", self._only_ours)
        context.on("response", self._no_error)
        context.on("console", self._no_complaint)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        self.context = context
        self.page: Page = context.new_page()

    def _only_ours(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self._complaints.append(f"asks {request.url}")

    def _no_error(self, response: Response) -> None:
        if response.status >= 500:
            self._complaints.append(f"{response.status} from {response.url}")

    def _no_complaint(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complaints.append(f"{self.page.url}: {message.text}")

    def open(self, path: str) -> Page:
        """Go to a page."""
        self.page.goto(f"{self.url}{path}", wait_until="load")
        return self.page

    def forge(self, path: str, **sent: str) -> int:
        """Send a form that the open page does not offer; return the status of the answer."""
        headers = json.loads(self.page.locator("body").get_attribute("hx-headers") or "{}")
        answer = self.context.request.post(
            f"{self.url}{path}", form=sent, headers=headers, max_redirects=0
        )
        return answer.status

    def sign_in(self, username: str) -> None:
        """Sign in as people do."""
        page = self.open("/account/login/")
        page.fill("#id_login", username)
        page.fill("#id_password", DEMO_PASSWORD)
        page.click("main button[type=submit].btn-primary")
        page.wait_for_url(lambda url: "/account/" not in url)

    def picture(self, name: str) -> None:
        """Save what the whole page looks like."""
        self.page.screenshot(
            path=OUTPUT / f"{name}.png",
            full_page=True,
            animations="disabled",
            caret="initial",  # hiding it would write styles into the page
        )

    @property
    def too_wide(self) -> int:
        """By how many pixels the page is wider than the screen."""
        return sideways(self.page)

    def barriers(self) -> list[str]:
        """Return what keeps people with disabilities out, as axe finds it (WCAG 2.2 A and AA)."""
        return self._axe({"type": "tag", "values": WCAG})

    def pale(self) -> list[str]:
        """Return what has too little contrast: all that the other colour scheme can spoil."""
        return self._axe({"type": "rule", "values": ["color-contrast"]})

    def _axe(self, rules: dict) -> list[str]:
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        self.page.evaluate(_STILL)  # a colour half way to another would be measured as it is
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("(options) => axe.run(options)", options)["violations"]
        return [
            f"{violation['id']}: {json.dumps(node['target'])} {node['failureSummary']}"
            for violation in found
            for node in violation["nodes"][:3]
        ]


class People:
    """Everybody of one test; ``complaints`` is what went wrong in any of their browsers."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._url = url
        self._contexts: list[BrowserContext] = []

    def stranger(self, size: tuple[int, int] = DESK, **options) -> Person:
        """Seat somebody who has not signed in."""
        return self._seat(size, self._url, **options)

    def signed_in(
        self, username: str, size: tuple[int, int] = DESK, *, url: str = "", **options
    ) -> Person:
        """Seat somebody who signed in, by the sign-in page the first time."""
        url = url or self._url
        key = (self._url, username)
        if key in _signed_in:
            return self._seat(size, url, storage_state=_signed_in[key], **options)
        person = self._seat(size, url, **options)
        person.sign_in(username)
        _signed_in[key] = person.context.storage_state()
        return person

    def _seat(self, size: tuple[int, int], url: str, **options) -> Person:
        width, height = size
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            locale="fr-BE",
            timezone_id="Europe/Brussels",
            has_touch=width == PHONE[0],
            # Colours that fade would be measured half way.
            reduced_motion="reduce",
            **options,
        )
        self._contexts.append(context)
        return Person(context, url, self.complaints)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for context in self._contexts:
            context.close()
