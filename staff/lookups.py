"""Lookups with which both databases use the right index."""

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, CharField, F, Func, QuerySet
from django.db.models.lookups import StartsWith

_LAST_CHARACTER = "\U0010ffff"


@CharField.register_lookup
class Prefix(StartsWith):
    """``column__prefix="DUP"``: the value starts so; case and accents count.

    PostgreSQL uses ``LIKE 'DUP%'`` with an index of ``varchar_pattern_ops``, such as Django makes
    beside the plain one. SQLite's LIKE ignores case and therefore the index
    (https://www.sqlite.org/optoverview.html#the_like_optimization), a range of its binary order
    does not.
    """

    lookup_name = "prefix"

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Compare with a range: from the prefix to the prefix with the last Unicode character."""
        column, parameters = compiler.compile(self.lhs)
        bounds = (self.rhs, f"{self.rhs}{_LAST_CHARACTER}")
        return f"({column} >= %s AND {column} < %s)", (
            *parameters,
            bounds[0],
            *parameters,
            bounds[1],
        )

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Compare as ``startswith`` does, whose operator the lookup's own name would not find."""
        compiled: tuple[str, tuple[Any, ...]] = compiler.compile(StartsWith(self.lhs, self.rhs))
        return compiled


class Unindexed(Func):
    """A column that is compared row by row, never through an index.

    For a condition that many rows fulfil. Without statistics, SQLite
    takes an index for every "=" and "IN" and sorts all rows that it finds; a unary plus prevents
    that (https://www.sqlite.org/optoverview.html, section 2).
    PostgreSQL has statistics and needs no plus.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """Add the plus."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)


def numbers_of(*arms: QuerySet[Any]) -> QuerySet[Any]:
    """Return the numbers of the rows of all querysets, to be used as a subquery.

    Each arm uses its own index. With an ``OR``, SQLite uses none if one side needs a partial
    index. A row may be in several arms.
    """
    first, *others = (arm.order_by().values("pk") for arm in arms)
    return first.union(*others)


class InJson(Func):
    """Whether a JSON object holds one of some whole numbers at a path, alone or in a list.

    Read row by row: no index helps. On PostgreSQL the lax mode of ``jsonpath`` takes a value for
    a list of one (https://www.postgresql.org/docs/current/functions-json.html); on SQLite
    ``json_each`` does (https://www.sqlite.org/json1.html).

    Args:
        column: the JSON column.
        path: the name of a member; ``links.patient`` is a member of each object in its list,
            ``rows.0`` the first of each list in its list.
        numbers: at least one.
    """

    output_field = BooleanField()

    def __init__(self, column: F, path: str, numbers: Sequence[int], **extra: Any) -> None:
        self.member, _dot, self.inner = path.partition(".")
        self.numbers = [int(number) for number in numbers]
        super().__init__(column, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """Search the list with ``json_each``."""
        column, parameters = compiler.compile(self.source_expressions[0])
        value = "one.value"
        if self.inner:
            value = (
                "CASE WHEN one.type IN ('array', 'object') "
                f"THEN json_extract(one.value, '$.{self.inner}') END"
            )
            value = value.replace("$.0", "$[0]")
        marks = ", ".join(["%s"] * len(self.numbers))
        each = f"json_each({column}, '$.{self.member}') one"
        holds = f"EXISTS (SELECT 1 FROM {each} WHERE {value} IN ({marks}))"  # noqa: S608 (paths are ours)
        return holds, (*parameters, *self.numbers)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """Search with a ``jsonpath``."""
        column, parameters = compiler.compile(self.source_expressions[0])
        inner = {"": "", "0": "[0]"}.get(self.inner, f".{self.inner}")
        path = f"$.{self.member}[*]{inner} ? (@ == $wanted[*])"
        wanted = json.dumps({"wanted": self.numbers})
        return (
            f"jsonb_path_exists({column}, %s::jsonpath, %s::jsonb, true)",
            (*parameters, path, wanted),
        )
