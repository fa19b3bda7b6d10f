"""The objects in the storage: written down first, then written, then kept in the transaction of what refers to them.

A process that dies in between leaves a row WRITING and perhaps an object, which the sweep removes; a transaction that
is rolled back after the object was written leaves the same. What a blob is called tells its municipality and nothing
of its content. Works on the schema that the connection is in.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import BufferedReader, BytesIO
from typing import IO

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import connection, transaction
from django.db.models.functions import Now

from messaging.media.sealing import CHUNK_BYTES, Opener, Sealer
from messaging.media.thumbnails import Thumbnail
from messaging.models import Blob, Medium
from tenants.keys import data_key

# How long a blob may be in the writing before its process is taken to have died; the longest download takes minutes.
WRITING_SECONDS = 60 * 60
SWEPT_AT_ONCE = 500
STORAGE = "media"


@dataclass(frozen=True, slots=True)
class Sealing:
    """What an object is sealed with: the municipality's key, and the name that binds it to its medium and part."""

    key: bytes
    name: str

    def sealer(self, file: IO[bytes]) -> Sealer:
        """Return what writes to a file."""
        return Sealer(key=self.key, name=self.name, file=file)

    def opener(self, file: IO[bytes]) -> BufferedReader:
        """Return what reads from a file, which stays open.  Raises Unopenable."""
        return BufferedReader(Opener(key=self.key, name=self.name, file=file, owned=False), CHUNK_BYTES)


def storage() -> Storage:
    """Return where media lie (STORAGE_URL)."""
    return storages[STORAGE]


def sealing(*, medium_id: uuid.UUID, part: Blob.Part) -> Sealing:
    """Return what a part of a medium is sealed with.  Raises DataKeyMissing, UnreadableSecret."""
    return Sealing(key=data_key(schema_name=_schema_name()), name=f"{medium_id}/{part}")


def write(*, sealed: IO[bytes], part: Blob.Part) -> Blob:
    """Write an object to the storage, and return its row, which is not kept yet. Not within a transaction.

    Raises OSError and what the storage raises: it could not be written; the sweep removes what there is of it.
    """
    name = uuid.uuid4().hex
    blob = Blob(name=f"{_schema_name()}/{name[:2]}/{name}", part=part, changed_at=Now())
    blob.save(force_insert=True)
    sealed.seek(0)
    written = storage().save(blob.name, File(sealed))
    if written != blob.name:
        # The storage chose another name, which only a taken one makes it do; names are random, so this is not ours.
        storage().delete(written)
        raise FileExistsError("the storage holds an object of this name already")
    return blob


def write_thumbnail(*, medium: Medium, thumbnail: Thumbnail) -> Blob:
    """Write a medium's small picture, as `write` does."""
    sealed = BytesIO()
    sealer = sealing(medium_id=medium.id, part=Blob.Part.THUMBNAIL).sealer(sealed)
    sealer.write(thumbnail.content)
    sealer.finish()
    return write(sealed=sealed, part=Blob.Part.THUMBNAIL)


def keep(*, blobs: Iterable[Blob], medium: Medium) -> None:
    """Keep blobs that were written as those of a medium, in the caller's transaction."""
    Blob.objects.filter(name__in=[blob.name for blob in blobs]).update(
        state=Blob.State.KEPT, medium=medium, changed_at=Now()
    )


def read(*, medium: Medium, part: Blob.Part) -> Opener:
    """Open a part of a medium; the caller closes it.

    Raises Blob.DoesNotExist, FileNotFoundError: it is not there. Unopenable, DataKeyMissing: it cannot be read.
    """
    blob = Blob.objects.get(medium=medium, part=part, state=Blob.State.KEPT)
    sealed = sealing(medium_id=medium.id, part=part)
    return Opener(key=sealed.key, name=sealed.name, file=storage().open(blob.name, "rb"), owned=True)


def discard(*, blobs: Iterable[Blob]) -> None:
    """Give blobs up: their objects go once the caller's transaction is committed, now or by the sweep."""
    names = [blob.name for blob in blobs]
    Blob.objects.filter(name__in=names).update(state=Blob.State.DISCARDED, changed_at=Now())
    for name in names:
        # In its way: a storage that is away now is asked again by the sweep.
        transaction.on_commit(partial(_remove, name), robust=True)


def sweep() -> int:
    """Remove the objects that nothing refers to; return how many went. Safe to repeat, and to run twice at once."""
    abandoned = Now() - timedelta(seconds=WRITING_SECONDS)
    removed = 0
    waiting = Blob.objects.filter(state=Blob.State.DISCARDED) | Blob.objects.filter(
        state=Blob.State.WRITING, changed_at__lt=abandoned
    )
    for name in list(waiting.order_by("changed_at").values_list("name", flat=True)[:SWEPT_AT_ONCE]):
        # Given up first: a writer that lives after all can then keep it no more.
        given_up = Blob.objects.filter(name=name).exclude(state=Blob.State.KEPT)
        if given_up.update(state=Blob.State.DISCARDED):
            _remove(name)
            removed += 1
    return removed


def _remove(name: str) -> None:
    with suppress(FileNotFoundError):
        storage().delete(name)
    Blob.objects.filter(name=name, state=Blob.State.DISCARDED).delete()


def _schema_name() -> str:
    name: str = connection.schema_name  # type: ignore[attr-defined]
    return name
