"""Parameters as Stripe takes them: forms with brackets, read into objects; what Stripe does not have is refused.

The names are those of stripe-python 16.1.0; `tests/billing/test_stripe_contract.py` holds them against its types.
"""

import re
from typing import Any

from sandbox.stripe_room.books import Refused

CUSTOMER = {"name", "email", "description", "address", "preferred_locales", "metadata"}
CUSTOMER_LIST = {"created", "limit", "starting_after"}
INVOICE = {
    *("customer", "number", "collection_method", "due_date", "days_until_due", "currency", "auto_advance"),
    *("pending_invoice_items_behavior", "custom_fields", "description", "footer", "effective_at", "payment_settings"),
    "metadata",
}
INVOICE_LIST = {"customer", "limit", "starting_after", "status"}
LINES = {"lines"}
LINE = {"amount", "description", "period", "metadata", "tax_amounts", "discountable"}
TAX_AMOUNT = {"amount", "taxable_amount", "tax_rate_data"}
FINALIZE = {"auto_advance"}
PAY = {"paid_out_of_band"}
CREDIT_NOTE = {"invoice", "amount", "out_of_band_amount", "memo", "metadata", "reason", "effective_at"}
_KEYS = re.compile(r"\[([^\]]*)\]")


def read(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a form as objects and lists: `lines[0][amount]=1` is {"lines": [{"amount": "1"}]}."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = [name.split("[", 1)[0], *_KEYS.findall(name)]
        place: dict[str, Any] = root
        for key in rest:
            place = place.setdefault(head, {})
            head = key
        place[head] = value
    return {name: _lists(value) for name, value in root.items()}


def only(given: dict[str, Any], known: set[str], *, within: str = "") -> None:
    """Raise Refused when something was given that Stripe does not know there."""
    for name in given:
        if name not in known:
            shown = f"{within}[{name}]" if within else name
            raise Refused(f"Received unknown parameter: {shown}", code="parameter_unknown")


def check_lines(given: dict[str, Any]) -> None:
    """Raise Refused when a line has what Stripe does not know."""
    only(given, LINES)
    if not isinstance(given.get("lines"), list):
        raise Refused("Missing required param: lines.", code="parameter_missing")
    for line in given["lines"]:
        only(line, LINE, within="lines[]")
        for tax in line.get("tax_amounts", []):
            only(tax, TAX_AMOUNT, within="lines[][tax_amounts][]")
            if TAX_AMOUNT - tax.keys():
                raise Refused("Missing required param in tax_amounts.", code="parameter_missing")


def check_custom_fields(given: dict[str, Any]) -> None:
    """Raise Refused when there are too many, or one is too long."""
    fields = given.get("custom_fields") or []
    if len(fields) > 4 or any(len(each["name"]) > 40 or len(each["value"]) > 140 for each in fields):
        raise Refused("custom_fields: at most four, names of 40 and values of 140 characters.")


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(each) for key, each in value.items()}
