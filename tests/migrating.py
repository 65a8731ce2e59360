"""The way of a database through the migrations that were squashed since.

Django leaves replaced migrations out of the graph of a database that has them all, so it cannot
take such a database back to one of them. Here the squashed ones are left out instead.
"""

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tests.triggers import take_away_triggers_against_emptying


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


def back_to_the_newest() -> None:
    """Leave the database as the other tests need it."""
    migrate()
    take_away_triggers_against_emptying()
