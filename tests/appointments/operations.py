"""Operations, for tests."""

from appointments.models import Appointment
from tests.builders import a_unit, an_appointment


def an_operation(theatre: str = "arlon-bloc", **fields) -> Appointment:
    """Return an operation in the theatre with this code, made on first use."""
    unit = a_unit(theatre, kind="operating_theatre")
    return an_appointment(service="surgery", unit=unit, **fields)
