"""Figures of one municipality's messages, for reports: counts alone, nobody's words."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django_tenants.utils import schema_context

from messaging.models import Alteration, Message

STATE = Message.State


@dataclass(frozen=True, slots=True)
class MessageCounts:
    """How many messages there are. Outbound: each counts once in accepted, failed or uncertain, or still waits.

    inbound: what citizens sent, their reactions, edits and withdrawals included, which stand at another message.
    delivered includes read, and both are within accepted.
    """

    inbound: int
    queued: int
    accepted: int
    delivered: int
    read: int
    failed: int
    uncertain: int


def count_messages(*, schema_name: str) -> MessageCounts:
    """Return the counts of one schema, over all time."""
    accepted = [STATE.ACCEPTED, STATE.SENT, STATE.DELIVERED, STATE.READ, STATE.PLAYED]
    states = {
        "inbound": Q(direction=Message.Direction.INBOUND),
        "queued": Q(direction=Message.Direction.OUTBOUND),
        "accepted": Q(state__in=accepted),
        "delivered": Q(state__in=accepted[2:]),
        "read": Q(state__in=accepted[3:]),
        "failed": Q(state=STATE.FAILED),
        "uncertain": Q(state=STATE.UNCERTAIN),
    }
    with schema_context(schema_name):
        counts = Message.objects.aggregate(**{name: Count("id", filter=q) for name, q in states.items()})
        counts["inbound"] += Alteration.objects.filter(by_contact=True).count()
        return MessageCounts(**counts)
