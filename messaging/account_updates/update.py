"""One account-level update as its handlers get it, and the numbers that it is about."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from tenants.models import Municipality, Number

_NO_DIGIT = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class Update:
    """One account field's value. at: Meta's moment, or that of receipt where Meta gave none.

    account_id: what the update came under, which is a WhatsApp Business Account or, at times, a portfolio.
    """

    municipality: Municipality
    field: str
    value: dict[str, Any]
    account_id: str | None
    at: datetime

    def numbers(self) -> QuerySet[Number]:
        """Return the municipality's open numbers of the account; all of them where it is a portfolio's update."""
        of_municipality = Number.objects.filter(municipality=self.municipality, closed_at=None).order_by("id")
        of_account = of_municipality.filter(waba_id=self.account_id or "")
        return of_account if of_account.exists() else of_municipality

    def number(self) -> Number | None:
        """Return the open number that the value shows by its digits or names by its id, or None."""
        metadata = self.value.get("metadata")
        named = metadata.get("phone_number_id") if isinstance(metadata, dict) else self.value.get("entity_id")
        digits = _NO_DIGIT.sub("", str(self.value.get("display_phone_number") or ""))
        for number in Number.objects.filter(municipality=self.municipality, closed_at=None).order_by("id"):
            if number.phone_number_id == named or number.display_phone_number == f"+{digits}":
                return number
        return None

    def word(self, name: str) -> str:
        """Return a part that is text, else nothing."""
        value = self.value.get(name)
        return value if isinstance(value, str) else ""

    def part(self, name: str) -> dict[str, Any]:
        """Return a part that is an object, else an empty one."""
        value = self.value.get(name)
        return value if isinstance(value, dict) else {}
