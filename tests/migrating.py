"""Databases of an earlier day: made by the migrations that were squashed since.

Django runs a squashed migration on an empty database instead of those that it replaces. Here the
squashed ones are left out.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


class UnsquashedLoader(MigrationLoader):
    """Loads each migration, and none that replaces others."""

    def __init__(self) -> None:
        super().__init__(connection, replace_migrations=False)

    def build_graph(self) -> None:
        """Build the graph; what depends on a squashed migration depends on its last part."""
        super().build_graph()
        for key, migration in self.replacements.items():
            self.graph.remove_replacement_node(key, migration.replaces)
        self.replacements = {}


def migrate(*to: tuple[str, str]) -> Any:
    """Bring the database to some migrations, or to the newest of each app; return the models."""
    executor = MigrationExecutor(connection)
    executor.loader = UnsquashedLoader()
    targets = list(to) or executor.loader.graph.leaf_nodes()
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@contextlib.contextmanager
def an_empty_database() -> Iterator[None]:
    """Move this thread's connection to a database without a table, and back.

    Making an early state takes a part of the migrations. Taking the test database back to it takes
    more, and the way forward after the test as much again.
    """
    before = connections["default"]
    name = ":memory:"
    if before.vendor == "postgresql":
        name = f"{before.settings_dict['NAME']}_migrating"
        _ask_the_server(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
    connections["default"] = type(before)(before.settings_dict | {"NAME": name}, "default")
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = before
        ContentType.objects.clear_cache()
        if before.vendor == "postgresql":
            _ask_the_server(f'DROP DATABASE "{name}"')


def _ask_the_server(*statements: str) -> None:
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
