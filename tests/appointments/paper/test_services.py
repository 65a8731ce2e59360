"""Versions of sheets, and drawing them in the background."""

import threading

import pytest
from celery import current_app
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from appointments.models import Roster
from appointments.paper import services as rosters
from appointments.paper.services import issue_many, render, sweep
from staff.errors import AccessRefused
from staff.models import AuditEvent
from staff.paper.pdf import Pdf, PdfUnavailable
from tests.appointments.paper.sheets import issue
from tests.builders import MONDAY, a_site, a_unit, a_user, an_appointment, at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def drawn(monkeypatch) -> list[str]:
    """Draw in no time; the pages that were asked for, in their order."""
    pages: list[str] = []

    def quick_draw(page: str) -> Pdf:
        pages.append(page)
        return Pdf(body=b"%PDF-1.7 essai", pages=2)

    monkeypatch.setattr(rosters, "draw", quick_draw)
    return pages


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """The rosters for which a worker was woken."""
    ids: list[int] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, *, args, **options: ids.append(args[0])
    )
    return ids


@pytest.fixture
def clerk(db):
    """Somebody who prints everywhere."""
    return a_user("secretaire", "ward_clerk")


def a_ready_roster(by=None) -> Roster:
    """Return the drawn sheet of the default unit."""
    roster = issue(unit_id=a_unit().pk, day=MONDAY, by=by)
    render(roster_id=roster.pk)
    roster.refresh_from_db()
    return roster


def test_the_first_sheet_is_version_1_and_waits_for_a_worker(
    clerk, rung, django_capture_on_commit_callbacks
):
    an_appointment()
    with django_capture_on_commit_callbacks(execute=True):
        roster = issue(unit_id=a_unit().pk, day=MONDAY, by=clerk)
    assert (roster.version, roster.state, roster.made_by) == (1, "waiting", clerk)
    assert rung == [roster.pk]


def test_unchanged_content_makes_no_new_version_however_often_it_is_asked_for(clerk):
    an_appointment()
    first = a_ready_roster(clerk)
    assert issue(unit_id=a_unit().pk, day=MONDAY, by=a_user("autre", "ward_clerk")) == first
    assert Roster.objects.count() == 1


def test_changed_content_makes_the_next_version(clerk, drawn):
    appointment = an_appointment()
    a_ready_roster(clerk)
    appointment.act = "Holter"
    appointment.save()
    second = a_ready_roster(clerk)
    assert second.version == 2
    assert "remplace la version 1" in drawn[-1]


def test_a_sheet_that_is_not_drawn_yet_takes_up_the_change_under_its_number(clerk, drawn):
    appointment = an_appointment()
    issue(unit_id=a_unit().pk, day=MONDAY, by=clerk)
    appointment.act = "Holter"
    appointment.save()
    roster = a_ready_roster(clerk)
    assert roster.version == 1
    assert "Holter" in drawn[0]
    assert issue(unit_id=a_unit().pk, day=MONDAY, by=clerk).version == 1


def test_a_unit_whose_last_appointment_left_gets_an_empty_sheet(clerk, drawn):
    appointment = an_appointment()
    a_ready_roster(clerk)
    appointment.delete()
    assert a_ready_roster(clerk).version == 2
    assert "Aucun rendez-vous connu" in drawn[-1]


def test_issuing_leaves_one_trace_with_every_version_it_made(clerk):
    an_appointment()
    an_appointment(unit=a_unit("arlon-autre"))
    ids = [a_unit().pk, a_unit("arlon-autre").pk]
    issue_many(unit_ids=ids, day=MONDAY, by=clerk)
    issue_many(unit_ids=ids, day=MONDAY, by=clerk)
    event = AuditEvent.objects.get(action="roster.issued")
    assert event.actor == clerk
    assert event.detail["versions"] == {"arlon-autre": 1, "arlon-cardio": 1}


@pytest.mark.parametrize(
    ("role", "site"), [("doctor", None), ("auditor", None), ("ward_clerk", "virton")]
)
def test_nobody_issues_a_sheet_outside_their_role_or_place(role, site):
    an_appointment()
    user = a_user("autre", role, site=a_site(site) if site else None)
    with pytest.raises(AccessRefused):
        issue(unit_id=a_unit().pk, day=MONDAY, by=user)
    assert not Roster.objects.exists()


def test_issuing_takes_the_same_number_of_queries_for_one_unit_as_for_twelve(clerk):
    def queries_for(codes: list[str]) -> int:
        for code in codes:
            an_appointment(unit=a_unit(code))
        ids = [a_unit(code).pk for code in codes]
        with CaptureQueriesContext(connection) as captured:
            issue_many(unit_ids=ids, day=MONDAY, by=clerk)
        return len(captured)

    queries_for(["first-ever"])  # the roles are read once
    assert queries_for(["one"]) == queries_for([f"u{number}" for number in range(12)])


def test_drawing_keeps_the_file_its_pages_and_a_trace(clerk):
    an_appointment()
    roster = a_ready_roster(clerk)
    assert (roster.state, roster.pages) == ("ready", 2)
    assert roster.file.name.startswith("rosters/arlon-cardio-2022-05-16-v1")
    with roster.file.open("rb") as file:
        assert file.read() == b"%PDF-1.7 essai"
    assert AuditEvent.objects.filter(action="roster.drawn", object_id=roster.pk).count() == 1


def test_a_task_that_comes_twice_draws_once(clerk, drawn):
    an_appointment()
    roster = a_ready_roster(clerk)
    render(roster_id=roster.pk)
    assert len(drawn) == 1


def test_of_two_workers_that_draw_the_same_sheet_the_first_wins(clerk, settings):
    an_appointment()
    roster = issue(unit_id=a_unit().pk, day=MONDAY, by=clerk)
    content = rosters.content_of(roster)
    assert rosters.keep(roster=roster, content=content, pdf=Pdf(b"%PDF un", 1))
    assert not rosters.keep(roster=roster, content=content, pdf=Pdf(b"%PDF deux", 1))
    roster.refresh_from_db()
    with roster.file.open("rb") as file:
        assert file.read() == b"%PDF un"
    files = list((settings.MEDIA_ROOT / "rosters").glob("*"))
    assert b"%PDF deux" not in [file.read_bytes() for file in files]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PdfUnavailable("pango"), "ne peut pas faire de PDF"),
        (ValueError("?"), "pas pu être créé"),
    ],
)
def test_what_cannot_be_drawn_says_so_and_points_to_the_browser(
    clerk, monkeypatch, error, sentence
):
    def fail(page: str) -> Pdf:
        raise error

    monkeypatch.setattr(rosters, "draw", fail)
    an_appointment()
    roster = a_ready_roster(clerk)
    assert roster.state == "failed"
    assert sentence in str(roster.message)
    assert "navigateur" in str(roster.message)


def test_a_failed_sheet_is_tried_again_under_the_same_number(clerk, monkeypatch):
    an_appointment()
    issue(unit_id=a_unit().pk, day=MONDAY, by=clerk)
    Roster.objects.update(state="failed", message="Pango manque")
    roster = a_ready_roster(clerk)
    assert (roster.version, roster.state, roster.message) == (1, "ready", "")


def test_a_dead_broker_loses_nothing_the_sweep_finds_what_waits(
    clerk, monkeypatch, time_machine, django_capture_on_commit_callbacks
):
    def refuse(name, **options):
        raise ConnectionError("no broker")

    time_machine.move_to(at("2022-05-14 16:00"), tick=False)
    an_appointment()
    with monkeypatch.context() as dead:
        dead.setattr(current_app, "send_task", refuse)
        with django_capture_on_commit_callbacks(execute=True):
            roster = issue(unit_id=a_unit().pk, day=MONDAY, by=clerk)
    woken = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, *, args, **options: woken.append(args)
    )
    assert sweep() == 0  # it has only just been asked for
    time_machine.shift(60)
    assert sweep() == 1
    assert woken == [[roster.pk]]


def test_the_database_holds_a_version_once(clerk):
    an_appointment()
    roster = issue(unit_id=a_unit().pk, day=MONDAY, by=clerk)
    roster.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        roster.save(force_insert=True)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_clerks_clicking_at_once_get_the_same_version():
    an_appointment()
    clerks = [a_user(f"secretaire{number}", "ward_clerk") for number in range(4)]
    unit_id, start = a_unit().pk, threading.Barrier(len(clerks))
    versions, errors = [], []

    def click(clerk) -> None:
        try:
            start.wait()
            versions.append(issue(unit_id=unit_id, day=MONDAY, by=clerk).version)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=[clerk]) for clerk in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert versions == [1, 1, 1, 1]
    assert Roster.objects.count() == 1
