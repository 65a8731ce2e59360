"""A Celery worker in a process of its own, for as long as the demonstration needs it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from staff.errors import Refusal

_COMMAND = (
    *(sys.executable, "-m", "celery", "--quiet", "--app", "vivalia_continuity", "worker"),
    *("--beat", "--concurrency", "2", "--loglevel", "warning"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
_PATIENCE_TO_END = 15.0


@contextmanager
def running_worker(log: Path) -> Iterator[None]:
    """Run a worker with its beat; what it says goes to ``log``."""
    with (
        log.open("w") as said,
        subprocess.Popen(  # noqa: S603 - our own command line
            _COMMAND, cwd=settings.BASE_DIR, stdout=said, stderr=said, stdin=subprocess.DEVNULL
        ) as worker,
    ):
        try:
            yield
        finally:
            worker.terminate()
            try:
                worker.wait(_PATIENCE_TO_END)
            except subprocess.TimeoutExpired:
                worker.kill()


def wait_for(is_done: Callable[[], bool], *, patience: float, what: str) -> float:
    """Wait until something is done and return how many seconds that took.

    Raises:
        Refusal: it was not done within ``patience`` seconds.
    """
    started = time.monotonic()
    while not is_done():
        if time.monotonic() - started > patience:
            raise Refusal(f"{what} n'est pas terminé après {patience:.0f} secondes.")
        time.sleep(0.2)
    return time.monotonic() - started
