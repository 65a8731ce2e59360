"""What lands, what moves, what disappears; all or nothing, and the same twice changes nothing."""

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.importing import services as importing
from appointments.feeds.importing.services import load_records
from appointments.feeds.records import RowFault
from appointments.models import Appointment, Decision, Feed
from notifications.models import Notice
from patients.models import Patient
from staff.errors import Refusal
from staff.models import AuditEvent, Practitioner, Role
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import load, numbers, terms, the_appointment
from tests.builders import MONDAY, a_practitioner, a_site, a_unit, a_user, at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    a_unit()


def test_a_new_record_becomes_an_appointment_of_a_patient():
    record = a_record(
        service="radiology",
        protected_groups=frozenset({"pregnancy", "cast"}),
        minutes=20,
        act="RX thorax",
        priority="urgent",
        practitioner_code="P1",
        practitioner_name="Dr Martin, Claire",
    )
    assert numbers(load(record)) == {"created": 1}
    found = the_appointment()
    assert (found.service, found.day, found.minutes) == ("radiology", MONDAY, 20)
    assert (found.protected_groups, found.priority) == ("cast pregnancy", "urgent")
    assert str(found.practitioner) == "Dr Claire MARTIN"
    assert found.patient.mobile == "+32495120001"
    assert found.loaded_at == SATURDAY_NOON


def test_the_same_records_twice_write_nothing_to_the_schedule():
    load(a_record(1), a_record(2))
    before = list(Appointment.objects.order_by("id").values())
    with time_machine.travel(SATURDAY_NOON + dt.timedelta(hours=1), tick=False):
        result = load(a_record(1), a_record(2))
        assert numbers(result) == {"unchanged": 2}
        assert list(Appointment.objects.order_by("id").values()) == before
        assert Feed.objects.get(name="agenda").heard_at == SATURDAY_NOON + dt.timedelta(hours=1)


def test_the_same_moment_in_another_zone_is_no_change():
    load(a_record())
    same = a_record(starts_at=at("2022-05-16 09:10").astimezone(dt.UTC))
    assert numbers(load(same)) == {"unchanged": 1}


def test_a_newer_file_updates_and_the_source_keeps_the_last_word_on_its_status():
    load(a_record())
    result = load(a_record(status="cancelled", act="Contrôle"))
    assert numbers(result) == {"updated": 1}
    found = the_appointment()
    assert (found.status, found.act, found.outcome) == ("cancelled", "Contrôle", "")


def test_another_date_is_a_move_and_later_changes_keep_it():
    load(a_record())
    assert numbers(load(a_record(starts="2022-05-17 10:00"))) == {"moved": 1}
    load(a_record(starts="2022-05-17 10:00", act="Contrôle"))
    found = the_appointment()
    assert (found.day, found.moved_from) == (dt.date(2022, 5, 17), at("2022-05-16 09:10"))
    assert found.moved_at == SATURDAY_NOON


def test_what_disappeared_from_a_full_export_is_flagged_never_deleted_and_comes_back():
    load(a_record(1), a_record(2))
    assert numbers(load(a_record(1))) == {"unchanged": 1, "missing": 1}
    assert the_appointment("R2").missing_since == SATURDAY_NOON
    assert numbers(load(a_record(1))) == {"unchanged": 1}  # said once
    assert numbers(load(a_record(1), a_record(2))) == {"unchanged": 1, "updated": 1}
    assert the_appointment("R2").missing_since is None


def test_a_partial_export_says_nothing_of_what_it_leaves_out():
    load(a_record(1), a_record(2))
    assert numbers(load(a_record(1), full=False)) == {"unchanged": 1}


def test_a_full_export_speaks_only_of_its_days_and_sites():
    a_unit("virton-cardio", site="virton")
    load(
        a_record(1),
        a_record(2, starts="2022-05-20 09:00"),
        a_record(3, site="virton", unit="virton-cardio"),
    )
    assert load(a_record(1)).missing == 0
    assert load(a_record(1), a_record(4, starts="2022-05-21 09:00")).missing == 1


def test_a_row_that_is_refused_has_not_disappeared():
    load(a_record(1), a_record(2), a_record(3))
    refused = RowFault(3, "Activité", "sieste", "Mot inconnu.", source_id="R2")
    assert load(a_record(1), refused, a_record(3, unit="nulle-part")).missing == 0


def test_an_unknown_unit_is_refused_with_the_closest_one():
    result = load(a_record(1, unit="arlon-cardoi"), a_record(2), headings={"unit": "Afdeling"})
    assert numbers(result) == {"created": 1, "rejected": 1}
    (fault,) = result.rejected
    assert (fault.line, fault.column, fault.value) == (2, "Afdeling", "arlon-cardoi")
    assert "« arlon-cardio »" in str(fault.why)


def test_an_unknown_site_and_a_unit_of_another_site_are_refused():
    a_site("virton")
    result = load(a_record(1, site="namur"), a_record(2, site="virton"))
    assert [fault.column for fault in result.rejected] == ["Site", "Unité"]
    assert "arlon, virton" in str(result.rejected[0].why)


def test_a_unit_may_be_named_and_the_site_left_out():
    unit = a_unit("arlon-u7")
    type(unit).objects.filter(pk=unit.pk).update(name="Cardiologie B")
    load(a_record(site="", unit="cardiologie b"))
    assert the_appointment().unit_id == unit.pk


def test_a_name_that_two_sites_share_needs_its_site():
    for site in ("arlon", "virton"):
        unit = a_unit(f"{site}-x", site=site)
        type(unit).objects.filter(pk=unit.pk).update(name="Radiologie")
    result = load(
        a_record(1, site="", unit="Radiologie"), a_record(2, site="Virton", unit="Radiologie")
    )
    assert "Plusieurs sites" in str(result.rejected[0].why)
    assert the_appointment("R2").unit.code == "virton-x"


@pytest.mark.parametrize("chunk", [1, 500])
def test_a_number_twice_in_one_file_is_said_and_the_first_lands(monkeypatch, chunk):
    monkeypatch.setattr(importing, "CHUNK", chunk)
    result = load(a_record(1), a_record(1, line=9, act="autre"))
    assert numbers(result) == {"created": 1, "rejected": 1}
    assert "ligne 2" in str(result.rejected[0].why)
    assert the_appointment().act == ""


def test_two_appointments_of_one_patient_make_one_patient():
    load(a_record(1), a_record(2, patient_id="D1"))
    assert Patient.objects.count() == 1


def test_unknown_practitioners_are_created_once_by_code_or_by_name():
    known = a_practitioner("P1")
    load(
        a_record(1, practitioner_code="P1", practitioner_name="Dr Autre"),
        a_record(2, practitioner_name="Pr. MARTIN Claire"),
        a_record(3, practitioner_name="Martin, Claire"),
        a_record(4, practitioner_code="P9"),
    )
    assert the_appointment("R1").practitioner == known
    assert the_appointment("R2").practitioner == the_appointment("R3").practitioner
    assert str(the_appointment("R2").practitioner) == "Pr Claire MARTIN"
    assert Practitioner.objects.count() == 3


def test_a_dry_run_reports_the_same_counts_and_writes_nothing():
    load(a_record(1), a_record(2), a_record(3))
    records = [
        a_record(1),
        a_record(2, starts="2022-05-16 11:00"),
        a_record(4),
        a_record(5, unit="nulle-part"),
        a_record(4, line=8),
    ]
    before = list(Appointment.objects.values()), Patient.objects.count(), AuditEvent.objects.count()
    planned = load(*records, dry_run=True)
    assert before == (
        list(Appointment.objects.values()),
        Patient.objects.count(),
        AuditEvent.objects.count(),
    )
    assert planned.counts() == load(*records).counts()
    assert planned.missing == 1


def test_a_dry_run_of_an_unknown_source_does_not_make_it():
    load(a_record(), dry_run=True)
    assert not Feed.objects.exists()


def test_a_crash_half_way_leaves_nothing(monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 1)

    def records():
        yield a_record(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load_records(feed_name="agenda", records=records(), terms=terms())
    assert not Appointment.objects.exists()
    assert not Patient.objects.exists()
    assert not Feed.objects.exists()


def test_too_many_faults_stop_the_load_before_memory_does(monkeypatch):
    monkeypatch.setattr(importing, "MOST_REJECTED", 3)
    with pytest.raises(Refusal, match="Plus de 3 défauts"):
        load(*[a_record(n, unit="nulle-part") for n in range(5)])


@pytest.mark.parametrize("code", ["10203040", "1-02030-40", "1-02030-40-140", "10203040140"])
def test_a_known_practitioner_is_found_by_inami_number_however_written(code):
    known = a_practitioner("10203040")
    result = load(a_record(practitioner_code=code, practitioner_name="Martin, Claire"))
    assert the_appointment().practitioner == known
    assert result.practitioners_made == 0


@pytest.mark.parametrize(
    "name", ["Dr Martin, Claire", "MARTIN Claire", "Dr Claire Martin", "Martin Claire"]
)
def test_a_known_practitioner_is_found_by_name_in_either_order(name):
    known = Practitioner.objects.create(code="P1", family_name="Martin", given_name="Claire")
    load(a_record(practitioner_name=name))
    assert the_appointment().practitioner == known


def test_a_name_that_two_practitioners_share_in_another_order_is_neither():
    Practitioner.objects.create(code="P1", family_name="Martin", given_name="Paul")
    Practitioner.objects.create(code="P2", family_name="Paul", given_name="Martin")
    result = load(a_record(practitioner_name="Dr Martin Paul"))
    assert the_appointment().practitioner.code == "P1"
    result = load(a_record(2, practitioner_name="Dr Paulmartin"))
    assert result.practitioners_made == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("M'Hamdi, Youssef", "Youssef M'HAMDI"),
        ("Pr M'Bala Jean", "Pr M'BALA JEAN"),
        ("Drouet, Paul", "Paul DROUET"),
        ("Dr. MARTIN C.", "Dr C. MARTIN"),
        ("Prof. Peeters", "Pr PEETERS"),
        ("Mme Dubois", "Mme DUBOIS"),
        ("Mevr. Peeters", "Mevr. PEETERS"),
        ("M. Dubois", "M. DUBOIS"),
        ("Équipe infirmière", "Équipe infirmière"),
    ],
)
def test_a_title_is_a_word_of_its_own_and_stays_as_written_or_none(name, shown):
    assert load(a_record(practitioner_name=name)).practitioners_made == 1
    assert str(the_appointment().practitioner) == shown


def test_a_practitioner_known_by_a_code_only_gets_no_title():
    load(a_record(practitioner_code="P9"))
    assert str(the_appointment().practitioner) == "P9"


def of_the_practitioners(result) -> list[tuple[int, str, str]]:
    return [
        (fault.line, fault.value, str(fault.why).partition(" : ")[2])
        for fault in result.remarks
        if str(fault.why).startswith("Nouveau praticien")
    ]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("", "Dr. MARTIN C."),
        ("", "Dr Martin"),
        ("99", "Martin, Claire"),
        ("", "Claire Anne Martin"),
    ],
)
def test_one_made_who_looks_like_a_known_one_is_named_in_a_remark(code, name):
    Practitioner.objects.create(code="10203040", family_name="Martin", given_name="Claire")
    record = a_record(practitioner_code=code, practitioner_name=name)
    checked, loaded = load(record, dry_run=True), load(record)
    expected = [(2, name, "Dr Claire MARTIN (10203040).")]
    assert of_the_practitioners(checked) == of_the_practitioners(loaded) == expected
    assert loaded.practitioners_made == 1
    assert of_the_practitioners(load(record)) == []


@pytest.mark.parametrize("name", ["Dr Martin, Paul", "Claire Dubois", "Dr C. M.", "Martinez C."])
def test_one_made_who_cannot_be_a_known_one_needs_no_remark(name):
    Practitioner.objects.create(code="10203040", family_name="Martin", given_name="Claire")
    result = load(a_record(practitioner_name=name))
    assert result.practitioners_made == 1
    assert of_the_practitioners(result) == []


def test_two_made_by_one_file_who_look_alike_are_named_too():
    result = load(
        a_record(1, practitioner_name="Dr Martin, Claire"),
        a_record(2, practitioner_name="Dr. MARTIN C."),
    )
    assert [line for line, _name, _others in of_the_practitioners(result)] == [3]


@pytest.mark.parametrize("name", ["Dr Martin, Claire", "Claire Martin"])
def test_a_name_that_two_known_practitioners_bear_is_given_to_neither_and_said(name):
    for code in ("P1", "P2"):
        Practitioner.objects.create(code=code, family_name="Martin", given_name="Claire")
    result = load(a_record(1, practitioner_name=name), a_record(2, practitioner_name=name))
    made = the_appointment("R1").practitioner
    assert made.code not in {"P1", "P2"}
    assert the_appointment("R2").practitioner == made
    assert result.practitioners_made == 1
    others = "Dr Claire MARTIN (P1), Dr Claire MARTIN (P2)."
    assert of_the_practitioners(result) == [(2, name, others)]
    assert load(a_record(3, practitioner_name=name)).practitioners_made == 0
    assert the_appointment("R3").practitioner == made


def test_one_made_from_a_name_alone_takes_it_from_nobody_who_has_a_code():
    load(a_record(1, practitioner_name="Dr Martin, Claire"))
    known = Practitioner.objects.create(code="P1", family_name="Martin", given_name="Claire")
    load(a_record(2, practitioner_name="Dr Martin, Claire"))
    assert the_appointment("R2").practitioner == known


def test_a_title_alone_names_nobody():
    assert load(a_record(practitioner_name="Dr")).practitioners_made == 0
    assert the_appointment().practitioner is None


def test_two_long_names_that_begin_alike_are_two_practitioners():
    begin = "VAN DER ELST-DE BROUWER DE LA FONTAINE Marie-"
    load(
        a_record(1, practitioner_name=f"{begin}Christine"),
        a_record(2, practitioner_name=f"{begin}Madeleine"),
    )
    assert the_appointment("R1").practitioner != the_appointment("R2").practitioner


def test_a_dry_run_counts_the_practitioners_that_it_would_make():
    records = [a_record(n, practitioner_name=f"Dr Inconnu{n % 2}") for n in range(4)]
    assert load(*records, dry_run=True).practitioners_made == 2
    assert not Practitioner.objects.filter(family_name__startswith="Inconnu").exists()
    assert load(*records).practitioners_made == 2


def test_remarks_never_refuse_a_file_and_are_all_counted(monkeypatch):
    monkeypatch.setattr(importing, "MOST_REJECTED", 3)
    monkeypatch.setattr(importing, "MOST_REMARKS", 3)
    remarks = [RowFault(n, "GSM", "12", "Numéro impossible.", landed=True) for n in range(2, 9)]
    result = load(*remarks, a_record())
    assert numbers(result) == {"created": 1, "remarks": 7}
    assert len(result.remarks) == 3


@pytest.mark.parametrize("first", ["Lefèvre", "Lef?vre"])
def test_a_name_that_lost_letters_never_replaces_a_good_one(first):
    good = a_record(1, family_name="Lefèvre", given_name="Hélène")
    lost = a_record(1, family_name="Lef?vre", given_name="", is_name_certain=False, act="contrôle")
    for one in (good, lost) if first == "Lefèvre" else (lost, good):
        load(one)
    patient = Patient.objects.get()
    assert (patient.family_name, patient.given_name) == ("Lefèvre", "Hélène")
    assert patient.search_name == "LEFEVRE HELENE"


def test_a_name_that_lost_letters_never_replaces_a_good_one_of_the_same_file():
    good = a_record(1, patient_id="D1", family_name="Lefèvre", given_name="Hélène")
    lost = a_record(2, patient_id="D1", family_name="Lef?vre", is_name_certain=False)
    result = load(good, lost)
    assert numbers(result) == {"created": 2}
    assert Patient.objects.get().family_name == "Lefèvre"


def test_the_trail_says_who_loaded_what():
    operator = a_user("flux", Role.FEED_OPERATOR)
    load(a_record(), by=operator)
    event = AuditEvent.objects.get(action="schedule.loaded")
    assert event.actor == operator
    assert event.detail["created"] == 1
    assert event.detail["feed"] == "agenda"


def test_a_standing_bulletin_rules_on_what_arrives():
    in_force()
    load(a_record(1), a_record(2, service="blood_sampling"))
    assert the_appointment("R1").outcome == "cancelled"
    assert the_appointment("R2").outcome == "maintained"
    assert Notice.objects.count() == 1


def test_a_move_out_of_the_bulletin_lifts_the_cancellation():
    in_force()
    load(a_record())
    load(a_record(starts="2022-05-18 09:10"))
    assert the_appointment().outcome == "maintained"
    assert Notice.objects.get().state == "withdrawn"


def test_an_act_that_the_source_turns_into_an_emergency_is_no_longer_cancelled():
    a_unit("arlon-urgences", kind="emergency")
    in_force()
    load(a_record())
    load(a_record(service="emergency", unit="arlon-urgences"))
    found = the_appointment()
    assert (found.service, found.outcome) == ("emergency", "maintained")
    versions = list(Decision.objects.order_by("version").values_list("version", "outcome"))
    assert versions[0] == (1, "cancelled")
    assert versions[-1][1] == "maintained"


def queries_of(first: int, count: int) -> int:
    """Return the queries of a load of ``count`` rows: half of them new, half changed."""
    half = count // 2
    load(*[a_record(n) for n in range(first, first + half)], full=False)
    changed = [a_record(n, act="modifié") for n in range(first, first + half)]
    new = [a_record(n) for n in range(first + half, first + count)]
    with CaptureQueriesContext(connection) as queries:
        load(*changed, *new, full=False)
    return len(queries)


def test_the_number_of_queries_does_not_grow_with_the_rows_of_a_chunk():
    in_force()
    assert queries_of(first=0, count=10) == queries_of(first=100, count=40)


def test_the_number_of_queries_grows_with_the_chunks_only(monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 10)
    four_chunks = queries_of(first=0, count=40)
    eight_chunks = queries_of(first=100, count=80)
    assert eight_chunks - four_chunks <= 4 * 7


def test_the_practitioners_of_a_file_are_found_or_made_and_counted():
    known = Practitioner.objects.create(code="10203040", family_name="Martin", given_name="Claire")
    a_unit("arlon-cardiologie")
    path = Path(__file__).parents[1] / "files" / "cases" / "practitioners.csv"
    result = load(*open_schedule(path).entries())
    named = {
        appointment.source_id: appointment.practitioner
        for appointment in Appointment.objects.select_related("practitioner")
    }
    assert result.rows_rejected == 0
    of_the_known = [number for number, one in sorted(named.items()) if one == known]
    assert of_the_known == ["P00", "P01", "P02", "P03", "P05", "P06", "P07", "P08", "P09"]
    assert str(named["P11"]) == "Youssef M'HAMDI"
    assert str(named["P14"]) == "Mme DUBOIS"
    assert str(named["P17"]) == "Équipe infirmière"
    alike = {fault.source_id for fault in result.remarks if "Claire MARTIN" in str(fault.why)}
    assert alike == {"P04", "P10"}
    assert named["P13"] is None
    assert result.practitioners_made == Practitioner.objects.count() - 1 == 10


@pytest.mark.parametrize(
    "fields",
    [
        {"phones": ()},
        {"phones": ("0495 12 00 01",)},
        {"given_name": ""},
        {"birth_date": None},
        {"language": ""},
        {"national_number": ""},
        {"phones": (), "given_name": "", "birth_date": None, "language": ""},
    ],
)
def test_a_row_that_says_less_of_its_patient_is_unchanged(fields):
    whole = {
        "given_name": "Anne",
        "birth_date": dt.date(1958, 11, 3),
        "language": "nl",
        "national_number": "58110300239",
        "phones": ("+32495120001", "+3263223344"),
        "practitioner_code": "P1",
    }
    load(a_record(**whole))
    later = a_record(**(whole | fields))
    assert numbers(load(later, dry_run=True)) == numbers(load(later)) == {"unchanged": 1}
    patient = Patient.objects.get()
    assert (patient.given_name, patient.mobile, patient.landline, patient.language) == (
        "Anne",
        "+32495120001",
        "+3263223344",
        "nl",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"phones": ("+32495120009",)},
        {"given_name": "Annette"},
        {"act": "contrôle"},
        {"minutes": 30},
        {"status": "arrived"},
        {"service": "radiology"},
        {"priority": "urgent"},
        {"protected_groups": frozenset({"pregnancy"})},
        {"practitioner_code": ""},
        {"practitioner_code": "P2"},
        {"language": "de"},
    ],
)
def test_a_row_that_says_something_new_is_changed(fields):
    first = {"given_name": "Anne", "practitioner_code": "P1", "phones": ("+32495120001",)}
    load(a_record(**first))
    later = a_record(**(first | {"birth_date": None} | fields))
    assert numbers(load(later, dry_run=True)) == {"updated": 1}
    assert numbers(load(later)) == {"updated": 1}


def test_a_row_that_says_less_and_had_disappeared_is_back():
    load(a_record(1), a_record(2))
    load(a_record(2))
    assert the_appointment("R1").missing_since is not None
    assert numbers(load(a_record(1, phones=()), a_record(2)))["updated"] == 1
    assert the_appointment("R1").missing_since is None
