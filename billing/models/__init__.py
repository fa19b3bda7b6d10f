"""What billing keeps: the ledger of what was used (`ledger`), prices, invoices with their documents, what is around."""

from billing.models.collecting import Collection, StripeCustomer, StripeEvent
from billing.models.costs import MetaRate, MetaRateSheet
from billing.models.documents import InvoiceDocument, InvoiceMail
from billing.models.invoices import Invoice, InvoiceLine
from billing.models.ledger import (
    ContactLink,
    Conversation,
    Correction,
    Fact,
    FactReport,
    LateContact,
    MessageCount,
    Month,
)
from billing.models.prices import Rate, RateCard
from billing.models.selling import Adjustment, BillingProfile, InvoiceCounter, Payment

__all__ = [
    "Adjustment",
    "BillingProfile",
    "Collection",
    "ContactLink",
    "Conversation",
    "Correction",
    "Fact",
    "FactReport",
    "Invoice",
    "InvoiceCounter",
    "InvoiceDocument",
    "InvoiceLine",
    "InvoiceMail",
    "LateContact",
    "MessageCount",
    "MetaRate",
    "MetaRateSheet",
    "Month",
    "Payment",
    "Rate",
    "RateCard",
    "StripeCustomer",
    "StripeEvent",
]
