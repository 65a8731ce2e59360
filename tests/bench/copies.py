"""Two databases side by side: one as it is, and a copy of it that then grows."""

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from django.db import connections

from staff.database import is_postgresql


class Side:
    """A database; within ``with`` it is the one that everything asks.

    Args:
        name: of a file, or of a database of the same server.
    """

    def __init__(self, name: str) -> None:
        known = connections["default"]
        self.connection = type(known)(
            copy.deepcopy(known.settings_dict) | {"NAME": name}, "default"
        )

    def __enter__(self) -> None:
        self._other = connections["default"]
        connections["default"] = self.connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connections["default"] = self._other


@contextlib.contextmanager
def two_copies(folder: Path) -> Iterator[tuple[Side, Side]]:
    """Copy the test database twice, and forget the copies afterwards.

    On SQLite they are files, as the database is when the application runs.
    """
    sides = (Side(_copied("small", folder)), Side(_copied("large", folder)))
    try:
        yield sides
    finally:
        for side in sides:
            side.connection.close()
            if is_postgresql():
                with connections["default"]._nodb_cursor() as cursor:
                    cursor.execute(f'DROP DATABASE "{side.connection.settings_dict["NAME"]}"')


def _copied(name: str, folder: Path) -> str:
    original = connections["default"]
    if not is_postgresql():
        path = str(folder / f"{name}.sqlite3")
        with original.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [path])
        return path
    template = original.settings_dict["NAME"]
    original.close()  # a template must have no users
    with original._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{template}_{name}" TEMPLATE "{template}"')
    return f"{template}_{name}"
