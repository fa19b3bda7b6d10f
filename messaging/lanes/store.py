"""The store of the lanes of one process: its SQL on its pool. Knows no HTTP, and nothing of pace.

Raw SQL on a pool of its own, because Django's connections carry a tenant each and are not asynchronous. Every name is
written with its schema; the search_path is empty. Leases and due times run on the database's clock. A schema that
somebody has locked costs a statement a second at most, and those that go there next have two connections in all.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import orjson
from psycopg import errors, sql
from psycopg_pool import AsyncConnectionPool

from messaging.announcing import Announcer
from messaging.lanes import lease_statements as leases
from messaging.lanes import outbox_statements as outbox
from messaging.lanes import putting_back
from messaging.window import SERVICE_WINDOW
from tenants import clock
from tenants.clock import AMSTERDAM

LEASE_SECONDS = 10.0
# A statement waits so long for a lock, and takes so long at most, before its connection is there for others again.
LOCK_MILLISECONDS = 500
STATEMENT_MILLISECONDS = 10_000
# The planner is left no choice that could turn out wrong (outbox_statements.CLAIM).
_NO_CHOICE = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_sort")
CONNECTION_OPTIONS = " ".join(
    [
        "-c search_path=",
        f"-c lock_timeout={LOCK_MILLISECONDS}",
        f"-c statement_timeout={STATEMENT_MILLISECONDS}",
        *(f"-c {name}=off" for name in _NO_CHOICE),
    ]
)
Found = TypeVar("Found")
HELD_CONNECTIONS = 2  # of the pool, for all schemas together whose locks were met lately
HELD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A lane that this process owns, under one fencing token."""

    phone_number_id: str
    schema_name: str
    fencing_token: int
    municipality_id: UUID


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """What sending from a number needs; read again with every renewal, so that a new token takes effect.

    troubles: the kinds of what is wrong with the number now (tenants/trouble.py). messaging_limit: Meta's word for how
    many citizens may be written to first.
    elections: whether it is in an election period (tenants/elections.py).
    """

    waba_id: str
    access_token_encrypted: bytes | None
    messages_per_second: int
    paused_seconds: float
    troubles: Sequence[str] = ()
    messaging_limit: str = ""
    elections: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Which waiting messages may leave now.

    templates: whether these may. held: contacts to whom nothing may. urgency: the highest priority that may; firsts:
    whether a template to somebody new may. counted: whether to count whom it writes to first. elections: only
    what answers a citizen, and a crisis. at: domain time.
    """

    at: datetime
    templates: bool = True
    held: Sequence[UUID] = ()
    urgency: int = 2
    firsts: bool = True
    counted: bool = False
    elections: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message in the lane's hands: SENDING is committed, nobody else will send it.

    request: what Meta is asked, as JSON, without whom it is for. is_template: whether the number starts this itself.
    """

    message_id: UUID
    request: str
    is_template: bool
    attempts: int
    wa_id: str | None
    bsuid: str | None
    contact_id: UUID


class Ending(StrEnum):
    """What is written of a call."""

    ACCEPTED = "ACCEPTED"
    UNCERTAIN = "UNCERTAIN"
    FAILED = "FAILED"
    AGAIN = "AGAIN"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What came of one call: its wamid, or Meta's code and our reason, or after how many seconds it goes again.

    counts: whether going again costs one of its tries.
    """

    message_id: UUID
    kind: Ending
    wamid: str | None = None
    code: int | None = None
    reason: str = ""
    seconds: float = 0.0
    counts: bool = False

    def unless(self, refused: str | None) -> "Settlement":
        """Return it, or that the message failed, when there is a reason for which it may not go again."""
        return Settlement(self.message_id, Ending.FAILED, reason=refused) if refused else self


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that was read, and whether somebody types an answer now."""

    wamid: str
    typing: bool


@dataclass(frozen=True, slots=True)
class LaneStore:
    """The SQL of all lanes of one process, on its pool. Every method is one statement, committed at once, but one."""

    pool: AsyncConnectionPool
    owner: str
    announcer: Announcer = field(default_factory=Announcer)
    _held: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HELD_CONNECTIONS))
    _held_until: dict[str, float] = field(default_factory=dict)

    async def acquire(self, *, wanted: Sequence[str]) -> list[Lease]:
        """Take the lanes that are wanted or were left by a dead owner, as far as no lease is on them."""
        rows = await self._run(leases.ACQUIRE, owner=self.owner, seconds=LEASE_SECONDS, wanted=list(wanted))
        return [Lease(*row) for row in rows]

    async def renew(self, *, numbers: Sequence[str]) -> set[str]:
        """Prolong leases; return the numbers whose lease is still ours."""
        rows = await self._run(leases.RENEW, owner=self.owner, seconds=LEASE_SECONDS, numbers=list(numbers))
        return {row[0] for row in rows}

    async def release(self, *, lease: Lease) -> None:
        """Give a lane back at once."""
        await self._run(leases.RELEASE, number=lease.phone_number_id, token=lease.fencing_token)

    async def settings(self, *, numbers: Sequence[str], at: datetime) -> dict[str, NumberSettings]:
        """Return what sending from each open number needs, at a moment of the domain's clock."""
        day = at.astimezone(AMSTERDAM).date()
        rows = await self._run(leases.SETTINGS, numbers=list(numbers), day=day)
        return {number: NumberSettings(*values) for number, *values in rows}

    async def pause(self, *, lease: Lease, seconds: float, reason: str, waba_id: str = "") -> set[str]:
        """Let a number rest because Meta said that it cannot send now; return which rest, of the account if named."""
        number, token = lease.phone_number_id, lease.fencing_token
        values = {"number": number, "token": token, "seconds": seconds, "reason": reason[:200], "waba": waba_id}
        return {row[0] for row in await self._run(leases.PAUSE, **values)}

    async def resume(self, *, lease: Lease) -> None:
        """End a number's rest."""
        await self._run(leases.RESUME, number=lease.phone_number_id)

    async def wanted(self) -> list[str]:
        """Return the numbers that have a note of work."""
        return [row[0] for row in await self._run(leases.WANTED)]

    async def take_wakes(self, *, numbers: Sequence[str]) -> set[str]:
        """Take the notes of our own lanes away and return whose they were."""
        return {row[0] for row in await self._run(leases.TAKE_WAKES, numbers=list(numbers))}

    async def drop_wakes(self) -> int:
        """Take the notes away that no lane will ever take; return how many."""
        return len(await self._run(leases.DROP_WAKES))

    async def out_of_reach(self) -> list[str]:
        """Return the numbers of which people were told that Meta is out of reach."""
        return [row[0] for row in await self._run(leases.OUT_OF_REACH)]

    async def schemas(self) -> list[str]:
        """Return the schemas of all municipalities."""
        return [row[0] for row in await self._run(leases.SCHEMAS)]

    async def with_outbox(self, *, schemas: Sequence[str]) -> list[str]:
        """Return the numbers that have anything in the outboxes of some schemas, whatever the notes say."""
        each = [sql.SQL(leases.HAS_OUTBOX).format(schema=sql.Identifier(schema)) for schema in schemas]
        async with self.pool.connection() as connection:
            cursor = await connection.execute(sql.SQL(" UNION ALL ").join(each), prepare=False)
            return [row[0] for row in await cursor.fetchall()]

    async def recover(self, *, lease: Lease) -> int:
        """Make UNCERTAIN what earlier leases left in SENDING; return how many."""
        number, token = lease.phone_number_id, lease.fencing_token
        return len(await self._in_schema(lease, outbox.RECOVER, number=number, token=token))

    async def claim(self, *, lease: Lease, most: int, choice: Choice | None = None) -> list[Claimed]:
        """Take the next messages into the lane's hands, of those chosen; none when the lease is no longer ours."""
        choice = choice or Choice(at=clock.now())
        rows = await self._in_schema(
            lease,
            outbox.CLAIM,
            number=lease.phone_number_id,
            token=lease.fencing_token,
            most=most,
            templates=choice.templates,
            held=list(choice.held),
            urgency=int(choice.urgency),
            firsts=choice.firsts,
            counted=choice.counted,
            elections=choice.elections,
            at=choice.at,
            since=choice.at - SERVICE_WINDOW,
        )
        return [Claimed(*row) for row in rows]

    async def seconds_until_due(self, *, lease: Lease, choice: Choice | None = None) -> float | None:
        """Return how long until the next waiting message of those chosen is due, or None when none waits."""
        choice = choice or Choice(at=clock.now())
        chosen = {"templates": choice.templates, "held": list(choice.held), "urgency": int(choice.urgency)}
        elections = {"elections": choice.elections, "since": choice.at - SERVICE_WINDOW}
        values = {"number": lease.phone_number_id, **chosen, **elections}
        rows = await self._in_schema(lease, outbox.NEXT_DUE, **values)
        seconds: float | None = rows[0][0]
        return seconds

    async def count_firsts(self, *, lease: Lease, since: datetime) -> int:
        """Return to how many citizens the municipality wrote first since a moment; forget those of before."""
        return int((await self._in_schema(lease, outbox.COUNT_FIRSTS, since=since))[0][0])

    async def settle(self, *, lease: Lease, settlements: Sequence[Settlement]) -> set[UUID]:
        """Record what came of calls; return which could not be, because somebody else works on these messages now."""
        again = {each.message_id for each in settlements if each.kind is Ending.AGAIN}
        rows, taken = await self._carefully(lease.schema_name, lambda: self._settle(lease, settlements, again))
        self._announce(lease, [thread for _, thread in rows if thread])
        return taken | {message for message, _ in rows if message}

    async def take_receipts(self, *, lease: Lease, most: int) -> list[Receipt]:
        """Take what is to be told of reading and typing; nobody else will tell it."""
        rows = await self._in_schema(lease, outbox.TAKE_RECEIPTS, number=lease.phone_number_id, most=most)
        return [Receipt(*row) for row in rows]

    async def expire(self, *, lease: Lease, closed_before: datetime, reason: str) -> int:
        """Fail the waiting free-form answers to whoever wrote last before a moment; return how many."""
        values = {"number": lease.phone_number_id, "closed_before": closed_before, "reason": reason}
        rows = await self._in_schema(lease, outbox.EXPIRE, **values)
        self._announce(lease, [row[0] for row in rows])
        return len(rows)

    async def last_event(self, *, lease: Lease) -> int:
        """Return the last event that came in for the municipality."""
        rows = await self._in_schema(lease, outbox.LAST_EVENT, municipality=lease.municipality_id)
        return int(rows[0][0])

    async def inbound(self, *, lease: Lease, after: int) -> tuple[int, int]:
        """Return how many messages citizens wrote to the number after an event, and which event is the last now."""
        values = {"municipality": lease.municipality_id, "number": lease.phone_number_id, "after": after}
        rows = await self._in_schema(lease, outbox.INBOUND, **values)
        return int(rows[0][0]), int(rows[0][1])

    async def _settle(
        self, lease: Lease, settlements: Sequence[Settlement], again: Collection[UUID]
    ) -> tuple[list[tuple[Any, ...]], set[UUID]]:
        """Settle, and hold what goes again before; return the rows, and which of these somebody else has now."""
        settle = _composed(outbox.SETTLE, lease.schema_name)
        async with self.pool.connection() as connection, connection.transaction() if again else nullcontext():
            taken: set[UUID] = set()
            if again:
                taken, refused = await putting_back.hold(connection=connection, lease=lease, messages=again)
                free = [each for each in settlements if each.message_id not in taken]
                settlements = [each.unless(refused.get(each.message_id)) for each in free]
            told = orjson.dumps(list(settlements)).decode()
            cursor = await connection.execute(settle, {"token": lease.fencing_token, "told": told})
            return await cursor.fetchall(), taken

    def _announce(self, lease: Lease, threads: Collection[str]) -> None:
        """Tell open pages that threads changed."""
        if threads:
            self.announcer.tell(schema_name=lease.schema_name, threads=threads)

    async def _in_schema(self, lease: Lease, query: LiteralString, **values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in a lane's schema. Where a lock was met lately, few may wait at once."""
        schema = lease.schema_name
        return await self._carefully(schema, lambda: self._execute(_composed(query, schema), values))

    async def _carefully(self, schema: str, act: Callable[[], Awaitable[Found]]) -> Found:
        if self._held_until and self._held_until.get(schema, 0.0) > time.monotonic():
            async with self._held:
                return await self._watched(schema, act)
        return await self._watched(schema, act)

    async def _watched(self, schema: str, act: Callable[[], Awaitable[Found]]) -> Found:
        try:
            return await act()
        except (errors.LockNotAvailable, errors.QueryCanceled):
            self._held_until[schema] = time.monotonic() + HELD_SECONDS
            raise

    async def _run(self, query: LiteralString, **values: Any) -> list[tuple[Any, ...]]:
        return await self._execute(query.encode(), values)

    async def _execute(self, query: bytes, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []


@lru_cache(maxsize=8192)
def _composed(query: LiteralString, schema: str) -> bytes:
    """Return a statement with its schema's name in it."""
    return sql.SQL(query).format(schema=sql.Identifier(schema)).as_bytes(None)
