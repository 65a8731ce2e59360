"""The few words in which SQLite and PostgreSQL differ when a bench writes its rows itself."""

from collections.abc import Sequence

from django.core.management.color import no_style
from django.db import connection, models

from staff.database import is_postgresql


def run(statement: str) -> None:
    """Execute one statement; a percent sign in it stands for itself."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def last_id(model: type[models.Model], *, below: int | None = None) -> int:
    """Return the highest number of a table, of those below a limit; 0 where there is none."""
    rows = model.objects.all()  # type: ignore[attr-defined]
    rows = rows.filter(pk__lt=below) if below else rows
    return rows.aggregate(last=models.Max("pk"))["last"] or 0


def begin_numbers(model: type[models.Model], first: int) -> None:
    """Let the database number the rows of a table from ``first`` on."""
    table = model._meta.db_table
    if is_postgresql():
        run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {first}, FALSE)")
    else:
        run(f"DELETE FROM sqlite_sequence WHERE name = '{table}'")
        run(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {first - 1})")


def series(first: int, last: int) -> str:
    """Return the numbers ``i`` from ``first`` to ``last``, to be selected from."""
    if is_postgresql():
        return f"generate_series({first}::bigint, {last}::bigint) AS g(i)"
    return (
        f"(WITH RECURSIVE c(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM c WHERE i < {last})"
        " SELECT i FROM c) AS g"
    )


def moment(day: str, minutes: str) -> str:
    """Return the moment so many minutes after midnight (UTC) of a day, as Django stores it."""
    if is_postgresql():
        return f"(({day})::timestamp + ({minutes}) * INTERVAL '1 minute') AT TIME ZONE 'UTC'"
    return f"datetime({day}, ({minutes}) || ' minutes')"


def date(first: str, days: str) -> str:
    """Return the date so many days after ``first``, an ISO date."""
    if is_postgresql():
        return f"(DATE '{first}' + ({days})::int)"
    return f"date('{first}', ({days}) || ' days')"


def padded(number: str, width: int) -> str:
    """Return a number as text, with zeros in front."""
    if is_postgresql():
        return f"lpad(({number})::text, {width}, '0')"
    return f"printf('%0{width}d', {number})"


def boolean(value: bool) -> str:
    """Return a boolean as the database writes it."""
    if is_postgresql():
        return str(value).upper()
    return str(int(value))


def table(name: str, columns: str, rows: Sequence[tuple]) -> None:
    """Make a temporary table anew and fill it."""
    marks = ", ".join(["%s"] * len(rows[0]))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns})")
        cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
        cursor.execute(f"ANALYZE {name}" if is_postgresql() else "SELECT 1")


def insert(
    model: type[models.Model], values: dict[str, str], source: str, *, below: int | None = None
) -> None:
    """Write rows of a model: an SQL expression for each column, from a source.

    Args:
        model: of which table.
        values: expressions by column.
        source: from where, ``FROM …``.
        below: number the rows on from the last one below this number; else the database does.
    """
    if below:
        values = {"id": f"{last_id(model, below=below)} + ROW_NUMBER() OVER ()"} | values
    columns, expressions = ", ".join(values), ", ".join(values.values())
    run(f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {expressions} {source}")


def continue_numbers(*written: type[models.Model]) -> None:
    """Let the database number on after rows whose numbers were given (PostgreSQL)."""
    for statement in connection.ops.sequence_reset_sql(no_style(), list(written)):
        run(statement)


def settle() -> None:
    """Leave the tables as a server that runs for long has them.

    PostgreSQL gathers statistics and vacuums by itself. Nobody does so on SQLite, so the bench
    does not either.
    """
    if is_postgresql():
        run("VACUUM ANALYZE")
