"""The promises of DESIGN.md section 6 from the seventh on, each tried to break."""

import datetime as dt
import itertools
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from appointments.feeds.importing.services import load_file
from appointments.models import Appointment, Decision, Feed, RefusedRow
from appointments.rules import ClauseTerms, Facts, decide
from appointments.vocabulary import Outcome, Ruling
from patients.models import Patient
from staff.access import Capability
from staff.models import AuditEvent, User
from tests.appointments.bulletins.builders import SATURDAY_NOON, a_draft, in_force
from tests.builders import MONDAY, a_practitioner, a_site, a_unit, a_user, an_appointment
from tests.triggers import put_back_triggers_against_emptying
from tests.vivalia_continuity.unguarded import break_by
from vivalia_continuity.promises import PROMISES

CASES = Path(__file__).parent / "appointments" / "feeds" / "files" / "cases"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@given(
    rulings=st.lists(st.sampled_from(Ruling), min_size=1, max_size=6),
    services=st.sampled_from([frozenset(), frozenset({"emergency"})]),
)
def test_promise_7_emergency_is_never_cancelled_whatever_the_clauses_say(rulings, services):
    clauses = [
        ClauseTerms(position=n, ruling=ruling, services=services)
        for n, ruling in enumerate(rulings)
    ]
    facts = Facts("emergency", "arlon", "arlon-urgences", MONDAY)
    verdict = decide(facts, clauses)
    assert verdict is not None
    assert verdict.outcome == Outcome.MAINTAINED


def test_promise_7_the_database_itself_refuses_to_cancel_an_emergency():
    emergency = an_appointment(service="emergency")
    in_force(ClauseTerms("cancel", "cancelled"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Appointment.objects.filter(pk=emergency.pk).update(outcome="cancelled")


def test_promise_8_another_site_or_unit_is_not_even_there(client):
    here = an_appointment(unit=a_unit("arlon-cardio"))
    a_unit("virton-radio", site="virton")
    for name, place in (
        ("site", {"site": a_site("virton")}),
        ("unit", {"unit": a_unit("virton-radio")}),
    ):
        clerk = a_user(name, "ward_clerk", **place)
        page = signed_in(client, clerk).get(reverse("appointment", args=[here.pk]))
        assert page.status_code == 404
    clerk = a_user("ici", "ward_clerk", site=a_site("arlon"))
    page = signed_in(client, clerk).get(reverse("appointment", args=[here.pk]))
    assert page.status_code == 200


def test_promise_8_a_role_that_lacks_the_right_is_refused(client):
    bulletin = a_draft()
    for capability, name in (
        (Capability.APPROVE_BULLETIN, "bulletin_approve"),
        (Capability.DRAFT_BULLETIN, "bulletin_edit"),
    ):
        page = signed_in(client, a_user(name, "nurse")).post(reverse(name, args=[bulletin.pk]))
        assert page.status_code == 403, capability
    bulletin.refresh_from_db()
    assert bulletin.state == "draft"


def test_promise_8_a_doctor_does_not_keep_the_patients_of_another(client, doctor):
    other = an_appointment(practitioner=a_practitioner("dr-2"))
    in_force()
    page = signed_in(client, doctor).post(reverse("keep", args=[other.pk]))
    assert page.status_code in {403, 404, 409}
    other.refresh_from_db()
    assert other.outcome == "cancelled"


def test_promise_8_a_stranger_sees_nothing(client):
    here = an_appointment()
    page = client.get(reverse("appointment", args=[here.pk]))
    assert page.status_code == 302
    assert reverse("account_login") in page.headers["Location"]


@pytest.mark.parametrize(
    "edit",
    [
        # Whatever stands there now: the event may hold nothing of its own.
        "UPDATE {table} SET detail = '{{\"changed\": 1}}' WHERE sequence = 2",
        "DELETE FROM {table} WHERE sequence = 2",
        "DELETE FROM {table} WHERE sequence = (SELECT MAX(sequence) FROM {table}_guarded)",
        "UPDATE {table} SET sequence = sequence + 1 WHERE sequence >= 2",
    ],
)
def test_promise_9_verify_finds_whatever_was_done_to_the_trail(edit):
    in_force()
    break_by(AuditEvent, edit)
    with pytest.raises(SystemExit, match="1"):
        call_command("verify")


def test_promise_9_the_database_refuses_to_edit_the_trail():
    in_force()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.update(actor_name="luc")


@pytest.mark.parametrize(
    "edit",
    [
        lambda decisions: decisions.update(reason="autre"),
        lambda decisions: decisions._raw_delete(decisions.db),
    ],
    ids=["update", "delete"],
)
def test_promise_9_the_database_refuses_to_edit_decisions(edit):
    """Also after a migration that made their table anew."""
    an_appointment()
    in_force()
    put_back_triggers_against_emptying()
    assert Decision.objects.exists()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        edit(Decision.objects.all())


def test_promise_10_a_bad_file_harms_nothing(tmp_path):
    a_unit("arlon-cardio")
    path = tmp_path / "agenda.csv"
    good = [f"R{n};D{n};Dupont;arlon-cardio;consultation;16/05/2022 09:{n:02}" for n in range(20)]
    bad = [
        "R90;D90;Dupont;nulle-part;consultation;16/05/2022 09:00",
        "R91;D91;Dupont;arlon-cardio;consultation;31/02/2022 09:00",
        ";D92;Dupont;arlon-cardio;consultation;16/05/2022 09:00",
        "R93;D93;Dupont;arlon-cardio;charabia;16/05/2022 09:00",
    ]
    heads = "N° RDV;N° dossier;Nom;Unité;Activité;Date et heure"
    mixed = [*itertools.chain.from_iterable(itertools.zip_longest(good, bad))]
    rows = [heads, *filter(None, mixed)]
    path.write_text("\n".join(rows), encoding="utf-8")

    first = load_file(path=path, feed_name="agenda").result
    assert (first.created, first.rows_rejected) == (20, 4)
    expected = {(rows.index(row) + 1) for row in bad}
    assert {fault.line for fault in first.rejected} == expected
    assert all(fault.column and str(fault.why) for fault in first.rejected)

    before = list(Appointment.objects.order_by("pk").values())
    again = load_file(path=path, feed_name="agenda").result
    assert (again.created, again.updated, again.moved, again.missing) == (0, 0, 0, 0)
    assert list(Appointment.objects.order_by("pk").values()) == before
    assert not any(promise.faults() for promise in PROMISES)


@pytest.mark.parametrize("was_loaded", [True, False])
@pytest.mark.parametrize(("hours", "is_loud"), [(2, False), (25, True), (None, True)])
def test_promise_11_old_data_looks_old_on_each_screen_and_sheet(client, hours, is_loud, was_loaded):
    appointment = an_appointment()
    heard_at = SATURDAY_NOON - dt.timedelta(hours=hours) if hours else None
    Feed.objects.update(heard_at=heard_at, loaded_at=SATURDAY_NOON if was_loaded else None)
    user = a_user("tous", "crisis_cell", "ward_clerk")
    sheet = reverse("roster_print", args=[appointment.unit_id, MONDAY])
    for address in (
        reverse("board"),
        reverse("schedule"),
        reverse("call_list"),
        sheet,
        reverse("call_sheet"),
    ):
        page = signed_in(client, user).get(address, follow=True).content.decode()
        said_loudly = "banner-old" in page or "⚠" in page
        assert said_loudly is is_loud, address


def test_promise_12_nobody_merges_by_accident():
    a_unit("arlon-cardiologie")
    path = CASES / "same_dossier_other_person.csv"
    found = load_file(path=path, feed_name="agenda").result
    assert (found.created, found.rows_rejected) == (1, 2)
    assert Patient.objects.count() == 1
    assert RefusedRow.objects.count() == 2
    assert all(str(fault.why) for fault in found.rejected)


def test_promise_13_what_is_said_is_what_holds(client):
    kept = an_appointment(unit=a_unit("bertrix-cardio", site="bertrix"))
    gone = an_appointment(unit=a_unit("arlon-cardio", site="arlon"))
    a_unit("virton-cardio", site="virton")
    bulletin = in_force(
        ClauseTerms("cancel", "cancelled", services=("consultation",)),
        ClauseTerms("maintain", "nobody", sites=("bertrix",)),
    )
    page = signed_in(client, a_user("crise", "crisis_cell")).get(
        reverse("bulletin", args=[bulletin.pk])
    )
    said = " ".join(page.content.decode().split())
    assert "sauf Bertrix" in said
    outcomes = dict(Appointment.objects.values_list("pk", "outcome"))
    assert outcomes == {kept.pk: "maintained", gone.pk: "cancelled"}
