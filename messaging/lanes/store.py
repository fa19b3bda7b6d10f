"""The lanes' SQL: leases in `public`, claims and outcomes in the municipality's schema. Knows no HTTP.

Raw SQL on a pool of its own, because Django's connections carry a tenant each and are not asynchronous. Every name is
written with its schema; the search_path is empty. Leases and due times run on the database's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from messaging.announcing import Announcer

LEASE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A lane that this process owns, under one fencing token."""

    phone_number_id: str
    schema_name: str
    fencing_token: int


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """What sending from a number needs; read again with every renewal, so that a new token takes effect."""

    access_token_encrypted: bytes | None
    messages_per_second: int
    paused_seconds: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message in the lane's hands: SENDING is committed, nobody else will send it."""

    message_id: UUID
    request: dict[str, Any]
    attempts: int
    wa_id: str | None
    bsuid: str | None


ACQUIRE = """
    UPDATE public.messaging_core_lane AS lane
    SET owner = %(owner)s, fencing_token = fencing_token + 1,
        leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    FROM public.tenants_municipality AS municipality
    WHERE municipality.id = lane.municipality_id AND lane.phone_number_id IN (
        SELECT phone_number_id FROM public.messaging_core_lane
        WHERE leased_until < clock_timestamp()
            AND (phone_number_id = ANY(%(wanted)s) OR owner <> '')  -- wanted, or left by an owner that died
        ORDER BY phone_number_id FOR UPDATE SKIP LOCKED
    )
    RETURNING lane.phone_number_id, municipality.schema_name, lane.fencing_token
"""

RENEW = """
    UPDATE public.messaging_core_lane
    SET leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE owner = %(owner)s AND leased_until > clock_timestamp() AND phone_number_id = ANY(%(numbers)s)
    RETURNING phone_number_id
"""

RELEASE = """
    UPDATE public.messaging_core_lane SET owner = '', leased_until = clock_timestamp()
    WHERE phone_number_id = %(number)s AND fencing_token = %(token)s
"""

SETTINGS = """
    SELECT number.phone_number_id, number.access_token_encrypted, number.messages_per_second,
        greatest(0, coalesce(extract(epoch FROM lane.paused_until - clock_timestamp()), 0))::float
    FROM public.tenants_number AS number
    JOIN public.messaging_core_lane AS lane USING (phone_number_id)
    WHERE number.closed_at IS NULL AND number.phone_number_id = ANY(%(numbers)s)
"""

PAUSE = """
    UPDATE public.messaging_core_lane
    SET paused_until = clock_timestamp() + make_interval(secs => %(seconds)s), paused_reason = %(reason)s
    WHERE phone_number_id = %(number)s AND fencing_token = %(token)s
"""

TAKE_WAKES = """
    DELETE FROM public.messaging_core_outboxwake WHERE phone_number_id = ANY(%(numbers)s) RETURNING phone_number_id
"""

WANTED = "SELECT DISTINCT phone_number_id FROM public.messaging_core_outboxwake"

SCHEMAS = "SELECT schema_name FROM public.tenants_municipality ORDER BY schema_name"

HAS_OUTBOX = "(SELECT DISTINCT phone_number_id FROM {schema}.messaging_outboxitem)"

# The lease row is locked in share mode: a claim and a change of owner come one after the other, never at once.
# A contact's messages leave in order: one that is under way, or waits and is as urgent, holds those behind it; a reply
# does not wait for a broadcast. What another transaction has locked is left for the next claim.
CLAIM = """
    WITH lane AS (
        SELECT fencing_token FROM public.messaging_core_lane
        WHERE phone_number_id = %(number)s AND fencing_token = %(token)s AND leased_until > clock_timestamp()
        FOR SHARE
    ), next AS (
        SELECT item.id FROM {schema}.messaging_outboxitem AS item
        JOIN {schema}.messaging_message AS message ON message.id = item.message_id
        WHERE item.phone_number_id = %(number)s AND item.claimed_by IS NULL AND item.due_at <= clock_timestamp()
            AND EXISTS (SELECT FROM lane)
            AND (%(templates)s OR item.request ->> 'type' <> 'template')
            AND NOT EXISTS (
                SELECT FROM {schema}.messaging_outboxitem AS earlier
                WHERE earlier.contact_id = item.contact_id AND earlier.phone_number_id = item.phone_number_id
                    AND earlier.id < item.id
                    AND (earlier.claimed_by IS NOT NULL OR earlier.priority <= item.priority)
            )
        ORDER BY item.priority, item.id
        LIMIT %(most)s
        FOR UPDATE OF item, message SKIP LOCKED
    ), claimed AS (
        UPDATE {schema}.messaging_outboxitem AS item SET claimed_by = %(token)s FROM next WHERE item.id = next.id
        RETURNING item.id, item.message_id, item.contact_id, item.request, item.attempts
    ), sending AS (
        UPDATE {schema}.messaging_message AS message SET state = 'SENDING'
        FROM claimed WHERE message.id = claimed.message_id AND message.state = 'QUEUED'
        RETURNING message.id
    )
    SELECT claimed.message_id, claimed.request, claimed.attempts, contact.wa_id, contact.bsuid
    FROM claimed
    JOIN sending ON sending.id = claimed.message_id
    JOIN {schema}.messaging_contact AS contact ON contact.id = claimed.contact_id
    ORDER BY claimed.id
"""

NEXT_DUE = """
    SELECT greatest(0, extract(epoch FROM min(due_at) - clock_timestamp()))::float
    FROM {schema}.messaging_outboxitem AS item
    WHERE phone_number_id = %(number)s AND claimed_by IS NULL
        AND (%(templates)s OR item.request ->> 'type' <> 'template')
        AND NOT EXISTS (
            SELECT FROM {schema}.messaging_outboxitem AS earlier
            WHERE earlier.contact_id = item.contact_id AND earlier.phone_number_id = item.phone_number_id
                AND earlier.id < item.id
                AND (earlier.claimed_by IS NOT NULL OR earlier.priority <= item.priority)
        )
"""

# From here on: the message first, its outbox row after, as who applies statuses does; so the two never deadlock.
# Whatever a lease left in SENDING when it ended may have been read by Meta: nobody knows, so no machine repeats it.
RECOVER = """
    WITH left_over AS (
        UPDATE {schema}.messaging_message AS message
        SET state = CASE WHEN message.state = 'SENDING' THEN 'UNCERTAIN' ELSE message.state END
        FROM {schema}.messaging_outboxitem AS item
        WHERE item.message_id = message.id AND item.phone_number_id = %(number)s AND item.claimed_by < %(token)s
        RETURNING message.id
    )
    DELETE FROM {schema}.messaging_outboxitem WHERE message_id IN (SELECT id FROM left_over) RETURNING message_id
"""

# The truth whenever it comes, also after the lease was lost: no token is checked. States only move forward.
ACCEPTED = """
    WITH settled AS (
        UPDATE {schema}.messaging_message
        SET wamid = coalesce(wamid, %(wamid)s),
            state = CASE WHEN state IN ('QUEUED', 'SENDING', 'UNCERTAIN') THEN 'ACCEPTED' ELSE state END
        WHERE id = %(id)s RETURNING id, thread_id
    ), gone AS (
        DELETE FROM {schema}.messaging_outboxitem WHERE message_id IN (SELECT id FROM settled)
    )
    SELECT thread_id FROM settled
"""

UNCERTAIN = """
    WITH settled AS (
        UPDATE {schema}.messaging_message
        SET state = CASE WHEN state = 'SENDING' THEN 'UNCERTAIN' ELSE state END
        WHERE id = %(id)s RETURNING id, thread_id
    ), gone AS (
        DELETE FROM {schema}.messaging_outboxitem WHERE message_id IN (SELECT id FROM settled)
    )
    SELECT thread_id FROM settled
"""

FAILED = """
    WITH settled AS (
        UPDATE {schema}.messaging_message SET state = 'FAILED', failed_code = %(code)s, failed_reason = %(reason)s
        WHERE id = %(id)s AND state IN ('SENDING', 'UNCERTAIN') RETURNING id, thread_id
    ), gone AS (
        DELETE FROM {schema}.messaging_outboxitem WHERE message_id IN (SELECT id FROM settled)
    )
    SELECT thread_id FROM settled
"""

# Only while it is still ours: another owner may have made it UNCERTAIN meanwhile, and then it stays so.
AGAIN = """
    WITH back AS (
        UPDATE {schema}.messaging_message AS message SET state = 'QUEUED'
        FROM {schema}.messaging_outboxitem AS item
        WHERE message.id = %(id)s AND message.state = 'SENDING'
            AND item.message_id = message.id AND item.claimed_by = %(token)s
        RETURNING message.id
    )
    UPDATE {schema}.messaging_outboxitem
    SET claimed_by = NULL, attempts = attempts + %(counts)s,
        due_at = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE message_id IN (SELECT id FROM back)
"""


@dataclass(frozen=True, slots=True)
class LaneStore:
    """The SQL of all lanes of one process, on its pool. Every method is one statement, committed at once."""

    pool: AsyncConnectionPool
    owner: str
    announcer: Announcer = field(default_factory=Announcer)

    async def acquire(self, *, wanted: Sequence[str]) -> list[Lease]:
        """Take the lanes that are wanted or were left by a dead owner, as far as no lease is on them."""
        rows = await self._run(ACQUIRE, owner=self.owner, seconds=LEASE_SECONDS, wanted=list(wanted))
        return [Lease(*row) for row in rows]

    async def renew(self, *, numbers: Sequence[str]) -> set[str]:
        """Prolong leases; return the numbers whose lease is still ours."""
        rows = await self._run(RENEW, owner=self.owner, seconds=LEASE_SECONDS, numbers=list(numbers))
        return {row[0] for row in rows}

    async def release(self, *, lease: Lease) -> None:
        """Give a lane back at once."""
        await self._run(RELEASE, number=lease.phone_number_id, token=lease.fencing_token)

    async def settings(self, *, numbers: Sequence[str]) -> dict[str, NumberSettings]:
        """Return what sending from each open number needs."""
        rows = await self._run(SETTINGS, numbers=list(numbers))
        return {number: NumberSettings(token, rate, paused) for number, token, rate, paused in rows}

    async def pause(self, *, lease: Lease, seconds: float, reason: str) -> None:
        """Let a number rest because Meta said that it cannot send now; the reason is shown to its people."""
        number, token = lease.phone_number_id, lease.fencing_token
        await self._run(PAUSE, number=number, token=token, seconds=seconds, reason=reason[:200])

    async def wanted(self) -> list[str]:
        """Return the numbers that have a note of work."""
        return [row[0] for row in await self._run(WANTED)]

    async def take_wakes(self, *, numbers: Sequence[str]) -> set[str]:
        """Take the notes of our own lanes away and return whose they were."""
        return {row[0] for row in await self._run(TAKE_WAKES, numbers=list(numbers))}

    async def with_outbox(self) -> list[str]:
        """Return the numbers that have anything in their outbox, whatever the notes say: the sweep."""
        schemas = [row[0] for row in await self._run(SCHEMAS)]
        if not schemas:
            return []
        each = [sql.SQL(HAS_OUTBOX).format(schema=sql.Identifier(schema)) for schema in schemas]
        async with self.pool.connection() as connection:
            cursor = await connection.execute(sql.SQL(" UNION ALL ").join(each))
            return [row[0] for row in await cursor.fetchall()]

    async def recover(self, *, lease: Lease) -> int:
        """Make UNCERTAIN what earlier leases left in SENDING; return how many."""
        number, token = lease.phone_number_id, lease.fencing_token
        return len(await self._run(RECOVER, lease, number=number, token=token))

    async def claim(self, *, lease: Lease, most: int, templates: bool = True) -> list[Claimed]:
        """Take the next messages into the lane's hands; none when the lease is no longer ours.

        templates: whether these may leave now.
        """
        number, token = lease.phone_number_id, lease.fencing_token
        rows = await self._run(CLAIM, lease, number=number, token=token, most=most, templates=templates)
        return [Claimed(*row) for row in rows]

    async def seconds_until_due(self, *, lease: Lease, templates: bool = True) -> float | None:
        """Return how long until the next waiting message is due, or None when none waits."""
        rows = await self._run(NEXT_DUE, lease, number=lease.phone_number_id, templates=templates)
        seconds: float | None = rows[0][0]
        return seconds

    async def accepted(self, *, lease: Lease, message_id: UUID, wamid: str) -> None:
        """Record that Meta took a message."""
        self._announce(lease, await self._run(ACCEPTED, lease, id=message_id, wamid=wamid))

    async def uncertain(self, *, lease: Lease, message_id: UUID) -> None:
        """Record that nobody knows whether Meta took a message."""
        self._announce(lease, await self._run(UNCERTAIN, lease, id=message_id))

    async def failed(self, *, lease: Lease, message_id: UUID, code: int | None, reason: str) -> None:
        """Record that a message will not be sent, and why."""
        self._announce(lease, await self._run(FAILED, lease, id=message_id, code=code, reason=reason[:300]))

    async def again(self, *, lease: Lease, message_id: UUID, seconds: float, counts: bool) -> None:
        """Put a message back that was surely not accepted; counts: whether it costs one of its tries."""
        token = lease.fencing_token
        await self._run(AGAIN, lease, id=message_id, token=token, seconds=seconds, counts=int(counts))

    def _announce(self, lease: Lease, rows: list[tuple[Any, ...]]) -> None:
        """Tell open pages that the threads of these rows changed."""
        for (thread_id,) in rows:
            self.announcer.tell(schema_name=lease.schema_name, thread_id=thread_id)

    async def _run(self, query: LiteralString, lease: Lease | None = None, **values: Any) -> list[tuple[Any, ...]]:
        schema = sql.Identifier(lease.schema_name if lease else "public")
        async with self.pool.connection() as connection:
            cursor = await connection.execute(sql.SQL(query).format(schema=schema), values)
            return await cursor.fetchall() if cursor.description else []
