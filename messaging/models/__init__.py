"""What one municipality and its citizens said to each other. All of it lies in the municipality's own schema."""

from messaging.models.automatic import ClosedAnswer, Told
from messaging.models.choices import UncertainChoice
from messaging.models.consents import Consent
from messaging.models.evidence import Alteration, IdChange, LooseStatus, Sighting, WindowOpening
from messaging.models.firsts import FirstWrite
from messaging.models.inbox import InboxEvent
from messaging.models.labels import CannedReply, Label, ReplyDraft, ThreadLabel
from messaging.models.media import Blob, Medium, MetaUpload
from messaging.models.messages import Message, MessageStatus, OutboxItem
from messaging.models.notes import Mention, ThreadNote
from messaging.models.office import Office, OpenPeriod, PrivacyNotice, SpecialDay
from messaging.models.people import Contact, Thread
from messaging.models.receipts import ReadReceipt
from messaging.models.templates import UNASSIGNED, Template, TemplateAlert, TemplateEdit, TemplateSync, TemplateVersion

__all__ = [
    "UNASSIGNED",
    "Alteration",
    "Blob",
    "CannedReply",
    "ClosedAnswer",
    "Consent",
    "Contact",
    "FirstWrite",
    "IdChange",
    "InboxEvent",
    "Label",
    "LooseStatus",
    "Medium",
    "Mention",
    "Message",
    "MessageStatus",
    "MetaUpload",
    "Office",
    "OpenPeriod",
    "OutboxItem",
    "PrivacyNotice",
    "ReadReceipt",
    "ReplyDraft",
    "Sighting",
    "SpecialDay",
    "Template",
    "TemplateAlert",
    "TemplateEdit",
    "TemplateSync",
    "TemplateVersion",
    "Thread",
    "ThreadLabel",
    "ThreadNote",
    "Told",
    "UncertainChoice",
    "WindowOpening",
]
