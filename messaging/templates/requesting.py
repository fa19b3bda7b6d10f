"""Asks for another look at an account's templates; the sweep of messaging/tasks.py takes it within minutes."""

from collections.abc import Iterable
from datetime import datetime

from messaging.models import TemplateSync


def request(*, waba_id: str, at: datetime) -> None:
    """Note that a look at the account is wanted.  Safe to repeat."""
    TemplateSync.objects.bulk_create(
        [TemplateSync(waba_id=waba_id, requested_at=at)],
        update_conflicts=True,
        unique_fields=["waba_id"],
        update_fields=["requested_at"],
    )


def request_all(*, waba_ids: Iterable[str], at: datetime) -> None:
    """Note that a look at each of these accounts is wanted."""
    for waba_id in waba_ids:
        request(waba_id=waba_id, at=at)
