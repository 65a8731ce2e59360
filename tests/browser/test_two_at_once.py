"""Two people, and two clicks each, at the same time."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import RunningApp
from tests.browser.people import People

pytestmark = pytest.mark.browser
WEDNESDAYS = 2
CLICK_TWICE_SOON = """() => {
  const form = document.querySelector("input[name=seen]").form;
  form.elements["told"].value = form.elements["shown"].value;
  const button = form.querySelector("[type=submit]");
  setTimeout(() => { button.click(); button.click(); }, 500);
}"""


def test_promise_1_two_who_approve_at_once_with_a_double_click_tell_nobody_twice(
    running_app: RunningApp, people: People
) -> None:
    before = notices(running_app)
    pages = [
        people.signed_in(name).open(f"/bulletins/{WEDNESDAYS}/approve/")
        for name in ("crise2", "crise3")
    ]
    to_tell = int(pages[0].locator(".to-tell .number").inner_text())
    for page in pages:
        page.evaluate(CLICK_TWICE_SOON)
    for page in pages:
        settled(page)
    assert to_tell > 5
    assert notices(running_app) == before + to_tell
    assert approvals(people) == 1
    running_app.manage("verify")
    # Whoever came second was told so, with a conflict; no other complaint is expected.
    people.complaints[:] = [one for one in people.complaints if "409" not in one]


def settled(page: Page) -> None:
    """Wait until a page shows what came of it: the board, or that somebody was faster."""
    done = page.get_by_role("heading", name="Tableau de bord")
    late = page.get_by_text("n'est plus un brouillon")
    expect(done.or_(late).first).to_be_visible()


def notices(app: RunningApp) -> int:
    return sum(json.loads(app.manage("notices", "--json"))["notices"].values())


def approvals(people: People) -> int:
    address = f"/trail/?action=bulletin.approved&object_type=bulletin&object_id={WEDNESDAYS}"
    page = people.signed_in("audit").open(address)
    return page.locator("tbody tr").count()
