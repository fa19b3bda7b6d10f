"""What Meta will charge for a month, from the facts and dated rate data; beside what we bill, that is the margin.

By conversation where the rate sheet of its day says so, else by message: free by its pricing type, by an allowance, or
at the price of its recipient's market and category. What no sheet prices is counted and said, never taken for free.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit.record import Actor, record
from billing.card_files import BadRateCard, amount_of, day_in
from billing.messages import MESSAGES
from billing.models import Invoice, MetaRate, MetaRateSheet
from billing.months import end_of, start_of
from tenants.models import Municipality

KEYS = {
    *("name", "source", "read_date", "example", "valid_from", "currency", "unit", "free_types", "allowances"),
    *("default_market", "prices"),
}

# Each message or conversation with its sheet and price, NULL where none is known.
_PRICED = """
    LEFT JOIN LATERAL (
        SELECT * FROM billing_metaratesheet WHERE valid_from <= item.day ORDER BY valid_from DESC LIMIT 1
    ) AS sheet ON TRUE
    LEFT JOIN LATERAL (
        SELECT unit_price FROM billing_metarate AS rate
        WHERE rate.sheet_id = sheet.id AND rate.category = item.category
            AND rate.market IN (coalesce(nullif(item.market, ''), sheet.default_market), 'OTHER')
        ORDER BY rate.market = 'OTHER' LIMIT 1
    ) AS rate ON TRUE
"""
CHARGES = f"""
    WITH message AS (
        SELECT *, (moment AT TIME ZONE 'Europe/Amsterdam')::date AS day FROM ({MESSAGES}) AS message
    ), charged AS (
        SELECT item.municipality_id, item.category, sheet.allowances, rate.unit_price, sheet.id AS sheet_id,
            coalesce(sheet.free_types ? lower(item.type), FALSE) AS is_free,
            row_number() OVER (
                PARTITION BY item.phone_number_id, item.category, sheet.id,
                    coalesce(sheet.free_types ? lower(item.type), FALSE)
                ORDER BY item.moment, item.wamid_hash
            ) AS place
        FROM message AS item {_PRICED}
        WHERE sheet.unit IS DISTINCT FROM 'CONVERSATION'
    ), every AS (
        SELECT municipality_id, category, 1 AS units, CASE
            WHEN is_free OR place <= coalesce((allowances ->> category)::int, 0) AND sheet_id IS NOT NULL THEN 0
            ELSE unit_price END AS price
        FROM charged
        UNION ALL
        SELECT item.municipality_id, item.category, 1, rate.unit_price
        FROM (
            SELECT municipality_id, category, opened_date AS day, '' AS market FROM billing_conversation
            WHERE month = %(month)s AND (%(only)s::uuid[] IS NULL OR municipality_id = ANY(%(only)s))
        ) AS item {_PRICED}
        WHERE sheet.unit = 'CONVERSATION'
    )
    SELECT municipality_id, category, count(*), count(*) FILTER (WHERE price > 0), coalesce(sum(price), 0),
        count(*) FILTER (WHERE price IS NULL)
    FROM every GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608


class BadRateSheet(ValueError):
    """The file holds no rates of Meta's; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What Meta charges one municipality's month in one category; unpriced: so many of which no rate is known."""

    municipality_id: UUID
    category: str
    units: int
    charged: int
    euros: Decimal
    unpriced: int


@dataclass(frozen=True, slots=True)
class Margin:
    """What a municipality's month brings and costs, in cents; billed_cents None: it has no invoice yet."""

    municipality: str
    billed_cents: int | None
    cost_cents: int
    unpriced: int

    @property
    def margin_cents(self) -> int | None:
        """What is left."""
        return None if self.billed_cents is None else self.billed_cents - self.cost_cents


def charges(*, month: date, municipality_id: UUID | None = None) -> list[Charge]:
    """Return what Meta will charge for a month, by municipality and category."""
    given = {
        "month": month,
        "from": start_of(month=month),
        "to": end_of(month=month),
        "only": [municipality_id] if municipality_id else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHARGES, given)
        return [Charge(*row) for row in cursor.fetchall()]


def margins(*, month: date) -> list[Margin]:
    """Return what each municipality's month brings and costs, by name."""
    costs: dict[UUID, Decimal] = {}
    unpriced: dict[UUID, int] = {}
    for charge in charges(month=month):
        costs[charge.municipality_id] = costs.get(charge.municipality_id, Decimal(0)) + charge.euros
        unpriced[charge.municipality_id] = unpriced.get(charge.municipality_id, 0) + charge.unpriced
    billed = dict(
        Invoice.objects.filter(period=month, kind=Invoice.Kind.USAGE).values_list("municipality_id", "net_cents")
    )
    names = Municipality.objects.filter(id__in={*costs, *billed}).order_by("name").values_list("id", "name")
    return [
        Margin(name, billed.get(key), round(costs.get(key, Decimal(0)) * 100), unpriced.get(key, 0))
        for key, name in names
    ]


def sheets_of(*, month: date) -> list[MetaRateSheet]:
    """Return the rate sheets that price a month."""
    before = MetaRateSheet.objects.filter(valid_from__lte=month).order_by("-valid_from")[:1]
    after = MetaRateSheet.objects.filter(valid_from__gt=month, valid_from__lt=end_of(month=month).date())
    return [*before, *after.order_by("valid_from")]


@transaction.atomic
def load_sheet(*, text: str, actor: Actor, at: datetime) -> MetaRateSheet:
    """Store the rates that a file holds, in place of those of the same first day. Audited.  Raises BadRateSheet."""
    values, prices = _parsed(text)
    sheet, _ = MetaRateSheet.objects.update_or_create(valid_from=values.pop("valid_from"), defaults=values)
    sheet.rates.all().delete()
    MetaRate.objects.bulk_create(
        MetaRate(sheet=sheet, market=market, category=category, unit_price=price)
        for (market, category), price in sorted(prices.items())
    )
    details = {"rates": len(prices), "example": sheet.is_example}
    record(action="meta_rates.load", actor=actor, at=at, subject=f"rates of Meta {sheet.valid_from}", details=details)
    return sheet


def _parsed(text: str) -> tuple[dict[str, Any], dict[tuple[str, str], Decimal]]:
    try:
        content = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise BadRateSheet("it is not JSON") from error
    if not isinstance(content, dict) or set(content) != KEYS:
        raise BadRateSheet(f"it must hold exactly these keys: {', '.join(sorted(KEYS))}")
    if content["currency"] != "EUR" or content["unit"] not in MetaRateSheet.Unit.values:
        raise BadRateSheet("currency must be EUR, and unit CONVERSATION or MESSAGE")
    if not content["source"] or not isinstance(content["example"], bool) or not isinstance(content["prices"], dict):
        raise BadRateSheet("source must say where it was read, example be true or false, prices hold markets")
    try:
        prices = {
            (str(market), str(category)): amount_of(f"{market}, {category}", price)
            for market, of in content["prices"].items()
            for category, price in of.items()
        }
        days = {name: day_in(name, content[name]) for name in ("valid_from", "read_date")}
    except (BadRateCard, AttributeError) as error:
        raise BadRateSheet(str(error)) from error
    values = {name: content[name] for name in ("name", "source", "unit", "free_types", "allowances", "default_market")}
    return {**values, **days, "is_example": content["example"]}, prices
