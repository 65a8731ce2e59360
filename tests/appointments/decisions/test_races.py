"""Two people, or a person and a worker, at the same moment: real transactions on PostgreSQL."""

import pytest
import time_machine

from appointments.bulletins import services as bulletins
from appointments.decisions import keeping
from appointments.models import Appointment, Decision
from notifications.gateways.console import from_url
from notifications.lifecycle import delivery_states
from notifications.models import Delivery, Notice
from notifications.sending.handover import hand_over
from staff.models import User
from tests.appointments.bulletins.builders import SATURDAY_NOON, a_draft, in_force
from tests.builders import a_patient, a_practitioner, a_user, an_appointment, at
from tests.together import together

# SQLite has no row locks: its writers wait for each other anyway.
pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
SUNDAY_EVENING = at("2022-05-15 18:00")  # the release, and the last moment to keep


@pytest.fixture(autouse=True)
def sunday_evening():
    """Freeze the moment when SMS go and doctors may still keep."""
    with time_machine.travel(SUNDAY_EVENING, tick=False):
        yield


def send(name: str = "worker-1") -> None:
    """Hand over whatever is due, as a worker does, up to the moment before the network."""
    delivery_states.promote()
    ids = delivery_states.claim(worker=name, limit=500)
    hand_over(ids=ids, worker=name, gateway=from_url("console://"))


def cancelled_consultations(doctor: User, count: int) -> list[Appointment]:
    """Return consultations of the doctor whose cancelling SMS are due now."""
    made = [an_appointment(practitioner=doctor.practitioner) for _ in range(count)]
    with time_machine.travel(SATURDAY_NOON, tick=False):
        in_force()
    return made


def said(appointment: Appointment) -> list[tuple[str, str, bool]]:
    """Return (state, word, handed over) of the patient's notices."""
    notices = Notice.objects.filter(patient=appointment.patient_id).order_by("version")
    return [
        (notice.state, notice.items.get().word, notice.handed_over_at is not None)
        for notice in notices
    ]


KEPT_FIRST = [("withdrawn", "cancelled", False), ("open", "maintained", False)]
SENT_FIRST = [("open", "cancelled", True), ("open", "maintained", False)]


def test_kept_first_then_nothing_is_sent(doctor):
    (appointment,) = cancelled_consultations(doctor, 1)
    keeping.keep(appointment_id=appointment.pk, by=doctor)
    send()
    assert said(appointment) == KEPT_FIRST
    assert not Delivery.objects.filter(state="submitting").exists()


def test_sent_first_then_the_patient_is_called_that_it_is_maintained(doctor):
    (appointment,) = cancelled_consultations(doctor, 1)
    send()
    keeping.keep(appointment_id=appointment.pk, by=doctor)
    assert said(appointment) == SENT_FIRST
    assert Delivery.objects.get(notice__handed_over_at=None).channel == "phone"


def test_keep_against_send_ends_in_one_of_the_two_orders(doctor):
    appointments = cancelled_consultations(doctor, 12)

    def keep_all() -> None:
        for appointment in appointments:
            keeping.keep(appointment_id=appointment.pk, by=doctor)

    assert together(keep_all, send, lambda: send("worker-2")) == [None, None, None]
    for appointment in appointments:
        assert said(appointment) in (KEPT_FIRST, SENT_FIRST)


def test_two_approvals_at_once_apply_once():
    patients = [a_patient() for _ in range(20)]
    for patient in patients:
        an_appointment(patient=patient)
    draft = a_draft()
    by = [a_user(name, "crisis_cell") for name in ("crise2", "crise3")]
    results = together(
        *(lambda user=user: bulletins.approve(bulletin_id=draft.pk, by=user) for user in by)
    )
    assert [type(result) for result in results] == [type(draft)] * 2
    assert Decision.objects.count() == len(patients)
    assert Notice.objects.count() == len(patients)


def test_two_doctors_keep_the_same_patient_at_once(doctor):
    colleague = a_user("collegue", "doctor")
    a_practitioner("dr-2", user=colleague)
    patient = a_patient()
    first = an_appointment(patient=patient, practitioner=doctor.practitioner)
    second = an_appointment(
        patient=patient, practitioner=colleague.practitioner, starts="2022-05-16 11:00"
    )
    with time_machine.travel(SATURDAY_NOON, tick=False):
        in_force()
    results = together(
        lambda: keeping.keep(appointment_id=first.pk, by=doctor),
        lambda: keeping.keep(appointment_id=second.pk, by=colleague),
    )
    assert [type(result) for result in results] == [Decision, Decision]
    pending = Notice.objects.get(patient=patient, state="open")
    assert sorted(pending.items.values_list("word", flat=True)) == ["maintained", "maintained"]


def test_keeping_while_a_new_bulletin_is_applied_loses_neither(doctor):
    appointments = cancelled_consultations(doctor, 8)
    with time_machine.travel(SATURDAY_NOON, tick=False):
        draft = a_draft()
    approver = User.objects.get(username="crise2")

    def keep_all() -> None:
        for appointment in appointments:
            keeping.keep(appointment_id=appointment.pk, by=doctor)

    results = together(keep_all, lambda: bulletins.approve(bulletin_id=draft.pk, by=approver))
    assert not [result for result in results if isinstance(result, Exception)]
    for appointment in appointments:
        appointment.refresh_from_db()
        assert (appointment.outcome, appointment.outcome_basis) == ("maintained", "person")
        pending = Notice.objects.get(patient=appointment.patient_id, state="open")
        assert pending.items.get().word == "maintained"
