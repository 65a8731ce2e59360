"""A stream of SMS is stopped in its midst, on a phone, and goes on where it stood."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import RunningApp, running
from tests.browser.people import DESK, PHONE, People
from tests.browser.telling import number, refreshed, tile

pytestmark = pytest.mark.browser
SECOND = 1000


@pytest.fixture
def slow_app(chromium: Browser, tmp_path: Path) -> Iterator[RunningApp]:
    """Run an installation whose gateway takes one SMS a second."""
    with running(tmp_path, SMS_GATEWAY_URL="console://?tps=1") as app:
        yield app


def test_nothing_more_leaves_two_seconds_after_pause(
    chromium: Browser, slow_app: RunningApp
) -> None:
    with People(chromium, slow_app.url) as people:
        live = people.signed_in("crise1", DESK).open("/telling/")
        colleague = people.signed_in("crise2", PHONE)
        page = colleague.open("/telling/")
        before, held = number(live, "accepted"), number(live, "held")
        page.get_by_role("link", name="Prévenir sans attendre l'heure…").click()
        page.get_by_role("button", name="Envoyer maintenant").click()
        expect(tile(live, "accepted")).not_to_have_text(str(before), timeout=30 * SECOND)

        page.get_by_role("button", name="Tout mettre en pause").click()
        expect(page.locator(".banner-paused")).to_be_visible()
        page.wait_for_timeout(2 * SECOND)
        refreshed(live)
        left, gone = number(live, "queued"), number(live, "accepted") - before
        assert 0 < gone < held
        assert left == held - gone
        colleague.picture("76-stopped-midway")
        for _refresh in range(2):
            refreshed(live)
        assert number(live, "queued") == left

        page.get_by_role("button", name="Reprendre les envois").click()
        expect(tile(live, "queued")).to_have_text("0", timeout=60 * SECOND)
        expect(tile(live, "accepted")).to_have_text(str(before + held))
        slow_app.manage("verify")
        assert people.complaints == []
