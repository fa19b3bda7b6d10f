"""What one municipality and its citizens said to each other. All of it lies in the municipality's own schema."""

from messaging.models.consents import Consent
from messaging.models.inbox import InboxEvent
from messaging.models.media import Blob, Medium, MetaUpload
from messaging.models.messages import Message, MessageStatus, OutboxItem
from messaging.models.people import Contact, Thread
from messaging.models.receipts import ReadReceipt
from messaging.models.templates import UNASSIGNED, Template, TemplateAlert, TemplateSync, TemplateVersion

__all__ = [
    "UNASSIGNED",
    "Blob",
    "Consent",
    "Contact",
    "InboxEvent",
    "Medium",
    "Message",
    "MessageStatus",
    "MetaUpload",
    "OutboxItem",
    "ReadReceipt",
    "Template",
    "TemplateAlert",
    "TemplateSync",
    "TemplateVersion",
    "Thread",
]
