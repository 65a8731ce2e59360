"""Values that no gateway should send, for readers that must accept anything."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

texts = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    ["\x00", "\ud800", "9" * 400, "delivered", "2", "+32470000001", "2022-05-15T18:30:00Z"]
)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
json_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """Return a JSON value with one of its inner values replaced by any other."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    if not places:
        return draw(json_values)
    holder, key = draw(st.sampled_from(places))
    holder[key] = draw(json_values)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(value, dict | list):
        return
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        yield from _places(inner)
