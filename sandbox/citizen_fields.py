"""Webhook fields about citizens, with typical values: what they prefer, and what the Business app says of them.

Also what all typical values are made of: whom and what they speak of.
"""

from dataclasses import dataclass
from typing import Any

from sandbox.world import Business, Citizen, Number, Template

Values = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Scene:
    """Whom and what the values speak of."""

    business: Business
    number: Number
    template: Template
    citizen: Citizen
    now: int
    partner_app: str
    before_v24: bool


def _about_citizen(scene: Scene) -> dict[str, Any]:
    citizen = scene.citizen
    contact = {"profile": {"name": citizen.name or "Inwoner"}, "wa_id": citizen.phone, "user_id": citizen.bsuid}
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": scene.number.digits, "phone_number_id": scene.number.id},
        "contacts": [{key: value for key, value in contact.items() if value is not None}],
    }


def citizen_fields(*, scene: Scene) -> dict[str, Values]:
    """List what citizens prefer and are known by."""
    about, citizen = _about_citizen(scene), scene.citizen
    ids = {key: value for key, value in (("wa_id", citizen.phone), ("user_id", citizen.bsuid)) if value is not None}
    preferences = {
        choice: {
            **about,
            "user_preferences": [
                {
                    **ids,
                    "detail": f"User requested to {choice} marketing messages",
                    "category": "marketing_messages",
                    "value": choice,
                    "timestamp": scene.now,
                }
            ],
        }
        for choice in ("stop", "resume")
    }
    previous = citizen.bsuid or "NL.1"
    changed = {
        "wa_id": citizen.phone,
        "detail": "User changed their user ID",
        "user_id": {"previous": previous, "current": f"{previous}0"},
        "timestamp": str(scene.now),
    }
    return {"user_preferences": preferences, "user_id_update": {"": {**about, "user_id_update": [changed]}}}


def coexistence_fields(*, scene: Scene) -> dict[str, Values]:
    """List what comes of a number that the WhatsApp Business app uses too."""
    about, citizen, stamp = _about_citizen(scene), scene.citizen, str(scene.now)
    base = {"from": scene.number.digits, "to": citizen.phone, "to_user_id": citizen.bsuid, "timestamp": stamp}
    echo = {key: value for key, value in base.items() if value is not None} | {"id": "wamid.echo"}
    edited = {"original_message_id": "wamid.echo", "message": {"type": "text", "text": {"body": "Dag!"}}}
    kinds: dict[str, dict[str, Any]] = {
        "text": {"text": {"body": "Dag"}},
        "edit": {"edit": edited},
        "revoke": {"revoke": {"original_message_id": "wamid.echo"}},
    }
    thread = {"id": citizen.phone, "messages": [{**echo, "type": "text", "text": {"body": "Dag"}}]}
    metadata = {"phase": 0, "chunk_order": 1, "progress": 50}
    declined = {"code": 2593109, "title": "History sharing was turned off", "message": "History sharing was turned off"}
    contact = {"full_name": "Inwoner", "first_name": "Inwoner", "phone_number": citizen.phone}
    product = {key: about[key] for key in ("messaging_product", "metadata")}
    return {
        "smb_message_echoes": {
            kind: {**about, "message_echoes": [{**echo, "type": kind, **body}]} for kind, body in kinds.items()
        },
        "history": {
            "chunk": {**product, "history": [{"metadata": metadata, "threads": [thread]}]},
            "declined": {**product, "history": [{"errors": [declined]}]},
        },
        "smb_app_state_sync": {
            action: {
                **product,
                "state_sync": [
                    {"type": "contact", "contact": contact, "action": action, "metadata": {"timestamp": stamp}}
                ],
            }
            for action in ("add", "remove")
        },
    }
