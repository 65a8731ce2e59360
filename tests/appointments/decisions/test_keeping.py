"""Doctors keep patients or let them go, and patients learn of it once."""

import pytest
import time_machine

from appointments.decisions import keeping
from appointments.models import Bulletin
from appointments.operations import services as operations
from notifications.models import Delivery, Notice
from staff.errors import Refusal
from staff.models import AuditEvent, Delegation
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, in_force, withdrawn
from tests.appointments.decisions.told import states
from tests.builders import a_patient, a_user, an_appointment, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


class TestKeeping:
    def test_the_unsent_sms_is_withdrawn_and_the_doctor_calls(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor, reason="Plaie à revoir")
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("maintained", "person")
        assert states(consultation) == [("withdrawn", "cancelled"), ("open", "maintained")]
        notice = Notice.objects.get(state="open")
        assert notice.reserved_for == doctor.practitioner
        call = Delivery.objects.get(notice=notice)
        assert (call.channel, call.state, call.not_before) == ("phone", "queued", RELEASE)

    def test_a_second_tap_changes_nothing(self, consultation, doctor):
        first = keeping.keep(appointment_id=consultation.pk, by=doctor)
        assert keeping.keep(appointment_id=consultation.pk, by=doctor) == first
        assert consultation.decisions.count() == 2

    def test_undo_lets_the_bulletin_rule_again(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("cancelled", "clause")
        assert [state for state, _ in states(consultation)] == ["withdrawn", "withdrawn", "open"]

    def test_undo_after_the_bulletin_was_withdrawn_changes_nothing(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        withdrawn(Bulletin.objects.get().pk)
        lapsed = consultation.decisions.latest("pk")
        assert lapsed.basis == "lapse"
        assert keeping.undo(appointment_id=consultation.pk, by=doctor) == lapsed

    def test_whoever_was_told_cancelled_already_is_called(self, consultation, doctor):
        Notice.objects.update(state="told", handed_over_at=RELEASE, settled_at=RELEASE)
        Delivery.objects.update(state="delivered")
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        assert states(consultation) == [("told", "cancelled"), ("open", "maintained")]
        assert Notice.objects.get(state="open").reserved_for is None

    def test_the_other_appointment_of_the_day_is_still_cancelled(self, doctor):
        patient = a_patient()
        kept = an_appointment(patient=patient, practitioner=doctor.practitioner)
        an_appointment(patient=patient, service="radiology", starts="2022-05-16 14:00")
        in_force()
        keeping.keep(appointment_id=kept.pk, by=doctor)
        said = Notice.objects.get(state="open").items.order_by("starts_at")
        assert [item.word for item in said] == ["maintained", "cancelled"]

    def test_a_delegate_keeps_in_the_doctor_s_name(self, consultation, doctor):
        delegate = a_user("assistante", "doctor")
        with pytest.raises(Refusal, match="délégué"):
            keeping.keep(appointment_id=consultation.pk, by=delegate)
        Delegation.objects.create(
            practitioner=doctor.practitioner, delegate=delegate, given_at=SATURDAY_NOON
        )
        again = type(delegate).objects.get(pk=delegate.pk)
        keeping.keep(appointment_id=consultation.pk, by=again)
        assert AuditEvent.objects.get(action="appointment.kept").actor == delegate

    def test_after_the_deadline_the_doctor_is_told_whom_to_call(self, consultation, doctor):
        with (
            time_machine.travel(at("2022-05-15 18:01"), tick=False),
            pytest.raises(Refusal, match="délai"),
        ):
            keeping.keep(appointment_id=consultation.pk, by=doctor)

    def test_a_kept_patient_outlives_the_next_bulletin(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        in_force()
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("maintained", "person")

    def test_letting_go_confirms_the_cancellation_and_keeps_its_sms(self, consultation, doctor):
        keeping.let_go(appointment_id=consultation.pk, by=doctor)
        consultation.refresh_from_db()
        assert (consultation.outcome, consultation.outcome_basis) == ("cancelled", "person")
        assert states(consultation) == [("open", "cancelled")]


class TestWhatSomebodyElseDecidedMeanwhile:
    @pytest.fixture
    def delegate(self, doctor):
        """Return somebody who keeps in the doctor's name."""
        user = a_user("assistante", "doctor", first_name="Ada", last_name="Aide")
        Delegation.objects.create(
            practitioner=doctor.practitioner, delegate=user, given_at=SATURDAY_NOON
        )
        return user

    @pytest.mark.parametrize(
        ("theirs", "mine", "word"),
        [(keeping.keep, keeping.let_go, "maintenu"), (keeping.let_go, keeping.keep, "annulé")],
    )
    def test_is_not_overwritten_unseen(self, consultation, doctor, delegate, theirs, mine, word):
        seen = consultation.decision_version
        theirs(appointment_id=consultation.pk, by=delegate, seen=seen)
        with pytest.raises(Refusal, match=f"Ada AIDE a décidé entre-temps : {word}"):
            mine(appointment_id=consultation.pk, by=doctor, seen=seen)
        mine(appointment_id=consultation.pk, by=doctor, seen=seen + 1)
        assert consultation.decisions.count() == 3

    def test_is_not_taken_back_unseen(self, consultation, doctor, delegate):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        keeping.let_go(appointment_id=consultation.pk, by=delegate)
        with pytest.raises(Refusal, match="annulé"):
            keeping.undo(appointment_id=consultation.pk, by=doctor, seen=2)

    def test_is_no_conflict_when_it_is_what_is_asked(self, consultation, doctor, delegate):
        theirs = keeping.keep(appointment_id=consultation.pk, by=delegate, seen=1)
        assert keeping.keep(appointment_id=consultation.pk, by=doctor, seen=1) == theirs

    def test_one_s_own_earlier_tap_is_no_conflict(self, consultation, doctor):
        """Its answer may have been lost on the way."""
        keeping.keep(appointment_id=consultation.pk, by=doctor, seen=1)
        keeping.let_go(appointment_id=consultation.pk, by=doctor, seen=1)
        consultation.refresh_from_db()
        assert consultation.outcome == "cancelled"

    def test_two_directors_do_not_overwrite_each_other(self):
        operation = an_appointment(service="surgery")
        in_force()
        first, second = (a_user(name, "medical_director") for name in ("d1", "d2"))
        ruled = {"appointment_id": operation.pk, "seen": 1}
        operations.rule(**ruled, by=first, outcome="cancelled")
        with pytest.raises(Refusal, match="d1 a décidé entre-temps : annulé"):
            operations.rule(**ruled, by=second, outcome="maintained")
