"""How a number stands with Meta: whether it sends, tries with one message now and then, or rests. It calls nobody.

Only what Meta says about the number itself stops it. A time-out stops nothing: while Meta does not answer at all, one
call at a time goes on, so that as few messages as possible are left of which nobody knows.
"""

import random
from dataclasses import dataclass, field

PROBE_SECONDS = 60.0  # how long a stopped number rests between two messages that try
# Calls that do not reach Meta are a trouble only after this long; with the time that a call takes to fail and a lane to
# look, agents see it within a minute.
UNREACHABLE_SECONDS = 30.0
LONGEST_BACK_OFF_SECONDS = 60.0
HANGS_SECONDS = 5.0  # a probe that is under way for so long holds back the next one no more
SILENT_AFTER = 8  # calls in a row without an answer


def doubling(times: int) -> float:
    """Return the seconds to wait: doubling from half a second, with jitter so that many do not return at once."""
    longest = min(LONGEST_BACK_OFF_SECONDS, 0.5 * 2.0 ** min(times, 10))
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


@dataclass(slots=True)
class Stop:
    """One reason to send nothing but probes; moments are seconds of a monotonic clock."""

    is_on: bool = False
    since: float = 0.0
    probe_at: float = 0.0
    probing: bool = False
    probed_at: float = 0.0

    def put(self, *, at: float, seconds: float) -> bool:
        """Stop, or rest again after a probe; return whether that is news and not the answer of a call of before."""
        is_news = not self.is_on or self.probing or at >= self.probe_at
        if is_news:
            self.since = self.since if self.is_on else at
            self.is_on, self.probing, self.probe_at = True, False, at + seconds
        return is_news

    def lift(self) -> None:
        """Go on as before."""
        self.is_on = self.probing = False

    def probe(self, *, at: float) -> None:
        """Note that a message tries."""
        self.probing, self.probed_at = True, at

    def hangs(self, *, at: float) -> bool:
        """Return whether the last message that tries gets no answer."""
        return self.probing and at - self.probed_at >= HANGS_SECONDS

    def may_probe(self, *, at: float) -> bool:
        """Return whether one message may try now."""
        return at >= self.probe_at and (not self.probing or self.hangs(at=at))


@dataclass(slots=True)
class Standing:
    """How one number stands, as its lane knows."""

    number: Stop = field(default_factory=Stop)
    templates: Stop = field(default_factory=Stop)
    silent: int = 0  # calls in a row that nobody answered
    unreached: int = 0  # rests in a row because calls did not reach Meta
    unreached_since: float = 0.0
    unreached_until: float = 0.0
    unreached_reason: str = ""  # why the last call without an answer had none

    def most_in_flight(self, *, usual: int, at: float) -> int:
        """Return how many calls may be under way at once: of a stopped number one more than the one that hangs."""
        if self.number.is_on:
            return 2 if self.number.hangs(at=at) else 1
        return 1 if self.silent >= SILENT_AFTER else usual

    def may_claim(self, *, at: float) -> bool:
        """Return whether anything may leave now."""
        return not self.number.is_on or self.number.may_probe(at=at)

    def may_send_templates(self, *, at: float) -> bool:
        """Return whether templates may leave now."""
        return not self.templates.is_on or self.templates.may_probe(at=at)

    def reached(self) -> None:
        """Note that a call reached Meta."""
        self.unreached = 0

    def not_reached(self, *, at: float) -> float | None:
        """Note that a call did not reach Meta; return until when to rest, twice as long as the last time.

        None for calls that were under way together with the one before: they count as one time.
        """
        if at < self.unreached_until:
            return None
        if not self.unreached:
            self.unreached_since = at
        self.unreached_until = at + doubling(self.unreached)
        self.unreached += 1
        return self.unreached_until

    def is_unreachable(self, *, at: float) -> bool:
        """Return whether Meta was out of reach for so long, or left so many calls unanswered, that people must know."""
        if self.silent >= SILENT_AFTER:
            return True
        return self.unreached > 0 and at - self.unreached_since >= UNREACHABLE_SECONDS
