"""What the source changes of an appointment it planned, as loading a file writes it."""

from typing import Any

from appointments.decisions import rulings
from appointments.models import Appointment
from staff import clock
from tests.builders import at


def changes(appointment: Appointment, **fields: Any) -> None:
    """Have the source change some of it; ``starts`` is a moment as text."""
    if starts := fields.pop("starts", None):
        moment = at(starts)
        fields |= {"starts_at": moment, "day": moment.date()}
        fields |= {"moved_from": appointment.starts_at, "moved_at": clock.now()}
    Appointment.objects.filter(pk=appointment.pk).update(loaded_at=clock.now(), **fields)
    rulings.rule_on(appointment_ids=[appointment.pk])
    appointment.refresh_from_db()
