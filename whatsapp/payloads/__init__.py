"""Meta's JSON into typed values: the way in, after the signature and before anything is understood by a higher room.

`split` takes a POST apart into webhook events, one for each update, without understanding them (hot path).
`parse_message`, `parse_status` and the readers of account fields read one stored event later. Nothing here raises
anything but MalformedPayload.
Source: Meta, messages and status webhook references, "Business-scoped user IDs" (2026-04 and -05), read 2026-11-22.
"""

from whatsapp.payloads.citizens import Call, IdUpdate, Preference, parse_calls, parse_id_updates, parse_preferences
from whatsapp.payloads.events import EventKind, WebhookEvent, split
from whatsapp.payloads.messages import InboundMessage, MediaReference, SystemChange, parse_message
from whatsapp.payloads.parts import ErrorReport, MalformedPayload
from whatsapp.payloads.phone_app import PastMessage, parse_echoes, parse_history
from whatsapp.payloads.statuses import Pricing, StatusUpdate, parse_status

__all__ = [
    "Call",
    "ErrorReport",
    "EventKind",
    "IdUpdate",
    "InboundMessage",
    "MalformedPayload",
    "MediaReference",
    "PastMessage",
    "Preference",
    "Pricing",
    "StatusUpdate",
    "SystemChange",
    "WebhookEvent",
    "parse_calls",
    "parse_echoes",
    "parse_history",
    "parse_id_updates",
    "parse_message",
    "parse_preferences",
    "parse_status",
    "split",
]
