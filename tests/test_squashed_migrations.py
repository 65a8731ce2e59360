"""The squashed migrations make what the migrations that they replace made.

A database of before the squash goes forward with nothing to do and keeps its rows.
"""

import re
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.appointments.bulletins.builders import in_force
from tests.builders import an_appointment
from tests.migrating import an_empty_database, migrate
from vivalia_continuity.health import health

OUR_APPS = ["appointments", "notifications", "patients", "staff"]
SOME_TABLES = (
    *("appointments_decision", "appointments_feed", "notifications_noticeitem"),
    *("patients_patient", "staff_auditevent", "staff_audithead"),
)

# What makes the schema of a PostgreSQL database, a text for each thing. The default of a column
# keeps the type that the column had when the default was set: the cast is left out.
POSTGRESQL = (
    """SELECT format('table %s %s %s', relkind, relname, reloptions)
         FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind <> 'i'""",
    """SELECT format('column %s.%s %s collation %s not null %s identity %s default %s',
              attrelid::regclass, attname, format_type(atttypid, atttypmod), attcollation,
              attnotnull, attidentity,
              regexp_replace(pg_get_expr(adbin, adrelid), '::[a-z ]+$', ''))
         FROM pg_attribute
         JOIN pg_class ON pg_class.oid = attrelid
         LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
          AND attnum > 0 AND NOT attisdropped""",
    """SELECT format('constraint %s of %s: %s', conname, conrelid::regclass,
              pg_get_constraintdef(oid))
         FROM pg_constraint WHERE connamespace = current_schema()::regnamespace""",
    """SELECT pg_get_indexdef(indexrelid)
         FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE relnamespace = current_schema()::regnamespace""",
    """SELECT format('%s enabled %s', pg_get_triggerdef(pg_trigger.oid), tgenabled)
         FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal""",
    """SELECT pg_get_functiondef(oid)
         FROM pg_proc WHERE pronamespace = current_schema()::regnamespace""",
)


def schema() -> set[str]:
    """Return a text for each table, column, constraint, index, trigger and function."""
    return set(schema_of_sqlite() if connection.vendor == "sqlite" else schema_of_postgresql())


def schema_of_postgresql() -> Iterator[str]:
    """Yield what the catalogue says."""
    with connection.cursor() as cursor:
        for query in POSTGRESQL:
            cursor.execute(query)
            yield from (text for (text,) in cursor.fetchall())


def schema_of_sqlite() -> Iterator[str]:
    """Yield the statements that SQLite keeps; of a table, each column and constraint by itself.

    Their order tells nothing: SQLite makes a table anew to alter a column, which then stands last.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
        for kind, name, table, sql in cursor.fetchall():
            text = " ".join((sql or "").split())
            parts = parts_of_a_table(text) if kind == "table" else [text]
            yield from (f"{kind} {name} of {table}: {part}" for part in parts)


def parts_of_a_table(sql: str) -> list[str]:
    """Split the columns and constraints of ``CREATE TABLE`` at the commas outside brackets."""
    parts, depth = [""], 0
    for token in re.findall(r"'(?:[^']|'')*'|\"[^\"]*\"|.", sql[sql.index("(") + 1 : -1]):
        depth += (token == "(") - (token == ")")
        if token == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts]


def rows() -> dict[str, list[tuple]]:
    """Return each row of each table of this project."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(tuple(f"{app}_" for app in OUR_APPS)):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                found[table] = sorted(cursor.fetchall(), key=repr)
    return found


@pytest.fixture(scope="module")
def squashed(django_db_setup, django_db_blocker) -> set[str]:
    """Return the schema that an empty database gets."""
    with django_db_blocker.unblock(), an_empty_database():
        call_command("migrate", verbosity=0)
        return schema()


def recorded() -> set[str]:
    """Return the names of the applied migrations of this project."""
    found = MigrationRecorder(connection).applied_migrations()
    return {name for app, name in found if app in OUR_APPS}


def test_an_empty_database_needs_no_migration_that_was_replaced():
    loader = MigrationLoader(None)
    assert sorted(app for app, _name in loader.replacements) == OUR_APPS
    for squashed in loader.replacements.values():
        assert not loader.graph.nodes.keys() & set(squashed.replaces)


@pytest.mark.django_db
def test_a_database_of_before_has_the_same_schema_and_goes_forward_with_nothing_to_do(
    squashed, saturday_noon
):
    with an_empty_database():
        migrate()
        assert schema() == squashed
        assert not any("_squashed_" in name for name in recorded())

        an_appointment()
        in_force()
        written = rows()
        assert all(written[table] for table in SOME_TABLES)
        call_command("migrate", check_unapplied=True, verbosity=0)
        assert health().migrated
        call_command("migrate", verbosity=0)
        assert sum("_squashed_" in name for name in recorded()) == len(OUR_APPS)
        assert (schema(), rows()) == (squashed, written)


@pytest.mark.django_db
@pytest.mark.proof
@pytest.mark.parametrize(
    "last",
    [
        ("staff", "0005_trail_actions"),
        ("patients", "0003_search_given_name"),
        ("notifications", "0018_receipts_in_any_form"),
        ("appointments", "0016_data_age_of_the_source"),
    ],
    ids=lambda last: last[0],
)
def test_a_database_in_between_gets_what_it_lacks(squashed, last):
    """It has some of the migrations of this app and of those that these need."""
    with an_empty_database():
        migrate(last)
        call_command("migrate", verbosity=0)
        assert schema() == squashed
