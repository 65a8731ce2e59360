"""A running application, a Chromium, and people who sit before it."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.app import OUTPUT, RunningApp, running
from tests.browser.people import People

# Makes a picture of the repository, so only when that is asked for.
collect_ignore = [] if os.environ.get("UPDATE_SCREENSHOTS") else ["test_screenshot.py"]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIETLY = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium; closed before other tests, whose thread it would occupy."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip("needs Chromium: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIETLY))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def running_app(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    """Run the application with real processes, embedded or as a server."""
    OUTPUT.mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("app")
    with running(folder) as app:
        yield app
        (OUTPUT / "app.log").write_text(app.logs())


@pytest.fixture
def people(chromium: Browser, running_app: RunningApp) -> Iterator[People]:
    """Give people at their screens; fails when one of their consoles complained."""
    with People(chromium, running_app.url) as everybody:
        yield everybody
    assert everybody.complaints == [], running_app.logs()[-3000:]
