"""A prefix lookup that both databases answer from the index of the column.

PostgreSQL uses ``LIKE 'DUP%'`` with the ``varchar_pattern_ops`` index that Django makes beside
the plain one. SQLite's LIKE ignores case and therefore the index
(https://www.sqlite.org/optoverview.html#the_like_optimization), a range of its binary order
does not.
"""

from typing import Any

from django.db.models import CharField
from django.db.models.lookups import StartsWith

_LAST_CHARACTER = "\U0010ffff"


@CharField.register_lookup
class Prefix(StartsWith):
    """``column__prefix="DUP"``: the value begins so; case and accents count."""

    lookup_name = "prefix"

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple]:
        """Ask for a range: from the prefix up to the prefix and the last character there is."""
        column, parameters = compiler.compile(self.lhs)
        bounds = (self.rhs, f"{self.rhs}{_LAST_CHARACTER}")
        return f"({column} >= %s AND {column} < %s)", (
            *parameters,
            bounds[0],
            *parameters,
            bounds[1],
        )

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple]:
        """Ask as ``startswith`` does, whose operator the lookup's own name would not find."""
        return compiler.compile(StartsWith(self.lhs, self.rhs))
