"""Break the data as a bad restore or an intruder would: round the constraints and triggers."""

from django.db import connection
from django.db.models import Model


def break_by(model: type[Model], statement: str, *values: object) -> None:
    """Run SQL on a table that was first replaced by a bare copy of itself.

    Ends with the test's transaction. ``{table}`` in the statement is the table's name.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no check may wait for an ALTER
        if f"{table}_guarded" not in connection.introspection.table_names(cursor):
            cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_guarded")
            cursor.execute(f"CREATE TABLE {table} AS SELECT * FROM {table}_guarded")
        cursor.execute(statement.format(table=table), values)


def copy_row(model: type[Model], pk: int, **changes: object) -> None:
    """Insert a copy of a row, with another number and some columns changed."""
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    picked = ", ".join("%s" if column in changes else column for column in columns)
    values = [changes[column] for column in columns if column in changes]
    break_by(
        model,
        f"INSERT INTO {{table}} (id, {', '.join(columns)}) "
        f"SELECT id + 100000, {picked} FROM {{table}} WHERE id = %s",
        *values,
        pk,
    )
