"""The one statement of the intake, spoken as directly as libpq allows: prepared once, arrays in binary form.

Writing seven arrays as text cost 80 microseconds a row, more than all else that happens to a webhook event together;
as binary it costs two. Knows nothing of municipalities, locks or retries: that is messaging/intake.py.
"""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg import errors, pq

INSERT = b"""
    INSERT INTO public.inbox (municipality_id, dedup_key, kind, field, phone_number_id, payload, received_at)
    SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[])
    ON CONFLICT DO NOTHING
"""
_NAME = b"intake"
_COLUMNS = 7
# Types of array elements, as pg_type numbers them; fixed for good.
_UUID, _BYTEA, _TEXT, _JSONB, _TIMESTAMPTZ = 2950, 17, 25, 3802, 1184
_JSONB_VERSION = b"\x01"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HEAD = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_MOMENT = struct.Struct("!q")
_NULL = _LENGTH.pack(-1)


@dataclass(frozen=True, slots=True)
class Row:
    """One webhook event as it is stored. payload: JSON in UTF-8; received_at: domain time."""

    municipality_id: UUID
    dedup_key: bytes
    kind: str
    field: str
    phone_number_id: str | None
    payload: bytes
    received_at: datetime


class InsertConnection:
    """A connection that does nothing but insert rows, each call one transaction of its own."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        """Take over an open connection in autocommit; see `connect`."""
        self._connection = connection
        self._pgconn = connection.pgconn
        self._socket = connection.pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[None] | None = None
        self._failure: psycopg.OperationalError | None = None
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def connect(cls, *, conninfo: str, options: str) -> "InsertConnection":
        """Connect and prepare the statement.  Raises psycopg.Error: that failed."""
        connection = await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, connect_timeout=5, application_name="intake", options=options
        )
        made = cls(connection)
        try:
            made._pgconn.send_prepare(_NAME, INSERT)
            await made._finish()
        except BaseException:
            made.close()
            raise
        return made

    @property
    def is_gone(self) -> bool:
        """Return whether nothing can be sent over it any more."""
        return self._pgconn.status != pq.ConnStatus.OK

    async def insert(self, rows: Sequence[Row]) -> None:
        """Commit the rows; those that were there before count as stored.

        Raises psycopg.Error, of the class of the server's code and without its words, which may be a citizen's:
        nothing was stored, or, when the connection is gone, nobody knows.
        """
        self._pgconn.send_query_prepared(_NAME, _arrays(rows), param_formats=[pq.Format.BINARY] * _COLUMNS)
        await self._finish()

    def close(self) -> None:
        """Let go of the connection, whatever its state.  Safe to repeat."""
        self._forget_socket()
        self._pgconn.finish()

    async def _finish(self) -> None:
        """Send what is not sent yet, and wait until the server is done."""
        self._write()
        code: str | None = None
        while True:
            while self._pgconn.is_busy():
                if self._failure is not None:
                    raise self._failure  # nothing listens any more that could end the wait
                self._answered = self._loop.create_future()
                await self._answered
            result = self._pgconn.get_result()
            if result is None:
                break
            if result.status != pq.ExecStatus.COMMAND_OK:
                code = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        if code is not None:
            raise _error_of(code)

    def _write(self) -> None:
        """Send until all is sent or the socket is full; then go on when it no longer is."""
        try:
            unsent = self._pgconn.flush()
        except psycopg.OperationalError as error:
            self._fail(error)
            return
        if unsent:
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            done = not self._pgconn.is_busy()
        except psycopg.OperationalError as error:
            self._fail(error)
            return
        if done and self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _fail(self, error: psycopg.OperationalError) -> None:
        self._failure = error
        self._forget_socket()
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    def _forget_socket(self) -> None:
        """Stop listening, while the number is still ours: a closed socket's number is soon another one's."""
        if self._socket >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = -1


def _error_of(code: str) -> psycopg.Error:
    """Return the error of a server's code, without the server's words."""
    try:
        kind = errors.lookup(code)
    except KeyError:
        kind = psycopg.OperationalError
    return kind(f"the database answered {code or 'without a code'}")


def _arrays(rows: Sequence[Row]) -> list[bytes]:
    """Return the statement's parameters, one array a column."""
    texts = {text: text.encode() for row in rows for text in (row.kind, row.field)}
    return [
        _array(_UUID, [row.municipality_id.bytes for row in rows]),
        _array(_BYTEA, [row.dedup_key for row in rows]),
        _array(_TEXT, [texts[row.kind] for row in rows]),
        _array(_TEXT, [texts[row.field] for row in rows]),
        _array(_TEXT, [None if row.phone_number_id is None else row.phone_number_id.encode() for row in rows]),
        _array(_JSONB, [_JSONB_VERSION + row.payload for row in rows]),
        _array(_TIMESTAMPTZ, [_MOMENT.pack((row.received_at - _EPOCH) // _MICROSECOND) for row in rows]),
    ]


def _array(element_type: int, elements: Sequence[bytes | None]) -> bytes:
    """Return a one-dimensional array in PostgreSQL's binary form (src/backend/utils/adt/arrayfuncs.c, array_recv)."""
    parts = [_HEAD.pack(1, 1, element_type, len(elements), 1)]
    for element in elements:
        if element is None:
            parts.append(_NULL)
        else:
            parts += (_LENGTH.pack(len(element)), element)
    return b"".join(parts)
