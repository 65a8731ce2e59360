"""How a check speaks: how many, and which ones to look at first."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

SHOWN = 5


def sentence(rows: QuerySet[Any], text: str, *, field: str = "pk") -> Iterator[str]:
    """Yield one sentence when ``rows`` is not empty.

    Args:
        rows: what breaks the promise.
        text: what is wrong with them, in French, without their number.
        field: which column names a row to the reader.
    """
    first = [str(value) for value in rows.order_by(field).values_list(field, flat=True)[:SHOWN]]
    if first:
        number = rows.count()
        more = "…" if number > len(first) else ""
        yield f"{number} {text} : {', '.join(first)}{more}"
