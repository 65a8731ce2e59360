"""Wards and reception: arrivals ticked on a phone, paper entered, two clerks at one patient."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cards import tap, the_same, unfold, until_settled
from tests.browser.people import DESK, PHONE, TABLET, People, Person

pytestmark = pytest.mark.browser
SATURDAY = "2022-05-14"  # the day of the drill
LEFT = "Parti sans être vu"


def the_unit(person: Person) -> Page:
    """Open the one unit of today from the list of units."""
    page = person.open("/wards/")
    page.locator(".ward-unit").first.click()
    page.wait_for_url(f"**/{SATURDAY}/")
    return page


def card(page: Page, number: int) -> Locator:
    return page.locator("article").nth(number)


# What a second tap on the same spot would press, once the card has settled; folds decide nothing.
_PRESSED = """([x, y]) => {
  const button = document.elementFromPoint(x, y)?.closest("button");
  return button ? button.textContent.trim() : "";
}"""


def tap_twice_slowly(page: Page, one: Locator, name: str) -> str:
    """Tap a button of a card; return which button stands on that spot afterwards."""
    until_settled(one)
    button = one.get_by_role("button", name=name, exact=True)
    button.evaluate("button => button.scrollIntoView({block: 'center'})")
    box = button.bounding_box()
    assert box
    spot = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    page.mouse.click(*spot)
    expect(button).to_have_count(0)
    until_settled(one)
    return page.evaluate(_PRESSED, spot)


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_where_a_button_was_tapped_a_second_tap_meets_none(people: People, screen) -> None:
    page = the_unit(people.signed_in("secretariat", screen))
    seen = {}
    for number, names in enumerate((("Arrivé", "Fait"), ("Pas venu",), ("Arrivé", LEFT))):
        one = the_same(page, card(page, number))
        for name in names:
            seen[number, name] = tap_twice_slowly(page, one, name)
    last = the_same(page, card(page, 4))
    seen[4, "quand même"] = tap_twice_slowly(page, last, "Est là quand même")
    assert set(seen.values()) == {""}, seen
    for number in (0, 1, 2, 4):
        one = card(page, number)
        unfold(one, "Corriger")
        assert tap_twice_slowly(page, the_same(page, one), "Effacer cette note") == ""


def test_arrivals_are_ticked_on_a_phone_and_a_mistake_is_taken_back(people: People) -> None:
    clerk = people.signed_in("secretariat", PHONE)
    page = the_unit(clerk)
    counts = page.locator("#ward-counts")
    expect(counts).to_contain_text("4 attendus")
    clerk.picture("50-ward-phone")
    first = card(page, 0)
    tap(first, "Arrivé")
    expect(first.locator(".ward-arrived")).to_be_visible()
    expect(counts).to_contain_text("1 arrivé")
    tap(first, "Fait")
    expect(first.locator(".ward-done")).to_be_visible()
    expect(counts).to_contain_text("1 fait")
    unfold(first, "Corriger")
    tap(first, "Effacer cette note")
    expect(first.get_by_text("Attendu", exact=True)).to_be_visible()
    expect(counts).to_contain_text("4 attendus")
    cancelled = card(page, 4)
    tap(cancelled, "Est là quand même")
    expect(cancelled.get_by_text("son rendez-vous est annulé")).to_be_visible()
    expect(counts).to_contain_text("1 là malgré l'annulation")
    clerk.picture("51-ward-ticked")
    assert clerk.too_wide <= 0
    assert clerk.barriers() == []


def test_a_patient_is_found_by_name_in_all_units_and_ticked_there(people: People) -> None:
    clerk = people.signed_in("secretariat", TABLET)
    page = the_unit(clerk)
    name = card(page, 3).get_by_role("link").first.inner_text()
    page = clerk.open("/wards/")
    page.locator("#id_q").fill(name)
    expect(page.locator("article")).to_have_count(1)
    tap(card(page, 0), "Arrivé")
    expect(card(page, 0).locator(".ward-arrived")).to_be_visible()
    clerk.picture("52-ward-found")
    unfold(card(page, 0), "Corriger")
    tap(card(page, 0), "Effacer cette note")
    expect(card(page, 0).get_by_text("Attendu", exact=True)).to_be_visible()


def test_what_was_written_on_paper_is_entered_with_its_hour(people: People) -> None:
    clerk = people.signed_in("secretariat", DESK)
    page = the_unit(clerk)
    page.get_by_role("link", name="Encoder la feuille papier").click()
    row = page.locator("fieldset").nth(1)
    row.get_by_label("Arrivé à").fill("0h05")
    row.get_by_label("Fait à").fill("0h00")
    row.get_by_label("À noter").fill("en fauteuil roulant")
    page.get_by_role("button", name="Noter ces lignes").click()
    expect(row.get_by_text("« Fait à 00:00 » vient avant « Arrivé à 00:05 »")).to_be_visible()
    expect(row.get_by_label("À noter")).to_have_value("en fauteuil roulant")
    clerk.picture("53-paper-fault")
    assert clerk.barriers() == []
    row.get_by_label("Arrivé à").fill("")
    row.get_by_label("Arrivé", exact=True).check()
    page.get_by_role("button", name="Noter ces lignes").click()
    expect(page.get_by_text("1 ligne notée.")).to_be_visible()
    expect(card(page, 1)).to_contain_text("arrivé")
    expect(card(page, 1)).to_contain_text("sam 14/05 00:00")
    expect(card(page, 1)).to_contain_text("en fauteuil roulant")
    # A refused sheet is an answer, and no failure of the page.
    people.complaints[:] = [one for one in people.complaints if "422" not in one]


def test_of_two_clerks_at_one_patient_the_second_reads_who_was_faster(people: People) -> None:
    pages = [the_unit(people.signed_in(name)) for name in ("secretariat", "infirmiere")]
    tap(card(pages[0], 2), "Arrivé")
    expect(card(pages[0], 2).locator(".ward-arrived")).to_be_visible()
    tap(card(pages[1], 2), "Pas venu")
    refusal = card(pages[1], 2).get_by_role("alert").first
    expect(refusal).to_contain_text("vient de noter « arrivé »")
    expect(card(pages[1], 2).locator(".ward-arrived")).to_be_visible()
    # The refusal comes as a conflict; no other complaint is expected.
    people.complaints[:] = [one for one in people.complaints if "409" not in one]
