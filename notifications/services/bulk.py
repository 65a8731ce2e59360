"""One statement that gives each of many deliveries its own values."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from notifications.models import Delivery


def write_each(columns: Sequence[str], values: Mapping[int, Sequence[Any]]) -> None:
    """Write each delivery its own values (bulk_update takes twenty times as long).

    Args:
        columns: names of text or number columns of Delivery.
        values: delivery id → one value per column.
    """
    if not values:
        return
    in_database = {field.name: field.column for field in Delivery._meta.concrete_fields}
    names = [in_database[column] for column in columns]
    # Both databases call the columns of VALUES column1, column2, …
    assignments = ", ".join(f"{name} = v.column{place}" for place, name in enumerate(names, 2))
    row = f"({', '.join(['%s'] * (len(names) + 1))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE notifications_delivery SET {assignments}
                FROM (VALUES {", ".join([row] * len(values))}) AS v
                WHERE notifications_delivery.id = v.column1""",  # noqa: S608  # our own columns
            [parameter for pk, fields in values.items() for parameter in (pk, *fields)],
        )
