"""Counts conversations, the metered unit, from what was reported: the second opinion on the platform's own count.

Pure: a log of reports, links and closings goes in, conversations and corrections come out. Written from the definition
(version 1) alone: facts from delivered or read messages, 24-hour periods by category, 72-hour periods from a free entry
point, months of Europe/Amsterdam that close and are corrected afterwards. Recounts everything each time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PERIOD = timedelta(hours=24)
ENTRY_POINT_PERIOD = timedelta(hours=72)
ENTRY_POINT_TYPE = "free_entry_point"
ENTRY_POINT_CATEGORY = "REFERRAL_CONVERSION"
DELIVERING = ("delivered", "read")
# The pricing of a message is that of the highest status that carries one.
RANK = {"sent": 1, "delivered": 2, "read": 3}
NEXT_RUN = "next"


@dataclass(frozen=True, slots=True)
class Report:
    """One status of one message; its pricing is absent when none of the three is given."""

    number: str
    contact: str
    wamid: str
    status: str
    stamp: datetime
    pricing_model: str | None = None
    pricing_type: str | None = None
    pricing_category: str | None = None
    template: str | None = None
    template_category: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """On this number, contact `known_as` turned out to be contact `is_really`."""

    number: str
    known_as: str
    is_really: str


@dataclass(frozen=True, slots=True)
class Close:
    """The run of the month (YYYY-MM) enters review: it and all months before are frozen as known here."""

    month: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """One metered conversation."""

    number: str
    contact: str
    category: str
    opened_at: datetime
    ends_at: datetime
    month: str
    purpose: str | None
    template: str | None
    frozen: bool = False

    @property
    def from_entry_point(self) -> bool:
        """Tell whether this is a period of 72 hours, which takes in every category."""
        return self.ends_at - self.opened_at == ENTRY_POINT_PERIOD


@dataclass(frozen=True, slots=True)
class Correction:
    """What a run corrects of a closed month."""

    run: str
    number: str
    category: str
    month: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Count:
    """The outcome: all conversations, and all corrections, those of the next run included."""

    conversations: list[Conversation]
    corrections: list[Correction]


@dataclass(slots=True)
class _Fact:
    number: str
    contact: str
    wamid: str
    moment: datetime | None = None
    # Rank of the status that carried it, its stamp, and (model, type, category).
    pricing: tuple[int, datetime, tuple[str, str, str]] | None = None
    template: str | None = None
    template_category: str | None = None
    purpose: str | None = None

    @property
    def from_entry_point(self) -> bool:
        return self.pricing is not None and self.pricing[2][1].lower() == ENTRY_POINT_TYPE

    @property
    def category(self) -> str:
        if self.from_entry_point:
            return ENTRY_POINT_CATEGORY
        priced = self.pricing[2][2] if self.pricing is not None else None
        return (priced or self.template_category or "service").upper().replace("-", "_")


class _Known:
    """What the log has told so far."""

    def __init__(self) -> None:
        self.facts: dict[tuple[str, str], _Fact] = {}
        self.links: dict[tuple[str, str], str] = {}
        self.frozen: list[Conversation] = []
        self.closed_through = ""
        self.corrections: list[Correction] = []

    def learn(self, *, report: Report) -> None:
        if report.status not in RANK:
            return
        key = (report.number, report.wamid)
        fact = self.facts.setdefault(key, _Fact(report.number, report.contact, report.wamid))
        if report.status in DELIVERING and (fact.moment is None or report.stamp < fact.moment):
            fact.moment = report.stamp
        said = (report.pricing_model or "", report.pricing_type or "", report.pricing_category or "")
        if any(said):
            rank, held = RANK[report.status], fact.pricing
            # Of one rank the earliest stamp's; of one stamp the first by the alphabet, whatever order they came in.
            if held is None or rank > held[0] or (rank == held[0] and (report.stamp, said) < held[1:]):
                fact.pricing = (rank, report.stamp, said)
        fact.template = fact.template or report.template
        fact.template_category = fact.template_category or report.template_category
        fact.purpose = fact.purpose or report.purpose

    def link(self, *, link: Link) -> None:
        one = self.really(number=link.number, contact=link.known_as)
        other = self.really(number=link.number, contact=link.is_really)
        if one != other:
            self.links[link.number, one] = other

    def really(self, *, number: str, contact: str) -> str:
        while (number, contact) in self.links:
            contact = self.links[number, contact]
        return contact

    def close(self, *, month: str) -> None:
        self.corrections += self.corrected_by(run=month)
        if month > self.closed_through:
            opened = self.open_conversations()
            self.closed_through = month
            self.frozen += [replace(each, frozen=True) for each in opened if each.month <= month]

    def open_conversations(self) -> list[Conversation]:
        """List the conversations of open months, with the frozen ones as given."""
        return self._walk_all(frozen=self.frozen, closed_through=self.closed_through)

    def corrected_by(self, *, run: str) -> list[Correction]:
        """List what this run corrects: closed months as if open, minus frozen, minus corrected before."""
        left: Counter[tuple[str, str, str]] = Counter()
        for each in self._walk_all(frozen=[], closed_through=""):
            if each.month <= self.closed_through:
                left[each.number, each.category, each.month] += 1
        for each in self.frozen:
            left[each.number, each.category, each.month] -= 1
        for earlier in self.corrections:
            left[earlier.number, earlier.category, earlier.month] -= earlier.quantity
        return [
            Correction(run, number, category, month, quantity)
            for (number, category, month), quantity in sorted(left.items())
            if quantity
        ]

    def _walk_all(self, *, frozen: list[Conversation], closed_through: str) -> list[Conversation]:
        facts: dict[tuple[str, str], list[_Fact]] = defaultdict(list)
        given: dict[tuple[str, str], list[Conversation]] = defaultdict(list)
        for fact in self.facts.values():
            if fact.moment is not None:
                facts[fact.number, self.really(number=fact.number, contact=fact.contact)].append(fact)
        for each in frozen:
            given[each.number, self.really(number=each.number, contact=each.contact)].append(each)
        opened: list[Conversation] = []
        for (number, contact), theirs in facts.items():
            opened += _walk(contact=contact, facts=theirs, frozen=given[number, contact], closed_through=closed_through)
        return opened


def count(*, log: Iterable[Report | Link | Close]) -> Count:
    """Count the conversations of a log, and what the next run would correct."""
    known = _Known()
    for event in log:
        if isinstance(event, Report):
            known.learn(report=event)
        elif isinstance(event, Link):
            known.link(link=event)
        else:
            known.close(month=event.month)
    return Count(
        conversations=known.frozen + known.open_conversations(),
        corrections=known.corrections + known.corrected_by(run=NEXT_RUN),
    )


def month_of(*, moment: datetime) -> str:
    """Tell the month (YYYY-MM) of a moment in Europe/Amsterdam."""
    return moment.astimezone(AMSTERDAM).strftime("%Y-%m")


def _walk(*, contact: str, facts: list[_Fact], frozen: list[Conversation], closed_through: str) -> list[Conversation]:
    """Open conversations for one contact on one number; facts of closed months open nothing."""
    # The end of the period that runs (or ran last), by category, and of the last one of 72 hours.
    ends: dict[str, datetime] = {}
    entry_point_ends: datetime | None = None
    for each in frozen:
        ends[each.category] = max(each.ends_at, ends.get(each.category, each.ends_at))
        if each.from_entry_point:
            entry_point_ends = max(each.ends_at, entry_point_ends or each.ends_at)
    opened: list[Conversation] = []
    dated = [(fact.moment, not fact.from_entry_point, fact.wamid, fact) for fact in facts if fact.moment is not None]
    for moment, _, _, fact in sorted(dated, key=lambda each: each[:3]):
        month = month_of(moment=moment)
        if month <= closed_through:
            continue
        if entry_point_ends is not None and moment < entry_point_ends:
            continue
        # Of one category no two periods overlap, so an entry point inside one of its own category opens none.
        category = fact.category
        if category in ends and moment < ends[category]:
            continue
        ends[category] = moment + (ENTRY_POINT_PERIOD if fact.from_entry_point else PERIOD)
        if fact.from_entry_point:
            entry_point_ends = ends[category]
        opened.append(
            Conversation(
                number=fact.number,
                contact=contact,
                category=category,
                opened_at=moment,
                ends_at=ends[category],
                month=month,
                purpose=fact.purpose,
                template=fact.template,
            )
        )
    return opened
