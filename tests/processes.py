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
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.db import connections
from kombu import Connection

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
    """An installation of its own: environment, broker and workers.

    Args:
        folder: its DATA_DIR, where the broker and the logs lie too.
        environment: what points it to the database and the gateway.
        redis: its broker; the file system without one.
    """

    def __init__(self, folder: Path, environment: dict[str, str], redis: "Redis | None") -> None:
        self.folder = folder
        self.broker = folder / "broker"
        (self.broker / "control").mkdir(parents=True, exist_ok=True)
        self.redis = redis
        self._workers: list[subprocess.Popen] = []
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATA_DIR": str(folder),
            "REDIS_URL": redis.url if redis else "",
            **environment,
        }

    def start_worker(self, *, beat: bool = False) -> subprocess.Popen:
        """Start a Celery worker, with beat if asked, and return its process."""
        number = len(self._workers) + 1
        command = [sys.executable, "-m", "celery", "-A", "vivalia_continuity", "worker"]
        command += ["--pool", "solo", "--hostname", f"w{number}@%h", "--without-mingle"]
        command += ["--without-gossip", "--loglevel", "INFO"]
        if beat:
            command += ["--beat", "--schedule", str(self.folder / f"schedule-{number}")]
        with (self.folder / f"worker-{number}.log").open("wb") as log:
            worker = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._workers.append(worker)
        return worker

    def wait_until_ready(self) -> None:
        """Wait until every worker started so far listens."""
        logs = [self.folder / f"worker-{place}.log" for place in range(1, len(self._workers) + 1)]
        wait_until(lambda: all(" ready." in log.read_text() for log in logs))

    def ring(self, task: str) -> None:
        """Put a task into this house's broker."""
        with self._connection() as connection:
            current_app.send_task(task, connection=connection)

    def empty_broker(self) -> None:
        """Lose everything that waits in the broker."""
        if self.redis:
            with self._connection() as connection:
                connection.default_channel.client.flushall()  # type: ignore[attr-defined]
        for message in self.broker.glob("*.msg"):
            message.unlink()

    def _connection(self) -> Connection:
        if self.redis:
            return Connection(self.redis.url)
        folders = {"data_folder_in": str(self.broker), "data_folder_out": str(self.broker)}
        control = {"control_folder": str(self.broker / "control")}
        return Connection("folder://localhost", transport_options=folders | control)

    def kill(self, worker: subprocess.Popen) -> None:
        """Kill a worker and all that it started, as a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(10)

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            self.kill(worker)

    def logs(self) -> str:
        """Return what the workers wrote."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("worker-*.log")))


@contextlib.contextmanager
def database_in_a_file(path: Path) -> Iterator[None]:
    """Copy SQLite's test database into a file, and move this thread's connection there."""
    in_memory = connections["default"]
    with in_memory.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    settings = copy.deepcopy(in_memory.settings_dict) | {"NAME": str(path)}
    connections["default"] = type(in_memory)(settings, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = in_memory


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
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
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
