"""The conversation, the metered unit (definition v1): from what was reported of messages to periods of 24 or 72 hours.

Pure: no database, no clock, no settings. `fact_of` makes one fact of a message's reports; `derive` makes the
conversations of one contact on one number from its facts. Whatever the order in which reports came, the same reports
give the same conversations. tests/cases/conversations.json holds cases worked by hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from billing.months import month_of

PERIOD = timedelta(hours=24)
FREE_ENTRY_POINT_PERIOD = timedelta(hours=72)
FREE_ENTRY_POINT = "free_entry_point"  # Meta's pricing type


class Category(StrEnum):
    """The categories that Meta prices. Others that it may report are kept under their own name."""

    MARKETING = "MARKETING"
    MARKETING_LITE = "MARKETING_LITE"
    UTILITY = "UTILITY"
    AUTHENTICATION = "AUTHENTICATION"
    AUTHENTICATION_INTERNATIONAL = "AUTHENTICATION_INTERNATIONAL"
    SERVICE = "SERVICE"
    REFERRAL_CONVERSION = "REFERRAL_CONVERSION"


class Status(StrEnum):
    """The statuses that count here, in Meta's order: a later one ranks higher."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"


RANK = {status: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True, order=True)
class Pricing:
    """What Meta said with a status of how the message is charged; '' is what it left out."""

    model: str = ""
    type: str = ""
    category: str = ""

    def __bool__(self) -> bool:
        return bool(self.model or self.type or self.category)


@dataclass(frozen=True, slots=True)
class ReportView:
    """One status of one message, with what the message was sent for; '' where nothing was known."""

    status: Status
    stamped_at: datetime
    pricing: Pricing = Pricing()
    purpose: str = ""
    template_name: str = ""
    template_category: str = ""


@dataclass(frozen=True, slots=True)
class FactView:
    """One message that reached its contact. `key` tells messages apart and settles ties."""

    key: str
    moment: datetime
    category: str
    free_entry_point: bool = False
    purpose: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True, order=True)
class ConversationView:
    """One metered period, half-open: [opened_at, ends_at). Purpose and template are the opening fact's."""

    opened_at: datetime
    category: str
    ends_at: datetime
    purpose: str = ""
    template: str = ""

    @property
    def month(self) -> date:
        """The month to which it is billed: that of its opening, in Amsterdam."""
        return month_of(moment=self.opened_at)

    @property
    def from_free_entry_point(self) -> bool:
        """Whether it is a period of 72 hours, which takes in every category."""
        return self.ends_at - self.opened_at == FREE_ENTRY_POINT_PERIOD


def normal_category(*, category: str) -> str:
    """Return a category of Meta's as we write it: upper case, underscores; an unknown one is kept."""
    return category.strip().upper().replace("-", "_").replace(" ", "_")


def fact_of(*, key: str, reports: Iterable[ReportView]) -> FactView | None:
    """Return the fact that a message's reports make, or None when it never reached its contact.

    Moment: the earliest delivered or read stamp. Pricing: that of the highest status carrying one, of equal statuses
    the earliest stamp's; else the template's category, else SERVICE.
    """
    ordered = sorted(reports, key=_report_order)
    reached = [report.stamped_at for report in ordered if report.status is not Status.SENT]
    if not reached:
        return None
    pricing = next((report.pricing for report in ordered if report.pricing), Pricing())
    template_category = next((report.template_category for report in ordered if report.template_category), "")
    free_entry_point = pricing.type.lower() == FREE_ENTRY_POINT
    category = normal_category(category=pricing.category or template_category or Category.SERVICE)
    return FactView(
        key=key,
        moment=min(reached),
        category=Category.REFERRAL_CONVERSION if free_entry_point else category,
        free_entry_point=free_entry_point,
        purpose=next((report.purpose for report in ordered if report.purpose), ""),
        template=next((report.template_name for report in ordered if report.template_name), ""),
    )


def derive(
    *, facts: Iterable[FactView], frozen: Iterable[ConversationView] = (), open_from: datetime | None = None
) -> list[ConversationView]:
    """Return the conversations that one contact's facts on one number make, in order of opening.

    open_from: the moment at which the open months begin; None when no month was closed. Facts before it open nothing:
    their months are closed, and `frozen` holds the conversations that stand there. Those are taken as given, are not
    returned, and still take in what falls into their periods.
    """
    ends_at: dict[str, datetime] = {}
    entry_ends_at: datetime | None = None
    for given in frozen:
        ends_at[given.category] = max(ends_at.get(given.category, given.ends_at), given.ends_at)
        if given.from_free_entry_point:
            entry_ends_at = max(entry_ends_at or given.ends_at, given.ends_at)
    opened: list[ConversationView] = []
    for fact in sorted(facts, key=lambda fact: (fact.moment, not fact.free_entry_point, fact.key)):
        if open_from is not None and fact.moment < open_from:
            continue
        if entry_ends_at is not None and fact.moment < entry_ends_at:
            continue
        # A free entry point inside a 24-hour period of its own category, which Meta has no reason to report, belongs
        # to that period: two periods of one category may not overlap.
        if fact.category in ends_at and fact.moment < ends_at[fact.category]:
            continue
        end = fact.moment + (FREE_ENTRY_POINT_PERIOD if fact.free_entry_point else PERIOD)
        ends_at[fact.category] = end
        if fact.free_entry_point:
            entry_ends_at = end
        opened.append(ConversationView(fact.moment, fact.category, end, fact.purpose, fact.template))
    return opened


def _report_order(report: ReportView) -> tuple[int, datetime, Pricing, str, str, str]:
    """Order reports so that the first that says something is the one to believe, whatever order they came in."""
    said = (report.purpose, report.template_name, report.template_category)
    return (-RANK[report.status], report.stamped_at, report.pricing, *said)
