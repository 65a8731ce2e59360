"""The operations that wait for a ruling, over all the days that the board counts."""

from django.db.models import QuerySet

from appointments.models import Appointment
from appointments.queries.operations import AWAITING, coming

BY_DAY = ("day", "unit__site__name", "unit__name", "urgency", "starts_at", "id")


def awaiting_ruling(operations: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Narrow ``operations_for`` to what nobody ruled on, from today on."""
    return coming(operations).filter(AWAITING)
