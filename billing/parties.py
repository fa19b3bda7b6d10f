"""Who sells and who buys, as an invoice copies them when it is finalised; and what must be known before it may be.

A buyer's profile is dated and append-only: an invoice takes the one that holds on its day of issue. The application of
a municipality fills its first; finance edits it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.record import Actor, record
from billing.models import BillingProfile
from billing.months import day_of
from billing.recording import recorded_by

NEEDED_OF_SELLER = ("NAME", "KVK", "BTW", "IBAN", "ADDRESS")


class SellerIncomplete(Exception):
    """The BSP's own identity is not set, without which there is no invoice."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a buyer; '' where nothing is."""

    legal_name: str = ""
    kvk: str = ""
    oin: str = ""
    vat_number: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "NL"
    order_reference: str = ""
    cost_centre: str = ""
    has_no_cost_centre: bool = False  # somebody said so; an empty cost centre alone says that nobody has looked
    email: str = ""
    payment_days: int = 30


FIELDS = tuple(Profile.__dataclass_fields__)
# What an invoice cannot do without, by field; of a tuple one is enough.
NEEDED: tuple[tuple[str, ...], ...] = (
    ("legal_name",),
    ("kvk", "oin"),
    ("street",),
    ("postcode",),
    ("city",),
    ("order_reference",),
    ("cost_centre", "has_no_cost_centre"),
)
# What is agreed with a buyer or decided about it, and does not stand on an invoice.
NOT_COPIED = ("payment_days", "has_no_cost_centre")


@transaction.atomic
def save_profile(*, municipality_id: UUID, profile: Profile, valid_from: date, actor: Actor, at: datetime) -> bool:
    """Record a municipality's profile from a day on; False, and nothing written, when it says so already. Audited."""
    if find_profile(municipality_id=municipality_id, day=valid_from) == profile:
        return False
    BillingProfile.objects.create(
        municipality_id=municipality_id,
        valid_from=valid_from,
        **recorded_by(actor=actor, at=at),
        **{name: getattr(profile, name) for name in FIELDS},
    )
    details = {"valid_from": valid_from.isoformat(), "missing": [" or ".join(names) for names in missing(profile)]}
    record(
        action="billing_profile.save", actor=actor, at=at, subject=f"municipality {municipality_id}", details=details
    )
    return True


def find_profile(*, municipality_id: UUID, day: date) -> Profile | None:
    """Return the profile that holds on a day, or None."""
    rows = BillingProfile.objects.filter(municipality_id=municipality_id, valid_from__lte=day)
    row = rows.order_by("-valid_from", "-id").first()
    return Profile(**{name: getattr(row, name) for name in FIELDS}) if row else None


def missing(profile: Profile | None) -> list[tuple[str, ...]]:
    """Return what an invoice cannot do without and the profile lacks."""
    known = profile or Profile()
    return [names for names in NEEDED if not any(getattr(known, name) for name in names)]


def buyer_on(*, municipality_id: UUID, name: str, at: datetime) -> dict[str, Any]:
    """Return the buyer as an invoice copies it: the profile of the day, and how the municipality is called."""
    profile = find_profile(municipality_id=municipality_id, day=day_of(moment=at)) or Profile()
    return {"municipality_id": str(municipality_id), "name": name} | {
        field: getattr(profile, field) for field in FIELDS if field not in NOT_COPIED
    }


def seller() -> dict[str, Any]:
    """Return the BSP as an invoice copies it.  Raises SellerIncomplete: SELLER_… is not set."""
    known = settings.SELLER
    if lacking := [name for name in NEEDED_OF_SELLER if not known.get(name)]:
        raise SellerIncomplete(f"set {', '.join(f'SELLER_{name}' for name in lacking)} before an invoice is finalised")
    street, _, rest = known["ADDRESS"].partition(";")
    postcode, _, city = rest.strip().rpartition(" ")
    return {
        "name": known["NAME"],
        "kvk": known["KVK"],
        "vat_number": known["BTW"],
        "iban": known["IBAN"],
        "street": street.strip(),
        "postcode": postcode.strip(),
        "city": city.strip(),
        "country": "NL",
        "email": known.get("EMAIL") or "",
    }
