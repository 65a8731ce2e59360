"""A bulletin for a week, with a Saturday of its own and a word for one protected group.

It stays a draft: the other tests find nothing in force that was not.
"""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import faults_when_large, faults_when_narrow, tab_to
from tests.browser.people import DESK, PHONE, TABLET, People, Person

pytestmark = pytest.mark.browser
TITLE = "Semaine du 14 mai"
SATURDAY = "2022-05-14"
WEEK = {"first_day": SATURDAY, "last_day": "2022-05-20"}


def test_a_week_with_saturday_apart_and_a_refinement_from_a_cell(people: People) -> None:
    author = people.signed_in("crise1")
    page = a_new_bulletin(author)
    cell(page, "Consultation, Tous les sites").select_option("cancel")
    week = page.locator("#reach-consultation-every")
    expect(week).to_have_text(re.compile("rendez-vous"))
    before = number(week)

    page.get_by_label("Une journée à part").select_option(label="samedi 14/05/2022")
    page.get_by_role("button", name="Mettre à part", exact=True).click()
    expect(page.get_by_role("radio", name="Samedi 14/05/2022")).to_be_focused()
    expect(page.locator(f"#reach-{SATURDAY}-consultation-arlon")).to_have_text("vaut : annuler")
    cell(page, "Consultation, Tous les sites, samedi 14/05/2022").select_option("maintain")
    saturday = page.locator(f"#reach-{SATURDAY}-consultation-every")
    expect(saturday).to_have_text("4 rendez-vous")
    expect(page.locator(f"#reach-{SATURDAY}-consultation-arlon")).to_have_text("vaut : maintenir")
    assert number(week) == before - 4

    page.locator("label[for=shown-all]").click()
    page.get_by_role("button", name="Préciser Consultation, Tous les sites", exact=True).click()
    refinement = page.locator("fieldset.refinement:focus")
    expect(refinement.get_by_label("Consultation")).to_be_checked()
    refinement.get_by_label("Décision").select_option("maintain")
    refinement.get_by_label("Grossesse").check()
    expect(page.locator("#reach-refinement-0")).to_have_text(re.compile(r"\d+ rendez-vous"))
    pregnant = number(page.locator("#reach-refinement-0"))
    assert number(week) + number(saturday) + pregnant == before
    author.picture("21-bulletin-layers")

    read_it_back(page)


def read_it_back(page: Page) -> None:
    """Save, and read the day and the group in the sentences of the bulletin."""
    page.get_by_role("button", name="Enregistrer et prévisualiser").click()
    expect(page.get_by_text("Rien n'a été changé")).to_be_visible()
    page.goto(page.url.replace("/preview/", "/"))
    said = page.get_by_role("listitem")
    saturday = "Consultations, tous les sites, le samedi 14/05 : maintenues"
    pregnant = "(sauf patients avec grossesse : maintenues"
    for words in (saturday, pregnant):
        expect(said.filter(has_text=words)).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, TABLET, DESK], ids=["phone", "tablet", "desk"])
def test_a_day_is_set_apart_without_a_script(people: People, size: tuple[int, int]) -> None:
    author = people.signed_in("crise1", size, java_script_enabled=False)
    page = a_new_bulletin(author)
    cell(page, "Consultation, Tous les sites").select_option("cancel")
    page.get_by_role("button", name="Mettre à part", exact=True).click()
    expect(page.get_by_text("Choisissez un jour de la période")).to_be_visible()
    page.get_by_label("Une journée à part").select_option(SATURDAY)
    page.get_by_role("button", name="Mettre à part", exact=True).click()
    expect(page.get_by_role("radio", name="Samedi 14/05/2022")).to_be_focused()
    cell(page, "Consultation, Arlon, samedi 14/05/2022").select_option("maintain")
    page.get_by_role("button", name="Préciser Consultation, Arlon, samedi 14/05/2022").click()
    refinement = page.locator("fieldset.refinement:focus")
    expect(refinement.get_by_label("Jours")).to_have_value("14/05/2022")
    expect(page.locator(f"#reach-{SATURDAY}-consultation-arlon")).to_have_text("4 rendez-vous")
    author.picture(f"22-layers-{size[0]}")
    page.get_by_role("button", name="Ne plus mettre à part").click()
    expect(page.get_by_role("radio", name="Toute la période")).to_be_focused()
    expect(page.get_by_role("radio")).to_have_count(1)


def test_layers_fit_narrow_screens_and_large_letters_and_shut_nobody_out(people: People) -> None:
    author = people.signed_in("crise1", PHONE, color_scheme="dark")
    page = a_new_bulletin(author)
    cell(page, "Consultation, Tous les sites").select_option("cancel")
    page.locator("#id_last_day").blur()
    for day in (SATURDAY, "2022-05-15"):
        page.get_by_label("Une journée à part").select_option(day)
        page.get_by_role("button", name="Mettre à part", exact=True).tap()
        expect(page.locator(f"#shown-{day}")).to_be_focused()
    cell(page, "Consultation, Arlon, dimanche 15/05/2022").select_option("maintain")
    expect(page.locator("#reach-2022-05-15-consultation-arlon")).to_have_text("0 rendez-vous")
    assert faults_when_narrow(page) + author.barriers() == []
    author.picture("23-layers-phone-dark")
    width, height = TABLET
    page.set_viewport_size({"width": width, "height": height})
    assert faults_when_large(page) == []


def test_a_layer_is_chosen_and_a_cell_refined_by_keyboard(people: People) -> None:
    page = a_new_bulletin(people.signed_in("crise1", DESK))
    page.get_by_label("Une journée à part").select_option(SATURDAY)
    page.get_by_role("button", name="Mettre à part", exact=True).press("Enter")
    expect(page.locator(f"#shown-{SATURDAY}")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(cell(page, "Consultation, Tous les sites")).to_be_visible()
    page.keyboard.press("ArrowRight")
    field = cell(page, "Toutes les activités, Tous les sites, samedi 14/05/2022")
    page.keyboard.press("Tab")
    expect(field).to_be_focused()
    page.keyboard.press("m")
    expect(field).to_have_value("maintain")
    tab_to(page, f"[name=refine][value=day-{SATURDAY}-every-cell-every]")
    page.keyboard.press("Enter")
    expect(page.locator("fieldset.refinement")).to_be_focused()


def a_new_bulletin(author: Person) -> Page:
    """Start from an empty grid, for a week."""
    page = author.open("/bulletins/new/?start=empty")
    page.get_by_label("Titre").fill(TITLE)
    for name, day in WEEK.items():
        page.locator(f"#id_{name}").fill(day)
    page.locator("#id_release_at").fill("2022-05-14T18:00")
    page.locator("#id_release_at").blur()
    return page


def cell(page: Page, name: str) -> Locator:
    """Return a cell by what it is called."""
    return page.get_by_label(name, exact=True).and_(page.locator("select"))


def number(spot: Locator) -> int:
    """Return the number that a spot shows."""
    return int(spot.inner_text().split()[0])
