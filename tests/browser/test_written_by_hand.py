"""A bulletin from an empty grid, until a second person has typed how many will be told.

The last of the browser's tests: it takes Tuesday from the bulletin that the others look at.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import People, Person

pytestmark = pytest.mark.browser
TITLE = "Consultations de mardi rétablies"
NEXT_DAY = {"first_day": "2022-05-17", "last_day": "2022-05-17"}


def test_grid_numbers_diff_and_a_number_typed_wrong_then_right(people: People) -> None:
    author, approver = people.signed_in("crise1"), people.signed_in("crise2")
    address = write(author)
    author.open(address).get_by_role("button", name="Prêt pour l'approbation").click()
    expect(author.page.get_by_role("button", name="Pas encore prêt")).to_be_visible()
    page = approver.open(f"{address}approve/")
    told = int(page.locator(".to-tell .number").inner_text())
    type_number(page, told + 1)
    expect(page.get_by_text(f"Vous avez tapé {told + 1}").first).to_be_visible()
    expect(page.locator(".bulletin-state")).to_have_text("prêt pour l'approbation")
    type_number(page, told)
    page.wait_for_url("**/board/")
    expect(page.locator(".bulletins").get_by_role("link", name=TITLE)).to_be_visible()
    # The wrong number is answered as an error, of which the console speaks.
    people.complaints[:] = [one for one in people.complaints if "422" not in one]


def write(author: Person) -> str:
    """Fill the grid in, see its numbers and what would change; return the bulletin's address."""
    page = author.open("/bulletins/new/?start=empty")
    page.get_by_label("Titre").fill(TITLE)
    for name, day in NEXT_DAY.items():
        page.locator(f"#id_{name}").fill(day)
    page.locator("#id_release_at").fill("2022-05-16T18:00")
    cell = page.get_by_label("Consultation, Tous les sites")
    number = page.locator("#reach-consultation-every")
    cell.select_option("maintain")
    expect(number).to_have_text("9 rendez-vous")
    page.locator("#id_last_day").fill("")
    page.locator("#id_last_day").blur()
    expect(number).to_have_text("?")
    page.locator("#id_last_day").fill(NEXT_DAY["last_day"])
    page.locator("#id_last_day").blur()
    expect(number).to_have_text("9 rendez-vous")
    page.get_by_role("button", name="Enregistrer et prévisualiser").click()
    expect(page.get_by_text("passent d'annulé à maintenu")).to_be_visible()
    expect(page.get_by_text("Disparaît :").first).to_be_visible()
    return page.url.removeprefix(author.url).removesuffix("preview/")


def type_number(page: Page, number: int) -> None:
    """Type how many patients will be told, and approve."""
    page.get_by_label("Tapez le nombre de patients à prévenir").fill(str(number))
    page.get_by_role("button", name="Approuver et mettre en vigueur").click()
