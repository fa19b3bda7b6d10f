"""Reads tests/cases/conversations.json and plays a case: through the pure code alone, or through the database."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from billing.conversations import ConversationView, Pricing, ReportView, Status, derive, fact_of
from billing.metering import StatusReport
from billing.months import end_of, parse_month

CASES = json.loads((Path(__file__).parents[1] / "cases" / "conversations.json").read_text())["cases"]
STANDARD_CARD = Path(__file__).parents[2] / "billing" / "rate_cards" / "standard-2026.json"
MUNICIPALITY = UUID("00000000-0000-4000-8000-000000000344")
KEY = b"a key of 32 bytes for the tests."
STATUSES = {"sent": Status.SENT, "delivered": Status.DELIVERED, "read": Status.READ}
NEXT = date(2099, 1, 1)  # the run after all others


def moment(text: str) -> datetime:
    """Return the moment in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def identity(contact: str) -> UUID:
    """Return the id of a contact, from the name that a case gives it."""
    return uuid5(NAMESPACE_URL, contact)


def status_report(report: dict) -> StatusReport:
    """Return a case's report as messaging hands it over."""
    pricing, template = report.get("pricing") or {}, report.get("template") or {}
    return StatusReport(
        municipality_id=MUNICIPALITY,
        phone_number_id=report["number"],
        pseudonym_key=KEY,
        contact_id=identity(report["contact"]),
        wamid=report["wamid"],
        status=report["status"],
        stamped_at=datetime.fromisoformat(report["stamp"]),
        pricing_model=pricing.get("model"),
        pricing_type=pricing.get("type"),
        pricing_category=pricing.get("category"),
        purpose=report.get("purpose"),
        template_name=template.get("name"),
        template_category=template.get("category"),
    )


def expected_conversations(case: dict) -> set:
    """Return the rows expected, with '' for what is null."""
    return {
        (
            row["number"],
            row["contact"],
            ConversationView(
                moment(row["opened_at"]),
                row["category"],
                moment(row["ends_at"]),
                row["purpose"] or "",
                row["template"] or "",
            ),
            parse_month(text=row["month"]),
            row.get("frozen", False),
        )
        for row in case["expected"]["conversations"]
    }


def expected_corrections(case: dict) -> dict:
    """Return quantity by (run, number, category, month)."""
    return {
        (
            NEXT if row["run"] == "next" else parse_month(text=row["run"]),
            row["number"],
            row["category"],
            parse_month(text=row["month"]),
        ): row["quantity"]
        for row in case["expected"]["corrections"]
    }


@dataclass
class PureLedger:
    """The ledger of a case in memory: the definition, without a database."""

    reports: dict = field(default_factory=lambda: defaultdict(list))  # (number, contact, wamid) -> reports
    links: dict = field(default_factory=dict)  # (number, from) -> to
    frozen: list = field(default_factory=list)  # (number, contact, view)
    closed: date | None = None
    corrections: dict = field(default_factory=dict)

    def play(self, steps: list) -> "PureLedger":
        """Apply the steps, and make the run after the last one."""
        for step in steps:
            if "report" in step:
                self._report(step["report"])
            elif "link" in step:
                self.links[step["link"]["number"], step["link"]["from"]] = step["link"]["to"]
            else:
                self._close(parse_month(text=step["close"]))
        self._correct(NEXT)
        return self

    def conversations(self) -> set:
        """Return (number, contact, view, month, is frozen) of all that stand or are open."""
        standing = {(number, contact, view, view.month, True) for number, contact, view in self.frozen}
        return standing | {(number, contact, view, view.month, False) for number, contact, view in self._open()}

    def _report(self, report: dict) -> None:
        if report["status"] not in STATUSES:
            return
        as_handed = status_report(report)
        view = ReportView(
            STATUSES[report["status"]],
            as_handed.stamped_at,
            Pricing(as_handed.pricing_model or "", as_handed.pricing_type or "", as_handed.pricing_category or ""),
            as_handed.purpose or "",
            as_handed.template_name or "",
            as_handed.template_category or "",
        )
        self.reports[report["number"], report["contact"], report["wamid"]].append(view)

    def _canonical(self, number: str, contact: str) -> str:
        while (number, contact) in self.links:
            contact = self.links[number, contact]
        return contact

    def _facts(self) -> dict:
        facts = defaultdict(list)
        for (number, contact, wamid), reports in self.reports.items():
            fact = fact_of(key=wamid, reports=reports)
            if fact:
                facts[number, self._canonical(number, contact)].append(fact)
        return facts

    def _open(self) -> set:
        opened = set()
        for (number, contact), facts in self._facts().items():
            given = [view for n, c, view in self.frozen if (n, self._canonical(n, c)) == (number, contact)]
            start = end_of(month=self.closed) if self.closed else None
            opened |= {(number, contact, view) for view in derive(facts=facts, frozen=given, open_from=start)}
        return opened

    def _close(self, month: date) -> None:
        self._correct(month)
        self.frozen += [(number, contact, view) for number, contact, view in self._open() if view.month <= month]
        self.closed = month

    def _correct(self, run: date) -> None:
        quantities = defaultdict(int)
        for (number, _), facts in self._facts().items():
            for view in derive(facts=facts):
                quantities[number, view.category, view.month] += 1
        for number, _, view in self.frozen:
            quantities[number, view.category, view.month] -= 1
        for (_, *about), quantity in self.corrections.items():
            quantities[tuple(about)] -= quantity
        for (number, category, month), quantity in quantities.items():
            if quantity and self.closed and month <= self.closed:
                self.corrections[run, number, category, month] = quantity
