"""Killing at random what a supervisor starts again, while somebody keeps looking at the pages."""

import contextlib
import os
import random
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.processes import House, wait_until

Start = Callable[[], subprocess.Popen]


def a_seed() -> int:
    """Return ``FAULTS_SEED``, or a new one; printed, so that a failure can be repeated."""
    seed = int(os.environ.get("FAULTS_SEED", "0")) or random.randrange(1, 1_000_000)
    print(f"FAULTS_SEED={seed}")
    return seed


class Supervised:
    """Parts of a house that are started again as soon as they are killed, as systemd does.

    Args:
        house: whose processes they are.
        **parts: what starts each part.
    """

    def __init__(self, house: House, **parts: Start) -> None:
        self._house = house
        self._parts = parts
        self._running = {name: start() for name, start in parts.items()}
        self.killed: Counter[str] = Counter()

    def kill(self, name: str) -> None:
        """Kill a part, and start it again at once."""
        self._house.kill(self._running[name])
        self.killed[name] += 1
        self._running[name] = self._parts[name]()

    def kill_at_random(self, seed: int, *, moments: list[int], seen: Callable[[], int]) -> None:
        """Kill a part whenever ``seen`` has come to the next moment: each as often, in any order.

        Raises:
            AssertionError: a part ended by itself.
        """
        dice = random.Random(seed)
        names = list(self._parts) * (len(moments) // len(self._parts))
        dice.shuffle(names)
        for moment, name in zip(moments, names, strict=True):
            wait_until(lambda here=moment: seen() >= here)
            time.sleep(dice.uniform(0.0, 0.1))
            ended = [name for name, process in self._running.items() if process.poll() is not None]
            assert not ended
            self.kill(name)


class Visitor:
    """Somebody who asks for a page again and again, and notes every answer.

    Args:
        url: of the page.
        cookies: of a session, for pages behind the sign-in.
    """

    def __init__(self, url: str, cookies: str = "") -> None:
        self._request = urllib.request.Request(url, headers={"Cookie": cookies})
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self.answers: Counter[int] = Counter()
        self.slowest = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join(15)

    def _visit(self) -> None:
        while not self._stopped.wait(0.2):
            began = time.monotonic()
            # A killed server answers nothing; that is no answer, and none is counted.
            with contextlib.suppress(OSError):
                self.answers[status_of(self._request)] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)


def status_of(request: urllib.request.Request | str) -> int:
    """Return the status with which a page answers.

    Raises:
        OSError: nobody answers.
    """
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def answers(url: str) -> bool:
    """Whether a web server is there."""
    with contextlib.suppress(OSError):
        return status_of(url) == 200
    return False
