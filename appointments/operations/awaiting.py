"""The operations that wait for a ruling, over all the days that the board counts."""

from django.db.models import QuerySet

from appointments.models import Appointment
from appointments.operations.queries import AWAITING, DAY_REFUSED, coming
from staff import clock
from staff.lookups import numbers_of

BY_DAY = ("day", "unit__site__name", "unit__name", "urgency", "starts_at", "id")


def awaiting_ruling(operations: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Narrow ``operations_for`` to what waits for a word of the director, from today on.

    What nobody ruled on, and what was postponed to a day that does not suit the patient.
    """
    arms = coming(operations).filter(AWAITING), _refused(operations)
    return operations.filter(pk__in=numbers_of(*arms))


def days_refused(operations: QuerySet[Appointment]) -> int:
    """Return of how many operations the patient cannot come on the day given instead."""
    return _refused(operations).count()


def _refused(operations: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return operations.filter(DAY_REFUSED, postponed_to__gte=clock.today())
