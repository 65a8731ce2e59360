"""Two people at one thing, each with a page that the other makes old: both read what happened.

Two clerks at one arrival are in ``test_wards.py``, doctor and delegate at one card in
``test_doctors.py``, two who approve in the same moment in ``test_two_at_once.py``.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cards import tap, the_same
from tests.browser.people import DESK, PHONE, People, Person

pytestmark = pytest.mark.browser
THURSDAY = "/operations/?day=2022-05-19"
NOBODYS_DAY = "2022-06-20"  # nothing is planned: nobody is told
TITLE, MENDED = "Essai du 20 juin", "Essai du 20 juin, corrigé"


def test_the_director_is_shown_an_opinion_that_came_while_they_ruled(people: People) -> None:
    director, surgeon = people.signed_in("directeur", DESK), people.signed_in("chirurgien", PHONE)
    page = director.open(THURSDAY)
    awaiting = page.locator("article").filter(has=page.locator(".outcome-under_review"))
    ruled = the_same(page, awaiting.last)
    spoken = surgeon.open(THURSDAY).locator(f"#{ruled.get_attribute('id')}")
    spoken.get_by_label("Commentaire (facultatif)").fill("Fièvre depuis ce matin")
    tap(spoken, "J'annulerais")
    expect(spoken.get_by_text("Fièvre depuis ce matin")).to_be_visible()

    tap(ruled, "Maintenir")
    expect(ruled.locator(".refusal")).to_contain_text("a donné un avis entre-temps : annuler")
    expect(ruled.get_by_text("Fièvre depuis ce matin")).to_be_visible()
    expect(ruled.locator("header .outcome")).to_contain_text("À examiner")
    director.picture("70-ruling-past-an-opinion")
    tap(ruled, "Annuler l'opération")
    expect(ruled.get_by_text("Annulé", exact=True)).to_be_visible()

    # The surgeon's card is the old one now: they speak to it, and see that it is ruled on.
    tap(spoken, "Je maintiendrais")
    expect(spoken.get_by_text("Décidé par Paul DIRECTEUR")).to_be_visible()
    expect(spoken.get_by_text("Annulé", exact=True)).to_be_visible()
    forgive(people, "409")


def test_of_two_in_the_crisis_cell_neither_approves_nor_edits_unseen(people: People) -> None:
    author, approver = people.signed_in("crise1"), people.signed_in("crise2")
    third = people.signed_in("crise3")
    address = draft(author)
    say_ready(author.open(address))
    page = approver.open(f"{address}approve/")
    mended = author.open(f"{address}edit/")
    save(mended, title=MENDED)
    approve(page)
    expect(page.locator(".refusal")).to_contain_text("Claire RÉDACTRICE a modifié")
    expect(page.locator(".bulletin-title")).to_have_text(MENDED)
    expect(page.get_by_text("n'est pas encore prêt")).to_be_visible()
    approver.picture("71-edited-meanwhile")
    say_ready(mended)
    page = approver.open(f"{address}approve/")

    late, stale = third.open(f"{address}approve/"), author.open(f"{address}edit/")
    approve(page)
    page.wait_for_url("**/board/")
    approve(late)
    expect(late.get_by_text("n'est plus un brouillon").first).to_be_visible()
    stale.locator("#id_title").fill(TITLE)
    stale.get_by_role("button", name="Enregistrer et prévisualiser").click()
    expect(stale.get_by_text("n'est plus un brouillon").first).to_be_visible()
    author.picture("72-approved-meanwhile")
    page = people.signed_in("audit").open(f"{address}")
    expect(page.locator(".bulletin-title")).to_have_text(MENDED)
    withdraw(approver, third, address)
    forgive(people, "40", "422")


def draft(author: Person) -> str:
    """Draft a bulletin about a day without appointments; return its address."""
    page = author.open("/bulletins/new/?start=empty")
    page.locator("#id_first_day").fill(NOBODYS_DAY)
    page.locator("#id_last_day").fill(NOBODYS_DAY)
    page.locator("#id_release_at").fill("2022-06-19T18:00")
    page.get_by_label("Consultation, Tous les sites").select_option("cancel")
    save(page, title=TITLE)
    return re.sub("preview/$", "", page.url.removeprefix(author.url))


def save(page: Page, *, title: str) -> None:
    page.locator("#id_title").fill(title)
    page.get_by_role("button", name="Enregistrer et prévisualiser").click()
    page.wait_for_url("**/preview/")


def say_ready(page: Page) -> None:
    page.get_by_role("button", name="Prêt pour l'approbation").click()


def approve(page: Page) -> None:
    page.get_by_label("Tapez le nombre de patients à prévenir").fill("0")
    page.get_by_role("button", name="Approuver et mettre en vigueur").click()


def withdraw(asker: Person, other: Person, address: str) -> None:
    """Take the bulletin out of force again, so that nobody else meets it."""
    page = asker.open(f"{address}withdraw/")
    page.locator("#id_reason").fill("Essai terminé")
    page.get_by_role("button", name="Demander le retrait").click()
    expect(page.get_by_text("un autre membre de la cellule de crise doit")).to_be_visible()
    page = other.open(f"{address}withdraw/")
    page.get_by_role("button", name="Confirmer le retrait").click()
    expect(page.locator(".bulletin-state")).to_have_text("retiré")


def test_of_two_agents_at_one_patient_one_rings_and_the_other_reads_so(people: People) -> None:
    first, second = people.signed_in("agent"), people.signed_in("agent2")
    counting = second.open("/telling/unknown/")
    row = counting.locator(".queue-row").first
    patient = row.get_by_role("link").first.inner_text()
    row.get_by_role("link", name="Compter").click()
    # While the second agent writes why, the first has the patient called, and takes the call.
    page = first.open("/telling/unknown/")
    page.get_by_role("link", name=f"Appeler {patient} à la place").click()
    page.get_by_role("button", name="Faire appeler").click()
    expect(page.get_by_text("1 patient est sur la liste des appels.")).to_be_visible()
    take(first, patient)
    count_as_told(counting)
    expect(counting.get_by_text("1 avait changé entre-temps et reste tel quel.")).to_be_visible()

    failed = second.open("/telling/failed/").locator(".queue-row").filter(has_text=patient)
    expect(failed).to_contain_text("Léa APPELLE")
    second.picture("73-somebody-is-ringing")
    failed.get_by_role("link", name="Compter").click()
    count_as_told(counting)
    expect(counting.get_by_text("1 avait changé entre-temps et reste tel quel.")).to_be_visible()

    # Given back, it is free: the second settles it while the first looks at an older list.
    first.page.get_by_role("button", name="Rendre à la liste").click()
    expect(first.page.get_by_text("de nouveau sur la liste")).to_be_visible()
    failed.get_by_role("link", name="Compter").click()
    count_as_told(counting)
    expect(counting.get_by_text("1 patient compte comme prévenu.")).to_be_visible()
    first.page.get_by_role("button", name=f"Prendre l'appel de {patient}").click()
    expect(first.page.get_by_text("C'est déjà réglé : ce patient est noté")).to_be_visible()
    first.picture("74-settled-meanwhile")


def take(agent: Person, patient: str) -> None:
    """Take a patient's call from the list."""
    page = agent.open("/calls/")
    page.get_by_role("button", name=f"Prendre l'appel de {patient}").click()
    expect(page.get_by_role("button", name="Patient prévenu")).to_be_visible()


def count_as_told(page: Page) -> None:
    """Say why, and count the patient as told."""
    page.get_by_label("Pourquoi").fill("Le patient a répondu par sa fille")
    page.get_by_role("button", name="Compter comme prévenus").click()


def forgive(people: People, *statuses: str) -> None:
    """Forget the refusals that the consoles speak of; no other complaint is expected."""
    people.complaints[:] = [
        one for one in people.complaints if not any(status in one for status in statuses)
    ]
