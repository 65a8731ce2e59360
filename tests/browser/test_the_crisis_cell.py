"""The crisis cell watches the telling, stops it and lets it go on, and settles what came of it.

From the approval to the withdrawal of one bulletin: two members, one at a desk, one on a phone.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.app import RunningApp
from tests.browser.people import DESK, PHONE, People, Person
from tests.browser.telling import number, refreshed, tile

pytestmark = pytest.mark.browser
TITLE = "Panne informatique : activité du 20/05/2022"
FRIDAY = "20/05"
LOST = 4
# Receipts that do not come, so that nobody knows; and patients who write back.
LOSE_AND_WRITE_BACK = f"""
import datetime as dt
from django.utils import timezone
from notifications.gateways import Inbound
from notifications.models import Delivery, Notice
from notifications.receipts.receive import receive
sent = Delivery.objects.filter(channel="sms", state="accepted", notice__day="2022-05-20")
*lost, stops, thanks = [one.pk for one in sent.order_by("id")[:{LOST + 2}]]
Delivery.objects.filter(pk__in=lost).update(
    state="unknown", lease_until=timezone.now() + dt.timedelta(hours=10)
)
Notice.objects.filter(deliveries__in=lost).update(state="open", settled_at=None)
phones = dict(sent.values_list("pk", "address"))
receive(gateway="console", reports=[
    Inbound(phone=phones[stops], text="STOP"),
    Inbound(phone=phones[thanks], text="Merci, je reprends rendez-vous"),
])
"""


@pytest.fixture
def watcher(people: People) -> Iterator[Person]:
    """Seat the member who watches at a desk; sending goes on when they leave."""
    person = people.signed_in("crise1", DESK)
    yield person
    page = person.open("/telling/")
    if page.locator(".banner-paused").count():
        page.get_by_role("button", name="Reprendre les envois").click()


def test_telling_is_watched_stopped_settled_answered_and_taken_back(
    running_app: RunningApp, people: People, watcher: Person
) -> None:
    colleague = people.signed_in("crise2", PHONE)
    bulletin = approve(colleague)
    live = watcher.open("/telling/")
    nothing_leaves_while_it_is_stopped(watcher, colleague)
    unknown = number(live, "unknown")
    running_app.manage("shell", "-c", LOSE_AND_WRITE_BACK)
    expect(tile(live, "unknown")).to_have_text(str(unknown + LOST))

    settle_what_is_unknown(colleague)
    expect(tile(live, "unknown")).to_have_text(str(unknown))
    read_the_replies(watcher)
    withdraw(colleague, watcher, bulletin)


def approve(person: Person) -> str:
    """Approve the colleague's draft, on a phone; return the bulletin's address."""
    page = person.open("/bulletins/")
    page.get_by_role("link", name=TITLE).click()
    address = page.url.removeprefix(person.url)
    page.get_by_role("link", name="Approuver…").click()
    told = page.locator(".to-tell .number").inner_text()
    page.get_by_label("Tapez le nombre de patients à prévenir").fill(told)
    page.get_by_role("button", name="Approuver et mettre en vigueur").click()
    page.wait_for_url("**/board/")
    return address


def nothing_leaves_while_it_is_stopped(watcher: Person, colleague: Person) -> None:
    """One stops all sending and releases what was held; it leaves when sending goes on."""
    page, live = colleague.open("/telling/"), watcher.page
    page.get_by_role("button", name="Tout mettre en pause").click()
    expect(page.locator(".banner-paused")).to_contain_text("par Marc APPROBATEUR")
    expect(live.get_by_role("button", name="Reprendre les envois")).to_be_visible()
    accepted = number(page, "accepted")
    page.get_by_role("link", name="Prévenir sans attendre l'heure…").click()
    page.get_by_role("button", name="Envoyer maintenant").click()
    expect(page.get_by_text("SMS partent maintenant")).to_be_visible()
    waiting = number(page, "queued")
    assert waiting > LOST
    expect(tile(live, "queued")).to_have_text(str(waiting))
    for _refresh in range(2):  # every three seconds, while the worker has been called
        refreshed(live)
    assert (number(live, "queued"), number(live, "accepted")) == (waiting, accepted)
    watcher.picture("67-telling-stopped")
    assert colleague.too_wide <= 0
    page.get_by_role("button", name="Reprendre les envois").click()
    expect(page.locator(".banner-paused")).to_have_count(0)
    expect(tile(live, "queued")).to_have_text("0", timeout=30_000)
    expect(tile(live, "accepted")).to_have_text(str(accepted + waiting))


def settle_what_is_unknown(person: Person) -> None:
    """Of the lost SMS two are sent again, one patient is called, one is known to know."""
    page = person.open("/telling/unknown/")
    rows = page.locator(".queue-row").filter(has_text=FRIDAY)
    expect(rows).to_have_count(LOST)
    tick(rows, 2)
    page.get_by_role("button", name="Renvoyer…").click()
    page.get_by_label("Je sais que le patient peut recevoir ce SMS deux fois.").check()
    person.picture("68-resend-phone")
    confirm(page, "Renvoyer", "La passerelle était en panne")
    expect(page.get_by_text("2 SMS repartent.")).to_be_visible()
    tick(rows, 1)
    page.get_by_role("button", name="Appeler à la place…").click()
    confirm(page, "Faire appeler", "Personne âgée")
    expect(page.get_by_text("1 patient est sur la liste des appels.")).to_be_visible()
    tick(rows, 1)
    page.get_by_role("button", name="Compter comme prévenu…").click()
    confirm(page, "Compter comme prévenus", "Vu à l'accueil")
    expect(page.get_by_text("1 patient compte comme prévenu.")).to_be_visible()
    expect(rows).to_have_count(0)
    assert person.too_wide <= 0


def tick(rows: Locator, most: int) -> None:
    for row in rows.all()[:most]:
        row.get_by_role("checkbox").check()


def confirm(page: Page, button: str, reason: str) -> None:
    page.get_by_label("Pourquoi").fill(reason)
    page.get_by_role("button", name=button, exact=True).click()


def read_the_replies(person: Person) -> None:
    """STOP asks which of two the patient meant; each reply stands with its notice."""
    page = person.open("/replies/")
    replies = page.locator(".reply").filter(has_text="pour le ven 20 mai")
    stop, thanks = replies.filter(has_text="STOP"), replies.filter(has_text="Merci, je reprends")
    expect(stop.locator(".reply-question")).to_contain_text(
        "tous les SMS, ou seulement les rappels"
    )
    expect(thanks.locator(".reply-question")).to_have_count(0)
    person.picture("69-replies")
    reference = re.search(r"avis (\S+) pour", stop.inner_text())[1]
    stop.get_by_role("button", name="Seulement plus de rappels").click()
    expect(page.get_by_text("C'est noté :")).to_be_visible()
    thanks.get_by_role("button", name="Vu", exact=True).click()
    expect(replies).to_have_count(0)
    page = person.open(f"/outbox/?q={reference}")
    page.locator(".phone-to a").first.click()
    expect(page.locator(".timeline").get_by_text("STOP")).to_be_visible()


def withdraw(person: Person, other: Person, bulletin: str) -> None:
    """Lift the bulletin: whoever was told is to be called back, and stands there by name."""
    page = person.open(f"{bulletin}withdraw/")
    person.picture("74-withdrawing-phone")
    again = page.get_by_text(re.compile("patients? à appeler")).locator("strong")
    told = int(again.inner_text())
    assert told > LOST
    page.locator("#id_reason").fill("Les serveurs sont revenus")
    page.get_by_role("button", name="Demander le retrait").click()
    expect(page.get_by_text("un autre membre de la cellule de crise doit")).to_be_visible()
    page = other.open(f"{bulletin}withdraw/")
    page.get_by_role("button", name="Confirmer le retrait").click()
    expect(page.locator(".bulletin-state")).to_have_text("retiré")
    page = person.open("/telling/notices/?state=open")
    rows = page.locator(".notice-row").filter(has_text=FRIDAY)
    expect(rows.first).to_contain_text("téléphone")
    assert len(set(rows.get_by_role("link").all_inner_texts())) == told
    person.picture("75-called-back-phone")
