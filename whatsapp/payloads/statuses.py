"""Reads one stored event of kind STATUS: what became of a message that we sent, and what Meta says it costs.

Statuses arrive out of order and more than once, and `delivered` is left out when `read` comes at once: what that
means is for the rooms above to say. Source: Meta, "Status messages webhook reference" (2026-04-30), read 2026-11-22.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from whatsapp.payloads.parts import ErrorReport, element_of, errors_of, person, required, stamp, text


@dataclass(frozen=True, slots=True)
class Pricing:
    """What Meta says about the price; never an amount.

    model: CBP or PMP; type: regular, free_customer_service, free_entry_point, …; category: lower case with underscores;
    billable: to disappear, so never rely on it.
    """

    model: str
    type: str | None
    category: str
    billable: bool | None


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One status of one message. status: Meta's, lower case (sent, delivered, read, failed, played, or new).

    opaque_id: our own id of the message, as we gave it along. participant: of whom, in a group.
    conversation_id: Meta's, up to version 23 different for each message, after that only in free entry windows.
    """

    wamid: str
    status: str
    stamped_at: datetime
    recipient_wa_id: str | None
    recipient_bsuid: str | None
    opaque_id: str | None
    participant: str | None
    conversation_id: str | None
    pricing: Pricing | None
    errors: tuple[ErrorReport, ...]
    group: bool


def parse_status(*, payload: dict[str, Any]) -> StatusUpdate:
    """Read the payload of an event of kind STATUS.  Raises MalformedPayload: no id, status or stamp."""
    payload, status = element_of(payload)
    group = status.get("recipient_type") == "group"
    participant = text(status.get("recipient_participant_id"))
    recipient = person(
        # In a group recipient_id names the group.
        ids=[participant if group else status.get("recipient_id")],
        bsuids=[status.get("recipient_user_id")],
        parent=status.get("recipient_parent_user_id"),
        contacts=payload.get("contacts"),
    )
    conversation = status.get("conversation")
    return StatusUpdate(
        wamid=required(status, "id"),
        status=required(status, "status").lower(),
        stamped_at=stamp(status.get("timestamp")),
        recipient_wa_id=recipient.wa_id,
        recipient_bsuid=recipient.bsuid,
        opaque_id=text(status.get("biz_opaque_callback_data")),
        participant=participant,
        conversation_id=text(conversation.get("id")) if isinstance(conversation, dict) else None,
        pricing=_pricing(status.get("pricing")),
        errors=errors_of(status.get("errors")),
        group=group,
    )


def normalised_category(category: str) -> str:
    """Return a pricing category in one spelling; Meta writes authentication-international and _international both."""
    return category.strip().lower().replace("-", "_")


def _pricing(value: object) -> Pricing | None:
    """Return the pricing, or None without a category: it would say nothing that a bill could rest on."""
    if not isinstance(value, dict):
        return None
    category = text(value.get("category"))
    if category is None:
        return None
    kind, billable = text(value.get("type")), value.get("billable")
    return Pricing(
        model=(text(value.get("pricing_model")) or "PMP").upper(),
        type=kind.lower() if kind else None,
        category=normalised_category(category),
        billable=billable if isinstance(billable, bool) else None,
    )
