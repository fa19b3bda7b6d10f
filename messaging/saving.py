"""Writing many changed rows at once.

Django's bulk_update writes a CASE for each row and column, which took two thirds of the time of applying a batch
(measured: 4,000 messages, 11 of 17 seconds). An upsert on the primary key of rows that exist does the same.
"""

from collections.abc import Collection
from typing import TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


def save_changed(rows: Collection[Row], *, fields: Collection[str]) -> None:
    """Write the given fields of rows that exist and are locked by this transaction."""
    if rows:
        manager: models.Manager[Row] = next(iter(rows))._meta.default_manager  # type: ignore[assignment]
        manager.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=fields)
