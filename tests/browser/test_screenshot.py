"""The picture of the README: ``UPDATE_SCREENSHOTS=1 pytest tests/browser/test_screenshot.py``.

Made from the demo hospital on the day of the bulletin; collected only when asked for.
"""

import contextlib
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import ROOT, RunningApp
from tests.browser.hospital import PLAYBOOK
from tests.browser.people import People

pytestmark = pytest.mark.browser
PICTURE = ROOT / "docs" / "images" / "board.png"
SIZE = (1440, 1400)
LARGEST_BYTES = 300_000


def test_the_board_of_the_demo_hospital_for_the_readme(chromium: Browser, tmp_path: Path) -> None:
    app = RunningApp(tmp_path, {"DEMO_TODAY": ""})
    with contextlib.closing(app):
        app.start(sys.executable, "manage.py", "serve", "--demo", "--port", str(app.port))
        app.wait_until_it_answers(app.port, seconds=180)
        app.manage("bulletin", "draft", str(PLAYBOOK), "--by", "crise1")
        app.manage("bulletin", "approve", "1", "--by", "crise2")
        with People(chromium, app.url) as people:
            decide(people)
            board = people.signed_in("crise1", SIZE)
            page = board.open("/board/")
            page.get_by_role("link", name="Prévenir sans attendre").click()
            page.get_by_role("button", name="Envoyer maintenant").click()
            expect(page.get_by_text("maintenant.")).to_be_visible()
            page.wait_for_timeout(1500)
            board.open("/board/")
            PICTURE.parent.mkdir(exist_ok=True)
            page.screenshot(path=PICTURE, animations="disabled", caret="initial")
            assert people.complaints == []
    assert PICTURE.stat().st_size < LARGEST_BYTES


def decide(people: People) -> None:
    """Doctors keep some patients, and the Medical Director rules on some operations."""
    for name, number in (("docteur1", 3), ("docteur2", 2), ("docteur3", 4)):
        page = people.signed_in(name).open("/my-day/")
        for card in page.locator("article").all()[:number]:
            card.get_by_role("button", name="Garder").click()
            expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    page = people.signed_in("directeur").open("/operations/")
    for card in page.locator("article").all()[:12]:
        card.get_by_role("button", name="Maintenir").click()
        expect(card.get_by_text("Maintenu", exact=True)).to_be_visible()
