"""What a queryset says so that both databases answer from the right index."""

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, CharField, F, Func, QuerySet
from django.db.models.lookups import StartsWith

_LAST_CHARACTER = "\U0010ffff"


@CharField.register_lookup
class Prefix(StartsWith):
    """``column__prefix="DUP"``: the value begins so; case and accents count.

    PostgreSQL uses ``LIKE 'DUP%'`` with an index of ``varchar_pattern_ops``, such as Django makes
    beside the plain one. SQLite's LIKE ignores case and therefore the index
    (https://www.sqlite.org/optoverview.html#the_like_optimization), a range of its binary order
    does not.
    """

    lookup_name = "prefix"

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Ask for a range: from the prefix up to the prefix and the last character there is."""
        column, parameters = compiler.compile(self.lhs)
        bounds = (self.rhs, f"{self.rhs}{_LAST_CHARACTER}")
        return f"({column} >= %s AND {column} < %s)", (
            *parameters,
            bounds[0],
            *parameters,
            bounds[1],
        )

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Ask as ``startswith`` does, whose operator the lookup's own name would not find."""
        compiled: tuple[str, tuple[Any, ...]] = compiler.compile(StartsWith(self.lhs, self.rhs))
        return compiled


class Unindexed(Func):
    """A column that is compared as it stands, row by row, and never looked up in an index.

    For a condition that many rows fulfil. Without statistics, which nobody gathers there, SQLite
    takes an index for every "=" and "IN" and sorts what it finds, be it the years of a site; a
    unary plus keeps it from that (https://www.sqlite.org/optoverview.html, section 2).
    PostgreSQL counts, and is left alone.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """Put the plus in front."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **extra)


def numbers_of(*arms: QuerySet[Any]) -> QuerySet[Any]:
    """Return the numbers of the rows of all querysets, to be used as a subquery.

    Each arm is answered from its own index, which an ``OR`` forbids SQLite: there, none of its
    sides may rest on a partial index. A row may be in several arms.
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
        """Look into the list with ``json_each``."""
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
        """Ask with a ``jsonpath``."""
        column, parameters = compiler.compile(self.source_expressions[0])
        inner = {"": "", "0": "[0]"}.get(self.inner, f".{self.inner}")
        path = f"$.{self.member}[*]{inner} ? (@ == $wanted[*])"
        wanted = json.dumps({"wanted": self.numbers})
        return (
            f"jsonb_path_exists({column}, %s::jsonpath, %s::jsonb, true)",
            (*parameters, path, wanted),
        )
