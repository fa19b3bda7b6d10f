"""Hands what a batch of statuses reports to billing, without a citizen's identity: ids and numbers' keys only."""

from dataclasses import dataclass, field
from datetime import datetime

from billing import metering
from messaging.contacts import Merge
from messaging.models import Contact, Message
from tenants.models import Municipality, Number
from whatsapp.markets import market_of
from whatsapp.payloads import StatusUpdate

METERED = frozenset({"sent", "delivered", "read"})


@dataclass(slots=True)
class Meter:
    """What one batch has to report, recorded at its end in its transaction."""

    municipality: Municipality
    at: datetime
    _reports: list[metering.StatusReport] = field(default_factory=list)
    _numbers: dict[str, tuple[Number, bytes]] = field(default_factory=dict)

    def add(self, *, report: StatusUpdate, number: str, contact: Contact, message: Message | None = None) -> None:
        """Note one status of one message; statuses that say nothing about delivery are left out."""
        if report.status not in METERED:
            return
        pricing = report.pricing
        self._reports.append(
            metering.StatusReport(
                municipality_id=self.municipality.id,
                phone_number_id=number,
                pseudonym_key=self._number(number)[1],
                contact_id=(contact.merged_into or contact).id,
                wamid=report.wamid,
                status=report.status,
                stamped_at=report.stamped_at,
                pricing_model=pricing.model if pricing else None,
                pricing_type=pricing.type if pricing else None,
                pricing_category=pricing.category if pricing else None,
                purpose=message.purpose or None if message else None,
                template_name=message.template_name or None if message else None,
                template_category=message.template_category or None if message else None,
                market=market_of(wa_id=contact.wa_id or ""),
            )
        )

    def is_of(self, *, report: StatusUpdate, number: str) -> bool:
        """Return whether a status came since the number is this municipality's."""
        return report.stamped_at >= self._number(number)[0].opened_at

    def record(self, *, merges: list[Merge]) -> None:
        """Record everything that was noted, and who turned out to be one person; on every number of theirs."""
        if self._reports:
            metering.record_reports(reports=self._reports, recorded_at=self.at)
        if not merges:
            return
        for number in Number.objects.filter(municipality=self.municipality):
            for merge in merges:
                metering.link_contacts(
                    municipality_id=self.municipality.id,
                    phone_number_id=number.phone_number_id,
                    pseudonym_key=number.pseudonym_key(),
                    from_contact_id=merge.from_contact_id,
                    to_contact_id=merge.to_contact_id,
                    recorded_at=self.at,
                )

    def _number(self, phone_number_id: str) -> tuple[Number, bytes]:
        """Return the number's latest row and its key."""
        if phone_number_id not in self._numbers:
            number = Number.objects.filter(municipality=self.municipality, phone_number_id=phone_number_id).latest("id")
            self._numbers[phone_number_id] = number, number.pseudonym_key()
        return self._numbers[phone_number_id]
