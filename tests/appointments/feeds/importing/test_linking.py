"""Two record numbers of one person are linked when all says so, told once, and taken back."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.decisions.rulings import unsaid
from appointments.feeds.importing import services as importing
from appointments.feeds.importing.links import dismiss_likeness, link_known, unlink
from appointments.feeds.importing.results import LoadResult
from appointments.feeds.importing.services import load_file, load_records
from appointments.models import Appointment
from notifications.models import Delivery, Notice, NoticeItem
from patients.models import LinkProposal, Patient, PatientIdentifier
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Role
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.appointments.decisions.told import hand_over
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import terms
from tests.builders import a_unit, a_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db

CASES = Path(__file__).parents[1] / "files" / "cases"
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


APART = WITHOUT_NUMBER | {"birth_date": None, "phones": ("0470 11 12 13",), "language": "nl"}


def known_apart() -> tuple[Patient, Patient]:
    """Load two patients of whom nothing says yet that they are one; return them."""
    load(a_record(1, **ANNE), a_record(2, **APART))
    return the_record("D1").patient, the_record("D2").patient


def everything(number: int = 2, **fields):
    """Return the row that says of the second patient what is known of the first."""
    return a_record(number, **(APART | ANNE | {"phones": APART["phones"]} | fields))


def open_words() -> list[tuple[int, str]]:
    """Return whom open notices are for, and the record number of each word."""
    said = NoticeItem.objects.filter(notice__state="open").order_by("record_number")
    return list(said.values_list("notice__patient", "record_number"))


def test_patients_who_were_known_apart_are_linked_once_all_is_equal():
    first, second = known_apart()
    result = load(everything(), a_record(3, **ANNE, patient_id="D2"))
    (remark,) = [one for one in result.remarks if one.value == "D2"]
    assert "Les deux dossiers sont reliés" in str(remark.why)
    record = the_record("D2")
    assert (record.patient, record.linked_from) == (first, second)
    assert set(Appointment.objects.values_list("patient", flat=True)) == {first.pk}
    event = AuditEvent.objects.get(action="patients.linked")
    assert event.detail["links"] == [
        {"record": "D2", "source": "agenda", "patient": first.pk, "was_patient": second.pk}
    ]
    assert [one.number for one in first.numbers] == ["+32495123456", "+32470111213"]
    assert not LinkProposal.objects.exists()
    assert load(everything()).remarks == []


def test_notices_open_for_both_end_in_one():
    in_force()
    first, second = known_apart()
    assert open_words() == [(first.pk, "D1"), (second.pk, "D2")]
    said = load(everything(), dry_run=True).telling
    assert load(everything()).telling == said
    assert open_words() == [(first.pk, "D1"), (first.pk, "D2")]
    assert Notice.objects.filter(state="open").count() == 1
    assert Delivery.objects.filter(state="held").count() == 1


def test_what_either_heard_is_not_said_again():
    in_force()
    first, second = known_apart()
    hand_over(Appointment.objects.get(source_id="R2"))
    load(everything())
    assert open_words() == [(first.pk, "D1")]
    hand_over(Appointment.objects.get(source_id="R1"))
    assert load(everything(act="Contrôle")).telling.patients == 0
    assert unsaid() == []
    told = Notice.objects.filter(state="told").values_list("patient", flat=True)
    assert set(told) == {first.pk}


def test_an_sms_that_is_out_stays_out_and_nothing_else_leaves():
    in_force()
    first, second = known_apart()
    out = Notice.objects.get(patient=second)
    Notice.objects.filter(pk=out.pk).update(handed_over_at=SATURDAY_NOON)
    Delivery.objects.filter(notice=out).update(state="accepted")
    load(everything())
    out.refresh_from_db()
    assert (out.state, out.patient) == ("open", first)
    pending = Notice.objects.filter(state="open", handed_over_at=None)
    assert [list(one.items.values_list("record_number", flat=True)) for one in pending] == [["D1"]]


def test_the_link_of_two_known_patients_is_taken_back_exactly():
    in_force()
    first, second = known_apart()
    hand_over(Appointment.objects.get(source_id="R2"))
    Patient.objects.filter(pk=second.pk).update(sms_opt_out_at=SATURDAY_NOON)
    rows = list(Patient.objects.order_by("pk").values())
    notices = list(Notice.objects.filter(state="told").values("id", "patient", "version"))
    load(everything())
    assert the_record("D1").patient.sms_opt_out_at == SATURDAY_NOON
    assert unlinked().patient == second
    said_since = {"national_number": ANNE["national_number"], "birth_date": ANNE["birth_date"]}
    rows[1] |= said_since
    assert list(Patient.objects.order_by("pk").values()) == rows
    numbers = {n: [one.number for one in the_record(n).patient.numbers] for n in ("D1", "D2")}
    assert numbers == {"D1": ["+32495123456"], "D2": ["+32470111213"]}
    assert list(Notice.objects.filter(state="told").values("id", "patient", "version")) == notices
    owners = dict(Appointment.objects.values_list("source_id", "patient"))
    assert owners == {"R1": first.pk, "R2": second.pk}
    assert open_words() == [(first.pk, "D1")]
    assert unsaid() == []


def test_whom_a_person_called_two_stay_two():
    known_apart()
    load(everything())
    unlinked()
    load(everything(given_name="Anne-Marie"))
    result = load(everything())
    assert "quelqu'un a dit que ce sont deux personnes" in str(result.remarks[-1].why)
    assert the_record("D2").linked_at is None


def test_with_several_numbers_each_they_are_listed_and_linked_by_nobody():
    first, second = known_apart()
    load(a_record(4, **ANNE))
    PatientIdentifier.objects.create(patient=second, system="labo", value="L2")
    result = load(everything())
    assert "plusieurs dossiers chacun" in str(result.remarks[-1].why)
    proposal = LinkProposal.objects.get()
    assert (proposal.record, proposal.other, proposal.likeness) == (the_record("D2"), first, "all")
    operator = a_user("flux", Role.FEED_OPERATOR)
    with pytest.raises(Refusal, match="plusieurs dossiers"):
        link_known(proposal_id=proposal.pk, by=operator)
    cell = signed_in(a_user("crise9", Role.CRISIS_CELL))
    assert "1 personne sera peut-être prévenue deux fois" in " ".join(
        cell.get(reverse("board")).content.decode().split()
    )


def test_who_was_listed_before_is_linked_with_one_click():
    in_force()
    first, second = known_apart()
    Patient.objects.filter(pk=second.pk).update(
        national_number=ANNE["national_number"], birth_date=ANNE["birth_date"]
    )
    LinkProposal.objects.create(
        record=the_record("D2"), other=first, likeness="all", proposed_at=SATURDAY_NOON
    )
    client = signed_in(a_user("flux", Role.FEED_OPERATOR))
    page = client.get(reverse("links") + "?show=alike").content.decode()
    assert "Une seule personne : relier" in page
    proposal = LinkProposal.objects.get()
    assert client.post(reverse("likeness_link", args=[proposal.pk])).status_code == 302
    assert the_record("D2").patient == first
    assert Notice.objects.filter(state="open").count() == 1


def test_two_known_patients_of_whom_one_file_says_more_are_linked():
    load(a_record(1, **WITHOUT_NUMBER), a_record(2, **APART))
    load(a_record(1, **ANNE), everything())
    assert the_record("D1").patient == the_record("D2").patient


def test_a_refused_row_links_nobody():
    load(a_record(1, **ANNE), a_record(2, **(APART | {"given_name": "Jean"})))
    assert load(everything()).rows_rejected == 1
    assert the_record("D2").linked_at is None


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
