"""Time stands on the Sunday before the day that most notices are about."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client

from notifications.receipts import receive as receiving
from notifications.texts import render as texts
from staff.models import Role, User
from tests.builders import a_user
from tests.notifications.builders import SUNDAY
from tests.notifications.texts.pages import browser_of


@pytest.fixture
def sunday() -> Iterator[time_machine.Traveller]:
    """Freeze time on Sunday 15 May 2022, 9:00; move it with ``sunday.move_to``."""
    with time_machine.travel(SUNDAY, tick=False) as moment:
        yield moment


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    texts.forget()
    receiving.forget()


@pytest.fixture
def agent() -> User:
    """A call agent of the whole group."""
    return a_user("agent", "call_agent")


@pytest.fixture
def chief() -> User:
    """A member of the crisis cell."""
    return a_user("chief", "crisis_cell")


@pytest.fixture
def crisis_cell() -> User:
    """Who edits the texts."""
    return a_user("claire", Role.CRISIS_CELL)


@pytest.fixture
def browser(crisis_cell) -> Client:
    """The browser of whoever edits the texts."""
    return browser_of(crisis_cell)


@pytest.fixture
def every_role() -> dict[str, User]:
    """One person per role, for the whole group."""
    return {role.value: a_user(role.value, role.value) for role in Role}
