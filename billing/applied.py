"""A buyer's first details: what its application for a number says, for finance to look at and store."""

from billing.parties import Profile
from tenants.models import Municipality
from tenants.onboarding.application import load
from tenants.onboarding.fields import YES
from tenants.onboarding.models import Onboarding, Part


def find_applied(*, municipality: Municipality) -> Profile | None:
    """Return what a municipality's application says of it as a buyer; None when it says nothing."""
    onboarding = Onboarding.objects.filter(municipality_id=municipality.id).first()
    if onboarding is None:
        return None
    application = load(onboarding_id=onboarding.id)
    organisation, contacts = application.values(Part.ORGANISATION), application.values(Part.CONTACTS)
    if not organisation.get("legal_entity"):
        return None
    cost_centre = organisation.get("cost_centre", "")
    way = "postal" if organisation.get("postal_postcode") else "visiting"
    return Profile(
        legal_name=organisation["legal_entity"],
        kvk=organisation.get("kvk_number", ""),
        oin=organisation.get("oin", ""),
        vat_number=organisation.get("vat_number", ""),
        street=organisation.get(f"{way}_address", ""),
        postcode=organisation.get(f"{way}_postcode", ""),
        city=organisation.get(f"{way}_city", ""),
        order_reference=organisation.get("order_reference", ""),
        cost_centre=cost_centre,
        has_no_cost_centre=not cost_centre and organisation.get("has_no_cost_centre") == YES,
        email=contacts.get("invoice_email", ""),
    )
