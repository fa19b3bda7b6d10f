"""What Stripe holds: customers, invoices with their lines, credit notes, events. In memory; amounts are cents.

The states are Stripe's: draft, open, paid, void, uncollectible; only a draft is changed.
Source: docs.stripe.com/invoicing/integration/workflow-transitions and stripe-python 16.1.0, read 2026-11-22.
"""

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

Thing = dict[str, Any]


class Refused(Exception):
    """A request that Stripe refuses, with its status and the words of its error object."""

    def __init__(self, message: str, *, status: int = 400, code: str = "", kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status, self.code, self.kind = status, code, kind


@dataclass(slots=True)
class Books:
    """Everything of one account."""

    customers: dict[str, Thing] = field(default_factory=dict)
    invoices: dict[str, Thing] = field(default_factory=dict)
    credit_notes: dict[str, Thing] = field(default_factory=dict)
    events: list[Thing] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)  # ids of invoices, once for each mail
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # --- Customers

    def create_customer(self, given: Thing) -> Thing:
        """Make a customer."""
        made = {
            "id": self._id("cus"),
            "object": "customer",
            "created": int(time.time()),
            "livemode": False,
            **{name: given.get(name) for name in ("name", "email", "description", "address", "preferred_locales")},
            "metadata": given.get("metadata", {}),
        }
        self.customers[made["id"]] = made
        self._event("customer.created", made)
        return made

    def update_customer(self, customer_id: str, given: Thing) -> Thing:
        """Change a customer."""
        found = self.customer(customer_id)
        metadata = found["metadata"] | given.pop("metadata", {})
        found.update(given | {"metadata": metadata})
        self._event("customer.updated", found)
        return found

    def customer(self, customer_id: str) -> Thing:
        """Return a customer.  Raises Refused."""
        return _of(self.customers, customer_id, "customer")

    # --- Invoices

    def create_invoice(self, given: Thing) -> Thing:
        """Make an empty draft.  Raises Refused."""
        self.customer(given.get("customer", ""))
        if given.get("collection_method") == "send_invoice" and not {"due_date", "days_until_due"} & given.keys():
            raise Refused("If collection_method is send_invoice, give due_date or days_until_due.")
        if "due_date" in given and int(given["due_date"]) < time.time():
            raise Refused("due_date must be in the future.", code="invoice_due_date_invalid")
        number = given.get("number")
        if number and any(each["number"] == number for each in self.invoices.values()):
            raise Refused(f"An invoice with number {number} exists.", code="invoice_number_taken")
        due = given.get("due_date") or int(time.time()) + 86400 * int(given.get("days_until_due", 0))
        made = {
            "id": self._id("in"),
            "object": "invoice",
            "created": int(time.time()),
            "livemode": False,
            "customer": given["customer"],
            "number": number,
            "currency": given.get("currency", "eur"),
            "collection_method": given.get("collection_method", "charge_automatically"),
            "auto_advance": given.get("auto_advance") == "true",
            "due_date": int(due),
            "effective_at": int(given["effective_at"]) if "effective_at" in given else None,
            **{name: given.get(name) for name in ("description", "footer", "payment_settings", "custom_fields")},
            "metadata": given.get("metadata", {}),
            "status": "draft",
            "amount_paid": 0,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "status_transitions": dict.fromkeys(("finalized_at", "paid_at", "voided_at", "marked_uncollectible_at")),
            "last_finalization_error": None,
            "lines": {"object": "list", "data": [], "has_more": False, "url": ""},
        }
        self.invoices[made["id"]] = made
        self._sum(made)
        self._event("invoice.created", made)
        return made

    def add_lines(self, invoice_id: str, given: Thing) -> Thing:
        """Add lines to a draft, all or none.  Raises Refused."""
        found = self.invoice(invoice_id)
        self._must_be(found, "draft")
        added = []
        for line in given.get("lines", []):
            if "amount" not in line:
                raise Refused("lines: amount or pricing is needed.")
            taxes = [
                {
                    "amount": int(tax["amount"]),
                    "taxable_amount": int(tax["taxable_amount"]),
                    "tax_behavior": "exclusive",
                }
                for tax in line.get("tax_amounts", [])
            ]
            added.append(
                {
                    "id": self._id("il"),
                    "object": "line_item",
                    "amount": int(line["amount"]),
                    "currency": found["currency"],
                    "description": line.get("description"),
                    "metadata": line.get("metadata", {}),
                    "period": line.get("period"),
                    "taxes": taxes,
                }
            )
        if not added or len(found["lines"]["data"]) + len(added) > 250:
            raise Refused("An invoice has 1 to 250 lines.")
        found["lines"]["data"] += added
        self._sum(found)
        self._event("invoice.updated", found)
        return found

    def finalize(self, invoice_id: str) -> Thing:
        """Open a draft.  Raises Refused."""
        found = self.invoice(invoice_id)
        self._must_be(found, "draft", code="invoice_not_editable")
        found["number"] = found["number"] or f"STRIPE-{len(self.invoices):04d}"
        self._move(found, "open", "finalized_at", "invoice.finalized")
        if found["total"] <= 0:
            self._move(found, "paid", "paid_at", "invoice.paid")
        return found

    def send(self, invoice_id: str) -> Thing:
        """Mail an open invoice.  Raises Refused."""
        found = self.invoice(invoice_id)
        self._must_be(found, "open")
        if not self.customers[found["customer"]]["email"]:
            raise Refused("The customer has no email address.", code="customer_email_missing")
        self.sent.append(invoice_id)
        self._event("invoice.sent", found)
        return found

    def pay(self, invoice_id: str, *, cents: int | None = None) -> Thing:
        """Have money come in, all that is due when None; an invoice is paid when it is covered.  Raises Refused."""
        found = self.invoice(invoice_id)
        self._must_be(found, "open")
        found["amount_paid"] += found["amount_remaining"] if cents is None else cents
        self._sum(found)
        if found["amount_remaining"] <= 0:
            self._move(found, "paid", "paid_at", "invoice.paid")
        else:
            self._event("invoice.updated", found)
        return found

    def move(self, invoice_id: str, status: str) -> Thing:
        """Void an open invoice, or give it up.  Raises Refused."""
        found = self.invoice(invoice_id)
        self._must_be(found, "open")
        names = {
            "void": ("voided_at", "invoice.voided"),
            "uncollectible": ("marked_uncollectible_at", "invoice.marked_uncollectible"),
        }
        self._move(found, status, *names[status])
        return found

    def tell(self, invoice_id: str, event: str) -> None:
        """Have an event told that changes nothing, such as invoice.overdue."""
        self._event(event, self.invoice(invoice_id))

    def invoice(self, invoice_id: str) -> Thing:
        """Return an invoice.  Raises Refused."""
        return _of(self.invoices, invoice_id, "invoice")

    # --- Credit notes

    def create_credit_note(self, given: Thing) -> Thing:
        """Take something off an invoice.  Raises Refused."""
        invoice = self.invoice(given.get("invoice", ""))
        if invoice["status"] not in ("open", "paid"):
            raise Refused("Only an open or paid invoice is credited.")
        amount, outside = int(given.get("amount", 0)), int(given.get("out_of_band_amount", 0))
        if invoice["status"] == "paid" and outside != amount:
            raise Refused("Say where the amount goes: credit, refund or out of band, together the whole of it.")
        if invoice["status"] == "open" and not 0 < amount <= invoice["amount_remaining"]:
            raise Refused("The credit note is more than what remains.")
        made = {
            "id": self._id("cn"),
            "object": "credit_note",
            "created": int(time.time()),
            "invoice": invoice["id"],
            "customer": invoice["customer"],
            "status": "issued",
            "total": amount,
            "amount": amount,
            "currency": invoice["currency"],
            "memo": given.get("memo"),
            "metadata": given.get("metadata", {}),
        }
        self.credit_notes[made["id"]] = made
        place = "pre" if invoice["status"] == "open" else "post"
        invoice[f"{place}_payment_credit_notes_amount"] += amount
        self._sum(invoice)
        self._event("credit_note.created", made)
        if invoice["status"] == "open" and invoice["amount_remaining"] == 0:
            self._move(invoice, "paid", "paid_at", "invoice.paid")
        return made

    def credit_note(self, note_id: str) -> Thing:
        """Return a credit note.  Raises Refused."""
        return _of(self.credit_notes, note_id, "credit note")

    def void_credit_note(self, note_id: str) -> Thing:
        """Void a credit note of an open invoice, which is asked for again.  Raises Refused."""
        note = self.credit_note(note_id)
        invoice = self.invoice(note["invoice"])
        self._must_be(invoice, "open")
        if note["status"] == "void":
            raise Refused("It is void already.")
        note["status"] = "void"
        invoice["pre_payment_credit_notes_amount"] -= note["amount"]
        self._sum(invoice)
        self._event("credit_note.voided", note)
        return note

    # --- Within

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._ids):014d}"

    def _must_be(self, invoice: Thing, status: str, *, code: str = "") -> None:
        if invoice["status"] != status:
            raise Refused(f"The invoice is {invoice['status']}, not {status}.", code=code)

    def _move(self, invoice: Thing, status: str, stamp: str, event: str) -> None:
        invoice["status"] = status
        invoice["status_transitions"][stamp] = int(time.time())
        self._sum(invoice)
        self._event(event, invoice)

    def _sum(self, invoice: Thing) -> None:
        lines = invoice["lines"]["data"]
        subtotal = sum(line["amount"] for line in lines)
        tax = sum(each["amount"] for line in lines for each in line["taxes"])
        due = max(0, subtotal + tax - invoice["pre_payment_credit_notes_amount"])
        invoice |= {
            "subtotal": subtotal,
            "total_excluding_tax": subtotal,
            "total": subtotal + tax,
            "total_taxes": [{"amount": tax, "tax_behavior": "exclusive"}],
            "amount_due": due,
            "amount_remaining": max(0, due - invoice["amount_paid"]),
        }

    def _event(self, kind: str, thing: Thing) -> None:
        copied = {**thing, "lines": None} if thing["object"] == "invoice" else dict(thing)
        self.events.append(
            {
                "id": self._id("evt"),
                "object": "event",
                "api_version": "2026-10-28.endive",
                "created": int(time.time()),
                "livemode": False,
                "type": kind,
                "data": {"object": copied},
            }
        )


def _of(things: dict[str, Thing], thing_id: str, name: str) -> Thing:
    found = things.get(thing_id)
    if found is None:
        raise Refused(f"No such {name}: '{thing_id}'", status=404, code="resource_missing")
    return found
