"""Lists page by key, not by offset: page 900 costs what page 1 does, and rows that arrive in
between neither repeat nor hide others.

A cursor holds the key values of the row at the edge of a page. It gives no access: the caller
has already narrowed the queryset to what the reader may see.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model, Q, QuerySet

M = TypeVar("M", bound=Model)
_FORWARD, _BACKWARD = "a", "b"  # "after" and "before" the row that the cursor names


@dataclass(frozen=True)
class KeyPage(Generic[M]):
    """One page of a list; an empty cursor means that there is nothing on that side."""

    items: list[M]
    next_cursor: str = ""
    previous_cursor: str = ""

    @property
    def previous_exists(self) -> bool:
        """Whether there are rows before this page."""
        return bool(self.previous_cursor)

    def __iter__(self) -> Iterator[M]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def page_by_key(
    queryset: QuerySet[M],
    *,
    keys: Sequence[str] = ("starts_at", "id"),
    cursor: str = "",
    size: int = 50,
    keys_first: bool = False,
) -> KeyPage[M]:
    """Return one page of ``queryset``, in one query; in two when the keys are read first.

    Args:
        queryset: what the reader may see; its own order is replaced by ``keys``.
        keys: fields or annotations that together are unique and never null, ``-`` in front
            for descending; an index on them makes every page equally fast.
        cursor: from the page before or after; empty or unreadable means the first page.
        size: rows on a page.
        keys_first: first find the rows of the page, then read their columns. For an order without
            an index, so that hundreds of rows are not joined to show fifty.
    """
    place = _decode(queryset, keys, cursor)
    backward = place is not None and cursor.startswith(_BACKWARD)
    order = _reversed(keys) if backward else list(keys)
    rows = queryset.order_by(*order)
    if place is not None:
        rows = rows.filter(_after(order, place))
    if keys_first:
        first = list(rows.values_list("pk", flat=True)[: size + 1])
        rows = queryset.filter(pk__in=first).order_by(*order)
    found = list(rows[: size + 1])
    if place is not None and not found:  # the rows on that side are gone: start again
        return page_by_key(queryset, keys=keys, size=size, keys_first=keys_first)
    items, more = found[:size], len(found) > size
    if backward:
        items.reverse()
    has_next = more or backward
    has_previous = more if backward else place is not None
    return KeyPage(
        items=items,
        next_cursor=_encode(_FORWARD, keys, items[-1]) if has_next else "",
        previous_cursor=_encode(_BACKWARD, keys, items[0]) if has_previous else "",
    )


def _reversed(keys: Sequence[str]) -> list[str]:
    return [key[1:] if key.startswith("-") else f"-{key}" for key in keys]


def _after(order: Sequence[str], place: Sequence[Any]) -> Q:
    """Return the rows that follow ``place``: a > x or (a = x and (b > y or …)).

    The first key also has a bound of its own, so that the database uses its index.
    """
    condition = Q()
    for key, value in reversed(list(zip(order, place, strict=True))):
        name = key.removeprefix("-")
        lookup = "lt" if key.startswith("-") else "gt"
        beyond = Q(**{f"{name}__{lookup}": value})
        condition = beyond | (Q(**{name: value}) & condition) if condition else beyond
    first = order[0].removeprefix("-")
    bound = "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{first}__{bound}": place[0]}) & condition


def _encode(direction: str, keys: Sequence[str], row: Model) -> str:
    values = []
    for key in keys:
        value: Any = row
        for name in key.removeprefix("-").split("__"):
            value = getattr(value, name)
        values.append(value)
    text = json.dumps(values, cls=_Exact, separators=(",", ":"))
    return direction + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(queryset: QuerySet[Any], keys: Sequence[str], cursor: str) -> list[Any] | None:
    """Return the key values, or None for an invalid cursor."""
    if cursor[:1] not in {_FORWARD, _BACKWARD}:
        return None
    padded = cursor[1:] + "=" * (-len(cursor[1:]) % 4)
    try:
        values = json.loads(base64.urlsafe_b64decode(padded))
        if not isinstance(values, list) or len(values) != len(keys) or None in values:
            return None
        fields = [_field(queryset, key.removeprefix("-")) for key in keys]
        return [field.to_python(value) for field, value in zip(fields, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError, ValidationError):
        return None


def _field(queryset: QuerySet[Any], path: str) -> "Field[Any, Any]":
    if path in queryset.query.annotations:
        field: Field[Any, Any] = queryset.query.annotations[path].output_field
        return field
    *relations, name = path.split("__")
    model = queryset.model
    for relation in relations:
        related = model._meta.get_field(relation).related_model
        if not isinstance(related, type):
            raise FieldDoesNotExist(path)
        model = related
    column: Field[Any, Any] = model._meta.get_field(name)
    return column


class _Exact(DjangoJSONEncoder):
    """Keeps microseconds, which Django's encoder cuts to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)
