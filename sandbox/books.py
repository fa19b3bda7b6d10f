"""The books: every send received, every webhook sent, every citizen's message, to compare with what the platform says.

Rows are small and kept for the life of the process; only counts are made of them here.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple


@dataclass(slots=True, eq=False)
class Send:
    """One call to send a message, accepted or refused."""

    seq: int
    at: float
    number_id: str
    to: str
    type: str
    opaque: str | None
    outcome: str = "REFUSED"
    code: int | None = None
    wamid: str | None = None
    # The citizen's key in `world`, the template's category, and what the statuses said that were acknowledged.
    citizen_key: int = 0
    template: str | None = None
    language: str | None = None
    category: str | None = None
    pricing: dict[str, Any] | None = None
    acknowledged: list[str] = field(default_factory=list)
    body: dict[str, Any] | None = None
    # Stamps of what was reported, for analytics; 0: not yet.
    delivered_at: float = 0.0
    read_at: float = 0.0
    failed: bool = False

    def note(self, *, status: str, at: float) -> None:
        """Note that a status of the message goes out."""
        if status in ("delivered", "read"):
            self.delivered_at = min(self.delivered_at or at, at)
        if status == "read":
            self.read_at = min(self.read_at or at, at)
        self.failed = self.failed or status == "failed"

    def as_dict(self) -> dict[str, Any]:
        """Show the row."""
        return {
            "id": self.seq,
            "time": iso(moment=self.at),
            "phone_number_id": self.number_id,
            "to": self.to,
            "type": self.type,
            "biz_opaque_callback_data": self.opaque,
            "outcome": self.outcome,
            "code": self.code,
            "wamid": self.wamid,
            "template": self.template,
            "statuses": self.acknowledged,
            "body": self.body,
        }


@dataclass(slots=True, eq=False)
class Inbound:
    """One distinct message of a citizen."""

    wamid: str
    at: float
    stamped_at: float
    number_id: str
    citizen_key: int
    type: str
    deliveries: int = 0
    acknowledged: bool = False
    # How often the business said that it was read, and that it was typing an answer.
    marked_read: int = 0
    typing_shown: int = 0

    def note_read(self, *, typing: bool) -> None:
        """Note that the business marked it as read."""
        self.marked_read += 1
        self.typing_shown += typing

    def as_dict(self) -> dict[str, Any]:
        """Show the row."""
        return {
            "wamid": self.wamid,
            "time": iso(moment=self.at),
            "stamped_at": iso(moment=self.stamped_at),
            "phone_number_id": self.number_id,
            "citizen": self.citizen_key,
            "type": self.type,
            "deliveries": self.deliveries,
            "acknowledged": self.acknowledged,
            "marked_read": self.marked_read,
            "typing_shown": self.typing_shown,
        }


@dataclass(slots=True, eq=False)
class WebhookPost:
    """One POST to the platform, with its answer (None: no answer came)."""

    at: float
    url: str
    updates: int
    numbers: int
    attempt: int
    answer: int | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Show the row."""
        return {
            "time": iso(moment=self.at),
            "url": self.url,
            "updates": self.updates,
            "numbers": self.numbers,
            "attempt": self.attempt,
            "answer": self.answer,
            "seconds": round(self.seconds, 4),
        }


@dataclass(slots=True, eq=False)
class Change:
    """One call that asks Meta for more than to look, other than to send a message, and how it was answered."""

    at: float
    method: str
    path: str
    status: int

    def as_dict(self) -> dict[str, Any]:
        """Show the row."""
        return {"time": iso(moment=self.at), "method": self.method, "path": self.path, "status": self.status}


class Reported(NamedTuple):
    """A status that the platform acknowledged; small, because there are many."""

    send: Send
    status: str
    stamp: int
    pricing: dict[str, Any] | None


@dataclass(slots=True)
class Books:
    """All rows, and the counts kept along the way."""

    sends: list[Send] = field(default_factory=list)
    by_wamid: dict[str, Send] = field(default_factory=dict)
    inbound: dict[str, Inbound] = field(default_factory=dict)
    posts: list[WebhookPost] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    # What conversations are counted from, in the order in which it was acknowledged: statuses, links of citizens' keys
    # (number, one, other), closed months.
    log: list[Reported | tuple[str, int, int] | str] = field(default_factory=list)
    marked_read: int = 0
    other_calls: int = 0
    dropped_updates: int = 0
    expired: int = 0
    out_of_order: int = 0
    # The newest stamp delivered of each (number, citizen), to count messages that came after a newer one.
    _newest: dict[tuple[str, int], float] = field(default_factory=dict)

    def note_inbound_delivery(self, *, wamid: str) -> None:
        """Count that a citizen's message goes out to the platform, for the first time or again."""
        row = self.inbound.get(wamid)
        if row is None:  # the books were begun anew while it was on its way
            return
        row.deliveries += 1
        if row.deliveries == 1:
            pair = (row.number_id, row.citizen_key)
            newest = self._newest.get(pair)
            if newest is not None and row.stamped_at < newest:
                self.out_of_order += 1
            self._newest[pair] = max(row.stamped_at, newest or row.stamped_at)

    @property
    def empty(self) -> bool:
        """Tell whether there was any traffic."""
        return not (self.sends or self.inbound or self.posts)

    def summary(self, *, unacknowledged: int) -> dict[str, Any]:
        """Count everything."""
        accepted = [send for send in self.sends if send.outcome == "ACCEPTED"]
        opaque = Counter(send.opaque for send in accepted if send.opaque is not None)
        return {
            "inbound_messages": len(self.inbound),
            "inbound_acknowledged": sum(row.acknowledged for row in self.inbound.values()),
            "inbound_duplicates": sum(max(0, row.deliveries - 1) for row in self.inbound.values()),
            "inbound_out_of_order": self.out_of_order,
            "by_number": dict(Counter(row.number_id for row in self.inbound.values())),
            "by_type": dict(Counter(row.type for row in self.inbound.values())),
            "sends_accepted": len(accepted),
            "sends_refused": len(self.sends) - len(accepted),
            "refused_by_code": dict(Counter(str(s.code) for s in self.sends if s.outcome != "ACCEPTED")),
            "sends_by_number": dict(Counter(send.number_id for send in accepted)),
            "duplicates_by_opaque_id": sum(1 for count in opaque.values() if count > 1),
            "marked_read": self.marked_read,
            "webhook_posts": len(self.posts),
            "webhook_answers": dict(Counter(str(post.answer) for post in self.posts)),
            "statuses": dict(self.statuses),
            "dropped_updates": self.dropped_updates,
            "expired": self.expired,
            "unacknowledged": unacknowledged,
        }


def iso(*, moment: float) -> str:
    """Write a moment (seconds since the epoch) as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, tz=UTC).isoformat()
