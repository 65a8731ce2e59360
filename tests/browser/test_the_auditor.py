"""The auditor reads who did and who saw what, on every page that opens, and changes nothing."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import DESK, PHONE, People

pytestmark = pytest.mark.browser
SEEN = 2  # the number of an appointment
# What a person with more rights sends from these pages; nothing of it may pass.
FORGED = (
    ("/sending/pause/", {}),
    ("/sending/release/", {}),
    ("/bulletins/2/approve/", {"told": "0"}),
    ("/bulletins/1/withdraw/", {"reason": "Pour voir"}),
    ("/telling/unknown/told/", {"ids": "1", "reason": "Pour voir"}),
    ("/calls/take/", {}),
    ("/replies/1/", {"outcome": "seen"}),
    (f"/appointments/{SEEN}/keep/", {}),
    ("/operations/1/ruling/", {"outcome": "cancelled"}),
    ("/texts/fr/cancelled/", {"body": "Venez"}),
)


def test_the_auditor_reads_who_saw_and_who_did_and_follows_it_to_the_object(
    people: People,
) -> None:
    people.signed_in("crise1").open(f"/appointments/{SEEN}/")
    auditor = people.signed_in("audit", DESK)
    page = auditor.open("/trail/")
    page.get_by_label("Qui").select_option("crise1")
    page.get_by_label("Action").fill("appointment.viewed")
    page.get_by_role("button", name="Filtrer").click()
    newest = page.locator("tbody tr").first
    expect(newest).to_contain_text("Claire RÉDACTRICE")
    expect(newest).to_contain_text("sam 14 mai 2022")
    newest.get_by_role("link", name=f"Rendez-vous {SEEN}").click()
    rows = page.locator("tbody tr")
    expect(rows.first).to_contain_text(f"a ouvert le rendez-vous {SEEN}")
    expect(rows.filter(has_not_text=f"Rendez-vous {SEEN}")).to_have_count(0)
    auditor.picture("64-trail-of-one-appointment")
    page = auditor.open("/trail/?action=bulletin.approved&object_id=1")
    expect(page.locator("tbody tr").first).to_contain_text("Marc APPROBATEUR")


def test_no_page_of_the_auditor_changes_anything(people: People) -> None:
    auditor = people.signed_in("audit", PHONE)
    page = auditor.open("/outbox/")
    menu = page.locator(".navbar-nav a.nav-link")
    pages = [one.get_attribute("href") for one in menu.all()]
    assert "/trail/" in pages
    assert "/telling/" in pages
    for path in pages:
        page = auditor.open(path)
        # Holding the trail against its signatures changes nothing; that it was done is recorded.
        writes = page.locator(
            "main form[method=post]:not([action='/trail/verify/']), main [hx-post]"
        )
        assert writes.count() == 0, path
    assert [(path, auditor.forge(path, **sent)) for path, sent in FORGED] == [
        (path, 403) for path, _sent in FORGED
    ]
    page = auditor.open("/trail/?actor=audit")
    done = page.locator("tbody tr td:nth-child(4)").all_inner_texts()
    assert "a consulté la boîte d'envoi" in done  # the auditor's own looks are written down as well
    looks = ("a consulté", "a ouvert", "a téléchargé", "a vérifié", "s'est connecté")
    looks += ("s'est déconnecté",)
    assert [one for one in done if not one.startswith(looks)] == []
