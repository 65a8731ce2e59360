"""The doctor's job beside the one tap: several at once, delegates, a deadline that runs out."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cards import tap, the_same, unfold
from tests.browser.people import DESK, PHONE, People, Person

pytestmark = pytest.mark.browser


def open_cards(page: Page) -> Locator:
    """Return the cards that may still be kept."""
    return page.locator("article").filter(has=page.get_by_role("button", name="Garder"))


def put_back(page: Page, *cards: Locator) -> None:
    """Undo the choices on these cards, so that the next test finds them as they were."""
    page.goto(page.url.partition("#")[0])
    for card in cards:
        unfold(card, "Changer ce choix")
        tap(card, "Revenir sur ce choix")
        expect(card.get_by_role("button", name="Garder")).to_be_visible()


def test_several_patients_are_kept_with_one_tap(people: People) -> None:
    doctor = people.signed_in("docteur1", PHONE)
    page = doctor.open("/my-day/")
    cards = [the_same(page, open_cards(page).nth(number)) for number in range(2)]
    bar = page.locator("[data-several]")
    expect(bar.get_by_role("button")).to_have_count(0)
    cards[0].get_by_role("checkbox").check()
    expect(bar.get_by_role("button", name="Garder le patient choisi")).to_be_visible()
    cards[1].get_by_role("checkbox").check()
    button = bar.get_by_role("button", name="Garder les 2 choisis")
    expect(button).to_be_visible()
    assert doctor.too_wide <= 0
    # At the end of the page, where the bar lies over nothing.
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert doctor.barriers() == []
    doctor.picture("40-several-ticked")
    button.tap()
    expect(bar.get_by_text("2 gardés")).to_be_visible()
    for card in cards:
        expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    expect(bar.get_by_role("button")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "several-result"
    doctor.picture("41-several-kept")
    put_back(page, *cards)


def test_several_work_without_javascript(people: People) -> None:
    doctor = people.signed_in("docteur1", DESK, java_script_enabled=False)
    page = doctor.open("/my-day/")
    card = the_same(page, open_cards(page).first)
    card.get_by_role("checkbox").check()
    page.get_by_role("button", name="Garder les patients choisis").click()
    expect(page.get_by_text("1 gardé", exact=True)).to_be_visible()
    put_back(page, card)


def test_a_doctor_names_a_delegate_who_keeps_until_it_is_taken_back(people: People) -> None:
    doctor, delegate = people.signed_in("docteur1", PHONE), people.signed_in("docteur2", DESK)
    page = doctor.open("/my-day/")
    page.get_by_role("link", name="Mes délégués").click()
    doctor.picture("42-no-delegates")
    page.get_by_label("Qui peut garder vos patients").select_option(
        label=page.locator("option", has_text="(docteur2)").inner_text()
    )
    page.get_by_role("button", name="Nommer").click()
    expect(page.get_by_text("peut maintenant garder vos patients")).to_be_visible()
    assert doctor.too_wide <= 0
    assert doctor.barriers() == []
    doctor.picture("43-delegate-named")

    theirs = in_the_name_of_the_other(delegate)
    card = the_same(theirs, open_cards(theirs).first)
    tap(card, "Garder")
    expect(card.get_by_text("Gardé", exact=True)).to_be_visible()
    delegate.picture("44-kept-by-the-delegate")
    other = a_stale_card_is_not_overwritten(doctor, theirs)

    page = doctor.open("/delegates/")
    page.get_by_role("button", name="Retirer ce droit").click()
    expect(page.get_by_text("ne garde plus de patients en votre nom")).to_be_visible()
    unfold(card, "Changer ce choix")
    tap(card, "Revenir sur ce choix")
    expect(card.get_by_text("n'est plus, l'un des vôtres")).to_be_visible()
    delegate.picture("45-no-longer-a-delegate")
    page = doctor.open("/my-day/")
    put_back(page, the_same(page, card), other)
    # Whoever tapped on a stale card, and the delegate of yesterday, were told so.
    people.complaints[:] = [
        one for one in people.complaints if "409" not in one and "404" not in one
    ]


def in_the_name_of_the_other(delegate: Person) -> Page:
    """Open the day of the doctor who named the delegate."""
    page = delegate.open("/my-day/")
    page.locator(".chooser a:not([aria-current])").first.click()
    expect(open_cards(page).first).to_be_visible()
    return page


def a_stale_card_is_not_overwritten(doctor: Person, theirs: Page) -> Locator:
    """Doctor and delegate have the same card open; the second to tap sees what the first did.

    Return the doctor's card.
    """
    page = doctor.open("/my-day/")
    old = the_same(page, open_cards(page).last)
    same = the_same(theirs, theirs.locator(f"#{old.get_attribute('id')}"))
    unfold(same, "Plus")
    tap(same, "Laisser annuler")
    expect(same.get_by_text("Annulation confirmée")).to_be_visible()
    tap(old, "Garder")
    expect(old.get_by_text("a décidé entre-temps : annulé")).to_be_visible()
    expect(old.get_by_text("Annulation confirmée")).to_be_visible()
    doctor.picture("46-stale-card")
    return old


def test_contacted_by_mistake_is_taken_back_with_a_tap(people: People) -> None:
    doctor = people.signed_in("docteur1", PHONE)
    page = doctor.open("/my-day/")
    card = the_same(page, open_cards(page).first)
    tap(card, "Garder")
    expect(card.get_by_text("Appelez ce patient")).to_be_visible()
    tap(card, "Patient contacté")
    expect(card.get_by_text("Patient prévenu")).to_be_visible()
    assert doctor.too_wide <= 0
    assert doctor.barriers() == []
    doctor.picture("48-contacted")
    unfold(card, "Changer ce choix")
    tap(card, "Finalement pas contacté")
    expect(card.get_by_text("Appelez ce patient")).to_be_visible()
    put_back(page, card)


def test_a_deadline_counts_down_and_closes_the_card(people: People) -> None:
    doctor = people.signed_in("docteur1", PHONE)
    doctor.page.clock.install()
    page = doctor.open("/my-day/")
    card = the_same(page, open_cards(page).first)
    unfold(card, "Plus")
    left = card.locator("time[data-until]")
    before = left.inner_text()
    page.clock.fast_forward("02:00:00")
    expect(left).not_to_have_text(before)
    page.clock.fast_forward(96 * 3600 * 1000)
    expect(card.get_by_text("Trop tard : le délai est passé")).to_be_visible()
    expect(card.get_by_role("button", name="Garder")).to_be_disabled()
    expect(card.get_by_role("checkbox")).to_be_disabled()
    doctor.picture("47-too-late")
