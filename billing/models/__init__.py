"""What billing keeps: the ledger of what was used (`ledger`) and the invoices made of it (`invoices`)."""

from billing.models.invoices import Invoice, InvoiceLine, Rate, RateCard
from billing.models.ledger import ContactLink, Conversation, Correction, Fact, FactReport, LateContact, Month

__all__ = [
    "ContactLink",
    "Conversation",
    "Correction",
    "Fact",
    "FactReport",
    "Invoice",
    "InvoiceLine",
    "LateContact",
    "Month",
    "Rate",
    "RateCard",
]
