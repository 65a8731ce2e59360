"""What the all-in-one mode makes ready before its processes start."""

import errno
import fcntl
import hashlib
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import IO

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import transaction

from staff.errors import Refusal
from staff.models import Site
from vivalia_continuity.environment import DRILL_MARKER

HOST = "127.0.0.1"
DEMO_DAY = "2022-05-14"


def check_port(port: int) -> None:
    """Refuse a port on which nothing can be started.

    Raises:
        Refusal: it is taken, or needs rights that this account lacks.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise Refusal(
                f"Le port {port} est réservé au système : choisissez-en un autre, par exemple "
                "--port 8000."
            ) from error
        except OverflowError as error:
            raise Refusal("Un port est un nombre de 1 à 65535.") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Refusal(
                f"Le port {port} est déjà pris : arrêtez ce qui l'occupe ou choisissez-en un "
                f"autre, par exemple --port {port + 1}."
            ) from error


def make_folders() -> None:
    """Make the folders of the data, the broker and the stored files."""
    folders = (settings.DATA_DIR, settings.BROKER_DIR, settings.BROKER_DIR / "control")
    for folder in (*folders, settings.MEDIA_ROOT, settings.STATIC_ROOT):
        Path(folder).mkdir(parents=True, exist_ok=True)


def take_data_dir() -> IO[str]:
    """Return the lock of the data directory, held until the file is closed.

    Raises:
        Refusal: another ``serve`` runs on it.
    """
    lock = (settings.DATA_DIR / "serve.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise Refusal(
            f"L'application tourne déjà sur {settings.DATA_DIR} : arrêtez-la d'abord, ou "
            "choisissez un autre DATA_DIR."
        ) from error
    return lock


def make_database() -> None:
    """Bring the database to this version."""
    call_command("migrate", interactive=False, verbosity=0)


def gather_static_files() -> None:
    """Gather what pages load, if it changed."""
    stamp = Path(settings.STATIC_ROOT) / ".gathered"
    found = _digest_of_static_files()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != found:
        call_command("collectstatic", interactive=False, verbosity=0)  # compresses: ten seconds
        stamp.write_text(found, encoding="utf-8")


def _digest_of_static_files() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            changed = storage.get_modified_time(path).isoformat()
            digest.update(f"{path} {storage.size(path)} {changed}\n".encode())
    return digest.hexdigest()


def mark_as_drill() -> bool:
    """Make an empty data directory a drill for good; return whether the settings must be read anew.

    Raises:
        Refusal: the directory holds a real hospital.
    """
    marker = settings.DATA_DIR / DRILL_MARKER
    if marker.exists():
        return False
    if Site.objects.exists():
        raise Refusal(
            f"{settings.DATA_DIR} contient déjà un hôpital réel : la démonstration ne se charge "
            "que dans un dossier vide. Choisissez un autre DATA_DIR."
        )
    marker.write_text(settings.DEMO_TODAY or DEMO_DAY, encoding="utf-8")
    return not settings.DEMO_TODAY


def load_demo_once(say: Callable[[str], None]) -> None:
    """Load the demo hospital, whole or not at all, into a database without a site."""
    from appointments.demo.loading import load_demo  # heavy, and only needed here

    if not Site.objects.exists():
        with transaction.atomic():
            load_demo(report=say)


def wait_until_open(port: int, stop: Event, *, patience: float = 60.0) -> bool:
    """Return whether the port answers before ``stop`` is set or ``patience`` seconds passed."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return True
        except OSError:
            if stop.wait(0.2):
                return False
    return False
