"""The few differences between SQLite and PostgreSQL that raw SQL has to know."""

from collections.abc import Sequence

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from staff.database import as_list, is_one_of

pytestmark = pytest.mark.django_db
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


def is_found(value: int | str, values: Sequence[int] | Sequence[str], kind: str) -> bool:
    """Whether the database finds a value among others."""
    with connection.cursor() as cursor:
        condition = is_one_of(f"CAST(%s AS {kind})")
        cursor.execute(f"SELECT COUNT(*) WHERE {condition}", [value, as_list(values)])
        return bool(cursor.fetchone()[0])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@example("NULL", [""])
@example("a\\", ["a\\", '"', ",", "{}"])
@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_a_text_is_found_among_those_it_is_one_of(value: str, others: list[str]) -> None:
    assert is_found(value, [*others, value], "text")
    assert is_found(value, others, "text") == (value in others)


@pytest.mark.parametrize(("values", "found"), [([], False), ([3, -7], True), ([8], False)])
def test_a_number_is_found_among_those_it_is_one_of(values: list[int], found: bool) -> None:
    assert is_found(-7, values, "integer") == found
