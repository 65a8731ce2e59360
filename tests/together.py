"""Several people or workers at the same moment."""

import threading
from collections.abc import Callable

from django.db import connections


def together(*actions: Callable[[], object]) -> list[object]:
    """Run actions in threads that start at once; return results or exceptions, in order."""
    gate = threading.Barrier(len(actions))
    results: list[object] = [None] * len(actions)

    def run(place: int, action: Callable[[], object]) -> None:
        gate.wait(timeout=10)
        try:
            results[place] = action()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "a deadlock"
    return results
