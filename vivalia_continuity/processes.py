"""Keeps a few child processes running together: all up, or all down.

Each child leads its own process group, so that Ctrl-C reaches only the supervisor and stopping
reaches grandchildren too. On Linux the kernel ends the children even when the supervisor itself
is killed (prctl(2), PR_SET_PDEATHSIG).
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType

STEADY_SECONDS = 60.0  # a child that ran so long restarts at once
LONGEST_WAIT_SECONDS = 30.0
_TICK_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class ManagedProcess:
    """One process to keep running: its name for people and its command line."""

    name: str
    command: tuple[str, ...]


class _Child:
    """A process to keep running, and the system's process that runs it now."""

    def __init__(
        self, part: ManagedProcess, *, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.part = part
        self._folder = folder
        self._environment = environment
        self.failures = 0
        self.start_at: float | None = None
        self.start()

    def start(self) -> None:
        supervisor = os.getpid()
        self.start_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own command lines
            self.part.command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _die_with(supervisor),  # noqa: PLW1509 - no threads here
        )

    def stop(self, patience: float) -> None:
        """Wait for the leader, which was asked to end, then end what is left of its group."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(patience, 0))
        # macOS says "not permitted" of a group that is only a zombie.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Starts the parts, restarts one that dies, stops all on SIGINT, SIGTERM, SIGHUP.

    Args:
        parts: the processes to keep running.
        folder: the working directory of the children.
        environment: their environment.
        say: called with one French sentence per event.
        first_wait: seconds before a part that died is restarted; doubles each time.
        grace: seconds for a child to finish its work before SIGKILL.
    """

    def __init__(
        self,
        parts: list[ManagedProcess],
        *,
        folder: Path,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        first_wait: float = 1.0,
        grace: float = 20.0,
    ) -> None:
        self._parts = parts
        self._folder = folder
        self._environment = environment
        self._say = say
        self._first_wait = first_wait
        self._grace = grace
        self._stop = Event()
        self._children: list[_Child] = []

    def run(self, when_started: Callable[[Event], None] = lambda stop: None) -> None:
        """Keep the parts running until a signal comes.

        Args:
            when_started: called once after all parts were started, with the event that a
                signal sets.
        """
        names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {name: signal.signal(name, self._ask_to_stop) for name in names}
        try:
            for part in self._parts:
                self._children.append(
                    _Child(part, folder=self._folder, environment=self._environment)
                )
            when_started(self._stop)
            while not self._stop.wait(_TICK_SECONDS):
                for child in self._children:
                    self._look_after(child)
        finally:
            self._stop_all()
            for name, handler in before.items():
                signal.signal(name, handler)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _look_after(self, child: _Child) -> None:
        if child.start_at is not None:
            if time.monotonic() >= child.start_at:
                child.start()
            return
        code = child.process.poll()
        if code is None:
            return
        child.stop(0)  # its orphans, if any
        lived = time.monotonic() - child.started_at
        child.failures = 1 if lived >= STEADY_SECONDS else child.failures + 1
        wait = min(self._first_wait * 2 ** (child.failures - 1), LONGEST_WAIT_SECONDS)
        child.start_at = time.monotonic() + wait
        self._say(f"{child.part.name} : arrêt inattendu ({code}), redémarrage dans {wait:.0f} s.")

    def _stop_all(self) -> None:
        for child in self._children:
            # Only the leader: it lets the others of its group finish their work.
            child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        for child in self._children:
            child.stop(deadline - time.monotonic())


def _die_with(supervisor: int) -> None:
    """In the child, before exec: end when the supervisor ends, however it ends."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:  # it ended in between
        os._exit(1)
