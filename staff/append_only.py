"""A migration operation: the database itself refuses to change or delete rows of a table."""

from django.db import connection, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# What the migrations of the apps have guarded against UPDATE.
GUARDED = (
    *("appointments_attendance", "appointments_decision", "notifications_question"),
    *("staff_accountchange", "staff_auditevent"),
)
_FOUND = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
}

_PLACE = {
    "sqlite": """
        CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
        BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
    "postgresql": """
        CREATE FUNCTION {table}_no_{verb}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$;
        CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_no_{verb}()""",
}
_REMOVE = {
    "sqlite": "DROP TRIGGER IF EXISTS {table}_no_{verb}",
    "postgresql": "DROP TRIGGER IF EXISTS {table}_no_{verb} ON {table};"
    " DROP FUNCTION IF EXISTS {table}_no_{verb}()",
}


# SQLite knows no TRUNCATE.
_PLACE_TRUNCATE = {
    "postgresql": """
        CREATE FUNCTION {table}_no_{verb}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$;
        CREATE TRIGGER {table}_no_{verb} BEFORE {VERB} ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_{verb}()""",
}
_PLACE_FORWARD = {
    "sqlite": """
        CREATE TRIGGER {table}_only_{verb} BEFORE UPDATE ON {table}
        WHEN NEW.{verb} <= OLD.{verb}
        BEGIN SELECT RAISE(ABORT, '{table} only goes forward'); END""",
    "postgresql": """
        CREATE FUNCTION {table}_only_{verb}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF NEW.{verb} <= OLD.{verb} THEN RAISE EXCEPTION '{table} only goes forward'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER {table}_only_{verb} BEFORE UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_only_{verb}()""",
}
_REMOVE_FORWARD = {
    "sqlite": "DROP TRIGGER IF EXISTS {table}_only_{verb}",
    "postgresql": "DROP TRIGGER IF EXISTS {table}_only_{verb} ON {table};"
    " DROP FUNCTION IF EXISTS {table}_only_{verb}()",
}


def _run(
    schema_editor: BaseDatabaseSchemaEditor,
    statements: dict[str, str],
    table: str,
    verbs: tuple[str, ...],
) -> None:
    template = statements.get(schema_editor.connection.vendor)
    if template is None:
        return
    for verb in verbs:
        schema_editor.execute(template.format(table=table, verb=verb, VERB=verb.upper()), None)


def _switch(
    there: dict[str, str], back: dict[str, str], table: str, verbs: tuple[str, ...]
) -> migrations.RunPython:
    return migrations.RunPython(
        lambda apps, schema_editor: _run(schema_editor, there, table, verbs),
        lambda apps, schema_editor: _run(schema_editor, back, table, verbs),
    )


def append_only(table: str, verbs: tuple[str, ...] = ("update", "delete")) -> migrations.RunPython:
    """Return the operation that makes ``table`` refuse the given verbs (and its reverse)."""
    return _switch(_PLACE, _REMOVE, table, verbs)


def no_truncate(table: str) -> migrations.RunPython:
    """Return the operation that makes PostgreSQL refuse to empty ``table`` with TRUNCATE."""
    return _switch(_PLACE_TRUNCATE, _REMOVE, table, ("truncate",))


def only_forward(table: str, column: str) -> migrations.RunPython:
    """Return the operation after which an UPDATE of ``table`` must raise ``column``."""
    return _switch(_PLACE_FORWARD, _REMOVE_FORWARD, table, (column,))


def no_longer_append_only(
    table: str, verbs: tuple[str, ...] = ("update", "delete")
) -> migrations.RunPython:
    """Return the operation to put before a migration fills a new column of an append-only table.

    ``append_only`` ends that migration. On PostgreSQL and SQLite it is one transaction: nobody
    else ever finds the table writable.
    """
    return _switch(_REMOVE, _PLACE, table, verbs)


def still_append_only(
    table: str, verbs: tuple[str, ...] = ("update", "delete")
) -> migrations.RunPython:
    """Return the operation to put after a change of an append-only table.

    On SQLite a constraint is added by making the table anew, which loses its triggers.
    """

    def place_again(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "sqlite":
            _run(schema_editor, _REMOVE, table, verbs)
            _run(schema_editor, _PLACE, table, verbs)

    return migrations.RunPython(place_again, place_again)


def unguarded() -> list[str]:
    """Return the append-only tables that the database lets change, because a trigger is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_FOUND[connection.vendor])
        found = {name for (name,) in cursor.fetchall()}
    wanted = {table: f"{table}_no_update" for table in GUARDED}
    wanted["staff_audithead"] = "staff_audithead_only_sequence"
    return [table for table, trigger in wanted.items() if trigger not in found]
