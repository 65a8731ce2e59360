"""The roster pages, for each role and from the wrong place."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from appointments.models import Roster
from appointments.paper import services as rosters
from appointments.paper.services import render
from staff.access import GRANTS, Capability
from staff.models import AuditEvent, Role, User
from staff.paper.pdf import Pdf
from tests.appointments.paper.sheets import issue
from tests.builders import MONDAY, a_patient, a_site, a_unit, a_user, an_appointment, at

pytestmark = pytest.mark.django_db

PRINTING = sorted(role for role, granted in GRANTS.items() if Capability.PRINT_ROSTERS in granted)
OTHERS = sorted(set(Role.values) - set(PRINTING))


@pytest.fixture(autouse=True)
def the_day_of_the_bulletin(monkeypatch, time_machine):
    """It is Saturday 14 May 2022, and drawing takes no time."""
    time_machine.move_to(at("2022-05-14 16:00"))
    monkeypatch.setattr(rosters, "draw", lambda page: Pdf(b"%PDF essai", 2))


def signed_in(role: str, **place) -> Client:
    """Return a browser in which somebody with this role is signed in."""
    client = Client()
    client.force_login(a_user(f"{role}-{len(place)}", role, **place))
    return client


def a_drawn_roster() -> Roster:
    """Return the ready sheet of cardiology in Arlon."""
    an_appointment(patient=a_patient(family_name="Thiry"))
    roster = issue(unit_id=a_unit().pk, day=MONDAY, by=None)
    render(roster_id=roster.pk)
    return roster


def addresses(roster: Roster) -> dict[str, str]:
    """Return what can be read about a roster."""
    return {
        "list": f"{reverse('rosters')}?day=2022-05-16",
        "progress": reverse("roster_progress", args=[MONDAY]),
        "print": reverse("roster_print", args=[roster.unit_id, MONDAY]),
        "file": reverse("roster_file", args=[roster.pk]),
    }


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "Le PDF n&#x27;a pas pu être créé."),
        ("nl", "De pdf kon niet gemaakt worden."),
        ("de", "Das PDF konnte nicht erstellt werden."),
        ("en", "The PDF could not be drawn."),
    ],
)
def test_why_a_sheet_has_no_pdf_is_said_in_the_language_of_the_reader(language, said, monkeypatch):
    def fail(page: str) -> Pdf:
        raise ValueError("?")

    monkeypatch.setattr(rosters, "draw", fail)
    with translation.override("nl"):
        roster = a_drawn_roster()
    client = signed_in(Role.WARD_CLERK)
    User.objects.update(language=language)
    assert said in client.get(addresses(roster)["list"]).content.decode()


@pytest.mark.parametrize("role", PRINTING)
def test_whoever_prints_rosters_reads_every_page(role):
    client = signed_in(role)
    for address in addresses(a_drawn_roster()).values():
        answer = client.get(address)
        assert answer.status_code == 200
        assert b"".join(answer)  # reads a file to its end, which closes it


@pytest.mark.parametrize("role", OTHERS)
def test_other_roles_are_refused_everywhere(role):
    client = signed_in(role)
    for address in addresses(a_drawn_roster()).values():
        assert client.get(address).status_code == 403
    assert client.post(reverse("roster_issue"), {"day": "2022-05-16"}).status_code == 403


def test_nobody_reads_without_signing_in():
    for address in addresses(a_drawn_roster()).values():
        assert Client().get(address).status_code == 302


@pytest.mark.parametrize("place", ["site", "unit"])
def test_another_place_does_not_find_the_sheet(place):
    roster = a_drawn_roster()
    elsewhere = {"site": a_site("virton")} if place == "site" else {"unit": a_unit("arlon-autre")}
    client = signed_in("ward_clerk", **elsewhere)
    asked = addresses(roster)
    assert client.get(asked["print"]).status_code == 404
    assert client.get(asked["file"]).status_code == 404
    body = {"day": "2022-05-16", "unit": roster.unit_id}
    assert client.post(reverse("roster_issue"), body).status_code == 404
    for address in (asked["list"], asked["progress"]):
        assert "arlon-cardio" not in client.get(address).content.decode()


def test_issuing_for_the_day_touches_only_the_units_of_the_scope():
    an_appointment()
    an_appointment(unit=a_unit("virton-u", site="virton"))
    client = signed_in("ward_clerk", site=a_site("virton"))
    answer = client.post(reverse("roster_issue"), {"day": "2022-05-16"})
    assert answer.url == "/rosters/?day=2022-05-16"
    assert [roster.unit.code for roster in Roster.objects.all()] == ["virton-u"]


def test_issuing_for_one_unit_leaves_the_others():
    an_appointment()
    other = an_appointment(unit=a_unit("arlon-autre")).unit
    body = {"day": "2022-05-16", "unit": other.pk}
    signed_in("ward_clerk").post(reverse("roster_issue"), body)
    assert [roster.unit for roster in Roster.objects.all()] == [other]


def test_asking_again_says_that_nothing_changed():
    a_drawn_roster()
    body = {"day": "2022-05-16"}
    answer = signed_in("ward_clerk").post(reverse("roster_issue"), body, follow=True)
    assert "Rien n'a changé" in answer.content.decode().replace("&#x27;", "'")
    assert Roster.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put"])
def test_issuing_only_ever_happens_by_post(method):
    assert getattr(signed_in("ward_clerk"), method)(reverse("roster_issue")).status_code == 405


def test_the_list_asks_again_only_while_sheets_are_being_drawn():
    an_appointment()
    client = signed_in("ward_clerk")
    client.post(reverse("roster_issue"), {"day": "2022-05-16"})
    progress = reverse("roster_progress", args=[MONDAY])
    waiting = client.get(progress).content.decode()
    assert f'hx-get="{progress}"' in waiting
    assert "<progress" in waiting
    render(roster_id=Roster.objects.get().pk)
    assert "hx-get" not in client.get(progress).content.decode()


def test_a_sheet_that_no_longer_holds_is_marked():
    roster = a_drawn_roster()
    client, address = signed_in("ward_clerk"), addresses(roster)["list"]
    assert "à réimprimer" not in client.get(address).content.decode()
    an_appointment(starts="2022-05-16 15:00")
    assert "à réimprimer" in client.get(address).content.decode()


def test_without_a_pdf_the_page_for_the_browser_is_offered():
    roster = a_drawn_roster()
    Roster.objects.update(state="failed", message="Pango manque.", file="")
    page = signed_in("ward_clerk").get(addresses(roster)["list"]).content.decode()
    assert "Pango manque." in page
    assert addresses(roster)["print"] in page
    assert addresses(roster)["file"] not in page


def test_the_file_is_a_pdf_with_a_speaking_name_and_its_reading_is_on_the_trail():
    roster = a_drawn_roster()
    answer = signed_in("ward_clerk").get(addresses(roster)["file"])
    assert b"".join(answer.streaming_content) == b"%PDF essai"
    assert answer["Content-Type"] == "application/pdf"
    assert "arlon-cardio-2022-05-16-v1.pdf" in answer["Content-Disposition"]
    event = AuditEvent.objects.get(action="roster.printed")
    assert (event.object_type, event.object_id) == ("roster", str(roster.pk))


def test_a_file_that_is_not_drawn_yet_is_not_found():
    an_appointment()
    roster = issue(unit_id=a_unit().pk, day=MONDAY, by=None)
    assert signed_in("ward_clerk").get(addresses(roster)["file"]).status_code == 404


def test_printing_from_the_browser_is_on_the_trail_too():
    roster = a_drawn_roster()
    page = signed_in("nurse").get(addresses(roster)["print"]).content.decode()
    assert "THIRY" in page
    event = AuditEvent.objects.get(action="roster.printed")
    assert (event.object_type, event.detail["version"]) == ("unit", 1)


def test_the_page_for_the_browser_has_the_number_only_while_it_says_the_same():
    roster = a_drawn_roster()
    client, address = signed_in("nurse"), addresses(roster)["print"]
    assert "version 1" in client.get(address).content.decode()
    an_appointment(starts="2022-05-16 15:00")
    page = client.get(address).content.decode()
    assert "provisoire, sans numéro" in page
    assert "remplace la version 1" in page


def test_the_first_page_shows_the_next_day_of_work():
    a_drawn_roster()
    assert "lundi 16 mai 2022" in signed_in("ward_clerk").get(reverse("rosters")).content.decode()


@pytest.mark.parametrize("day", ["16 mai", "2022-13-40"])
def test_a_day_that_is_none_is_answered_with_a_sentence_not_a_fault(day):
    answer = signed_in("ward_clerk").get(reverse("rosters"), {"day": day})
    assert answer.status_code == 200
    assert "invalid-feedback" in answer.content.decode()


def test_an_address_with_an_impossible_day_is_not_found():
    assert signed_in("ward_clerk").get("/rosters/2022-13-40/progress/").status_code == 404


def test_a_day_without_anybody_says_what_to_do():
    page = signed_in("ward_clerk").get(f"{reverse('rosters')}?day=2022-06-01").content.decode()
    assert "Aucun rendez-vous ce jour-là" in page
