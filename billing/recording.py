"""Who recorded a row of the books, and when: the columns that each such row has."""

from datetime import datetime
from typing import Any

from audit.record import Actor


def recorded_by(*, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return the columns that say who recorded a row, and when."""
    return {
        "recorded_at": at,
        "recorded_by_schema": actor.schema,
        "recorded_by_id": actor.id,
        "recorded_by_name": actor.name,
    }
