"""The few differences between SQLite and PostgreSQL in raw SQL."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

NAMES = 20220516  # the first key of advisory locks by name
RULINGS = 20220514  # advisory lock: applying rulings, or changing one appointment


def is_postgresql() -> bool:
    """Whether the default database is PostgreSQL."""
    return connection.vendor == "postgresql"


def as_parameter(moment: dt.datetime) -> Any:
    """Return an aware moment in the database's own form."""
    return connection.ops.adapt_datetimefield_value(moment)


def as_date(value: dt.date | str) -> dt.date:
    """Return a date of a raw row, which SQLite may give as text."""
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)


def as_moment(value: dt.datetime | str) -> dt.datetime:
    """Return an aware moment of a raw row, which SQLite gives in UTC, as text or naive."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def earlier(moment: str, seconds: float) -> str:
    """Return SQL for a moment so many seconds before another; written as Django stores it.

    Args:
        moment: an SQL expression that gives a moment.
        seconds: how long before, to the whole second.
    """
    if is_postgresql():
        return f"({moment} - INTERVAL '{int(seconds)} seconds')"
    return f"datetime({moment}, '-{int(seconds)} seconds')"


def is_one_of(column: str) -> str:
    """Return an SQL condition with one parameter, ``as_list(values)``, for any number of values."""
    if is_postgresql():
        return f"{column} = ANY(%s)"
    return f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608  # our own columns


def as_list(values: Iterable[int] | Iterable[str]) -> Any:
    """Return the parameter of ``is_one_of``."""
    found = list(values)
    if not is_postgresql():
        return json.dumps(found)
    # The literal of an array (PostgreSQL, section 8.15.2): quoting each value by itself costs more.
    return f"{{{','.join(map(_array_element, found))}}}"


def _array_element(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def json_rows(**columns: str) -> str:
    """Return SQL for a table ``r`` with these columns, read from one parameter, a JSON text.

    Args:
        **columns: name to its type on PostgreSQL.
    """
    if is_postgresql():  # one text, which costs a tenth of quoting each value by itself
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"json_to_recordset(%s::json) AS r ({declared})"
    read = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"(SELECT {read} FROM json_each(%s)) AS r"  # noqa: S608  # our own names


def among(column: str, values: Iterable[int] | Iterable[str]) -> Q:
    """Return the filter for rows whose column holds one of the values, as one parameter.

    Binding thousands of values one by one would cost more than finding their rows.

    Args:
        column: of the one table of the query.
        values: any number of them.
    """
    found: list[Any] = list(values)
    if not found:
        return Q(pk__in=())
    is_among = RawSQL(is_one_of(column), [as_list(found)], output_field=BooleanField())  # noqa: S611  # our own columns
    return Q(is_among)


def lock_rulings(*, shared: bool) -> None:
    """Hold the lock of rulings until the transaction ends.

    Applying a bulletin or loading a file takes it exclusively; deciding about one appointment
    shares it. SQLite writers already exclude each other (BEGIN IMMEDIATE).
    """
    if is_postgresql():
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [RULINGS])  # noqa: S608


def lock_name(name: str) -> None:
    """Hold a lock of this name until the transaction ends; SQLite has one writer anyway."""
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [NAMES, name])


@contextmanager
def temporary_tables(**columns: str) -> Iterator[CursorWrapper]:
    """Give a cursor with fresh temporary tables, and drop them afterwards.

    Args:
        **columns: table name to its column definitions.
    """
    with connection.cursor() as cursor:
        for name, definition in columns.items():
            cursor.execute(f"CREATE TEMPORARY TABLE {name} ({definition})")
        try:
            yield cursor
        finally:
            # After an error PostgreSQL refuses every statement; its rollback drops them anyway.
            if not connection.needs_rollback and connection.is_usable():
                for name in columns:
                    cursor.execute(f"DROP TABLE {name}")


def analyze(cursor: CursorWrapper, table: str) -> None:
    """Tell PostgreSQL's planner how large a temporary table is; SQLite does without."""
    if is_postgresql():
        cursor.execute(f"ANALYZE {table}")
