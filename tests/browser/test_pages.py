"""Every page as those who use it see it: on a phone, at a desk, by day, by night, by keyboard."""

import re
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from appointments.demo.accounts import ACCOUNTS
from tests.access_matrix import PAGES as MATRIX
from tests.browser.app import RunningApp
from tests.browser.cards import until_settled
from tests.browser.looking import (
    MOST_BYTES,
    Scales,
    faults_for_large_letters,
    faults_when_large,
    faults_when_narrow,
    pale_on_paper,
    tab_to,
    without_border,
)
from tests.browser.people import DEMO_PASSWORD, DESK, PHONE, TABLET, People, Person
from tests.visible_text import text_faults_of

pytestmark = pytest.mark.browser
TODAY, TUESDAY = "2022-05-14", "2022-05-17"
UNIT = 5  # of docteur1
NO_PAGE = "/nulle-part/"
# Whom each page is looked at with; the objects are those of tests/browser/hospital.py.
PAGES = {
    "crise1": (
        f"/board/?day={TUESDAY}",
        "/board/doctors/",
        f"/schedule/?day={TUESDAY}",
        "/appointments/1/",
        "/bulletins/",
        "/bulletins/new/",
        "/bulletins/new/?start=empty",
        "/bulletins/1/",
        "/bulletins/1/text/nl/",
        "/bulletins/1/withdraw/",
        "/bulletins/2/edit/",
        "/bulletins/1/preview/",
        "/telling/",
        "/telling/notices/",
        "/telling/unknown/",
        "/telling/unknown/told/?all=1",
        "/telling/failed/",
        "/telling/gateways/",
        "/outbox/",
        "/outbox/1/",
        "/calls/",
        "/calls/{call}/",
        "/texts/",
        "/texts/fr/cancelled/",
        "/imports/",
        "/imports/new/",
        "/imports/1/",
        "/imports/1/disappeared/",
        "/imports/conflicts/",
        "/imports/sources/agenda/",
        "/imports/refused/",
        "/imports/links/",
        "/imports/double-entries/",
        "/board/decisions/",
        "/sending/release/",
        "/bulletins/2/delete/",
    ),
    "crise2": ("/bulletins/2/", "/bulletins/2/approve/"),
    "docteur1": ("/my-day/", "/delegates/"),
    "infirmiere": (f"/operations/?day={TUESDAY}",),
    "directeur": (f"/operations/?day={TUESDAY}", "/operations/?show=awaiting"),
    "agent": (
        "/calls/incoming/",
        "/calls/incoming/?q=2234-567",
        "/calls/incoming/1/",
        "/calls/sheet/",
        "/replies/",
        "/replies/?show=handled",
    ),
    "secretariat": (
        f"/rosters/?day={TUESDAY}",
        f"/rosters/{UNIT}/{TUESDAY}/",
        f"/wards/?day={TODAY}",
        f"/wards/?day={TODAY}&q=a",
        f"/wards/{UNIT}/{TODAY}/",
        f"/wards/{UNIT}/{TUESDAY}/",
        f"/wards/{UNIT}/{TODAY}/paper/",
    ),
    "audit": ("/telling/receipts/", "/trail/", "/account/2fa/", "/account/password/change/"),
    "": ("/account/login/", NO_PAGE),
}


# Each page is loaded once by touch and once with a mouse, and then looked at on these screens.
# All of axe looks at each; on a phone by night, on a tablet by day, and at a desk by night.
LOADS: tuple[tuple[tuple[tuple[int, int], str], ...], ...] = (
    ((PHONE, "dark"),),
    ((TABLET, "light"), (DESK, "dark")),
)
# What carries a meaning by its colour, and so needs an edge where colours are the reader's own.
EDGES = {
    f"/board/?day={TUESDAY}": "[class*=heat-level-], .day-bar, progress",
    f"/schedule/?day={TUESDAY}": ".outcome, .flag",
}


def seat(people: People, username: str, size: tuple[int, int], **options: str) -> Person:
    if username:
        return people.signed_in(username, size, **options)
    return people.stranger(size, **options)


@pytest.mark.sqlite
@pytest.mark.parametrize("username", PAGES, ids=lambda name: name or "stranger")
def test_pages_fit_every_screen_and_shut_nobody_out(people: People, username: str) -> None:
    faults = []
    for screens in LOADS:
        person = seat(people, username, screens[0][0])
        scales = Scales(person.page)
        for template in PAGES[username]:
            path = address_of(template, person)
            hold_up(person.page, *screens[0])
            scales.weighed()
            person.open(path)
            for size, scheme in screens:
                hold_up(person.page, size, scheme)
                found = faults_of(person, size)
                faults += [f"{path} {size[0]} {scheme}: {fault}" for fault in found]
            if (weight := scales.weighed()) > MOST_BYTES:
                faults.append(f"{path} {screens[0][0][0]}: {weight} bytes over the wire")
    assert faults == []
    forgive_not_found(people)


def hold_up(page: Page, size: tuple[int, int], scheme: str) -> None:
    """Show the page on a screen of a size, by day or by night."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)


def faults_of(person: Person, size: tuple[int, int]) -> list[str]:
    """Return what is wrong with the open page on the screen that it is shown on."""
    page = person.page
    found = [f"{person.too_wide} px too wide"] if person.too_wide > 0 else []
    found += person.barriers()
    if size is PHONE:
        page.emulate_media(color_scheme="light")
        found += [f"by day: {barrier}" for barrier in person.pale()]
        found += faults_when_narrow(page) + faults_for_large_letters(page)
    if size is TABLET:
        found += faults_when_large(page)
    if size is DESK:
        found += text_faults_of(page.content())
    return found


def address_of(template: str, person: Person) -> str:
    """Return an address of ``PAGES`` with the number of a call in it, where it wants one."""
    return template.format(call=a_call(person)) if "{call}" in template else template


def a_call(person: Person) -> str:
    """Return the number of a call on the list."""
    listed = person.open("/calls/").locator("main").inner_html()
    return re.findall(r"/calls/(\d+)/", listed)[0]


@pytest.mark.sqlite
def test_every_whole_page_of_the_house_is_looked_at() -> None:
    looked_at = {
        resolve(path.format(call=1).partition("?")[0]).url_name
        for paths in PAGES.values()
        for path in paths
        if path != NO_PAGE
    }
    whole = {one.name for one in MATRIX if one.method == "GET" and one.whole and one.found == 200}
    assert whole - looked_at == set()


# Who follows every link that their pages show; numbers in an address make no other page.
EVERYBODY = [account.username for account in ACCOUNTS]
UNFOLLOWED = ("/account/logout/", "/static/", "/trail/export/")


@pytest.mark.sqlite
@pytest.mark.parametrize("username", EVERYBODY)
def test_no_console_complains_on_any_page_that_a_link_leads_to(
    people: People, username: str
) -> None:
    person = people.signed_in(username, DESK)
    waiting, known = ["/", "/account/2fa/", "/account/password/change/"], set()
    opened = 0
    while waiting:
        path = waiting.pop(0)
        try:
            person.open(path)
        except PlaywrightError as why:
            if "Download is starting" not in str(why):
                raise
            continue
        opened += 1
        for address in addresses_on(person):
            shape = re.sub(r"\d+", "0", re.sub(r"=[^&]*", "=", address))
            if shape not in known and not address.startswith(UNFOLLOWED):
                known.add(shape)
                waiting.append(address)
    assert opened > 3
    assert people.complaints == []


def addresses_on(person: Person) -> list[str]:
    """Return where the links of the open page lead in this house."""
    found = person.page.eval_on_selector_all(
        "a[href]:not([download])", "links => links.map((one) => one.href)"
    )
    ours = [urlsplit(one) for one in found if one.startswith(person.url)]
    return [f"{one.path}?{one.query}" if one.query else one.path for one in ours]


@pytest.mark.sqlite
def test_people_who_see_their_own_colours_only_see_every_edge(people: People) -> None:
    person = people.signed_in("crise1", DESK)
    for path, selector in EDGES.items():
        page = person.open(path)
        assert page.locator(selector).count() > 0, path
        assert without_border(page, selector) == [], path


@pytest.mark.sqlite
def test_from_a_dark_screen_ink_comes_out_black_and_nothing_needed_is_missing(
    people: People,
) -> None:
    person = people.signed_in("crise1", DESK, color_scheme="dark")
    call = f"/calls/{a_call(person)}/"
    for path in (f"/board/?day={TUESDAY}", "/bulletins/1/", call, "/outbox/", "/appointments/1/"):
        page = person.open(path)
        assert pale_on_paper(page) == [], path
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    person.open(call).emulate_media(media="print")
    expect(person.page.locator(".number-to-call")).to_be_visible()
    person.picture("32-call-on-paper")


def forgive_not_found(people: People) -> None:
    """Forget what the console says of the page that does not exist, looked at on purpose."""
    people.complaints[:] = [one for one in people.complaints if NO_PAGE not in one]


def test_by_keyboard_alone_a_doctor_signs_in_and_keeps_a_patient(people: People) -> None:
    doctor = people.stranger(DESK)
    page = doctor.open("/account/login/")
    tab_to(page, "input[name=login]")
    page.keyboard.type("docteur1")
    tab_to(page, "input[name=password]")
    page.keyboard.type(DEMO_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/my-day/")
    tab_to(page, "article:last-of-type button.btn-keep")
    card = page.locator("article").last
    page.keyboard.press("Enter")
    expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    # The focus stays on the card: the next Tab does not start again at the top of the page.
    assert page.evaluate("document.activeElement.closest('article') !== null")
    doctor.picture("30-kept-by-keyboard")
    until_settled(card)
    tab_to(page, "article:last-of-type summary:has-text('Changer ce choix')")
    page.keyboard.press("Enter")
    tab_to(page, "article:last-of-type button:has-text('Revenir sur ce choix')")
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name="Garder")).to_be_visible()


def test_a_server_that_is_gone_is_said_at_the_card_and_on_the_board(
    running_app: RunningApp, people: People
) -> None:
    for username in ("docteur1", "crise1"):
        people.signed_in(username)
    url, web_server = running_app.second_web_server()
    doctor = people.signed_in("docteur1", PHONE, url=url)
    page = doctor.open("/my-day/")
    card = page.locator("article").last
    board = people.signed_in("crise1", DESK, url=url).open("/board/")
    running_app.stop(web_server)
    card.get_by_role("button", name="Garder").tap()
    expect(card.get_by_text("votre choix n'est peut-être pas arrivé")).to_be_visible()
    expect(card.get_by_role("button", name="Garder")).to_be_visible()
    doctor.picture("31-not-arrived")
    refused = [one for one in people.complaints if "ERR_CONNECTION_REFUSED" in one]
    assert refused
    expect(board.get_by_text("Cette page ne se met plus à jour")).to_be_visible()
    people.complaints.clear()
