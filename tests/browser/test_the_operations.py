"""An operation from the first opinion to the patient who knows: five people, each at their screen.

Surgeon, anaesthetist and nurse speak on a phone, the Medical Director rules, an agent calls.
"""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.cards import tap, the_same, until_settled
from tests.browser.people import PHONE, People, Person

pytestmark = pytest.mark.browser
THURSDAY = "/operations/?day=2022-05-19"


@dataclass(frozen=True)
class Ruling:
    """One answer of the Medical Director, and how the others read it.

    Attributes:
        number: of the operation's card on the page.
        outcome: what its button sends.
        button, reason: what the director taps and writes.
        stands: how the card says it.
        told: what the patient is told, as the card says it.
        new_day: on which it takes place instead, as the field takes it.
    """

    number: int
    outcome: str
    button: str
    reason: str
    stands: str
    told: str
    new_day: str = ""


RULINGS = (
    Ruling(
        number=0,
        outcome="cancelled",
        button="Annuler l'opération",
        reason="Pas de lit aux soins intensifs",
        stands="Annulé",
        told="annulé",
    ),
    Ruling(
        number=1,
        outcome="maintained",
        button="Maintenir",
        reason="Ne peut pas attendre",
        stands="Maintenu",
        told="maintenu",
    ),
    Ruling(
        number=2,
        outcome="postponed",
        button="Reporter l'opération",
        reason="Peut attendre une semaine",
        stands="Reporté au mer 25/05/2022",
        told="reporté au mer 25/05/2022",
        new_day="2022-05-25",
    ),
)
# Sign-in, the role chosen where there is a choice, the view's button, how it reads, a comment.
SPEAKERS = (
    ("chirurgien", "surgeon", "Je maintiendrais", "Maintenir", "Douleurs importantes"),
    ("anesthesiste", "anaesthetist", "J'annulerais", "Annuler", "Moniteurs hors service"),
    ("infirmiere", "", "J'annulerais", "Annuler", "Trois soignants malades"),
)


def test_three_speak_one_rules_an_agent_calls_and_all_read_both_answers(people: People) -> None:
    for speaker in SPEAKERS:
        give_opinion(people, *speaker)
    director = people.signed_in("directeur")
    director.open(THURSDAY)
    cards = [card(director, ruling.number) for ruling in RULINGS]
    patients = [one.locator("h4 a").inner_text() for one in cards]
    expect(cards[0].locator(".said")).to_have_count(len(SPEAKERS))
    for ruling, one in zip(RULINGS, cards, strict=True):
        rule(one, ruling)
    director.picture("61-operations-ruled")
    director.open("/operations/?day=2022-05-25")
    listed = director.page.get_by_role("region", name="Reportées à ce jour")
    expect(listed).to_contain_text(patients[-1].split(" ")[0])

    agent = people.signed_in("agent", PHONE)
    for ruling, patient in zip(RULINGS, patients, strict=True):
        tell(agent, ruling, patient)

    surgeon = people.signed_in("chirurgien", PHONE)
    surgeon.open(THURSDAY)
    for ruling, patient in zip(RULINGS, patients, strict=True):
        read_both_answers(surgeon, ruling, patient)
    assert surgeon.too_wide <= 0
    surgeon.picture("63-operations-told-phone")


def card(person: Person, number: int) -> Locator:
    """Return a card of the open page, which stays the same when it moves."""
    return the_same(person.page, person.page.locator("article").nth(number))


def give_opinion(
    people: People, username: str, role: str, button: str, reads: str, comment: str
) -> None:
    """One colleague says what they think of the first operation, on a phone; none may rule."""
    person = people.signed_in(username, PHONE)
    person.open(THURSDAY)
    mine = card(person, RULINGS[0].number)
    if role:
        mine.get_by_label("En tant que").select_option(role)
    mine.get_by_label("Commentaire (facultatif)").fill(comment)
    tap(mine, button)
    opinion = mine.locator(".opinion").filter(has_text=comment)
    expect(opinion.locator("strong")).to_have_text(reads)
    if username == SPEAKERS[-1][0]:
        for *_others, said in SPEAKERS:
            expect(mine.get_by_text(said)).to_be_visible()
        assert person.too_wide <= 0
        person.picture("60-opinions-phone")
    nobody_else_rules(person, mine)


def nobody_else_rules(person: Person, card: Locator) -> None:
    """There is no button for it, and what is sent without one is refused."""
    number = card.get_attribute("id").removeprefix("operation-")
    for ruling in RULINGS:
        expect(card.get_by_role("button", name=ruling.button)).to_have_count(0)
        assert person.forge(f"/operations/{number}/ruling/", outcome=ruling.outcome) == 403
    expect(card.locator("header .outcome")).to_contain_text("À examiner")


def rule(card: Locator, ruling: Ruling) -> None:
    """The Medical Director rules, with the reason."""
    until_settled(card)
    form = card.locator("form", has=card.page.get_by_text(ruling.button))
    if ruling.new_day:
        card.get_by_text("Reporter à une date").click()
        form.get_by_label("Nouveau jour").fill(ruling.new_day)
    else:
        form.get_by_text("Ajouter un motif").click()
    form.get_by_label("Motif (facultatif)").fill(ruling.reason)
    button = card.get_by_role("button", name=ruling.button)
    button.scroll_into_view_if_needed()
    there = button.bounding_box()
    assert there
    tap(card, ruling.button)
    expect(card.get_by_text(ruling.stands, exact=True)).to_be_visible()
    until_settled(card)
    card.page.mouse.click(there["x"] + there["width"] / 2, there["y"] + there["height"] / 2)
    until_settled(card)
    expect(card.get_by_text(ruling.stands, exact=True)).to_be_visible()
    expect(card.get_by_text(ruling.reason)).to_be_visible()
    expect(card.get_by_text("Décidé par Paul DIRECTEUR")).to_be_visible()
    expect(card.get_by_text(f"Patient à appeler ({ruling.told})")).to_be_visible()


def test_a_weekend_is_warned_of_and_the_decision_is_changed_only_when_asked_for(
    people: People,
) -> None:
    director = people.signed_in("directeur", PHONE)
    page = director.open(THURSDAY)
    waiting = page.locator("article").filter(has=page.get_by_role("button", name="Maintenir"))
    one = the_same(page, waiting.last)
    one.get_by_text("Reporter à une date").click()
    one.get_by_label("Nouveau jour").fill("2022-05-21")
    expect(one.get_by_text("n'est pas un jour ouvrable (samedi)")).to_be_visible()
    expect(one.get_by_text("Dans cette salle le sam 21/05/2022")).to_be_visible()
    assert director.too_wide <= 0
    director.picture("64-postpone-weekend-phone")
    tap(one, "Maintenir")
    expect(one.get_by_text("Maintenu", exact=True)).to_be_visible()
    expect(one.get_by_role("button")).to_have_count(0)
    until_settled(one)
    one.get_by_text("Changer la décision").click()
    assert director.barriers() == []
    director.picture("65-change-the-decision-phone")
    tap(one, "Remettre à examiner")
    expect(one.locator("header .outcome")).to_contain_text("À examiner")


def tell(agent: Person, ruling: Ruling, patient: str) -> None:
    """The call is on the list; the agent reads out what was ruled, and notes that it was heard."""
    page = agent.open("/calls/")
    page.get_by_role("button", name=f"Prendre l'appel de {patient}").click()
    # What is read out is in the patient's language; below it stands what that means.
    expect(page.locator(".to-say")).to_be_visible()
    expect(page.locator(".to-say + ul")).to_contain_text(ruling.stands)
    agent.picture(f"62-call-{ruling.outcome}-phone")
    for suits in page.get_by_role("radio", name="oui").all():  # of a day given instead
        suits.check()
    page.get_by_role("button", name="Patient prévenu").click()
    expect(page.get_by_text("C'est noté.")).to_be_visible()


def read_both_answers(person: Person, ruling: Ruling, patient: str) -> None:
    """The card says what was ruled and why, and that the patient knows, from whom."""
    card = person.page.locator("article").filter(has_text=patient)
    expect(card.get_by_text(ruling.reason)).to_be_visible()
    expect(card.get_by_text("Décidé par Paul DIRECTEUR")).to_be_visible()
    told = card.get_by_text(f"Patient prévenu ({ruling.told})")
    expect(told).to_contain_text("par Léa APPELLE")
