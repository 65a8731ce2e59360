"""Operations, for tests."""

import datetime as dt

from appointments.models import Appointment, Decision
from staff.models import User
from tests.builders import a_unit, a_user, an_appointment, at


def an_operation(theatre: str = "arlon-bloc", **fields) -> Appointment:
    """Return an operation in the theatre with this code, made on first use."""
    unit = a_unit(theatre, kind="operating_theatre")
    return an_appointment(service="surgery", unit=unit, **fields)


def postponed(theatre: str = "arlon-bloc", *, to: dt.date, **fields) -> Appointment:
    """Return an operation that the director, made on first use, postponed to a day."""
    holds = {"outcome": "cancelled", "outcome_basis": "person", "decision_version": 1}
    operation = an_operation(theatre, postponed_to=to, **holds, **fields)
    director = User.objects.filter(username="direction").first()
    Decision.objects.create(
        appointment=operation,
        version=1,
        day=operation.day,
        outcome="cancelled",
        basis="person",
        postponed_to=to,
        decided_at=at("2022-05-14 17:00"),
        decided_by=director or a_user("direction", "medical_director"),
    )
    return operation
