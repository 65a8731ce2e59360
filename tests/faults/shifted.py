"""Run a module as if it were another time: ``-m tests.faults.shifted SECONDS -m MODULE ...``.

``SECONDS@FILE`` sets the clock by what is written into that file, once it is there.

The clock goes on as fast as the real one, so many seconds away from it; durations
(``time.monotonic``) are untouched, as they are when the clock of the hospital jumps.
"""

import datetime as dt
import runpy
import sys
import time
from pathlib import Path
from threading import Thread

import time_machine


def shifted(seconds: float) -> time_machine.travel:
    """Return what moves this process's clock, to be entered."""
    there = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return time_machine.travel(there, tick=True)


def _set_by(file: Path, clock: time_machine.Traveller) -> None:
    while not file.exists():
        time.sleep(0.05)
    clock.shift(float(file.read_text()))


def main(seconds: str, dash_m: str, module: str, *arguments: str) -> None:
    """Run a module under the shifted clock."""
    sys.argv = [module, *arguments]
    first, _at, file = seconds.partition("@")
    with shifted(float(first)) as clock:
        if file:
            Thread(target=_set_by, args=(Path(file), clock), daemon=True).start()
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
