"""People and appointments that many of these tests are about; ``doctor`` is for all tests."""

import pytest

from appointments.models import Appointment
from staff.models import User
from tests.appointments.bulletins.builders import in_force
from tests.appointments.operations.builders import an_operation
from tests.builders import a_user, an_appointment


@pytest.fixture
def director() -> User:
    """Return a Medical Director of the whole group."""
    return a_user("directeur", "medical_director")


@pytest.fixture
def consultation(doctor: User) -> Appointment:
    """Return a consultation of the doctor that the bulletin cancels."""
    made = an_appointment(practitioner=doctor.practitioner)
    in_force()
    made.refresh_from_db()
    return made


@pytest.fixture
def operation() -> Appointment:
    """Return an operation at Arlon that waits for a ruling."""
    made = an_operation()
    in_force()
    return made
