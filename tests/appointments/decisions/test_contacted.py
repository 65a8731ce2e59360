"""A doctor says that the patient was told, and takes that back."""

import datetime as dt

import pytest
import time_machine

from appointments.decisions import keeping
from notifications.models import Delivery, Notice
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Delegation
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, withdrawn
from tests.appointments.decisions.told import states
from tests.builders import a_user
from vivalia_continuity.promises import PROMISES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


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

    def test_whoever_is_told_by_sms_needs_no_call(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        Delivery.objects.filter(notice__state="open").update(channel="sms", address="+32470000000")
        with pytest.raises(Refusal, match="prévenu par SMS"):
            keeping.contacted(appointment_id=consultation.pk, by=doctor)

    def test_a_stranger_cannot_say_so(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        with pytest.raises(AccessRefused):
            keeping.contacted(appointment_id=consultation.pk, by=a_user("autre", "doctor"))


class TestTakingContactedBack:
    """The doctor tapped "contacted" beside the right card."""

    @pytest.fixture
    def told(self, consultation, doctor) -> Notice:
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        return keeping.contacted(appointment_id=consultation.pk, by=doctor)

    def test_the_patient_is_to_be_called_again_as_before(self, consultation, doctor, told):
        for _ in range(2):
            keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        told.refresh_from_db()
        assert (told.state, told.settled_at, told.settled_by) == ("open", None, None)
        assert told.handed_over_at is None
        noted, waiting = Delivery.objects.filter(notice=told).order_by("number")
        assert (noted.state, noted.caller, noted.submitted_at) == ("withdrawn", doctor, None)
        assert (waiting.state, waiting.not_before) == ("queued", RELEASE)
        event = AuditEvent.objects.get(action="call.taken_back")
        assert (event.actor, event.object_id) == (doctor, str(told.pk))

    def test_they_can_then_be_told_for_good(self, consultation, doctor, told):
        keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        keeping.contacted(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-1] == ("told", "maintained")

    def test_nothing_is_owed_to_who_heard_nothing_once_the_bulletin_is_withdrawn(
        self, consultation, doctor, told
    ):
        withdrawn(consultation.decisions.latest("version").bulletin_id)
        keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        assert "open" not in [state for state, _word in states(consultation)]
        assert [fault for promise in PROMISES for fault in promise.faults()] == []

    def test_or_the_decision_undone_with_nothing_said(self, consultation, doctor, told):
        keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-2:] == [("withdrawn", "maintained"), ("open", "cancelled")]

    def test_what_had_left_before_the_call_still_counts_as_left(self, consultation, doctor):
        keeping.keep(appointment_id=consultation.pk, by=doctor)
        earlier = SATURDAY_NOON - dt.timedelta(hours=1)
        Notice.objects.filter(state="open").update(handed_over_at=earlier)
        keeping.contacted(appointment_id=consultation.pk, by=doctor)
        notice = keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        assert notice.handed_over_at == earlier

    def test_only_whoever_noted_it_takes_it_back(self, consultation, doctor, told):
        delegate = a_user("assistante", "doctor")
        Delegation.objects.create(
            practitioner=consultation.practitioner, delegate=delegate, given_at=SATURDAY_NOON
        )
        with pytest.raises(Refusal, match="Seule la personne qui a noté"):
            keeping.not_contacted(appointment_id=consultation.pk, by=delegate)
        told.refresh_from_db()
        assert told.state == "told"

    def test_a_stranger_cannot(self, consultation, told):
        with pytest.raises(AccessRefused):
            keeping.not_contacted(appointment_id=consultation.pk, by=a_user("autre", "doctor"))

    def test_once_the_decision_changed_it_stays_said(self, consultation, doctor, told):
        keeping.undo(appointment_id=consultation.pk, by=doctor)
        with pytest.raises(Refusal, match="La décision a changé"):
            keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
        assert states(consultation)[-2:] == [("told", "maintained"), ("open", "cancelled")]

    def test_once_the_appointment_began_it_stays_said(self, consultation, doctor, told):
        with (
            time_machine.travel(consultation.starts_at, tick=False),
            pytest.raises(Refusal, match="a commencé"),
        ):
            keeping.not_contacted(appointment_id=consultation.pk, by=doctor)
