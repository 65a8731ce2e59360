"""Shared fixtures; plain builders live in ``tests/builders.py``."""

import gc
import os
from collections import deque
from collections.abc import Generator, Iterator

import pytest
import time_machine
from django.template import Context, Template
from django.utils import translation
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from staff.models import User
from tests.appointments.bulletins.builders import MONDAY_NOON, SATURDAY_NOON
from tests.builders import a_practitioner, a_user
from tests.triggers import take_away_triggers_against_emptying
from vivalia_continuity.celery import app

# How long an example takes says something of the machine, not of the code.
settings.register_profile("continuity", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("continuity")


# Seven thousand tests lie in memory for as long as the process runs. To look through them for what
# nobody needs any more, as often as Python does, takes a tenth of the time of a test.
gc.set_threshold(20_000, 20, 20)


def pytest_collection_finish() -> None:
    """Leave what was collected out of the search for garbage."""
    gc.freeze()


# What takes long to start, and is shared by the tests below: they all go to the same process.
TOGETHER = (
    "tests/browser/",
    "tests/vivalia_continuity/test_demo.py",
    "tests/vivalia_continuity/test_web_server.py",
)


# These mostly wait for processes that start and die, so others compute meanwhile.
WAITING = "tests/faults/"


class OneForAll(LoadScopeScheduling):
    """Gives every test by itself to whoever is free, except those that share something.

    Of three processes one begins with the tests that mostly wait. Left for the end they would wait
    in all processes at once; in several from the beginning, many processes would start at once.

    pytest-xdist's own mark for groups has no effect with pytest 9.2: it writes into node ids that
    are no longer read.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._waiting: deque[str] | None = None
        self._waiters: list[WorkerController] = []

    def _split_scope(self, nodeid: str) -> str:
        return next((shared for shared in TOGETHER if nodeid.startswith(shared)), nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self._waiting is None:
            self._waiting = deque(one for one in self.workqueue if one.startswith(WAITING))
            for scope in self._waiting:
                self.workqueue.move_to_end(scope)
        self._waiters = self._waiters or self.nodes[: max(1, self.numnodes // 3)]
        waits = next(iter(self._waiting), None)
        if waits and (node in self._waiters or waits == next(iter(self.workqueue))):
            self.workqueue.move_to_end(self._waiting.popleft(), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Distribute tests over processes."""
    return OneForAll(config, log)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Use one process more than there are cores: one that waits leaves its core to another."""
    return (yield) + 1


@pytest.fixture(scope="session", autouse=True)
def bell_in_memory() -> None:
    """Let rings of this process reach nobody; worker processes have brokers of their own."""
    app.conf.broker_url = app.conf.broker_write_url = "memory://"


@pytest.fixture(scope="session", autouse=True)
def pages_remembered_once(django_test_environment: None) -> None:
    """Let an answer remember the context of its page, and no copy for each part of the page.

    Django copies it for every template that a page includes: a tenth of the time of such tests.
    """
    remember = Template._render

    def render(template: Template, context: Context) -> str:
        if context.template is template:
            return remember(template, context)
        return template.nodelist.render(context)

    Template._render = render


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    """Make the test database, whose tables can be emptied between tests."""
    with django_db_blocker.unblock():
        take_away_triggers_against_emptying()


@pytest.fixture(autouse=True)
def language_of_the_house() -> None:
    """Begin in French: a request leaves the language of its reader behind in the thread."""
    translation.deactivate()


@pytest.fixture
def saturday_noon() -> Iterator[time_machine.Traveller]:
    """Freeze time on the day of the bulletin; move it with ``saturday_noon.move_to``."""
    with time_machine.travel(SATURDAY_NOON, tick=False) as moment:
        yield moment


@pytest.fixture
def monday_noon() -> Iterator[time_machine.Traveller]:
    """Freeze time on the day that the bulletin rules."""
    with time_machine.travel(MONDAY_NOON, tick=False) as moment:
        yield moment


@pytest.fixture
def doctor(db) -> User:
    """Return a doctor with a sign-in and an agenda."""
    user = a_user("docteur", "doctor")
    a_practitioner("dr-1", user=user)
    return user


# Their tests start processes of the application, which use a database by themselves.
START_PROCESSES = ("tests/browser/", "tests/faults/")
DATABASE_FIXTURES = {"db", "transactional_db"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this pass need not run (``make test`` runs one on each database).

    What needs the other database is skipped. What needs no database at all runs in the pass on
    SQLite only.
    """
    on_postgresql = bool(os.environ.get("TEST_DATABASE_URL"))
    needless = "sqlite" if on_postgresql else "postgresql"
    reason = f"needs {'SQLite' if on_postgresql else 'PostgreSQL: set TEST_DATABASE_URL'}"
    for item in items:
        if item.get_closest_marker(needless):
            item.add_marker(pytest.mark.skip(reason=reason))
    if on_postgresql:
        config.hook.pytest_deselected(items=[one for one in items if not _uses_a_database(one)])
        items[:] = [one for one in items if _uses_a_database(one)]


def _uses_a_database(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("postgresql")
    asks = DATABASE_FIXTURES & set(getattr(item, "fixturenames", ()))
    return bool(marked or asks) or item.nodeid.startswith(START_PROCESSES)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI (``CI_NO_SKIPS``) a skipped test is a failure: there, everything can run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI_NO_SKIPS") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
