"""Processor time, by process: what is left to win where nothing is waited for (proc(5), Linux)."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from django.db import connection

_TICKS = os.sysconf("SC_CLK_TCK")


def spent_on(work: Callable[[], object], *, peer: int) -> Mapping[str, float]:
    """Return the seconds of processor time that each side spent on something.

    Args:
        work: is called once.
        peer: number of the gateway's process.
    """
    before = _spent(peer)
    work()
    after = _spent(peer)
    # A server process that ended meanwhile is not counted: its share is a little too small.
    return {side: after[side] - before[side] for side in before}


def _spent(peer: int) -> dict[str, float]:
    return {
        "client": _seconds(os.getpid()),
        "gateway": _seconds(peer),
        "database": sum(map(_seconds, _servers())),
    }


def _servers() -> Iterator[int]:
    """Yield the processes of the database server; SQLite has none."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    postmaster = _parent(backend)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _parent(int(folder.name)) == postmaster:
            yield int(folder.name)


def _parent(pid: int) -> int:
    return int(_fields(pid)[1])


def _seconds(pid: int) -> float:
    user, system = _fields(pid)[11:13]
    return (int(user) + int(system)) / _TICKS


def _fields(pid: int) -> list[str]:
    """Return what stands after the name of a process, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:  # it has just ended
        return ["", "0", *["0"] * 20]
