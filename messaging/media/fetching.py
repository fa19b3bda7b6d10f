"""One municipality's turn: its media that are due, fetched from Meta, checked and stored.

The rows are the queue. A few are claimed at once, under a lease that is renewed while they are under way; one turn at a
time works on a municipality, so that a flood of one never takes all workers. Downloads run side by side; whatever
touches the database runs between them, in this thread. Killed at any moment, a turn leaves rows whose lease ends and
objects that the sweep removes. Nothing is in memory whole, and nothing is on disk but encrypted.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django_tenants.utils import schema_context

from messaging.media import blobs, settling
from messaging.media.downloading import Downloaded, Downloads
from messaging.models import Blob, Medium
from tenants import clock
from tenants.encryption import UnreadableSecret
from tenants.keys import DataKeyMissing
from tenants.models import Municipality, Number

AT_ONCE = 8  # media a turn, side by side
LEASE_SECONDS = 60
RENEW_SECONDS = 15.0

log = structlog.get_logger(__name__)


def fetch_due(*, schema_name: str) -> bool:
    """Fetch what is due in one municipality, for one turn; return whether more is due now.

    Safe to repeat and to run twice at once. Returns False for a schema that is nobody's (any more).
    """
    municipality = Municipality.objects.filter(schema_name=schema_name).first()
    if municipality is None:
        log.warning("media_of_nobody", schema=schema_name)
        return False
    with schema_context(schema_name):
        at = clock.now()
        claimed = [medium for medium in _claim(municipality) if not settling.expire(medium=medium, at=at)]
        if claimed:
            _fetch(municipality, claimed)
        return has_due()


def has_due() -> bool:
    """Return whether a turn would find something in the schema that the connection is in."""
    return not _under_way() and _due().exists()


def _due() -> QuerySet[Medium]:
    return Medium.objects.filter(state=Medium.State.PENDING, due_at__lte=Now())


def _under_way() -> bool:
    return Medium.objects.filter(state=Medium.State.PENDING, claimed_until__gt=Now()).exists()


@transaction.atomic
def _claim(municipality: Municipality) -> list[Medium]:
    """Claim what is due, unless another turn is at work here: that one looks again when it is done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"media {municipality.id}"])
    if _under_way():
        return []
    found = list(_due().order_by("due_at", "id")[:AT_ONCE])
    # One whose last claim ended without an outcome may have killed its worker: it goes alone, and takes nobody along.
    suspect = next((medium for medium in found if medium.claimed_until is not None), None)
    claimed = [suspect] if suspect is not None else found
    for medium in claimed:
        medium.claim += 1
        medium.attempts += 1
        # Due later from now on: when this worker dies of it, the others have their turn before it is tried again.
        Medium.objects.filter(id=medium.id).update(
            claim=medium.claim,
            attempts=medium.attempts,
            claimed_until=_lease(),
            due_at=Now() + settling.back_off(attempts=medium.attempts),
        )
    return claimed


def _fetch(municipality: Municipality, media: Sequence[Medium]) -> None:
    """Fetch what was claimed, and settle each as soon as it is there."""
    try:
        downloads = Downloads(
            tokens=_tokens(municipality, {medium.phone_number_id for medium in media}),
            sealings={each.id: blobs.sealing(medium_id=each.id, part=Blob.Part.ORIGINAL) for each in media},
        )
    except (DataKeyMissing, UnreadableSecret) as error:
        log.error("media_without_a_key", schema=municipality.schema_name, error=type(error).__name__)
        for medium in media:
            settling.fail(medium=medium, reason="NO_KEY")
        return
    with asyncio.Runner() as runner:
        runner.run(downloads.start())
        try:
            for medium in media:
                runner.run(downloads.begin(medium))
            while downloads.under_way:
                for medium, task in runner.run(downloads.next_done(within_seconds=RENEW_SECONDS)):
                    _settle(medium, task)
                _renew(downloads.under_way.values())
        finally:
            runner.run(downloads.close())


def _settle(medium: Medium, task: "asyncio.Task[Downloaded]") -> None:
    error = task.exception()
    if error is not None:
        settling.refuse(medium=medium, error=error)
        return
    came = task.result()
    with came.file:
        settling.store(medium=medium, came=came)


def _renew(media: Collection[Medium]) -> None:
    for medium in media:
        Medium.objects.filter(id=medium.id, claim=medium.claim).update(claimed_until=_lease())


def _lease() -> object:
    return Now() + timedelta(seconds=LEASE_SECONDS)


def _tokens(municipality: Municipality, numbers: Collection[str]) -> dict[str, str | None]:
    """Return the token of each number of this municipality's; None where there is none."""
    rows = Number.objects.filter(municipality=municipality, phone_number_id__in=numbers)
    return {row.phone_number_id: row.access_token() for row in rows.order_by("opened_at")}
