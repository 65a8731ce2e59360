"""Taps on a bad network: never silently lost, and safe to repeat."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.cards import the_same, unfold
from tests.browser.people import DEMO_PASSWORD, PHONE, People, Person

pytestmark = pytest.mark.browser
KEEP = "**/keep/"


@pytest.fixture
def doctor(people: People) -> Person:
    return people.signed_in("docteur1", PHONE)


def a_card(doctor: Person) -> Locator:
    """Return a card that may still be kept."""
    page = doctor.open("/my-day/")
    return page.locator("article").filter(has=page.get_by_role("button", name="Garder")).last


def hold(page: Page) -> list[Route]:
    """Let no tap on "keep" arrive until the test says so."""
    held: list[Route] = []

    def on_its_way(route: Route) -> None:
        held.append(route)

    page.route(KEEP, on_its_way)
    return held


def put_back(card: Locator) -> None:
    unfold(card, "Changer ce choix")
    card.get_by_role("button", name="Revenir sur ce choix").tap()
    expect(card.get_by_role("button", name="Garder")).to_be_visible()


def kept_events(people: People, card: Locator) -> int:
    number = card.get_attribute("id").removeprefix("appointment-")
    page = people.signed_in("audit").open(f"/trail/?action=appointment.kept&object_id={number}")
    return page.locator("tbody tr").count()


def test_a_slow_answer_shows_that_it_is_on_its_way_and_takes_no_second_tap(doctor: Person) -> None:
    card = the_same(doctor.page, a_card(doctor))
    held = hold(doctor.page)
    button = card.get_by_role("button", name="Garder")
    button.tap()
    expect(card.locator(".sending:visible")).to_have_text("Envoi…")
    expect(button).to_be_disabled()
    doctor.page.wait_for_timeout(1000)
    (tap,) = held
    tap.continue_()
    expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    expect(card.get_by_text("Pas de réponse")).to_be_hidden()
    doctor.page.unroute(KEEP)
    put_back(card)


def test_whoever_leaves_while_a_tap_is_on_its_way_is_asked_first(doctor: Person) -> None:
    card = the_same(doctor.page, a_card(doctor))
    held = hold(doctor.page)
    asked: list[str] = []
    card.get_by_role("button", name="Garder").tap()
    expect(card.locator(".sending:visible")).to_have_text("Envoi…")

    def stay(dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    doctor.page.on("dialog", stay)
    doctor.page.evaluate("setTimeout(() => location.assign('/bulletins/'), 0)")
    doctor.page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    held[0].continue_()
    expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    doctor.page.unroute(KEEP)
    put_back(card)


def test_an_answer_that_is_lost_on_its_way_back_is_repeated_without_harm(
    people: People, doctor: Person
) -> None:
    card = the_same(doctor.page, a_card(doctor))
    before = kept_events(people, card)

    def done_but_unheard(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    doctor.page.route(KEEP, done_but_unheard)
    card.get_by_role("button", name="Garder").tap()
    expect(card.get_by_text("n'est peut-être pas arrivé")).to_be_visible()
    doctor.picture("32-not-heard")
    doctor.page.unroute(KEEP)
    card.get_by_role("button", name="Garder").tap()
    expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    assert kept_events(people, card) == before + 1
    put_back(card)
    assert any("ERR_CONNECTION_RESET" in one for one in people.complaints)
    people.complaints.clear()


def test_a_server_that_fails_is_said_at_the_card(people: People, doctor: Person) -> None:
    card = the_same(doctor.page, a_card(doctor))
    doctor.page.route(KEEP, lambda route: route.fulfill(status=503, body=""))
    card.get_by_role("button", name="Garder").tap()
    expect(card.get_by_text("Le serveur a rencontré une erreur")).to_be_visible()
    expect(card.get_by_role("button", name="Garder")).to_be_visible()
    people.complaints[:] = [one for one in people.complaints if "503" not in one]


def test_without_a_network_the_card_says_so_and_when_it_is_back(
    people: People, doctor: Person
) -> None:
    card = the_same(doctor.page, a_card(doctor))
    doctor.context.set_offline(True)
    card.get_by_role("button", name="Garder").tap()
    expect(card.get_by_text("Pas de réseau")).to_be_visible()
    doctor.context.set_offline(False)
    expect(card.get_by_text("Le réseau est revenu")).to_be_visible()
    assert any("DISCONNECTED" in one for one in people.complaints)
    people.complaints.clear()


def test_a_sign_in_that_ran_out_is_said_at_the_card_and_leads_back(
    people: People, doctor: Person
) -> None:
    card = the_same(doctor.page, a_card(doctor))
    doctor.context.clear_cookies(name="sessionid")
    card.get_by_role("button", name="Garder").tap()
    expect(card.get_by_text("Votre connexion a expiré")).to_be_visible()
    doctor.picture("33-signed-out")
    card.get_by_role("link", name="Se reconnecter").click()
    doctor.page.fill("#id_login", "docteur1")
    doctor.page.fill("#id_password", DEMO_PASSWORD)
    doctor.page.click("main button[type=submit].btn-primary")
    doctor.page.wait_for_url("**/my-day/")
    expect(card.get_by_role("button", name="Garder")).to_be_visible()
    people.complaints[:] = [one for one in people.complaints if "401" not in one]
