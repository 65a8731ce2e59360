"""Fixtures of the tests that break the data of a sound day."""

import pytest
import time_machine

from tests.appointments.bulletins import SATURDAY_NOON
from tests.vivalia_continuity.promises.day import a_day


@pytest.fixture
def day(db):
    """Stand on the Saturday of the bulletin, with everybody having done their part."""
    with time_machine.travel(SATURDAY_NOON, tick=False):
        yield a_day()
