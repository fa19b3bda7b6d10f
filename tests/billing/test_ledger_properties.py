"""The ledger and its bills as properties: whatever the order and the batches, and whoever adds it up."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worked_cases import STANDARD_CARD

from audit.record import Actor
from billing.invoicing import run
from billing.metering import StatusReport, record_reports
from billing.models import Conversation, Fact, FactReport, Invoice, InvoiceLine
from billing.prices import load_card

FINANCE = Actor.system("tests")
RECORDED_AT = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)
# Around the edges of October in Amsterdam, which begins at 22:00 and ends at 23:00 UTC and has 745 hours.
MOMENTS = [
    datetime(2026, 9, 30, 21, 59, 59, tzinfo=UTC),
    datetime(2026, 9, 30, 22, 0, tzinfo=UTC),
    datetime(2026, 10, 1, 20, 0, tzinfo=UTC),
    datetime(2026, 10, 2, 22, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 02:30, and an hour later 02:30 once more
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC),
    datetime(2026, 10, 31, 23, 0, tzinfo=UTC),
]
SAID = st.sampled_from(
    [
        ("CBP", "regular", "utility"),
        ("PMP", "regular", "utility"),
        ("PMP", "regular", "marketing"),
        ("PMP", "free_customer_service", "service"),
        ("PMP", "free_entry_point", "referral_conversion"),
        (None, None, None),
    ]
)
REPORTS = st.lists(
    st.tuples(
        st.sampled_from("abc"),  # contact
        st.integers(0, 5),  # message of that contact
        st.sampled_from(["sent", "delivered", "read"]),
        st.sampled_from(MOMENTS),
        SAID,
    ),
    min_size=1,
    max_size=14,
)
SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Undone(Exception):
    """Rolls back what one example did."""


def report(municipality, contact, message, status, stamped_at, said) -> StatusReport:
    number = municipality.numbers.get()
    return StatusReport(
        municipality_id=municipality.id,
        phone_number_id=number.phone_number_id,
        pseudonym_key=number.pseudonym_key(),
        contact_id=uuid5(NAMESPACE_URL, contact),
        wamid=f"{contact}{message}",
        status=status,
        stamped_at=stamped_at,
        pricing_model=said[0],
        pricing_type=said[1],
        pricing_category=said[2],
        purpose="PERMITS",
        template_name=None,
        template_category=None,
    )


def ledger() -> tuple[list, list, list]:
    """Return facts, reports and conversations, without ids and moments of recording."""
    return (
        sorted((bytes(fact.wamid_hash), bytes(fact.contact_hash)) for fact in Fact.objects.all()),
        sorted(bytes(row.digest) for row in FactReport.objects.all()),
        sorted(
            (bytes(row.contact_hash), row.category, row.opened_at, row.ends_at, row.month, row.purpose)
            for row in Conversation.objects.all()
        ),
    )


def played(municipality, batches) -> tuple[list, list, list]:
    """Return what the ledger comes to by these batches, and leave nothing behind."""
    found: list[tuple[list, list, list]] = []
    try:
        with transaction.atomic():
            for batch in batches:
                given = [report(municipality, *each) for each in batch]
                record_reports(reports=given, recorded_at=RECORDED_AT)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            found.append(ledger())
            raise Undone
    except Undone:
        return found[0]


@pytest.mark.django_db
class TestTheSameReports:
    @SLOW
    @given(reports=REPORTS, seed=st.integers(0, 2**32))
    def test_they_make_the_same_ledger_in_any_order_and_batches_and_however_often(self, utrecht, reports, seed):
        chance = random.Random(seed)
        again = [*reports, *chance.sample(reports, chance.randint(0, len(reports)))]
        chance.shuffle(again)
        batches = []
        while again:
            size = chance.randint(1, 5)
            batches.append(again[:size])
            again = again[size:]
        assert played(utrecht, batches) == played(utrecht, [reports])


# Prices every conversation by the card of its day, with nothing of the product's code, to the cent and by line.
BY_ONE_QUERY = """
    SELECT municipality_id, round(sum(line) + max(fee), 2) FROM (
        SELECT conversation.municipality_id, card.platform_fee AS fee, round(count(*) * rate.unit_price, 2) AS line
        FROM billing_conversation AS conversation
        JOIN billing_ratecard AS card ON conversation.opened_date >= card.valid_from
            AND (card.valid_until IS NULL OR conversation.opened_date < card.valid_until)
        JOIN billing_rate AS rate ON rate.card_id = card.id AND rate.category = conversation.category
        WHERE conversation.month = %s
        GROUP BY conversation.municipality_id, card.id, rate.category, rate.unit_price, card.platform_fee
    ) AS line GROUP BY municipality_id
"""


@pytest.mark.django_db
class TestTheInvoicesOfAMonth:
    @SLOW
    @given(
        counts=st.dictionaries(
            st.tuples(st.sampled_from(["UTILITY", "SERVICE", "MARKETING"]), st.integers(1, 31)),
            st.integers(1, 9),
            min_size=1,
            max_size=8,
        )
    )
    def test_they_come_to_what_one_query_over_the_ledger_says(self, utrecht, delft, counts):
        try:
            with transaction.atomic():
                self.check(utrecht, delft, counts)
                raise Undone
        except Undone:
            pass

    def check(self, utrecht, delft, counts):
        card = json.loads(STANDARD_CARD.read_text())
        load_card(text=json.dumps(card), actor=FINANCE, at=RECORDED_AT)
        dearer = card | {"valid_from": "2026-10-16", "prices": card["prices"] | {"UTILITY": "0.071250"}}
        load_card(text=json.dumps(dearer), actor=FINANCE, at=RECORDED_AT)
        for number, ((category, day), count) in enumerate(sorted(counts.items())):
            municipality = (utrecht, delft)[number % 2]
            opened_at = datetime(2026, 10, day, 10, 0, tzinfo=UTC)
            Conversation.objects.bulk_create(
                Conversation(
                    phone_number_id=municipality.numbers.get().phone_number_id,
                    contact_hash=f"{number} {place}".encode().ljust(32),
                    category=category,
                    opened_at=opened_at,
                    ends_at=opened_at + timedelta(hours=24),
                    opened_date=opened_at.date(),
                    month=OCTOBER,
                    municipality_id=municipality.id,
                )
                for place in range(count)
            )
        run(month=OCTOBER, at=RECORDED_AT, actor=FINANCE)
        with connection.cursor() as cursor:
            cursor.execute(BY_ONE_QUERY, [OCTOBER])
            said = dict(cursor.fetchall())
        for invoice in Invoice.objects.filter(municipality_id__in=said):
            assert Decimal(invoice.net_cents) / 100 == said[invoice.municipality_id]
        billed = InvoiceLine.objects.filter(kind="CONVERSATIONS")
        assert sum(line.quantity for line in billed) == sum(counts.values())
