"""Fixtures of the tests that break the data of a sound day."""

import pytest

from tests.vivalia_continuity.promises.day import a_day


@pytest.fixture
def day(db, saturday_noon):
    """Stand on the Saturday of the bulletin, with everybody having done their part."""
    return a_day()
