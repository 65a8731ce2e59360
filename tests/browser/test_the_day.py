"""The whole day at the screens, from the schedule file to the roster, each person with theirs.

Pictures of it go to ``tests/browser/output/``.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import RunningApp
from tests.browser.cards import unfold, until_settled
from tests.browser.hospital import MONDAYS_FILE, PLAYBOOK
from tests.browser.people import PHONE, People, Person

pytestmark = pytest.mark.browser
TITLE = "Panne informatique : activité du lundi 16 mai 2022"


def test_the_whole_day_from_import_to_roster(running_app: RunningApp, people: People) -> None:
    load_the_schedule(people.signed_in("flux"), running_app.folder / MONDAYS_FILE)

    first, second = people.signed_in("crise1"), people.signed_in("crise2")
    bulletin = draft_the_bulletin(first)
    the_author_cannot_approve(first, bulletin)
    the_second_person_approves(second, bulletin)

    patient = keep_a_consultation(people.signed_in("docteur1", PHONE))
    operation = give_an_opinion(people.signed_in("infirmiere", PHONE))
    rule_on_the_operation(people.signed_in("directeur"), operation)

    release_the_sms(first, kept=patient)
    reach_a_patient(people.signed_in("agent"))
    print_the_roster(people.signed_in("secretariat"))
    read_the_trail(people.signed_in("audit"), operation)
    running_app.manage("verify")


def load_the_schedule(operator: Person, path: Path) -> None:
    """The feed operator checks the file, reads what is wrong with it, and loads the rest."""
    page = operator.open("/imports/new/")
    page.set_input_files("#id_file", path)
    page.get_by_role("button", name="Vérifier le fichier").click()
    expect(page.get_by_role("heading", name="Ce que ce fichier changerait")).to_be_visible()
    expect(row(page, "Lignes rejetées")).to_contain_text("4")
    expect(page.get_by_text("31/02/2022").first).to_be_visible()
    operator.picture("01-import-checked")
    assert operator.open("/imports/").get_by_text("vérifié").count() == 1
    page.go_back()
    page.get_by_role("button", name="Charger pour de bon").click()
    expect(page.get_by_role("heading", name="Ce qui a été chargé")).to_be_visible()
    operator.picture("02-import-loaded")


def row(page: Page, title: str):
    """Return the row of a table by its heading."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=title))


def draft_the_bulletin(author: Person) -> str:
    """A member of the crisis cell drafts from the playbook; return the bulletin's address."""
    page = author.open("/bulletins/new/")
    page.set_input_files("#id_playbook", PLAYBOOK)
    page.get_by_role("button", name="Lire le fichier").click()
    expect(page.locator("#id_title")).to_have_value(TITLE)
    author.picture("03-bulletin-editor")
    page.get_by_role("button", name="Enregistrer et prévisualiser").click()
    expect(page.get_by_text("Rien n'a été changé")).to_be_visible()
    author.picture("04-bulletin-preview")
    bulletin = re.sub("preview/$", "", page.url.removeprefix(author.url))
    page.get_by_role("button", name="Prêt pour l'approbation").click()
    expect(page.get_by_text("attend l'approbation d'une autre personne")).to_be_visible()
    return bulletin


def the_author_cannot_approve(author: Person, bulletin: str) -> None:
    """Who wrote it is told that somebody else must approve."""
    page = author.open(f"{bulletin}approve/")
    expect(
        page.get_by_text("un autre membre de la cellule de crise doit l'approuver")
    ).to_be_visible()
    assert page.get_by_role("button", name="Approuver et mettre en vigueur").count() == 0


def the_second_person_approves(approver: Person, bulletin: str) -> None:
    """A second member approves, and the board shows it."""
    page = approver.open(f"{bulletin}approve/")
    approver.picture("05-bulletin-approve")
    number = page.locator(".to-tell .number").inner_text()
    page.get_by_label("Tapez le nombre de patients à prévenir").fill(number)
    page.get_by_role("button", name="Approuver et mettre en vigueur").click()
    page.wait_for_url("**/board/")
    expect(page.locator(".bulletins").get_by_role("link", name=TITLE)).to_be_visible()
    expect(page.get_by_role("heading", name="Lundi 16 mai 2022")).to_be_visible()
    approver.picture("06-board")


def keep_a_consultation(doctor: Person) -> str:
    """On a phone: one tap keeps, one undoes, one keeps again; then the patient is called."""
    page = doctor.open("/my-day/")
    doctor.picture("07-my-day-phone")
    card = page.locator("article").first
    patient = card.get_by_role("link").first.inner_text()
    tap(card, "Garder")
    expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    unfold(card, "Changer ce choix")
    tap(card, "Revenir sur ce choix")
    expect(card.get_by_role("button", name="Garder")).to_be_visible()
    tap(card, "Garder")
    expect(card.get_by_text("Appelez ce patient")).to_be_visible()
    expect(page.locator("#doctor-counts")).to_contain_text("1 à appeler")
    doctor.picture("08-my-day-kept")
    tap(card, "Patient contacté")
    expect(card.get_by_text("Patient prévenu")).to_be_visible()
    doctor.picture("09-my-day-contacted")
    return patient


def tap(card, name: str) -> None:
    """Touch a button; a card that has just changed takes no tap, so that none is made twice."""
    until_settled(card)
    card.get_by_role("button", name=name).tap()


def give_an_opinion(nurse: Person) -> str:
    """The nurse says what she thinks of the first operation; return its patient."""
    page = nurse.open("/operations/")
    card = page.locator("article").first
    patient = card.get_by_role("link").first.inner_text()
    card.get_by_label("Commentaire (facultatif)").fill("À jeun depuis hier")
    card.get_by_role("button", name="Je maintiendrais").tap()
    expect(card.get_by_text("Maintenir", exact=True)).to_be_visible()
    nurse.picture("10-opinion")
    return patient


def rule_on_the_operation(director: Person, patient: str) -> None:
    """The Medical Director reads the opinion and maintains the operation."""
    page = director.open("/operations/")
    card = page.locator("article").filter(has_text=patient)
    expect(card.get_by_text("À jeun depuis hier")).to_be_visible()
    director.picture("11-operations")
    card.get_by_role("button", name="Maintenir").click()
    expect(card.get_by_text("Maintenu", exact=True)).to_be_visible()
    director.picture("12-operation-ruled")


def release_the_sms(author: Person, *, kept: str) -> None:
    """The crisis cell lets the SMS go; the worker sends; the outbox shows them as phones do."""
    page = author.open("/board/")
    page.get_by_role("link", name="Prévenir sans attendre").click()
    page.get_by_role("button", name="Envoyer maintenant").click()
    expect(page.get_by_text("maintenant.")).to_be_visible()
    wait_until_sent(author)
    author.picture("13-board-told")
    page = author.open("/outbox/")
    bubble = page.locator(".bubble").filter(has_text="lun. 16/05").first
    expect(bubble).to_contain_text("ANNULÉ")
    expect(bubble).to_contain_text("Réf.")
    author.picture("14-outbox")
    page.locator(".phone-to a").first.click()
    author.picture("15-notice")
    # Promise 3: whoever was kept got no SMS.
    page = author.open("/outbox/?state=accepted")
    assert page.get_by_role("link", name=kept).count() == 0


def wait_until_sent(person: Person) -> None:
    """Wait until the worker has handed over what was released; the page says so by itself."""
    page = person.open("/telling/")
    for unsent in ("held", "queued"):
        expect(page.locator(f"#tile-{unsent}")).to_have_text("0", timeout=60_000)
    assert int(page.locator("#tile-accepted").inner_text()) > 5
    person.open("/board/")


def reach_a_patient(agent: Person) -> None:
    """A call agent takes the next call, tells the patient, and notes it."""
    page = agent.open("/calls/")
    agent.picture("16-call-list")
    page.get_by_role("button", name="Prendre l'appel suivant").click()
    expect(page.get_by_role("heading", name="Ce qu'il faut dire")).to_be_visible()
    agent.picture("17-call")
    page.get_by_role("button", name="Patient prévenu").click()
    expect(page.get_by_text("C'est noté.")).to_be_visible()


def print_the_roster(clerk: Person) -> None:
    """The ward clerk looks at a sheet as it would be printed, and has the PDF made."""
    page = clerk.open("/rosters/?day=2022-05-16")
    line = page.get_by_role("listitem").filter(has_text="Pneumologie")
    line.get_by_role("link", name="Imprimer").click()
    expect(page.get_by_role("button", name="Imprimer")).to_be_visible()
    clerk.picture("18-roster-sheet")
    page.go_back()
    line.get_by_role("button", name="Établir").click()
    pdf = line.get_by_role("link", name="PDF")
    expect(pdf).to_be_visible(timeout=60_000)
    clerk.picture("19-rosters")
    answer = clerk.context.request.get(clerk.url + pdf.get_attribute("href"))
    assert answer.body().startswith(b"%PDF")
    assert answer.headers["content-type"] == "application/pdf"


def read_the_trail(auditor: Person, operation: str) -> None:
    """The auditor sees who decided what, and who looked."""
    for action in ("roster.issued", "call.", "sending.released", "operation.", "bulletin.approved"):
        page = auditor.open(f"/trail/?action={action}")
        assert page.locator("tbody tr").count() > 0, action
    auditor.open("/trail/")
    auditor.picture("20-trail")
