"""The append-only tables under test.

Django empties the tables after a test that commits: on SQLite by DELETE, on PostgreSQL by
TRUNCATE, which the append-only tables refuse. So these triggers are taken away for the session,
and put back by the tests that prove them.
"""

from django.db import connection

_FOUND = {
    "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master"
    " WHERE type = 'trigger' AND name LIKE '%\\_no\\_delete' ESCAPE '\\'",
    "postgresql": "SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid)"
    " FROM pg_trigger WHERE tgname LIKE '%\\_no\\_truncate'",
}
_taken_away: list[str] = []


def take_away_triggers_against_emptying() -> None:
    """Drop the triggers that refuse to empty a table, and remember them."""
    with connection.cursor() as cursor:
        cursor.execute(_FOUND[connection.vendor])
        for name, table, sql in cursor.fetchall():
            _taken_away.append(sql)
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on_table}")


def put_back_triggers_against_emptying() -> None:
    """Create again what was dropped; inside a test's transaction, so that it ends with it."""
    with connection.cursor() as cursor:
        for sql in _taken_away:
            cursor.execute(sql)
