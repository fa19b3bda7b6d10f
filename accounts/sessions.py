"""Sessions in the database, found by a digest of their key: who reads the table, or a copy of it, signs in as nobody.

The cookie alone holds the key. Otherwise Django's own sessions in the database; a row is the schema's that it is in.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db.models import QuerySet
from django.utils import timezone

_DIGEST_BYTES = 20  # 40 characters of hexadecimal: what the column holds


class SessionStore(db.SessionStore):
    """One session."""

    def exists(self, session_key: str) -> bool:
        """Return whether there is a session of this key."""
        return super().exists(digest(session_key))

    async def aexists(self, session_key: str) -> bool:
        """Return whether there is a session of this key."""
        return await super().aexists(digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Return the row to be written."""
        row = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        return row

    async def acreate_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Return the row to be written."""
        row = await super().acreate_model_instance(data)
        row.session_key = digest(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Delete a session: the one of this key, or this one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(digest(key))

    async def adelete(self, session_key: str | None = None) -> None:
        """Delete a session: the one of this key, or this one."""
        key = session_key or self.session_key
        if key is not None:
            await super().adelete(digest(key))

    def cycle_key(self) -> None:
        """Go on under a new key, also in the list of where somebody is signed in."""
        from accounts.models import SignedIn  # the engine is loaded before models are

        place = SignedIn.objects.filter(session_id=digest(self.session_key or "")).first()
        super().cycle_key()
        if place is not None:
            place.session_id = digest(self.session_key or "")
            place.save(force_insert=True)  # it went with the old key

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        row: AbstractBaseSession | None = self._rows().first()
        if row is None:
            self._session_key = None
        return row

    async def _aget_session_from_db(self) -> AbstractBaseSession | None:
        row: AbstractBaseSession | None = await self._rows().afirst()
        if row is None:
            self._session_key = None
        return row

    def _rows(self) -> QuerySet[AbstractBaseSession]:
        rows: QuerySet[AbstractBaseSession] = self.model.objects.filter(
            session_key=digest(self.session_key or ""), expire_date__gt=timezone.now()
        )
        return rows


def digest(session_key: str) -> str:
    """Return how a session's key stands in the database; without salt, because it is 160 random bits."""
    return hashlib.blake2b(session_key.encode(), digest_size=_DIGEST_BYTES).hexdigest()
