"""Decisions that differ from what is shown, or spare no emergency, are found."""

import pytest

from appointments.models import Appointment, Decision
from tests.vivalia_continuity.promises.day import faults
from tests.vivalia_continuity.unguarded import break_by

pytestmark = pytest.mark.django_db


def test_a_cancelled_emergency_is_found_in_the_appointment_and_in_its_decisions(day):
    pk = day["emergency"].pk
    break_by(Appointment, "UPDATE {table} SET outcome = 'cancelled' WHERE id = %s", pk)
    break_by(Decision, "UPDATE {table} SET outcome = 'cancelled' WHERE appointment_id = %s", pk)
    assert len(faults(7)) == 2
