"""``manage.py verify`` is silent about a sound day and names each break of it."""

import datetime as dt
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from appointments.models import Appointment, Bulletin, Decision, Feed, RejectedRow, ScheduleImport
from appointments.services import keeping, operations
from notifications.gateways import gateway_from_url
from notifications.models import Delivery, Notice, NoticeItem, Sending
from notifications.services import sending
from notifications.services.dispatch import dispatch_batch
from staff.models import AuditEvent
from staff.services import audit
from tests.appointments.bulletins import RELEASE, SATURDAY_NOON, in_force
from tests.builders import a_patient, a_practitioner, a_user, an_appointment, at
from tests.vivalia_continuity.unguarded import break_by, copy_row
from vivalia_continuity.promises import PROMISES

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def saturday_noon():
    """Freeze the day of the bulletin."""
    with time_machine.travel(SATURDAY_NOON, tick=False):
        yield


@pytest.fixture
def day():
    """Give a day on which everybody did their part: one told, one kept, one ruled on, one held."""
    doctor = a_user("docteur", "doctor")
    director = a_user("directeur", "medical_director")
    practitioner = a_practitioner(user=doctor)
    appointments = {
        "told": an_appointment(practitioner=practitioner),
        "kept": an_appointment(practitioner=practitioner, starts="2022-05-16 09:30"),
        "operation": an_appointment(service="surgery"),
        "emergency": an_appointment(service="emergency"),
        "sample": an_appointment(service="blood_sampling"),
        "landline": an_appointment(patient=a_patient(mobile="", landline="+3263012345")),
        "dialysis": an_appointment(service="dialysis"),
    }
    in_force()
    keeping.keep(appointment_id=appointments["kept"].pk, by=doctor)
    operations.rule(appointment_id=appointments["operation"].pk, by=director, outcome="maintained")
    with time_machine.travel(RELEASE, tick=False):
        dispatch_batch(worker="essai", gateway=gateway_from_url("console://"))
    for appointment in appointments.values():
        appointment.refresh_from_db()
    return appointments


def faults(number: int) -> list[str]:
    """Return what is said of one promise."""
    return PROMISES[number - 1].faults()


def notice_of(appointment: Appointment) -> Notice:
    return Notice.objects.filter(items__subject_id=appointment.pk).exclude(state="withdrawn").get()


def delivery_of(appointment: Appointment) -> Delivery:
    return Delivery.objects.get(notice=notice_of(appointment))


def verify() -> tuple[int, str]:
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command("verify", stdout=out, stderr=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


class TestTheCommand:
    def test_a_sound_day_has_a_line_per_promise_and_exit_0(self, day):
        code, printed = verify()
        assert code == 0
        assert all(f"{number}. " in printed for number in range(1, 12))
        assert "ROMPUE" not in printed
        assert "Tout est tenu." in printed

    def test_the_day_has_really_told_someone(self, day):
        assert notice_of(day["told"]).state == "told"
        assert delivery_of(day["told"]).body

    def test_an_empty_database_keeps_its_promises(self):
        assert verify()[0] == 0

    def test_a_broken_promise_is_named_and_exits_1(self, day):
        break_by(
            Appointment, "UPDATE {table} SET day = '2022-05-17' WHERE id = %s", day["sample"].pk
        )
        code, printed = verify()
        assert code == 1
        assert "10. Un mauvais fichier ne casse rien : ROMPUE" in printed
        assert f"rangés à un autre jour que le leur : {day['sample'].pk}" in printed

    def test_many_breaks_are_counted_and_the_first_are_shown(self):
        for _ in range(7):
            an_appointment()
        break_by(Appointment, "UPDATE {table} SET day = '2022-05-17'")
        (sentence,) = faults(10)
        assert sentence.startswith("7 rendez-vous")
        assert sentence.endswith("…")

    def test_the_number_of_queries_does_not_grow_with_the_data(
        self, day, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(30):
            verify()


class TestToldOnce:
    def test_two_sms_that_left_are_found(self, day):
        copy_row(Delivery, delivery_of(day["told"]).pk, number=2, state="unknown")
        assert any("deux SMS" in fault for fault in faults(1))

    def test_two_pending_notices_are_found(self, day):
        copy_row(Notice, notice_of(day["landline"]).pk, version=9)
        assert any("un autre attend déjà" in fault for fault in faults(1))

    def test_the_same_word_twice_is_found(self, day):
        item = NoticeItem.objects.get(notice=notice_of(day["told"]))
        copy_row(Notice, item.notice_id, version=2)
        copy_row(NoticeItem, item.pk, notice_id=item.notice_id + 100000)
        assert any(f": {day['told'].pk}" in fault for fault in faults(1))

    def test_another_word_in_between_is_no_repetition(self, day):
        item = NoticeItem.objects.get(notice=notice_of(day["told"]))
        copy_row(Notice, item.notice_id, version=2)
        copy_row(NoticeItem, item.pk, notice_id=item.notice_id + 100000, word="maintained")
        assert faults(1) == []

    def test_an_appointment_twice_in_one_notice_is_found(self, day):
        copy_row(NoticeItem, NoticeItem.objects.get(notice=notice_of(day["landline"])).pk)
        assert any("cités deux fois" in fault for fault in faults(1))


class TestNobodyLost:
    @pytest.mark.parametrize("who", ["told", "kept", "operation", "landline"])
    def test_a_patient_without_a_notice_is_found(self, day, who):
        break_by(NoticeItem, "DELETE FROM {table} WHERE subject_id = %s", day[who].pk)
        assert any(f"aucun avis ne parle : {day[who].pk}" in fault for fault in faults(2))

    @pytest.mark.parametrize("who", ["emergency", "sample", "dialysis"])
    def test_whom_the_bulletin_tells_nothing_is_not_missed(self, day, who):
        assert not NoticeItem.objects.filter(subject_id=day[who].pk).exists()
        assert faults(2) == []

    def test_a_patient_who_still_believes_the_old_word_is_found(self, day):
        told = day["told"].pk
        break_by(NoticeItem, "UPDATE {table} SET word = 'maintained' WHERE subject_id = %s", told)
        assert any(f"autre chose : {told}" in fault for fault in faults(2))

    def test_an_open_notice_that_nothing_carries_is_found(self, day):
        delivery = delivery_of(day["landline"])
        break_by(Delivery, "UPDATE {table} SET state = 'failed' WHERE id = %s", delivery.pk)
        assert faults(2) == [f"1 avis ouverts que plus rien ne porte : {delivery.notice_id}"]

    def test_an_unreachable_patient_without_a_try_is_found(self, day):
        notice = notice_of(day["landline"])
        break_by(Notice, "UPDATE {table} SET state = 'unreachable' WHERE id = %s", notice.pk)
        assert any("injoignables" in fault for fault in faults(2))

    def test_told_without_anything_handed_over_is_found(self, day):
        notice = notice_of(day["landline"])
        break_by(Notice, "UPDATE {table} SET state = 'told' WHERE id = %s", notice.pk)
        assert any("déclarés dits" in fault for fault in faults(2))


def test_an_sms_handed_over_after_the_patient_was_kept_is_found(day):
    delivery = Delivery.objects.get(notice__items__subject_id=day["kept"].pk, channel="sms")
    break_by(
        Delivery,
        "UPDATE {table} SET state = 'accepted', submitted_at = %s WHERE id = %s",
        RELEASE,
        delivery.pk,
    )
    assert any(f": {day['kept'].pk}" in fault for fault in faults(3))


class TestUnknownIsAState:
    def test_an_unknown_delivery_of_a_closed_notice_is_found(self, day):
        delivery = delivery_of(day["told"])
        break_by(Delivery, "UPDATE {table} SET state = 'unknown' WHERE id = %s", delivery.pk)
        assert any(f": {delivery.pk}" in fault for fault in faults(4))

    def test_a_delivery_that_hangs_without_a_lease_is_found(self, day):
        delivery = delivery_of(day["landline"])
        break_by(Delivery, "UPDATE {table} SET state = 'submitting' WHERE id = %s", delivery.pk)
        assert any(f": {delivery.pk}" in fault for fault in faults(4))


class TestStopMeansStop:
    def test_an_sms_that_left_during_the_pause_is_found(self, day):
        sending.pause(by=Bulletin.objects.get().drafted_by)
        long_before = Sending.objects.get().paused_at - dt.timedelta(hours=1)
        assert any("en pause" in fault for fault in faults(5)) is True
        break_by(Delivery, "UPDATE {table} SET submitted_at = %s", long_before)
        assert faults(5) == []

    def test_the_slice_that_was_just_leaving_is_forgiven(self, day):
        sending.pause(by=Bulletin.objects.get().drafted_by)
        moment = Sending.objects.get().paused_at + dt.timedelta(seconds=1)
        break_by(Delivery, "UPDATE {table} SET submitted_at = %s", moment)
        assert faults(5) == []


class TestNothingMedical:
    @pytest.mark.parametrize(
        ("find", "put", "said"),
        [
            ("rendez-vous", "rendez-vous de cardiologie", "médical"),
            ("+32 63", "+32 99", "numéro à rappeler"),
            ("Réf.", "Réf. XXXX-", "référence"),
        ],
    )
    def test_a_body_that_says_too_much_or_too_little_is_found(self, day, find, put, said):
        delivery = delivery_of(day["told"])
        assert find in delivery.body
        body = delivery.body.replace(find, put).replace("- ", "-")
        break_by(Delivery, "UPDATE {table} SET body = %s WHERE id = %s", body, delivery.pk)
        (fault,) = faults(6)
        assert said in fault
        assert fault.endswith(f": {delivery.pk}")

    def test_a_reference_that_happens_to_spell_a_word_is_not_medical(self, day, monkeypatch):
        delivery = delivery_of(day["told"])
        body = delivery.body.replace(delivery.notice.reference, "22DR-2W2")
        break_by(Delivery, "UPDATE {table} SET body = %s WHERE id = %s", body, delivery.pk)
        monkeypatch.setattr(
            "vivalia_continuity.promises.messages.notice_id_of", lambda word: delivery.notice_id
        )
        assert faults(6) == []

    def test_the_reference_of_another_notice_is_found(self, day):
        delivery = delivery_of(day["told"])
        body = delivery.body.replace(
            delivery.notice.reference, notice_of(day["landline"]).reference
        )
        break_by(Delivery, "UPDATE {table} SET body = %s WHERE id = %s", body, delivery.pk)
        assert any("référence" in fault for fault in faults(6))


def test_a_cancelled_emergency_is_found_in_the_appointment_and_in_its_decisions(day):
    pk = day["emergency"].pk
    break_by(Appointment, "UPDATE {table} SET outcome = 'cancelled' WHERE id = %s", pk)
    break_by(Decision, "UPDATE {table} SET outcome = 'cancelled' WHERE appointment_id = %s", pk)
    assert len(faults(7)) == 2


class TestTheTrail:
    def test_an_edited_event_is_found(self, day):
        break_by(AuditEvent, "UPDATE {table} SET actor_name = 'luc' WHERE sequence = 2")
        assert "journal : événement 2 : contenu modifié" in faults(9)

    def test_a_broken_chain_is_summed_up(self, day):
        for _ in range(7):
            audit.record(action="essai", by=None)
        break_by(AuditEvent, "UPDATE {table} SET actor_name = 'luc'")
        assert faults(9)[5].endswith("autres ruptures")

    def test_a_persons_decision_that_the_trail_does_not_know_is_found(self, day):
        break_by(
            Decision,
            "UPDATE {table} SET decided_by_id = %s WHERE basis = 'person'",
            Bulletin.objects.get().drafted_by_id,
        )
        assert any("le journal ne sait rien" in fault for fault in faults(9))

    def test_an_outcome_that_no_decision_gave_is_found(self, day):
        pk = day["told"].pk
        break_by(Appointment, "UPDATE {table} SET outcome = 'maintained' WHERE id = %s", pk)
        assert f"leur dernière décision : {pk}" in faults(9)[0]

    def test_an_outcome_without_any_decision_is_found(self, day):
        pk = day["dialysis"].pk
        break_by(Appointment, "UPDATE {table} SET decision_version = 1 WHERE id = %s", pk)
        assert f"leur dernière décision : {pk}" in faults(9)[0]

    def test_a_removed_decision_is_found(self, day):
        pk = day["kept"].pk
        break_by(Decision, "DELETE FROM {table} WHERE appointment_id = %s AND version = 1", pk)
        assert f"1 rendez-vous dont une décision manque : {pk}" in faults(9)

    def test_a_bulletin_of_one_person_is_found(self, day):
        break_by(Bulletin, "UPDATE {table} SET approved_by_id = drafted_by_id")
        assert any("bulletins approuvés" in fault for fault in faults(9))


class TestFeeds:
    def test_a_refused_row_without_its_reason_is_found(self, day):
        load = ScheduleImport.objects.create(
            feed=Feed.objects.get(),
            file_name="a.csv",
            started_at=SATURDAY_NOON,
            state="loaded",
            rows_rejected=1,
        )
        assert faults(10) == [
            f"1 chargements dont les lignes rejetées ne sont pas nommées : {load.pk}"
        ]
        RejectedRow.objects.create(schedule_import=load, line=7, column="Unité", why="")
        assert faults(10) == ["1 lignes rejetées sans raison : 7"]

    def test_a_decision_for_another_day_is_found(self, day):
        pk = day["told"].pk
        break_by(
            Appointment,
            "UPDATE {table} SET day = '2022-05-17', starts_at = %s WHERE id = %s",
            at("2022-05-17 09:10"),
            pk,
        )
        assert any(f"l'ancien jour : {pk}" in fault for fault in faults(10))

    def test_a_feed_of_unknown_age_is_found(self, day):
        Feed.objects.update(heard_at=None)
        assert faults(11) == ["1 sources dont l'âge des données est inconnu : essai"]
