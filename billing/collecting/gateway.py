"""The only place that speaks to Stripe: each call with our key, its errors in four kinds. Nothing of its own leaves.

UNKNOWN: no answer came, it may have happened; the same key is asked with again. FAILED: Stripe answered an error of its
own, which it keeps under the key; look first, then ask with another key. REFUSED: what we ask is wrong; a person looks.
LATER: too many requests, or our key is not taken now; nothing happened.
Source: docs.stripe.com/api/errors, docs.stripe.com/idempotency, stripe-python 16.1.0 (read 2026-11-22).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import stripe
from django.conf import settings
from stripe import StripeClient

from billing.documents.content import Paper
from billing.months import AMSTERDAM

API_VERSION = "2026-10-28.endive"
TIMEOUT_SECONDS = 20.0
MOST_LINES = 250  # of one invoice


class Unknown(Exception):
    """No answer came: it may have happened."""


class Failed(Exception):
    """Stripe answered an error of its own, or knows the key with other parameters."""


class Later(Exception):
    """Nothing happened; ask again later."""


class Refused(Exception):
    """Stripe refuses what is asked. code: Stripe's, or ''."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Mirror:
    """An invoice as Stripe has it, amounts in cents."""

    id: str
    status: str
    number: str
    customer: str
    currency: str
    subtotal_cents: int
    tax_cents: int
    total_cents: int
    paid_cents: int
    paid_at: datetime | None
    lines: int
    credited_cents: int  # by credit notes at Stripe that stand


@contextmanager
def _classified() -> Iterator[None]:
    try:
        yield
    except stripe.RateLimitError as error:
        raise Later("rate limit") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise Later("the key is not taken") from error
    except stripe.APIConnectionError as error:
        raise Unknown("no answer") from error
    except stripe.IdempotencyError as error:
        if error.http_status == 409:
            raise Later("another has the key in hand") from error
        raise Failed("the key is known with other parameters") from error
    except stripe.InvalidRequestError as error:
        if error.http_status == 409:
            raise Later("another has the object in hand") from error
        raise Refused(error.code or "") from error
    except stripe.StripeError as error:
        raise Failed(type(error).__name__) from error


def _client() -> StripeClient:
    return StripeClient(
        settings.STRIPE_API_KEY,
        stripe_version=API_VERSION,
        base_addresses={"api": settings.STRIPE_API_BASE} if settings.STRIPE_API_BASE else {},
        max_network_retries=0,  # we retry ourselves, with keys of our own
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


def find_customer(*, municipality_id: UUID, since: datetime) -> str | None:
    """Return the customer that was made for a municipality since a moment, or None."""
    with _classified():
        listed = _client().v1.customers.list({"created": {"gte": int(since.timestamp()) - 60}, "limit": 100})
        for each in listed.auto_paging_iter():
            if _named(each, "municipality_id") == str(municipality_id):
                return str(each.id)
    return None


def create_customer(*, municipality_id: UUID, name: str, email: str, key: str) -> str:
    """Make a customer; return its id."""
    params: dict[str, Any] = {
        "name": name,
        "preferred_locales": ["nl"],
        "metadata": {"municipality_id": str(municipality_id)},
    }
    if email:
        params["email"] = email
    with _classified():
        return str(_client().v1.customers.create(params, {"idempotency_key": key}).id)  # type: ignore[arg-type]


def update_customer(*, stripe_id: str, email: str, key: str) -> None:
    """Tell Stripe another address."""
    with _classified():
        _client().v1.customers.update(stripe_id, {"email": email}, {"idempotency_key": key})


def find_invoice(*, customer: str, invoice_id: UUID) -> str | None:
    """Return the invoice that was made of ours, or None."""
    with _classified():
        for each in _client().v1.invoices.list({"customer": customer, "limit": 100}).auto_paging_iter():
            if _named(each, "invoice_id") == str(invoice_id):
                return str(each.id)
    return None


def create_invoice(*, paper: Paper, invoice_id: UUID, customer: str, key: str) -> str:
    """Make an empty draft with our number and days; return its id."""
    assert paper.due_date is not None
    fields = [{"name": "Inkoopnummer", "value": str(paper.buyer["order_reference"])[:140]}]
    if paper.buyer.get("cost_centre"):
        fields.append({"name": "Kostenplaats", "value": str(paper.buyer["cost_centre"])[:140]})
    params: dict[str, Any] = {
        "customer": customer,
        "number": paper.number,
        "currency": "eur",
        "collection_method": "send_invoice",
        "due_date": _noon(paper.due_date),
        "effective_at": _noon(paper.issue_date),
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "custom_fields": fields,
        "metadata": {"invoice_id": str(invoice_id)},
        "payment_settings": {
            "payment_method_types": ["customer_balance"],
            "payment_method_options": {
                "customer_balance": {
                    "funding_type": "bank_transfer",
                    "bank_transfer": {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "NL"}},
                }
            },
        },
    }
    with _classified():
        return str(_client().v1.invoices.create(params, {"idempotency_key": key}).id)  # type: ignore[arg-type]


def add_lines(*, stripe_id: str, paper: Paper, key: str) -> None:
    """Put our lines on a draft, all or none, each with its share of the VAT."""
    period = {"start": _noon(paper.first_day), "end": _noon(paper.last_day)}
    lines = [
        {
            "amount": line.net_cents,
            "description": f"{line.description} ({line.quantity} x {line.unit_price:f})",
            "period": period,
            "metadata": {"line": str(line.position)},
            "tax_amounts": [
                {
                    "amount": tax,
                    "taxable_amount": line.net_cents,
                    "tax_rate_data": {
                        "display_name": "Btw",
                        "inclusive": False,
                        "percentage": f"{line.vat_rate * 100:.2f}",
                        "country": "NL",
                        "tax_type": "vat",
                    },
                }
            ],
        }
        for line, tax in zip(paper.lines, tax_of_lines(paper=paper), strict=True)
    ]
    with _classified():
        _client().v1.invoices.add_lines(stripe_id, {"lines": lines}, {"idempotency_key": key})  # type: ignore[typeddict-item]


def tax_of_lines(*, paper: Paper) -> list[int]:
    """Return the VAT of each line in cents, so that those of a rate come to what the document says of it.

    The cents that rounding leaves go to the lines that lost most by it.
    """
    taxes = [0] * len(paper.lines)
    for vat in paper.vat:
        own = [place for place, line in enumerate(paper.lines) if line.vat_rate == vat.rate]
        exact = {place: paper.lines[place].net_cents * vat.rate for place in own}
        for place in own:
            taxes[place] = int(exact[place].to_integral_value(rounding="ROUND_FLOOR"))
        left = vat.vat_cents - sum(taxes[place] for place in own)
        by_loss = sorted(own, key=lambda place: (Decimal(taxes[place]) - exact[place], place))
        for turn in range(abs(left)):
            taxes[by_loss[turn % len(by_loss)]] += 1 if left > 0 else -1
    return taxes


def read_invoice(*, stripe_id: str) -> Mirror:
    """Return an invoice as Stripe has it now."""
    with _classified():
        client = _client()
        found = client.v1.invoices.retrieve(stripe_id)
        lines = sum(1 for _ in client.v1.invoices.line_items.list(stripe_id, {"limit": 100}).auto_paging_iter())
    paid_at = found.status_transitions.paid_at
    return Mirror(
        id=str(found.id),
        status=str(found.status),
        number=found.number or "",
        customer=str(found.customer),
        currency=found.currency,
        subtotal_cents=found.subtotal,
        tax_cents=sum(each.amount for each in found.total_taxes or ()),
        total_cents=found.total,
        paid_cents=found.amount_paid,
        paid_at=datetime.fromtimestamp(paid_at, UTC) if paid_at else None,
        lines=lines,
        credited_cents=found.pre_payment_credit_notes_amount + found.post_payment_credit_notes_amount,
    )


def finalize(*, stripe_id: str, key: str) -> None:
    """Open a draft."""
    _ask(
        lambda client: client.v1.invoices.finalize_invoice(stripe_id, {"auto_advance": False}, {"idempotency_key": key})
    )


def send(*, stripe_id: str, key: str) -> None:
    """Have Stripe mail an open invoice."""
    _ask(lambda client: client.v1.invoices.send_invoice(stripe_id, {}, {"idempotency_key": key}))


def close_out_of_band(*, stripe_id: str, key: str) -> None:
    """Tell Stripe that an open invoice was paid elsewhere."""
    _ask(lambda client: client.v1.invoices.pay(stripe_id, {"paid_out_of_band": True}, {"idempotency_key": key}))


def find_credit_note(*, stripe_invoice: str, note_id: UUID) -> tuple[str, int] | None:
    """Return the credit note that was made of ours, with its total in cents, or None."""
    with _classified():
        for each in _client().v1.credit_notes.list({"invoice": stripe_invoice, "limit": 100}).auto_paging_iter():
            if _named(each, "invoice_id") == str(note_id):
                return str(each.id), each.total
    return None


def create_credit_note(*, paper: Paper, note_id: UUID, stripe_invoice: str, is_paid: bool, key: str) -> tuple[str, int]:
    """Take our credit note off the invoice at Stripe; return its id and total. Money goes back outside Stripe."""
    params: dict[str, Any] = {
        "invoice": stripe_invoice,
        "amount": paper.total_cents,
        "memo": f"{paper.number}: {paper.reason}",
        "metadata": {"invoice_id": str(note_id), "number": paper.number},
    }
    if is_paid:
        params["out_of_band_amount"] = paper.total_cents
    with _classified():
        made = _client().v1.credit_notes.create(params, {"idempotency_key": key})  # type: ignore[arg-type]
        return str(made.id), made.total


def _ask(call: Callable[[StripeClient], object]) -> None:
    with _classified():
        call(_client())


def _named(found: stripe.StripeObject, name: str) -> object:
    """Return what we wrote on an object of Stripe's under a name."""
    return (found.to_dict().get("metadata") or {}).get(name)


def _noon(day: date) -> int:
    """Return noon of a day in Amsterdam, in seconds: the same day wherever it is shown."""
    return int(datetime.combine(day, time(12), AMSTERDAM).timestamp())
