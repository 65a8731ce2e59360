"""A PostgreSQL of one's own, which may be stopped at once and started again.

The test's connection is moved to it, as ``database_in_a_file`` does for SQLite.
"""

import contextlib
import copy
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
from django.core.management import call_command
from django.db import connections

from scripts import with_postgres
from tests.processes import wait_until


class Postgres:
    """A server below a folder; ``url`` goes into ``TEST_DATABASE_URL``.

    Unlike the one of the other tests it does not forget what it committed when it is stopped.

    Args:
        folder: short, for its socket lies there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen | None = None
        self._user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
        self._programs = _programs(folder, copied=self._user is not None) / "bin"
        if self._user:
            shutil.chown(folder, self._user)
        self.url = with_postgres.socket_url(folder)
        command = [self._programs / "initdb", "--pgdata", folder / "data", "--auth", "trust"]
        command += ["--username", with_postgres.SUPERUSER, "--encoding", "UTF8", "--no-sync"]
        made = subprocess.run(
            [*command, "--locale", "C.UTF-8"],
            user=self._user,
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = {"listen_addresses": "", "max_connections": "50", "timezone": "UTC"}
        command = [self._programs / "postgres", "-D", self._folder / "data", "-k", self._folder]
        command += [f"--{name}={value}" for name, value in options.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, user=self._user, cwd=self._folder, stdout=log, stderr=log
            )
        wait_until(self._answers)

    def stop_at_once(self) -> None:
        """Stop as ``pg_ctl -m immediate`` does: no goodbye, every connection broken off."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
            self._process = None

    def connect(self, database: str) -> psycopg.Connection:
        """Return a connection of one's own."""
        return psycopg.connect(
            host=str(self._folder), user=with_postgres.SUPERUSER, dbname=database, autocommit=True
        )

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self.connect("postgres"):
            return True
        return False


def _programs(folder: Path, *, copied: bool) -> Path:
    """Return the system's newest PostgreSQL, else the development wheel's."""
    versions = [path.parent.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if versions:
        return max(versions, key=lambda path: int(path.name))
    programs = with_postgres.installation()
    return with_postgres.copy_installation(programs, folder / "programs") if copied else programs


@contextlib.contextmanager
def a_server_of_its_own() -> Iterator[Postgres]:
    """Start a server, make the tables there, and move this thread's connection to it."""
    folder = Path(tempfile.mkdtemp(prefix="continuity-pg-", dir="/tmp"))
    server = Postgres(folder)
    before = connections["default"]
    try:
        server.start()
        with server.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {with_postgres.DATABASE}")
        settings = copy.deepcopy(before.settings_dict)
        connections["default"] = type(before)(
            settings | environ.Env.db_url_config(server.url), "default"
        )
        call_command("migrate", verbosity=0)
        yield server
    finally:
        connections["default"].close()
        connections["default"] = before
        server.stop_at_once()
        shutil.rmtree(folder, ignore_errors=True)
