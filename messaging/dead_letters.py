"""Dead letters: what could not be applied, kept with its reason, and put back when somebody has mended the cause.

An operator of the BSP sees of a letter what it is and how it is built (messaging/masking.py), never what a citizen
wrote: that lies in the municipality's schema and stays there. Putting back is asked for once, noted in the trails, and
done by a worker in portions, so that a broken worker or a lost task only delays it.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django_tenants.utils import get_public_schema_name, schema_context
from kombu.exceptions import OperationalError as BrokerAway
from psycopg import sql
from redis.exceptions import RedisError

from audit.record import Actor, record
from messaging.core.models import Replay
from messaging.core.partitions import PARTITION
from messaging.models import InboxEvent
from messaging.waking import send_wakes
from tenants.models import Municipality
from tenants.register import checked_schema_name

PORTION = 500
MOST_SHOWN = 100
LOCK_MILLISECONDS = 2_000

log = structlog.get_logger(__name__)

# Whoever dies again after it was put back is left alone by the same replay, as is whoever died since it was asked.
CHOSEN = """
    state = 'DEAD' AND applied_at <= %(asked_at)s AND coalesce(replayed_at < %(asked_at)s, true)
    AND (%(kind)s = '' OR kind = %(kind)s) AND (%(field)s = '' OR field = %(field)s)
    AND (%(reason)s = '' OR reason = %(reason)s) AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s::bigint[]))
"""
# The portion is chosen once: as a plain subquery it may be asked again for each row.
PUT_BACK = """
    WITH portion AS MATERIALIZED (SELECT id FROM {inbox} WHERE {chosen} ORDER BY id LIMIT %(portion)s FOR UPDATE)
    UPDATE {inbox} SET state = 'OPEN', reason = '', applied_at = NULL, attempts = 0,
        replays = replays + 1, replayed_at = %(asked_at)s
    WHERE municipality_id = %(municipality_id)s AND id IN (SELECT id FROM portion)
"""


class NothingToReplay(Exception):
    """No dead letter is of what was asked: nothing was noted or changed."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Which dead letters are meant: of one municipality or of all (None); empty filters and no ids mean all."""

    municipality: Municipality | None = None
    kind: str = ""
    field: str = ""
    reason: str = ""
    event_ids: tuple[int, ...] | None = None


def count(*, letters: Letters, at: datetime) -> int:
    """Return how many dead letters are meant."""
    parts = [
        sql.SQL("SELECT count(*) FROM {inbox} WHERE {chosen}").format(inbox=_inbox(name), chosen=sql.SQL(CHOSEN))
        for name in _schema_names(letters.municipality)
    ]
    if not parts:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT sum(count)::bigint FROM ({}) AS each").format(sql.SQL(" UNION ALL ").join(parts)),
            {
                "asked_at": at,
                "kind": letters.kind,
                "field": letters.field,
                "reason": letters.reason,
                "ids": None if letters.event_ids is None else list(letters.event_ids),
            },
        )
        return int(cursor.fetchone()[0])


@transaction.atomic
def ask(*, letters: Letters, actor: Actor, at: datetime) -> Replay:
    """Note that dead letters are to be put back, and have a worker do it soon.

    Safe to repeat: what is put back is no dead letter any more.  Raises NothingToReplay.
    """
    total = count(letters=letters, at=at)
    if not total:
        raise NothingToReplay
    with schema_context(get_public_schema_name()):
        replay = Replay.objects.create(
            municipality_id=letters.municipality.id if letters.municipality else None,
            event_ids=None if letters.event_ids is None else list(letters.event_ids),
            kind=letters.kind,
            field=letters.field,
            reason=letters.reason,
            asked_by_schema=actor.schema,
            asked_by_id=actor.id,
            asked_by_name=actor.name,
            asked_at=at,
            total=total,
        )
        record(
            action="inbox.replay.ask",
            actor=actor,
            at=at,
            subject=f"municipality {letters.municipality.schema_name}"
            if letters.municipality
            else "all municipalities",
            details={**_details(replay), "events": total},
        )
    transaction.on_commit(partial(_send, replay.id))
    return replay


def run(*, replay_id: UUID, at: datetime) -> bool:
    """Put back what a replay asks for; return whether it is finished.  Safe to repeat and to run twice at once.

    A municipality whose inbox is locked is left for the next time.
    """
    replay = Replay.objects.get(id=replay_id)
    done = True
    everyone = Municipality.objects.order_by("schema_name")
    for municipality in everyone.filter(id=replay.municipality_id) if replay.municipality_id else everyone:
        try:
            while _put_back(replay_id=replay_id, municipality=municipality) == PORTION:
                pass
        except OperationalError as error:
            log.warning("replay_waits", schema=municipality.schema_name, error=type(error).__name__)
            done = False
    if done:
        Replay.objects.filter(id=replay_id, finished_at=None).update(finished_at=at)
    return done


def unfinished() -> list[UUID]:
    """Return the replays that are not finished, the oldest first."""
    return list(Replay.objects.filter(finished_at=None).order_by("asked_at").values_list("id", flat=True))


def shown(*, municipality: Municipality, kind: str = "", field: str = "", reason: str = "") -> list[InboxEvent]:
    """Return dead letters of a municipality, the oldest first, without their payloads."""
    chosen = {name: value for name, value in {"kind": kind, "field": field, "reason": reason}.items() if value}
    with schema_context(municipality.schema_name):
        dead = InboxEvent.objects.filter(state=InboxEvent.State.DEAD, **chosen).defer("payload", "dedup_key")
        return list(dead.order_by("id")[:MOST_SHOWN])


def letter(*, municipality: Municipality, event_id: int) -> InboxEvent:
    """Return one dead letter, whole.  Raises InboxEvent.DoesNotExist: it is none."""
    with schema_context(municipality.schema_name):
        return InboxEvent.objects.get(id=event_id, state=InboxEvent.State.DEAD)


@transaction.atomic
def _put_back(*, replay_id: UUID, municipality: Municipality) -> int:
    """Put one portion back, count it and note it, all or nothing; return how many events it held."""
    replay = Replay.objects.select_for_update(no_key=True).get(id=replay_id)
    if replay.finished_at is not None:
        return 0
    statement = sql.SQL(PUT_BACK).format(inbox=_inbox(municipality.schema_name), chosen=sql.SQL(CHOSEN))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_MILLISECONDS)])
        cursor.execute(
            statement,
            {
                "municipality_id": municipality.id,
                "asked_at": replay.asked_at,
                "kind": replay.kind,
                "field": replay.field,
                "reason": replay.reason,
                "ids": replay.event_ids,
                "portion": PORTION,
            },
        )
        events: int = cursor.rowcount
    if events:
        Replay.objects.filter(id=replay_id).update(done=F("done") + events)
        actor = Actor(schema=replay.asked_by_schema, id=replay.asked_by_id, name=replay.asked_by_name)
        with schema_context(municipality.schema_name):
            record(
                action="inbox.replay",
                actor=actor,
                at=replay.asked_at,
                subject="inbox",
                details={**_details(replay), "events": events},
            )
        transaction.on_commit(partial(_wake, municipality.schema_name))
    return events


def _details(replay: Replay) -> dict[str, str]:
    named = {"kind": replay.kind, "field": replay.field, "reason": replay.reason}
    return {"replay": str(replay.id), **{name: value for name, value in named.items() if value}}


def _inbox(schema_name: str) -> sql.Identifier:
    return sql.Identifier(checked_schema_name(name=schema_name), PARTITION)


def _schema_names(municipality: Municipality | None) -> Collection[str]:
    if municipality is not None:
        return [municipality.schema_name]
    return list(Municipality.objects.values_list("schema_name", flat=True))


def _send(replay_id: UUID) -> None:
    # Redis away: the sweep of replays finds it.
    with suppress(RedisError, BrokerAway, OSError):
        current_app.send_task("messaging.tasks.replay_dead_letters", kwargs={"replay_id": str(replay_id)})


def _wake(schema_name: str) -> None:
    with suppress(RedisError, BrokerAway, OSError):
        send_wakes(schema_names=[schema_name])
