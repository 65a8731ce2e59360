"""Real worker processes beside a test, on a database that both see.

On PostgreSQL that is pytest-django's own test database. On SQLite, whose test database lives
in memory, it is a copy of it in a file, to which the test's connection is moved as well.
"""

import contextlib
import copy
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.db import connections
from kombu import Connection

from vivalia_continuity.management.commands.serve import parts

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 60.0


def wait_until(condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it did not within so many seconds.
    """
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"waited {seconds} s in vain"
        time.sleep(0.05)


class House:
    """An installation of its own: environment, broker, workers, beat and web servers.

    Args:
        folder: its DATA_DIR, where the broker and the logs lie too.
        environment: what points it to the database and the gateway.
        redis: its broker; the file system without one.

    Attributes:
        through: what Python runs instead of a process's own command, which it is given.
    """

    through: tuple[str, ...] = ()

    def __init__(self, folder: Path, environment: dict[str, str], redis: "Redis | None") -> None:
        self.folder = folder
        self.broker = folder / "broker"
        (self.broker / "control").mkdir(parents=True, exist_ok=True)
        self.redis = redis
        self._started: list[tuple[subprocess.Popen, Path]] = []
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATA_DIR": str(folder),
            "REDIS_URL": redis.url if redis else "",
            # A quarter of the work of starting; ``manage.py check`` has tests of its own.
            "CELERY_SKIP_CHECKS": "1",
            **environment,
        }

    def start(self, kind: str, *command: str) -> subprocess.Popen:
        """Start one Python process of this house and return it; its log bears its kind."""
        path = self.folder / f"{kind}-{len(self._started) + 1}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *self.through, *command],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append((process, path))
        return process

    def start_worker(self, *, beat: bool = False) -> subprocess.Popen:
        """Start a Celery worker, with beat if asked, and return its process."""
        number = len(self._started) + 1
        options = ["--pool", "solo", "--hostname", f"w{number}@%h", "--without-mingle"]
        options += ["--without-gossip", "--loglevel", "INFO"]
        if beat:
            options += ["--beat", "--schedule", str(self.folder / f"schedule-{number}")]
        return self.start("worker", *self.celery, "worker", *options)

    def start_beat(self) -> subprocess.Popen:
        """Start beat by itself; the next one finds the schedule that this one leaves."""
        return self.start("beat", *self.celery, "beat", "--loglevel", "INFO", "--pidfile", "")

    def start_web(self, port: int) -> subprocess.Popen:
        """Start the web server as ``serve`` does, but with one process for the pages."""
        _python, *command = parts(port)[0].command
        return self.start("web", *command, "--workers", "1")

    @property
    def celery(self) -> tuple[str, ...]:
        """What stands before a command of Celery."""
        return ("-m", "celery", "-A", "vivalia_continuity")

    def wait_until_ready(self) -> None:
        """Wait until every worker that runs listens."""
        logs = [
            path
            for process, path in self._started
            if path.name.startswith("worker") and process.poll() is None
        ]
        wait_until(lambda: all(" ready." in log.read_text() for log in logs))

    def ring(self, task: str, **options: Any) -> None:
        """Put a task into this house's broker, with options of Celery's ``send_task``."""
        with self._connection() as connection:
            current_app.send_task(task, connection=connection, **options)

    def empty_broker(self) -> None:
        """Lose everything that waits in the broker."""
        if self.redis:
            with self._connection() as connection:
                connection.default_channel.client.flushall()  # type: ignore[attr-defined]
        for message in self.broker.glob("*.msg"):
            message.unlink(missing_ok=True)  # a worker may be faster

    def _connection(self) -> Connection:
        if self.redis:
            return Connection(self.redis.url)
        folders = {"data_folder_in": str(self.broker), "data_folder_out": str(self.broker)}
        control = {"control_folder": str(self.broker / "control")}
        return Connection("folder://localhost", transport_options=folders | control)

    def kill(self, process: subprocess.Popen) -> None:
        """Kill a process and all that it started, as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def close(self) -> None:
        """End all processes."""
        for process, _path in self._started:
            self.kill(process)

    def logs(self) -> str:
        """Return the last words of each process, in the order in which they were started."""
        return "\n".join(
            f"--- {path.stem}\n{path.read_text()[-2000:]}" for _, path in self._started
        )


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def database_in_a_file(path: Path) -> Iterator[None]:
    """Copy SQLite's test database into a file, for this thread and those that begin meanwhile."""
    in_memory = connections["default"]
    known = connections.settings["default"]
    with in_memory.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    settings = copy.deepcopy(in_memory.settings_dict) | {"NAME": str(path)}
    connections.settings["default"] = settings
    connections["default"] = type(in_memory)(settings, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = in_memory
        connections.settings["default"] = known


def url_of_test_database() -> str:
    """Return the address of pytest-django's database on PostgreSQL.

    Only the path differs from ``TEST_DATABASE_URL``: an embedded server's socket stands in the
    query, which Django's settings do not give back.
    """
    address = urlsplit(os.environ["TEST_DATABASE_URL"])
    return address._replace(path=f"/{connections['default'].settings_dict['NAME']}").geturl()


class Redis:
    """A Redis of one's own, without persistence; the test is skipped where there is none.

    Args:
        folder: where it runs.
    """

    def __init__(self, folder: Path) -> None:
        server = shutil.which("redis-server")
        if server is None:
            pytest.skip("needs redis-server")
        self._port = free_port()
        self._command = [server, "--port", str(self._port), "--bind", "127.0.0.1"]
        self._command += ["--save", "", "--dir", str(folder)]
        self._process: subprocess.Popen | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start, empty."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_until(lambda: _answers(self._port), seconds=10)

    def stop(self) -> None:
        """Stop; what it held is lost."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
