"""The downloads of one turn, side by side: from Meta into encrypted files, digested. Touches no database."""

import asyncio
import base64
import binascii
import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID

import aiohttp
from django.conf import settings

from messaging.media.blobs import Sealing
from messaging.media.sealing import Sealer
from messaging.models import Medium
from whatsapp.client import CloudAPI, open_session
from whatsapp.limits import INBOUND_MEDIA_BYTES
from whatsapp.outcomes import MetaRefused, MetaUnreachable, Reason

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_DIGEST_BYTES = 32


class NoToken(Exception):
    """The number has no token (any more) with which its media could be fetched."""


class CannotWrite(Exception):
    """What came cannot be written down: the disk is full. Not an OSError, which would be taken for the network's."""


class DigestDiffers(Exception):
    """What came is not what Meta said it would be."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A medium as it came, encrypted in a file that whoever takes it closes."""

    file: IO[bytes]
    size_bytes: int
    sha256: bytes


class Sink:
    """Takes a medium's bytes as they come."""

    def __init__(self, sealing: Sealing) -> None:
        """Begin an encrypted file."""
        self.size_bytes = 0
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - whoever takes what came closes it
        self._digest = hashlib.sha256()
        self._sealer: Sealer = sealing.sealer(self.file)

    def write(self, data: bytes) -> None:
        """Take some bytes.  Raises CannotWrite."""
        self.size_bytes += len(data)
        self._digest.update(data)
        try:
            self._sealer.write(data)
        except OSError as error:
            raise CannotWrite(type(error).__name__) from None

    def finish(self) -> Downloaded:
        """Return what came.  Raises CannotWrite."""
        try:
            self._sealer.finish()
        except OSError as error:
            raise CannotWrite(type(error).__name__) from None
        return Downloaded(file=self.file, size_bytes=self.size_bytes, sha256=self._digest.digest())


@dataclass(slots=True)
class Downloads:
    """The downloads of one turn. tokens: by number; sealings: by medium."""

    tokens: Mapping[str, str | None]
    sealings: Mapping[UUID, Sealing]
    under_way: "dict[asyncio.Task[Downloaded], Medium]" = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open what they share."""
        self._session = open_session(connections=max(1, len(self.sealings)))

    async def begin(self, medium: Medium) -> None:
        """Begin to fetch a medium."""
        assert self._session is not None
        api = CloudAPI(session=self._session, base_url=settings.META_GRAPH_URL, version=settings.META_GRAPH_VERSION)
        self.under_way[asyncio.create_task(self._download(api, medium))] = medium

    async def next_done(self, *, within_seconds: float) -> "list[tuple[Medium, asyncio.Task[Downloaded]]]":
        """Return those that ended, waiting for the first of them, but no longer than given."""
        done, _ = await asyncio.wait(self.under_way, timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED)
        return [(self.under_way.pop(task), task) for task in done]

    async def close(self) -> None:
        """End those that are still under way."""
        for task in self.under_way:
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _download(self, api: CloudAPI, medium: Medium) -> Downloaded:
        token = self.tokens.get(medium.phone_number_id)
        if token is None:
            raise NoToken
        if medium.attempts == 1 and medium.meta_url:
            try:
                # The webhook's own url saves a call; it lives for minutes, so what goes wrong with it says nothing.
                return await self._from(api, medium, medium.meta_url, token, [medium.declared_sha256])
            except (MetaRefused, DigestDiffers):
                pass
            except MetaUnreachable as failure:
                if failure.reason is Reason.ANSWER_TOO_LARGE:
                    raise
        found = await api.media_info(
            media_id=medium.meta_id, phone_number_id=medium.phone_number_id, access_token=token
        )
        if (found.size_bytes or 0) > INBOUND_MEDIA_BYTES:
            raise MetaUnreachable(Reason.ANSWER_TOO_LARGE, may_have_happened=False)
        return await self._from(api, medium, found.url, token, [medium.declared_sha256, found.sha256 or ""])

    async def _from(self, api: CloudAPI, medium: Medium, url: str, token: str, digests: list[str]) -> Downloaded:
        sink = Sink(self.sealings[medium.id])
        try:
            await api.download_media(url=url, access_token=token, write=sink.write)
            came = sink.finish()
            if any(said is not None and said != came.sha256 for said in map(digest_of, digests)):
                raise DigestDiffers
        except BaseException:
            sink.file.close()
            raise
        return came


def digest_of(said: str) -> bytes | None:
    """Return the SHA-256 that Meta gave along, in hex as its pages have it or in base64; None when it is neither."""
    if _HEX.fullmatch(said):
        return bytes.fromhex(said)
    try:
        digest = base64.b64decode(said, altchars=b"-_" if "-" in said or "_" in said else None, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == _DIGEST_BYTES else None
