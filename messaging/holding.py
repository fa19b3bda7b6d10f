"""Holds a thread and its contact for who changes them: both rows in one round trip, because every answer does it first.

The contact first, then the thread, as who applies what citizens write does: so the two never deadlock.
"""

from functools import cache
from typing import TypeVar
from uuid import UUID

from django.db import connection, models

from messaging.models import Contact, Thread

Row = TypeVar("Row", bound=models.Model)


def hold(*, thread_id: UUID) -> Thread:
    """Return a thread with its contact, both locked until the transaction ends.  Raises Thread.DoesNotExist."""
    while True:
        with connection.cursor() as cursor:
            # Two statements: the second sees what whoever held the contact before has done with the thread.
            cursor.execute(_statements(), {"thread": thread_id})
            contact = _read(Contact, cursor.fetchone())
            cursor.nextset()
            thread = _read(Thread, cursor.fetchone())
        if thread is None:
            raise Thread.DoesNotExist
        if contact is not None and thread.contact_id == contact.id:
            thread.contact = contact
            return thread
        # else the contact was merged in between


@cache
def _statements() -> str:
    return f"""
        SELECT {_columns(Contact)} FROM messaging_contact
        WHERE id = (SELECT contact_id FROM messaging_thread WHERE id = %(thread)s) FOR NO KEY UPDATE;
        SELECT {_columns(Thread)} FROM messaging_thread WHERE id = %(thread)s FOR NO KEY UPDATE
    """  # noqa: S608 - the names are our models'


def _columns(model: type[models.Model]) -> str:
    return ", ".join(connection.ops.quote_name(field.column or "") for field in model._meta.concrete_fields)


def _read(model: type[Row], values: tuple[object, ...] | None) -> Row | None:
    """Return a row as the model's; all of its columns are of types that the driver reads as the model has them."""
    if values is None:
        return None
    return model.from_db(connection.alias, [field.attname for field in model._meta.concrete_fields], values)
