"""Doctors keep patients, the Medical Director rules on operations, patients learn of it once."""

import pytest
import time_machine

from appointments.models import Appointment
from appointments.services import keeping, operations
from notifications.models import Delivery, Notice
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Delegation
from tests.appointments.bulletins import RELEASE, SATURDAY_NOON, in_force
from tests.builders import a_patient, a_practitioner, a_site, a_unit, a_user, an_appointment, at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def saturday_noon():
    """Freeze the day of the bulletin."""
    with time_machine.travel(SATURDAY_NOON, tick=False):
        yield


@pytest.fixture
def doctor():
    """Return a doctor with a sign-in."""
    user = a_user("docteur", "doctor")
    a_practitioner("dr-1", user=user)
    return user


@pytest.fixture
def consultation(doctor) -> Appointment:
    """Return a consultation of the doctor that the bulletin cancels."""
    appointment = an_appointment(practitioner=doctor.practitioner)
    in_force()
    appointment.refresh_from_db()
    return appointment


def states(appointment: Appointment) -> list[tuple[str, str]]:
    """Return (state, what is said) of the patient's notices."""
    return list(
        Notice.objects.filter(patient=appointment.patient_id)
        .order_by("version")
        .values_list("state", "items__word")
    )


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


class TestContacted:
    def test_the_patient_is_told_once_the_doctor_says_so(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        for _ in range(2):
            keeping.contacted(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-1] == ("told", "maintained")

    def test_undoing_after_the_call_tells_the_patient_again(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        keeping.contacted(appointment_id=consultation.pk, by=doctor)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-2:] == [("told", "maintained"), ("open", "cancelled")]

    def test_a_stranger_cannot_say_so(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        with pytest.raises(AccessRefused):
            keeping.contacted(appointment_id=consultation.pk, by=a_user("autre", "doctor"))


class TestOperations:
    @pytest.fixture
    def operation(self) -> Appointment:
        """Return an operation under review."""
        theatre = a_unit("arlon-bloc", kind="operating_theatre")
        appointment = an_appointment(service="surgery", unit=theatre)
        in_force()
        return appointment

    @pytest.mark.parametrize("outcome", ["maintained", "cancelled"])
    def test_the_director_rules_and_a_person_calls(self, operation, outcome):
        director = a_user("directeur", "medical_director")
        operations.rule(appointment_id=operation.pk, by=director, outcome=outcome)
        operation.refresh_from_db()
        assert (operation.outcome, operation.outcome_basis) == (outcome, "person")
        assert states(operation) == [("open", outcome)]
        call = Delivery.objects.get()
        assert (call.channel, call.state, call.not_before) == ("phone", "queued", SATURDAY_NOON)

    @pytest.mark.parametrize("role", ["surgeon", "nurse", "crisis_cell", "doctor"])
    def test_nobody_else_rules(self, operation, role):
        with pytest.raises(AccessRefused):
            operations.rule(appointment_id=operation.pk, by=a_user("x", role), outcome="cancelled")

    def test_a_director_of_another_site_does_not_rule(self, operation):
        elsewhere = a_user("x", "medical_director", site=a_site("virton"))
        with pytest.raises(AccessRefused, match="ressort"):
            operations.rule(appointment_id=operation.pk, by=elsewhere, outcome="cancelled")

    def test_a_changed_ruling_before_the_call_replaces_it(self, operation):
        director = a_user("directeur", "medical_director")
        for outcome in ("maintained", "cancelled"):
            operations.rule(appointment_id=operation.pk, by=director, outcome=outcome)
        assert states(operation) == [("withdrawn", "maintained"), ("open", "cancelled")]

    def test_opinions_are_noted_and_change_nothing(self, operation):
        nurse = a_user("nurse", "nurse")
        operations.give_opinion(appointment_id=operation.pk, by=nurse, role="nurse", view="cancel")
        operation.refresh_from_db()
        assert operation.outcome == "under_review"
        assert operation.opinions.get().given_by == nurse

    def test_an_opinion_is_about_an_operation(self):
        nurse = a_user("nurse", "nurse")
        with pytest.raises(Refusal, match="opération"):
            operations.give_opinion(
                appointment_id=an_appointment().pk, by=nurse, role="nurse", view="cancel"
            )

    def test_a_nurse_does_not_speak_as_the_surgeon(self, operation):
        nurse = a_user("nurse", "nurse")
        with pytest.raises(Refusal, match="en tant que"):
            operations.give_opinion(
                appointment_id=operation.pk, by=nurse, role="surgeon", view="cancel"
            )
