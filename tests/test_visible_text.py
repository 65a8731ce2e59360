"""No page and no printed sheet, for any role, lets words or signs run into each other."""

import pytest

from appointments.paper.words import for_browser, self_contained
from notifications.calls import services as calls
from notifications.calls import sheet as call_sheet
from notifications.calls.sheet import rows
from staff.models import Role
from tests.access_matrix import GROUP, PAGES
from tests.access_people import a_house
from tests.appointments.bulletins.builders import SATURDAY_NOON
from tests.appointments.paper.sheets import a_row, a_sheet, by_clause
from tests.builders import MONDAY, a_patient, a_user, at
from tests.notifications.builders import a_call, a_notice
from tests.test_access_matrix import ask, expected, text_of
from tests.visible_text import lines_of, text_faults_of

NOT_FOR_NURSES = ("passerelle", "clause")
AT_WORK = {"doctor", "surgeon", "nurse", "call_agent", "ward_clerk"}


@pytest.mark.parametrize(
    "page",
    [
        "<p>une <b>opération</b>aujourd'hui</p>",
        "<p>une opérationaujourd'hui</p>",
        "<p>dansl'unité</p>",
        "<p>(12)de</p>",
        "<p>1patient</p>",
        "<p><strong>1</strong><span>patient</span></p>",
        "<p>annulé , maintenu</p>",
        "<p>annulé,maintenu</p>",
        "<p>reçu .. fin</p>",
        "<p>reçu :: fin</p>",
        "<p>l' unité</p>",
        "<p>( Allemand)</p>",
        "<p>Rien.Encore</p>",
        "<textarea>deux  espaces</textarea>",
    ],
)
def test_what_runs_together_is_found(page: str) -> None:
    assert text_faults_of(page)


@pytest.mark.parametrize(
    "page",
    [
        "<p>le 1er mai, aujourd'hui à 09:10 (2 patients) : 3,50 €.</p>",
        "<ul><li>un</li><li>deux</li></ul><td>1</td><td>patient</td>",
        "<p><b>un</b> <i>deux</i>, <i>trois</i>.</p>",
        "<p>deux  espaces,\n  que personne ne voit</p>",
        "<p>né(e) le : manage.py, bulletin.toml, …</p>",
        "<p>Empreinte : 7ead161fbbc3526ba2b5687c8ddb60008f…</p>",
        '<div class="grid-head"><span>Arlon</span><span>Virton</span></div>',
    ],
)
def test_what_stands_apart_is_not(page: str) -> None:
    assert text_faults_of(page) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("saturday_noon")
def test_no_page_lets_words_run_together_and_those_at_work_read_plain_words() -> None:
    house = a_house()
    everywhere = [one for one in house.people if one.place == GROUP or one.is_own]
    faults = []
    for page in (page for page in PAGES if page.method == "GET" and page.found == 200):
        for person in (one for one in everywhere if expected(page, one)[0] == 200):
            answer = ask(page, person, house)
            if "text/html" not in answer["Content-Type"]:
                continue
            said = text_of(answer)
            faults += [f"{page}, {person}: {fault}" for fault in text_faults_of(said)]
            if person.role in AT_WORK:
                seen = "\n".join(lines_of(said)).casefold()
                faults += [f"{page}, {person}: {word}" for word in NOT_FOR_NURSES if word in seen]
    assert faults == [], "\n".join(faults)


def some_rows() -> list:
    """Return what a roster can hold: each decision, on each word, told or not."""
    numbers = (("+32495123456", ""), ("+3263223344", "fille"))
    return [
        a_row(1, act="Holter", told="open", told_word="cancelled", **by_clause("maintained")),
        a_row(2, minutes=45, groups=("cast", "diabetes"), priority="urgent", language="de"),
        a_row(3, reason="Plaie à revoir", phones=numbers, **by_clause("under_review")),
        a_row(
            4,
            outcome="cancelled",
            basis="person",
            decided_by="Léa THIRY",
            told="told",
            told_word="cancelled",
        ),
        a_row(5, outcome="cancelled", basis="lapse", bulletin=3, status="cancelled"),
        a_row(6, postponed_to=MONDAY.replace(day=24), **by_clause("cancelled")),
        a_row(7, moved_from=at("2022-05-12 09:00"), missing_since=at("2022-05-13 09:00")),
        a_row(8, birth_date=None, record_number="", phones=(), practitioner=""),
    ]


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("version", [0, 1, 2])
def test_no_roster_lets_words_run_together(is_old: bool, version: int) -> None:
    sheet = a_sheet(*some_rows(), is_old=is_old).numbered(version)
    assert text_faults_of(self_contained(sheet)) == []
    assert text_faults_of(for_browser(sheet)) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("saturday_noon")
def test_no_call_sheet_lets_words_run_together() -> None:
    agent = a_user("agent", Role.CALL_AGENT)
    patient = a_patient(mobile="+32470000001", landline="+3263000001")
    for day, word in ((16, "cancelled"), (17, "maintained")):
        notice = a_notice(patient=patient, items=[(f"2022-05-{day} 09:00", word)])
        a_call(notice, not_before=SATURDAY_NOON)
    assert calls.take_on_paper(by=agent, number=5) == 1
    for sheet in (call_sheet.self_contained, call_sheet.for_browser):
        assert text_faults_of(sheet(rows(agent), by=agent)) == []
        assert text_faults_of(sheet([], by=agent)) == []
