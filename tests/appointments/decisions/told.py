"""What holds for an appointment and what its patient is told, for tests."""

from appointments.models import Appointment
from notifications.models import Delivery, Notice
from tests.appointments.bulletins.builders import SATURDAY_NOON


def states(appointment: Appointment) -> list[tuple[str, str]]:
    """Return (state, what is said) of the patient's notices."""
    return list(
        Notice.objects.filter(patient=appointment.patient_id)
        .order_by("version")
        .values_list("state", "items__word")
    )


def outcome(appointment: Appointment) -> str:
    """Return what holds now."""
    appointment.refresh_from_db()
    return appointment.outcome


def notices(appointment: Appointment) -> list[str]:
    """Return the states of the patient's notices, oldest first."""
    return list(
        Notice.objects.filter(patient=appointment.patient_id)
        .order_by("day", "version")
        .values_list("state", flat=True)
    )


def hand_over(appointment: Appointment, state: str = "told") -> None:
    """Have the patient's pending notice told."""
    Notice.objects.filter(patient=appointment.patient_id, state="open").update(
        state=state, handed_over_at=SATURDAY_NOON, settled_at=SATURDAY_NOON
    )
    Delivery.objects.filter(notice__patient=appointment.patient_id).update(state="delivered")
