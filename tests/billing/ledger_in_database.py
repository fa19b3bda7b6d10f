"""Plays the steps of a case through the database: metering, closing, and the corrections of the run after."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db import connection
from worked_cases import KEY, MUNICIPALITY, NEXT, identity, status_report

from billing.closing import close_month, pending_corrections
from billing.conversations import ConversationView
from billing.metering import contact_hash, link_contacts, record_reports
from billing.models import Conversation, Correction
from billing.months import end_of, parse_month
from billing.recomputing import last_closed

RECORDED_AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def one_card(_municipality: UUID, _day: date) -> str:
    """Stand in for a rate card that is valid on every day."""
    return "2020-01-01"


class DatabaseLedger:
    """The ledger of a case as the database keeps it."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._names: dict[bytes, str] = {}

    def play(self, steps: list) -> "DatabaseLedger":
        """Apply the steps one by one; check the deferred constraints after each. A 'batch' is a list of reports."""
        for step in steps:
            if "report" in step or "batch" in step:
                reports = step.get("batch") or [step["report"]]
                for report in reports:
                    self._know(report["contact"])
                record_reports(reports=[status_report(report) for report in reports], recorded_at=RECORDED_AT)
            elif "link" in step:
                self.link(**step["link"])
            else:
                month = parse_month(text=step["close"])
                close_month(month=month, at=end_of(month=month) + timedelta(hours=1), card_of=one_card)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        return self

    def link(self, *, number: str, to: str, **others: str) -> None:
        """Link the contact 'from' to another."""
        self._know(others["from"])
        self._know(to)
        link_contacts(
            municipality_id=MUNICIPALITY,
            phone_number_id=number,
            pseudonym_key=KEY,
            from_contact_id=identity(others["from"]),
            to_contact_id=identity(to),
            recorded_at=RECORDED_AT,
        )

    def conversations(self) -> set:
        """Return (number, contact, view, month, is frozen) of every row."""
        closed = last_closed()
        return {
            (
                row.phone_number_id,
                self._names[bytes(row.contact_hash)],
                ConversationView(row.opened_at, row.category, row.ends_at, row.purpose, row.template),
                row.month,
                closed is not None and row.month <= closed,
            )
            for row in Conversation.objects.all()
        }

    def corrections(self) -> dict:
        """Return quantity by (run, number, category, month): those stored, and those of the run after."""
        stored = {
            (row.run, row.phone_number_id, row.category, row.month): row.quantity for row in Correction.objects.all()
        }
        pending = pending_corrections(run=NEXT, card_of=one_card)
        return stored | {
            (NEXT, about.phone_number_id, about.category, about.month): sum(by_card.values())
            for about, by_card in pending.items()
        }

    def _know(self, contact: str) -> None:
        self._names[contact_hash(pseudonym_key=KEY, contact_id=identity(contact))] = contact
