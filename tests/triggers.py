"""The append-only tables under test.

Django empties the tables after a test that commits; on SQLite it does so by DELETE, which the
append-only tables refuse. So their DELETE triggers are taken away for the session, and put back
by the tests that prove them. PostgreSQL empties by TRUNCATE and needs nothing of this.
"""

from django.db import connection

_taken_away: list[str] = []


def take_away_delete_triggers() -> None:
    """Drop the triggers that refuse DELETE, on SQLite only, and remember them."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_delete'"
        )
        for name, sql in cursor.fetchall():
            _taken_away.append(sql)
            cursor.execute(f"DROP TRIGGER {name}")


def put_back_delete_triggers() -> None:
    """Create again what was dropped; inside a test's transaction, so that it ends with it."""
    with connection.cursor() as cursor:
        for sql in _taken_away:
            cursor.execute(sql)
