"""Messages that reached contacts, counted for the municipalities whose rate card prices messages; for nobody else.

What a message is priced as follows from its reports as in billing/conversations.py, here in one query over a month. The
counts of a month are stored when it is closed.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from django.db import connection

from billing.cards import Card, NoRateCard, card_on, cards_for
from billing.conversations import FREE_ENTRY_POINT, Category
from billing.models import MessageCount
from billing.months import end_of, start_of

# One row for each message with moment, pricing and category, the same in any order of reports. %(from)s and %(to)s
# bound the moment, which is never after a fact's first stamp. Nothing in it comes from outside.
_ORDER = (
    "CASE status WHEN 'READ' THEN 0 WHEN 'DELIVERED' THEN 1 ELSE 2 END, stamped_at, pricing_model, pricing_type,"
    " pricing_category, purpose, template_name, template_category"
)
_PRICED = "pricing_model <> '' OR pricing_type <> '' OR pricing_category <> ''"
MESSAGES = f"""
    SELECT fact.municipality_id, fact.phone_number_id, fact.wamid_hash, fact.market, said.moment, said.model, said.type,
        CASE WHEN lower(said.type) = '{FREE_ENTRY_POINT}' THEN '{Category.REFERRAL_CONVERSION.value}'
            ELSE replace(replace(upper(btrim(coalesce(nullif(said.category, ''), said.template_category,
                '{Category.SERVICE.value}'))), '-', '_'), ' ', '_') END AS category,
        said.template
    FROM billing_fact AS fact,
    LATERAL (
        SELECT min(stamped_at) FILTER (WHERE status <> 'SENT') AS moment,
            (array_agg(pricing_model ORDER BY {_ORDER}) FILTER (WHERE {_PRICED}))[1] AS model,
            (array_agg(pricing_type ORDER BY {_ORDER}) FILTER (WHERE {_PRICED}))[1] AS type,
            (array_agg(pricing_category ORDER BY {_ORDER}) FILTER (WHERE {_PRICED}))[1] AS category,
            (array_agg(template_category ORDER BY {_ORDER}) FILTER (WHERE template_category <> ''))[1]
                AS template_category,
            (array_agg(template_name ORDER BY {_ORDER}) FILTER (WHERE template_name <> ''))[1] AS template
        FROM billing_factreport AS report
        WHERE report.phone_number_id = fact.phone_number_id AND report.wamid_hash = fact.wamid_hash
    ) AS said
    WHERE (%(only)s::uuid[] IS NULL OR fact.municipality_id = ANY(%(only)s))
        AND fact.first_stamped_at >= %(from)s AND said.moment >= %(from)s AND said.moment < %(to)s
"""  # noqa: S608
COUNTED = f"SELECT municipality_id, category, count(*) FROM ({MESSAGES}) AS message GROUP BY 1, 2"  # noqa: S608


def priced_municipalities(*, cards: Sequence[Card], month: date, among: Iterable[UUID]) -> list[UUID]:
    """Return those whose rate card of the month prices messages."""
    if not any(card.terms.message_prices for card in cards):
        return []
    found = []
    for municipality_id in among:
        try:
            base = card_on(cards=cards_for(cards=cards, municipality_id=municipality_id), day=month)
        except NoRateCard:
            continue
        if base.terms.message_prices:
            found.append(municipality_id)
    return found


def messages_of(*, month: date, municipalities: Sequence[UUID], closed: bool) -> dict[UUID, dict[str, int]]:
    """Return the messages of a month by category, of some municipalities; as stored when the month is closed."""
    if not municipalities:
        return {}
    counted: dict[UUID, dict[str, int]] = {}
    if closed:
        for row in MessageCount.objects.filter(month=month, municipality_id__in=municipalities):
            counted.setdefault(row.municipality_id, {})[row.category] = row.messages
        return counted
    with connection.cursor() as cursor:
        cursor.execute(
            COUNTED,
            {"only": list(municipalities), "from": start_of(month=month), "to": end_of(month=month)},
        )
        for municipality_id, category, count in cursor.fetchall():
            counted.setdefault(municipality_id, {})[category] = count
    return counted


def store_messages(*, month: date, counted: dict[UUID, dict[str, int]]) -> None:
    """Keep the counts of a month that is being closed."""
    MessageCount.objects.bulk_create(
        MessageCount(month=month, municipality_id=municipality_id, category=category, messages=messages)
        for municipality_id, of in sorted(counted.items())
        for category, messages in sorted(of.items())
    )
