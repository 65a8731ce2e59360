"""Two record numbers of one person are linked when all says so, told once, and taken back."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.models import Appointment
from appointments.services import importing
from appointments.services.importing import LoadResult, load_records
from appointments.services.importing_files import load_file
from appointments.services.linking import dismiss_likeness, unlink
from notifications.models import Delivery, Notice, NoticeItem
from patients.models import LinkProposal, Patient, PatientIdentifier
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Role
from tests.appointments.bulletins import in_force
from tests.appointments.feeds.files import a_record
from tests.appointments.loads import terms
from tests.builders import a_unit, a_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parent / "feeds" / "cases"
ANNE = {
    "family_name": "Dupont",
    "given_name": "Anne",
    "birth_date": dt.date(1958, 11, 3),
    "national_number": "58.11.03-002.39",
    "phones": ("0495 12 34 56",),
}
WITHOUT_NUMBER = ANNE | {"national_number": ""}


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    a_unit()


def load(*records, source: str = "agenda", **options) -> LoadResult:
    return load_records(feed_name=source, records=records, terms=terms(full=False), **options)


def the_record(number: str, source: str = "agenda") -> PatientIdentifier:
    return PatientIdentifier.objects.get(system=source, value=number)


def unlinked(number: str = "D2", source: str = "agenda") -> PatientIdentifier:
    operator = a_user("flux", Role.FEED_OPERATOR)
    record = the_record(number, source)
    return unlink(identifier_id=record.pk, by=operator, reason="Elle a appelé : une homonyme")


@pytest.mark.parametrize("chunk", [1, 500])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_second_number_of_one_file_is_linked_and_said(monkeypatch, chunk, dry_run):
    monkeypatch.setattr(importing, "CHUNK", chunk)
    result = load(a_record(1, **ANNE), a_record(2, **ANNE), a_record(3, **ANNE), dry_run=dry_run)
    assert (result.created, result.rejected) == (3, [])
    assert [(one.line, one.column, one.value) for one in result.remarks] == [
        (3, "Numéro de dossier", "D2"),
        (4, "Numéro de dossier", "D3"),
    ]
    for remark in result.remarks:
        assert "dossier D1 (DUPONT Anne, 03/11/1958, ligne 2)" in str(remark.why)
        assert len(str(remark.why)) <= 300
    assert Patient.objects.count() == (0 if dry_run else 1)


def test_the_file_with_one_national_number_under_two_records_tells_one_person_once():
    a_unit("arlon-cardiologie")
    in_force()
    load_file(path=CASES / "one_niss_two_dossiers.csv", feed_name="agenda")
    assert Patient.objects.count() == 1
    assert Notice.objects.count() == 1
    assert Delivery.objects.count() == 1
    assert set(NoticeItem.objects.values_list("record_number", flat=True)) == {"D1", "D2"}
    assert set(Appointment.objects.values_list("record_number", flat=True)) == {"D1", "D2"}


def test_the_file_with_three_people_under_one_record_refuses_two():
    a_unit("arlon-cardiologie")
    found = load_file(path=CASES / "same_dossier_other_person.csv", feed_name="agenda")
    assert found.result.rows_rejected == 2
    assert Patient.objects.get().family_name == "Dupont"


def test_two_sources_of_one_person_are_linked():
    load(a_record(1, **ANNE))
    result = load(a_record(1, **(ANNE | {"family_name": "DUPONT"})), source="labo")
    assert "dossier D1 (DUPONT Anne, 03/11/1958, déjà connu)" in str(result.remarks[0].why)
    assert Patient.objects.count() == 1
    assert the_record("D1", "labo").linked_at is not None
    assert the_record("D1").linked_at is None


def test_a_link_is_made_and_said_once():
    load(a_record(1, **ANNE), a_record(2, **ANNE))
    again = load(a_record(1, **ANNE), a_record(2, **ANNE), a_record(3, **ANNE, patient_id="D2"))
    assert (again.unchanged, again.created, again.remarks) == (2, 1, [])
    assert AuditEvent.objects.filter(action="patients.linked").count() == 1


def test_the_trail_names_the_numbers_that_were_linked():
    load(a_record(1, **ANNE), a_record(2, **ANNE))
    event = AuditEvent.objects.get(action="patients.linked")
    patient = Patient.objects.get()
    assert event.detail["links"] == [{"record": "D2", "patient": patient.pk}]


@pytest.mark.parametrize(
    "other",
    [
        {"given_name": "Jean"},
        {"given_name": ""},
        {"birth_date": dt.date(1958, 11, 4)},
        {"birth_date": None},
        {"family_name": "Dupont-Martin"},
        {"national_number": ""},
        {"national_number": "58.11.03-002.40"},
    ],
)
def test_anything_less_is_two_people_and_a_proposal(other):
    result = load(a_record(1, **ANNE), a_record(2, **(ANNE | other)))
    assert Patient.objects.count() == 2
    assert "rien n'est relié" in str(result.remarks[-1].why)
    proposal = LinkProposal.objects.get()
    assert proposal.record == the_record("D2")
    assert proposal.other == the_record("D1").patient


@pytest.mark.parametrize(
    "other",
    [
        {"national_number": "85.07.30-033 28"},
        {"family_name": "Autre", "national_number": ""},
        {"national_number": "", "birth_date": None},
    ],
)
def test_what_has_little_in_common_is_not_even_proposed(other):
    assert load(a_record(1, **ANNE), a_record(2, **(ANNE | other))).remarks == []
    assert (Patient.objects.count(), LinkProposal.objects.count()) == (2, 0)


def test_patients_who_were_told_apart_before_are_only_proposed_when_more_is_said():
    load(a_record(1, **ANNE), a_record(2, **(WITHOUT_NUMBER | {"birth_date": None})))
    assert not LinkProposal.objects.exists()
    for _time in range(2):
        result = load(a_record(2, **ANNE), a_record(3, **ANNE, patient_id="D2"))
        assert not result.rejected
    assert Patient.objects.count() == 2
    proposal = LinkProposal.objects.get()
    assert (proposal.record, proposal.likeness) == (the_record("D2"), "all")


def test_a_dry_run_counts_one_to_tell_although_a_bulletin_rules_one_row_only():
    in_force()
    rows = [
        a_record(1, **ANNE),
        a_record(2, **ANNE, starts="2022-06-20 09:00"),
        a_record(3, **ANNE, patient_id="D2"),
    ]
    assert load(*rows, dry_run=True).telling == load(*rows).telling
    assert Notice.objects.count() == 1


def test_what_a_later_row_says_counts_for_who_comes_after_it():
    load(
        a_record(1, **WITHOUT_NUMBER),
        a_record(2, **ANNE, patient_id="D1"),
        a_record(3, **ANNE),
    )
    assert Patient.objects.count() == 1


def test_three_people_with_one_copied_number_are_three():
    names = [("Lefèvre", "Hélène"), ("Noël", "Zoé"), ("Dupont", "Anne")]
    load(
        *[
            a_record(n, **(ANNE | {"family_name": family, "given_name": given}))
            for n, (family, given) in enumerate(names)
        ]
    )
    assert Patient.objects.count() == 3
    assert LinkProposal.objects.count() == 2


def test_a_linked_number_adds_its_telephones_behind_and_changes_nothing_else():
    load(a_record(1, **ANNE), a_record(2, **(ANNE | {"phones": ("0470 11 12 13",)})))
    married = ANNE | {"family_name": "Lambert", "phones": ("063 22 33 44",)}
    load(a_record(3, **married, patient_id="D2"))
    patient = Patient.objects.get()
    numbers = [phone.number for phone in patient.numbers]
    assert numbers == ["+32495123456", "+32470111213", "+3263223344"]
    assert (patient.family_name, patient.mobile) == ("Dupont", "+32495123456")
    assert patient.landline == "+3263223344"


def test_taking_a_link_back_leaves_both_as_they_would_be_without_it():
    load(a_record(1, **ANNE))
    before = Patient.objects.values().get()
    other = ANNE | {"phones": ("063 22 33 44",), "language": "nl"}
    load(a_record(2, **other), a_record(3, **other, patient_id="D2"))
    record = unlinked()
    assert Patient.objects.values().get(pk=before["id"]) == before
    assert [one.number for one in the_record("D1").patient.numbers] == ["+32495123456"]
    patient = record.patient
    assert (patient.given_name, patient.birth_date, patient.language) == (
        "Anne",
        dt.date(1958, 11, 3),
        "nl",
    )
    assert (patient.mobile, patient.landline) == ("", "+3263223344")
    owners = dict(Appointment.objects.values_list("source_id", "patient_id"))
    assert owners == {"R1": before["id"], "R2": patient.pk, "R3": patient.pk}
    event = AuditEvent.objects.get(action="patients.unlinked")
    assert event.detail["reason"] == "Elle a appelé : une homonyme"
    assert event.detail["patient"] == before["id"]


def test_a_link_taken_back_is_not_made_again():
    load(a_record(1, **ANNE), a_record(2, **ANNE))
    unlinked()
    result = load(a_record(2, **ANNE, act="Contrôle"))
    assert result.remarks == []
    assert Patient.objects.count() == 2


def test_after_a_link_is_taken_back_each_is_told_what_concerns_them():
    in_force()
    load(a_record(1, **ANNE), a_record(2, **(ANNE | {"phones": ("0470 11 12 13",)})))
    assert Notice.objects.filter(state="open").count() == 1
    record = unlinked()
    said = {
        notice.patient_id: list(notice.items.values_list("record_number", flat=True))
        for notice in Notice.objects.filter(state="open")
    }
    assert said == {the_record("D1").patient_id: ["D1"], record.patient_id: ["D2"]}
    address = Delivery.objects.get(notice__patient=record.patient, state="held").address
    assert address == "+32470111213"


def test_taking_back_needs_a_reason_a_link_and_the_right():
    load(a_record(1, **ANNE), a_record(2, **ANNE))
    operator, ward = a_user("flux", Role.FEED_OPERATOR), a_user("ward", Role.WARD_CLERK)
    with pytest.raises(Refusal, match="Dites comment"):
        unlink(identifier_id=the_record("D2").pk, by=operator, reason=" ")
    with pytest.raises(Refusal, match="pas relié"):
        unlink(identifier_id=the_record("D1").pk, by=operator, reason="essai")
    with pytest.raises(AccessRefused):
        unlink(identifier_id=the_record("D2").pk, by=ward, reason="essai")
    assert Patient.objects.count() == 1


def test_a_likeness_is_put_aside_by_name():
    load(a_record(1, **ANNE), a_record(2, **WITHOUT_NUMBER))
    operator = a_user("flux", Role.FEED_OPERATOR)
    dismiss_likeness(proposal_id=LinkProposal.objects.get().pk, by=operator)
    assert LinkProposal.objects.get().dismissed_by == operator
    with pytest.raises(Refusal, match="déjà écartée"):
        dismiss_likeness(proposal_id=LinkProposal.objects.get().pk, by=operator)


def test_queries_do_not_grow_with_the_links():
    def queries(numbers: range) -> int:
        others = [a_record(n, **ANNE) for n in numbers]
        with CaptureQueriesContext(connection) as captured:
            load(*others)
        return len(captured)

    load(a_record(0, **ANNE), a_record(999, **WITHOUT_NUMBER))
    assert queries(range(1, 3)) == queries(range(10, 50))


def test_the_page_lists_links_and_takes_one_back():
    load(a_record(1, **ANNE), a_record(2, **ANNE))
    client = signed_in(a_user("flux", Role.FEED_OPERATOR))
    page = client.get(reverse("links")).content.decode()
    assert "DUPONT Anne" in page
    assert "Dossier D2 (source agenda)" in page
    assert "dossier D1 (source agenda)" in page
    address = reverse("link_take_back", args=[the_record("D2").pk])
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "sœurs"}).headers["Location"] == reverse("links")
    assert Patient.objects.count() == 2


def test_the_page_lists_those_who_look_alike():
    load(a_record(1, **ANNE), a_record(2, **(ANNE | {"given_name": "Jean"})))
    client = signed_in(a_user("flux", Role.FEED_OPERATOR))
    address = reverse("links") + "?show=alike"
    page = client.get(address).content.decode()
    assert "DUPONT Jean" in page
    assert "Même numéro national, autre nom" in page
    put_aside = reverse("likeness_put_aside", args=[LinkProposal.objects.get().pk])
    assert client.post(put_aside).headers["Location"] == address
    assert "DUPONT Jean" not in client.get(address).content.decode()
