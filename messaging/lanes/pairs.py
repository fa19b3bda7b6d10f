"""The pair limit: what one number may send to one citizen. Kept here, so that Meta need not refuse.

Source: Meta, Cloud API rate limits (one message in six seconds to one user; a burst of 45, paid back after).
"""

from dataclasses import dataclass, field
from uuid import UUID

SECONDS = 6.0
BURST = 45
LOOKED_AFTER_SECONDS = 60.0  # how often those whose burst is whole again are forgotten


@dataclass(slots=True)
class Pairs:
    """The citizens to whom a number wrote lately. Moments are seconds of a monotonic clock.

    A lane that changes hands starts anew: then Meta refuses the first message too many, which costs nothing (131056).
    """

    _whole_at: dict[UUID, float] = field(default_factory=dict)  # when the burst is whole again
    _full: set[UUID] = field(default_factory=set)
    _looked_at: float = 0.0

    def sent(self, *, contact_id: UUID, at: float) -> None:
        """Count a message to a citizen."""
        whole_at = max(self._whole_at.get(contact_id, at), at) + SECONDS
        self._whole_at[contact_id] = whole_at
        if whole_at + SECONDS - at > BURST * SECONDS:
            self._full.add(contact_id)
        if at - self._looked_at > LOOKED_AFTER_SECONDS:
            self._looked_at = at
            self._whole_at = {key: moment for key, moment in self._whole_at.items() if moment > at}

    def held(self, *, at: float) -> list[UUID]:
        """Return the citizens to whom nothing may leave now."""
        for contact_id in list(self._full):
            if self._whole_at.get(contact_id, at) + SECONDS - at <= BURST * SECONDS:
                self._full.discard(contact_id)
        return list(self._full)
