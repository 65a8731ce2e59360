"""A call agent's whole job at the screen, and two who want the same patient."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import RunningApp
from tests.browser.people import PHONE, People

pytestmark = pytest.mark.browser
# Tuesday's calls wait for the release of their bulletin; here they are due.
DUE = """
from notifications.models import Delivery
from staff import clock
Delivery.objects.filter(channel="phone", state="queued").update(not_before=clock.now())
"""


def test_an_agent_takes_logs_calls_back_and_gives_back_and_nobody_rings_twice(
    running_app: RunningApp, people: People
) -> None:
    running_app.manage("shell", "-c", DUE)
    agent, other = people.signed_in("agent", PHONE), people.signed_in("crise1")
    page, beside = agent.open("/calls/"), other.open("/calls/")
    take_the_next(page)
    name = page.locator("h1").evaluate("(title) => title.firstChild.textContent.trim()")
    assert agent.too_wide <= 0
    agent.picture("50-call-on-a-phone")
    # The list of the colleague is older than that: they are told who has the patient.
    beside.get_by_role("button", name=f"Prendre l'appel de {name}").click()
    expect(beside.get_by_text("est en train d'appeler ce patient").first).to_be_visible()
    page.get_by_role("button", name="Rendre à la liste").click()
    expect(page.get_by_text("de nouveau sur la liste")).to_be_visible()
    take_the_next(page)
    page.get_by_role("button", name="Ne répond pas").click()
    page.get_by_text("attend son heure").or_(page.get_by_text("attendent leur heure")).click()
    expect(page.locator(".held-calls")).to_contain_text("essai 2 sur 3")
    expect(page.locator(".held-calls")).to_contain_text("à rappeler")
    agent.picture("50-held-calls-on-a-phone")
    take_the_next(page)
    page.get_by_text("Demande à être rappelé…").click()
    page.fill("#id_call_at", "2022-05-17T12:00")
    page.get_by_role("button", name="Noter le rappel").click()
    expect(page.get_by_text("Trop tard")).to_be_visible()
    agent.picture("51-too-late-on-a-phone")
    page.fill("#id_call_at", "2022-05-15T12:00")
    page.get_by_role("button", name="Noter le rappel").click()
    expect(page.get_by_text("C'est noté")).to_be_visible()
    people.complaints[:] = [one for one in people.complaints if "422" not in one]


def take_the_next(page: Page) -> None:
    page.get_by_role("button", name="Prendre l'appel suivant").click()
    expect(page.get_by_role("button", name="Patient prévenu")).to_be_visible()
