"""The crisis cell writes a text: its cost and its faults show while it is written."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import DESK, PHONE, People

pytestmark = pytest.mark.browser
EDITOR = "/texts/nl/maintained/"


def write(page: Page, words: str) -> None:
    """Write at the end of the text."""
    page.locator("#id_body").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(words)


def test_faults_and_costs_show_while_a_text_is_written(people: People) -> None:
    person = people.signed_in("crise1", PHONE)
    page = person.open(EDITOR)
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("Rien à redire")
    write(page, " ☺ bij uw huisarts")
    expect(verdict).to_contain_text("retirez huisarts")
    expect(verdict).to_contain_text("70 caractères par partie au lieu de 160")
    expect(page.locator("#preview")).to_contain_text("fin de la partie 1")
    assert page.locator("#id_body").evaluate("one => one === document.activeElement")
    assert person.too_wide <= 0
    assert person.barriers() == []
    person.picture("40-text-with-faults")


def test_by_keyboard_a_variable_is_put_in_and_the_text_saved_and_taken_back(
    people: People,
) -> None:
    page = people.signed_in("crise1", DESK).open(EDITOR)
    write(page, " ")
    page.get_by_role("button", name="{reference}").press("Enter")
    body = page.locator("#id_body")
    assert body.input_value().endswith("{reference} {reference}")
    expect(page.locator(".phone-bubble").first).to_contain_text("223K-7QF 223K-7QF")
    page.get_by_role("button", name="Enregistrer").press("Enter")
    expect(page.locator("#messages")).to_contain_text("Enregistré")
    expect(page.locator(".changes")).to_contain_text("{reference} {reference}")
    page.get_by_role("button", name="Revenir au texte d'origine").press("Enter")
    expect(page.locator("#messages")).to_contain_text("Le texte d'origine vaut à nouveau.")
    assert not page.locator("#id_body").input_value().endswith("{reference} {reference}")


def test_without_scripts_the_button_checks(people: People) -> None:
    people.signed_in("crise1")  # the sign-in of the next one
    page = people.signed_in("crise1", DESK, java_script_enabled=False).open(EDITOR)
    page.locator("#id_body").fill("{hospital} IRM")
    page.get_by_role("button", name="Vérifier").click()
    expect(page.locator("#verdict")).to_contain_text("retirez irm")
    assert page.locator("#id_body").input_value() == "{hospital} IRM"


def test_another_site_shows_its_own_number(people: People) -> None:
    page = people.signed_in("crise1", DESK).open(EDITOR)
    expect(page.locator("#preview")).to_contain_text("Arlon : les patients rappellent")
    page.get_by_label("Aperçu pour le site").select_option(label="Virton")
    expect(page.locator("#preview")).to_contain_text("Virton : les patients rappellent")
