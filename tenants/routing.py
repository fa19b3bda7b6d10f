"""Which municipality an update of Meta's is for: phone_number_id, or WABA id for account-level fields.

The map is read whole and kept for 30 seconds; a miss asks the database before the update is unowned. A number that
changes tenant is closed at the one, and opened at the other when that lifetime has passed (tenants/models.py, Number).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

LIFETIME_SECONDS = 30.0

QUERY = """
    SELECT number.phone_number_id, number.waba_id, municipality.id, municipality.schema_name
    FROM public.tenants_number AS number
    JOIN public.tenants_municipality AS municipality ON municipality.id = number.municipality_id
    WHERE number.closed_at IS NULL
    ORDER BY number.id
"""

Row = tuple[str, str, UUID, str]


@dataclass(frozen=True, slots=True)
class Route:
    """Where an update goes."""

    municipality_id: UUID
    schema_name: str


@dataclass(slots=True)
class RoutingMap:
    """The cached map of one process.

    read: runs QUERY on a connection of the caller's and returns its rows.
    """

    read: Callable[[], Awaitable[list[Row]]]
    clock: Callable[[], float] = time.monotonic
    _by_number: dict[str, Route] = field(default_factory=dict)
    _by_waba: dict[str, Route] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(
        self, *, phone_number_id: str | None, waba_id: str | None, asked_at: float | None = None
    ) -> Route | None:
        """Return where an update goes, or None when it is nobody's.

        asked_at: by `clock`, when the POST came that the update is in: one reading since then does for all its misses.
        """
        asked_at = self.clock() if asked_at is None else asked_at
        if asked_at - self._read_at > LIFETIME_SECONDS:
            await self._read_since(asked_at)
        route = self._look_up(phone_number_id, waba_id)
        if route is None and self._read_at < asked_at:
            await self._read_since(asked_at)
            route = self._look_up(phone_number_id, waba_id)
        return route

    def _look_up(self, phone_number_id: str | None, waba_id: str | None) -> Route | None:
        if phone_number_id is not None:
            return self._by_number.get(phone_number_id)
        return self._by_waba.get(waba_id) if waba_id is not None else None

    async def _read_since(self, moment: float) -> None:
        """Read the map, unless a reading begun after the moment has just done so: all who miss at once share one."""
        async with self._reading:
            if self._read_at >= moment:
                return
            started = self.clock()
            rows = await self.read()
            routes = {(number, waba): Route(municipality_id, schema) for number, waba, municipality_id, schema in rows}
            self._by_number = {number: route for (number, _), route in routes.items()}
            # A WABA belongs to one municipality; were open numbers of it at two, its account updates are nobody's.
            owners: dict[str, set[Route]] = {}
            for (_, waba), route in routes.items():
                owners.setdefault(waba, set()).add(route)
            self._by_waba = {waba: next(iter(found)) for waba, found in owners.items() if len(found) == 1}
            self._read_at = started
