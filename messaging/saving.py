"""Writing many changed rows at once.

Django's bulk_update writes a CASE for each row and column, which took two thirds of the time of applying a batch
(measured: 4,000 messages, 11 of 17 seconds). Here each changed column goes as one array, and nothing else is sent.
"""

from collections.abc import Collection
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


def save_changed(rows: Collection[Row], *, fields: Collection[str]) -> None:
    """Write the given fields of rows that exist and are locked by this transaction; none of them an array itself."""
    if not rows:
        return
    meta = next(iter(rows))._meta
    columns: list[Any] = [meta.pk, *(meta.get_field(name) for name in fields)]
    quote = connection.ops.quote_name
    names = [quote(field.column) for field in columns]
    given = ", ".join(f"%s::{field.db_type(connection)}[]" for field in columns)
    # Names of our own models alone; values are given beside it.
    statement = (
        f"UPDATE {quote(meta.db_table)} AS known SET {', '.join(f'{name} = given.{name}' for name in names[1:])}"  # noqa: S608
        f" FROM unnest({given}) AS given ({', '.join(names)}) WHERE known.{names[0]} = given.{names[0]}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_values(field, rows) for field in columns])


def _values(field: Any, rows: Collection[Row]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
