"""The application as people run it, for browsers: real processes on a database of their own.

On SQLite that is ``manage.py serve`` on an empty ``DATA_DIR``. With ``TEST_DATABASE_URL`` it is
the server mode: a database of its own on that PostgreSQL, a Redis, and each process by itself.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from tests.processes import Redis, wait_until
from vivalia_continuity.management.commands.serve import parts

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = Path(__file__).resolve().parent / "output"
DEMO_DAY = "2022-05-14"


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RunningApp:
    """An installation that answers on ``url``.

    Args:
        folder: its DATA_DIR and its logs.
        environment: what else it is told.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self._processes: list[subprocess.Popen] = []
        ours = ("DATABASE_URL", "REDIS_URL", "DEMO_TODAY", "DJANGO_SETTINGS_MODULE")
        inherited = {key: value for key, value in os.environ.items() if key not in ours}
        self.environment = inherited | {
            "DATA_DIR": str(folder),
            "STATIC_ROOT": str(OUTPUT / "static"),  # gathered once, as long as nothing changes
            "DEMO_TODAY": DEMO_DAY,
            "SMS_GATEWAY_URL": "console://",
            **environment,
        }

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *command: str) -> str:
        """Run a Python command in this installation and return what it said.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def manage(self, *command: str) -> str:
        """Run a command of ``manage.py`` and return what it said."""
        return self.run("manage.py", *command)

    def start(self, *command: str) -> subprocess.Popen:
        """Start a process that runs until it is stopped."""
        with (self.folder / f"process-{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def wait_until_it_answers(self, port: int, seconds: float = 60.0) -> None:
        """Wait until the pages are served on a port."""
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/health/"), seconds=seconds)

    def second_web_server(self) -> tuple[str, subprocess.Popen]:
        """Start a web server that a test may stop; return its address and process."""
        port = free_port()
        process = self.start(*parts(port)[0].command)
        self.wait_until_it_answers(port)
        return f"http://127.0.0.1:{port}", process

    def stop(self, process: subprocess.Popen) -> None:
        """Stop a process and what it started."""
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def close(self) -> None:
        """Stop everything."""
        for process in reversed(self._processes):
            self.stop(process)

    def logs(self) -> str:
        """Return what the processes wrote."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("process-*.log")))


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status == 200
    return False


def running(folder: Path, **told: str) -> contextlib.AbstractContextManager[RunningApp]:
    """Run the application with real processes, embedded or, with a PostgreSQL, as a server.

    Args:
        folder: its DATA_DIR.
        **told: settings of its environment.
    """
    database_url = os.environ.get("TEST_DATABASE_URL")
    return server(folder, database_url, **told) if database_url else embedded(folder, **told)


@contextlib.contextmanager
def embedded(folder: Path, **told: str) -> Iterator[RunningApp]:
    """Run ``manage.py serve`` with the small hospital in it."""
    app = RunningApp(folder, told)
    with contextlib.closing(app):
        app.run("-m", "tests.browser.hospital")
        app.start(sys.executable, "manage.py", "serve", "--port", str(app.port))
        app.wait_until_it_answers(app.port)
        yield app


@contextlib.contextmanager
def server(folder: Path, database_url: str, **told: str) -> Iterator[RunningApp]:
    """Run the server mode with the small hospital in it."""
    redis = Redis(folder)
    with a_database(database_url, folder.name) as own_url, contextlib.ExitStack() as stack:
        redis.start()
        stack.callback(redis.stop)
        values = {
            "DATABASE_URL": own_url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "a key for tests, long enough for the server mode",
            "TRAIL_KEY": "one more key for tests, which signs the audit trail",
            "ALLOWED_HOSTS": "127.0.0.1",
            "BEHIND_TLS": "false",
            **told,
        }
        app = RunningApp(folder, values)
        with contextlib.closing(app):
            app.run("-m", "tests.browser.hospital")
            for part in parts(app.port):
                app.start(*part.command)
            app.wait_until_it_answers(app.port)
            yield app


@contextlib.contextmanager
def a_database(beside: str, purpose: str) -> Iterator[str]:
    """Make a database on the PostgreSQL that an address names; give its address."""
    name = f"test_browser_{os.getpid()}_{re.sub('[^a-z0-9]', '_', purpose.lower())}"[:60]
    head, _slash, tail = beside.rpartition("/")
    _old, question, options = tail.partition("?")
    with psycopg.connect(f"{head}/postgres{question}{options}", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{head}/{name}{question}{options}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
