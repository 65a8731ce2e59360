"""The sentence of a check: how many rows break the promise, and the first of them."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

SHOWN = 5


def sentence(rows: QuerySet[Any], text: str, *, field: str = "pk") -> Iterator[str]:
    """Yield one sentence when ``rows`` is not empty.

    Args:
        rows: what breaks the promise.
        text: what is wrong with them, in French, without their number.
        field: the column that identifies a row to the reader.
    """
    first = [str(value) for value in rows.order_by(field).values_list(field, flat=True)[:SHOWN]]
    if first:
        number = rows.count()
        more = "…" if number > len(first) else ""
        yield f"{number} {text} : {', '.join(first)}{more}"
