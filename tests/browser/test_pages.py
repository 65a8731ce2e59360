"""Every page as those who use it see it: on a phone, at a desk, by day, by night, by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import RunningApp
from tests.browser.people import DEMO_PASSWORD, DESK, PHONE, TABLET, People, Person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TUESDAY = "2022-05-17"
NO_PAGE = "/nulle-part/"
# Whom each page is looked at with; the objects are those of tests/browser/hospital.py.
PAGES = {
    "crise1": (
        f"/board/?day={TUESDAY}",
        f"/schedule/?day={TUESDAY}",
        "/appointments/1/",
        "/bulletins/",
        "/bulletins/new/",
        "/bulletins/new/?start=empty",
        "/bulletins/1/",
        "/bulletins/1/withdraw/",
        "/bulletins/1/preview/",
        "/outbox/",
        "/outbox/1/",
        "/calls/",
        "/imports/",
        "/imports/new/",
    ),
    "crise2": ("/bulletins/2/", "/bulletins/2/approve/"),
    "docteur1": ("/my-day/",),
    "infirmiere": (f"/operations/?day={TUESDAY}",),
    "directeur": (f"/operations/?day={TUESDAY}",),
    "agent": ("/calls/reference/",),
    "secretariat": (f"/rosters/?day={TUESDAY}", f"/rosters/4/{TUESDAY}/"),
    "audit": ("/trail/", "/account/2fa/", "/account/password/change/"),
    "": ("/account/login/", NO_PAGE),
}


def seat(people: People, username: str, size: tuple[int, int], **options: str) -> Person:
    if username:
        return people.signed_in(username, size, **options)
    return people.stranger(size, **options)


@pytest.mark.parametrize("username", PAGES, ids=lambda name: name or "stranger")
def test_pages_fit_every_screen_and_shut_nobody_out(people: People, username: str) -> None:
    faults = []
    for size, scheme in ((PHONE, "dark"), (TABLET, "light"), (DESK, "light")):
        person = seat(people, username, size, color_scheme=scheme)
        for path in PAGES[username]:
            person.open(path)
            if person.too_wide > 0:
                faults.append(f"{path}: {person.too_wide} px wider than {size[0]}")
            if size is not TABLET:
                faults += [f"{path} {scheme}: {barrier}" for barrier in person.barriers()]
    assert faults == []
    forgive_not_found(people)


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
    page.wait_for_timeout(650)
    tab_to(page, "article:last-of-type button:has-text('Revenir sur ce choix')")
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name="Garder")).to_be_visible()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus, as people do, and see that the focus shows."""
    wanted = page.locator(selector).last.element_handle()
    for _key in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(element) => document.activeElement === element", wanted):
            ring = page.evaluate(
                """(element) => {
                  const style = getComputedStyle(element);
                  return style.outlineStyle !== "none" || style.boxShadow !== "none";
                }""",
                wanted,
            )
            assert ring, f"{selector} does not show its focus"
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_a_tap_that_does_not_arrive_says_so_at_the_card(
    running_app: RunningApp, people: People
) -> None:
    people.signed_in("docteur1")
    url, web_server = running_app.second_web_server()
    doctor = people.signed_in("docteur1", PHONE, url=url)
    page = doctor.open("/my-day/")
    card = page.locator("article").last
    running_app.stop(web_server)
    card.get_by_role("button", name="Garder").tap()
    expect(card.get_by_text("Votre choix n'est pas arrivé")).to_be_visible()
    expect(card.get_by_text("Annulé", exact=True)).to_be_visible()
    doctor.picture("31-not-arrived")
    refused = [one for one in people.complaints if "ERR_CONNECTION_REFUSED" in one]
    assert refused
    people.complaints.clear()


def test_the_board_says_when_it_is_no_longer_up_to_date(
    running_app: RunningApp, people: People
) -> None:
    people.signed_in("crise1")
    url, web_server = running_app.second_web_server()
    page = people.signed_in("crise1", DESK, url=url).open("/board/")
    running_app.stop(web_server)
    expect(page.get_by_text("Cette page ne se met plus à jour")).to_be_visible()
    people.complaints.clear()
