"""Go through more rows than one look takes, a page at each look, and begin anew after the last.

Where a round stands is kept by this process alone: another one, or a new one, begins its own.
"""

import datetime as dt
from typing import Any

from django.db.models import QuerySet


class Rounds:
    """Where some rounds stand, each by its name."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, dt.datetime]] = {}

    def next_page(
        self, name: str, rows: QuerySet[Any, tuple[Any, ...]], *, by: str, most: int
    ) -> list[tuple[Any, ...]]:
        """Return the next rows of a round; after the last ones, the first.

        Args:
            name: of the round.
            rows: as tuples, of which the first values are the primary key and ``by``.
            by: a column of moments, the order of the round.
            most: how many.
        """
        ordered = rows.order_by(by, "pk")
        page: list[tuple[Any, ...]] = []
        if place := self._places.pop(name, None):
            pk, moment = place
            beyond = ordered.filter(**{f"{by}__gte": moment})
            page = list(beyond.exclude(**{by: moment, "pk__lte": pk})[:most])
        page = page or list(ordered[:most])
        if len(page) == most:
            self._places[name] = page[-1][:2]
        return page

    def forget(self) -> None:
        """Begin all of them anew."""
        self._places.clear()
