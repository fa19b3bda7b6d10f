"""Meta's side, for tests of messaging: webhook bodies, stored as the intake stores them, and drained."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from messaging import inbox
from tenants.models import Municipality
from whatsapp.payloads import split

RECEIVED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PIET = {"wa_id": "31697000001", "user_id": None}


def number_id(municipality: Municipality) -> str:
    """Return the id of the municipality's number."""
    return str(municipality.numbers.get().phone_number_id)


def body(municipality: Municipality, **value: Any) -> dict[str, Any]:
    """Return a webhook's body with one change of the field `messages`."""
    metadata = {"display_phone_number": "31532222222", "phone_number_id": number_id(municipality)}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    waba_id = municipality.numbers.get().waba_id
    return {"object": "whatsapp_business_account", "entry": [{"id": waba_id, "changes": [change]}]}


def message(
    municipality: Municipality,
    *,
    wamid: str = "wamid.IN1",
    text: str = "Goedemorgen",
    at: datetime = RECEIVED_AT,
    wa_id: str | None = "31697000001",
    bsuid: str | None = None,
    name: str = "Piet",
    **more: Any,
) -> dict[str, Any]:
    """Return a webhook's body with one message of a citizen's."""
    contact: dict[str, Any] = {"profile": {"name": name}}
    element: dict[str, Any] = {"id": wamid, "timestamp": str(int(at.timestamp()))}
    if wa_id:
        contact["wa_id"] = element["from"] = wa_id
    if bsuid:
        contact["user_id"] = element["from_user_id"] = bsuid
    element.update(more or {"type": "text", "text": {"body": text}})
    return body(municipality, contacts=[contact], messages=[element])


def status(
    municipality: Municipality,
    *,
    wamid: str,
    status: str,
    opaque_id: str | None = None,
    at: datetime = RECEIVED_AT,
    wa_id: str = "31697000001",
    **more: Any,
) -> dict[str, Any]:
    """Return a webhook's body with one status of a message."""
    element: dict[str, Any] = {
        "id": wamid,
        "status": status,
        "timestamp": str(int(at.timestamp())),
        "recipient_id": wa_id,
        **more,
    }
    if opaque_id:
        element["biz_opaque_callback_data"] = opaque_id
    return body(municipality, statuses=[element])


def account(*, waba_id: str, field: str, value: dict[str, Any], at: Any = 1772442000) -> dict[str, Any]:
    """Return a webhook's body with one update of an account field. at: Meta's moment, in seconds since 1970."""
    entry = {"id": waba_id, "time": at, "changes": [{"field": field, "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def store(municipality: Municipality, *bodies: dict[str, Any]) -> None:
    """Store the events of webhooks as the intake does: through the parent, each once."""
    with connection.cursor() as cursor:
        for each in bodies:
            for event in split(body=each, received_at=RECEIVED_AT):
                cursor.execute(
                    "INSERT INTO public.inbox (municipality_id, dedup_key, kind, field, phone_number_id, payload,"
                    " received_at) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    [
                        municipality.id,
                        event.dedup_key,
                        event.kind,
                        event.field,
                        event.phone_number_id,
                        json.dumps(event.payload),
                        RECEIVED_AT,
                    ],
                )


def receive(municipality: Municipality, *bodies: dict[str, Any]) -> None:
    """Store the events of webhooks and apply them."""
    store(municipality, *bodies)
    assert inbox.drain(schema_name=municipality.schema_name) is False


def replay(schema_name: str) -> None:
    """Open every event again and apply it a second time."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {schema_name}.inbox_event SET state = 'OPEN', applied_at = NULL")
    inbox.drain(schema_name=schema_name)


def contents(schema_name: str, tables: Sequence[str]) -> dict[str, list[Any]]:
    """Return the rows of some tables, to compare before and after."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(t) FROM {schema_name}.{table} AS t ORDER BY to_jsonb(t)::text")
            found[table] = cursor.fetchall()
    return found
