"""An SMS may have arrived, nobody knows, and then the decision changes: one call, one word."""

import datetime as dt

import pytest
from django.utils import timezone

from appointments.bulletins import services as bulletins
from appointments.decisions import keeping, rulings
from appointments.models import Appointment
from notifications.calls.queries import open_calls
from notifications.models import Delivery, Notice
from notifications.sending import sweep as sweeping
from notifications.telling import by_hand as settling_by_hand
from notifications.telling.outbox import text_of
from staff.models import User
from tests.appointments.bulletins.builders import in_force, somebody_in_the_crisis_cell, withdrawn
from tests.builders import a_patient, a_user, an_appointment
from vivalia_continuity.promises import PROMISES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def agent() -> User:
    return a_user("agent", "call_agent")


def with_an_sms_of_unknown_fate(doctor: User, *, acts: int = 1) -> list[Appointment]:
    """Return a patient's consultations of one day, cancelled by an SMS of which nobody knows."""
    patient = a_patient(landline="+3263112233")
    made = [
        an_appointment(
            patient=patient, practitioner=doctor.practitioner, starts=f"2022-05-16 {9 + n:02}:10"
        )
        for n in range(acts)
    ]
    in_force()
    now, sms = timezone.now(), Delivery.objects.get()
    Delivery.objects.update(
        state="unknown",
        body=text_of(sms),
        parts=1,
        submitted_at=now,
        lease_until=now + dt.timedelta(hours=1),
        gateway="fake",
        client_reference="a" * 32,
        provider_id="1",
    )
    Notice.objects.update(handed_over_at=now)
    return made


def call_instead() -> None:
    """Let somebody decide that the patient is called."""
    unknown = Delivery.objects.get(state="unknown")
    by = somebody_in_the_crisis_cell("crise1")
    settling_by_hand.call_instead(delivery_ids=[unknown.pk], by=by, reason="")


def said_by_phone(agent: User) -> list[list[str]]:
    """Return what each open call says, by the hour of the appointment."""
    return [
        list(call.notice.items.order_by("starts_at").values_list("word", flat=True))
        for call in open_calls(agent).order_by("id")
    ]


def broken() -> list[str]:
    return [fault for promise in PROMISES for fault in promise.faults()]


class TestTheCallIsOnTheList:
    def test_a_patient_who_is_kept_then_is_called_once_with_what_holds(self, doctor, agent):
        [kept] = with_an_sms_of_unknown_fate(doctor)
        call_instead()
        keeping.keep(appointment_id=kept.pk, by=doctor)
        assert said_by_phone(agent) == [["maintained"]]
        assert not broken()

    def test_and_called_that_it_is_cancelled_when_the_doctor_takes_it_back(self, doctor, agent):
        [kept] = with_an_sms_of_unknown_fate(doctor)
        call_instead()
        keeping.keep(appointment_id=kept.pk, by=doctor)
        keeping.undo(appointment_id=kept.pk, by=doctor)
        assert said_by_phone(agent) == [["cancelled"]]
        assert not Delivery.objects.filter(channel="sms", state__in=["held", "queued"]).exists()
        assert not broken()

    def test_of_two_appointments_one_kept_one_call_says_both(self, doctor, agent):
        _cancelled, kept = with_an_sms_of_unknown_fate(doctor, acts=2)
        call_instead()
        keeping.keep(appointment_id=kept.pk, by=doctor)
        assert said_by_phone(agent) == [["cancelled", "maintained"]]

    def test_a_bulletin_that_is_withdrawn_leaves_one_call(self, doctor, agent):
        with_an_sms_of_unknown_fate(doctor)
        call_instead()
        bulletin = bulletins.Bulletin.objects.get()
        withdrawn(bulletin.pk, "Fin de l'alerte")
        assert said_by_phone(agent) == [["maintained"]]
        assert not broken()

    def test_what_changes_nothing_leaves_the_call_alone(self, doctor, agent):
        [cancelled] = with_an_sms_of_unknown_fate(doctor)
        call_instead()
        before = list(Delivery.objects.order_by("id").values())
        rulings.rule_on(appointment_ids=[cancelled.pk])
        assert list(Delivery.objects.order_by("id").values()) == before
        assert said_by_phone(agent) == [["cancelled"]]


class TestNobodyHasGivenUpYet:
    def give_up(self, traveller) -> None:
        traveller.shift(dt.timedelta(hours=2))
        sweeping.sweep(gateways=[])

    def test_whoever_may_have_read_cancelled_is_still_called_when_the_bulletin_ends(
        self, doctor, agent, saturday_noon
    ):
        [kept] = with_an_sms_of_unknown_fate(doctor)
        keeping.keep(appointment_id=kept.pk, by=doctor)
        self.give_up(saturday_noon)
        bulletin = bulletins.Bulletin.objects.get()
        withdrawn(bulletin.pk, "Fin de l'alerte")
        assert said_by_phone(agent) == [["maintained"]]

    def test_whoever_may_not_have_read_cancelled_is_called_when_that_holds_after_all(
        self, doctor, agent, saturday_noon
    ):
        [kept] = with_an_sms_of_unknown_fate(doctor)
        keeping.keep(appointment_id=kept.pk, by=doctor)
        self.give_up(saturday_noon)
        keeping.undo(appointment_id=kept.pk, by=doctor)
        assert said_by_phone(agent) == [["cancelled"]]
        assert not broken()

    @pytest.mark.parametrize("is_told_first", [False, True])
    def test_what_else_the_sms_said_is_not_forgotten(
        self, doctor, agent, saturday_noon, is_told_first
    ):
        _cancelled, kept = with_an_sms_of_unknown_fate(doctor, acts=2)
        keeping.keep(appointment_id=kept.pk, by=doctor)
        assert said_by_phone(agent) == [["maintained"]]
        if is_told_first:
            keeping.contacted(appointment_id=kept.pk, by=doctor)
        self.give_up(saturday_noon)
        assert said_by_phone(agent) == [
            ["cancelled"] if is_told_first else ["cancelled", "maintained"]
        ]
        assert not broken()
        rulings.rule_on(appointment_ids=[kept.pk])
        assert said_by_phone(agent) == [
            ["cancelled"] if is_told_first else ["cancelled", "maintained"]
        ]
