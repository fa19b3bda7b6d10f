"""What the municipal admin, the BSP's support and its finance see."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from audit.record import Actor
from billing import invoicing
from billing.models import Conversation, Invoice, Rate, RateCard
from messaging.core.models import Lane
from messaging.models import Contact, Message, Template, Thread
from tenants.health import tell
from tenants.models import DeclaredPurpose, Municipality, Number
from tests.messaging import meta

FEBRUARY = date(2026, 2, 1)


def _page(client, path) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def finance(people):
    """Return a browser of the BSP's finance."""
    return people("public", "BSP_FINANCE")


@pytest.fixture
def support(people):
    """Return a browser of the BSP's support."""
    return people("public", "BSP_SUPPORT")


@pytest.fixture
def drafted(utrecht, delft, clock) -> Invoice:
    """Return Utrecht's draft of February: 3 service conversations, and 130 of a category with a page more."""
    card = RateCard.objects.create(
        valid_from=date(2026, 1, 1), name="2026", vat_rate=Decimal("0.21"), platform_fee=Decimal(150)
    )
    number = meta.number_id(utrecht)
    opened = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
    for category, count, price in (("SERVICE", 3, "0.045"), ("UTILITY", 130, "0.06")):
        Rate.objects.create(card=card, category=category, unit_price=Decimal(price))
        Conversation.objects.bulk_create(
            Conversation(
                phone_number_id=number,
                contact_hash=index.to_bytes(32, "big"),
                category=category,
                opened_at=opened + timedelta(minutes=index),
                ends_at=opened + timedelta(minutes=index, hours=24),
                opened_date=opened.date(),
                month=FEBRUARY,
                municipality_id=utrecht.id,
                purpose="PERMITS",
                template="vervolg_op_uw_vraag",
            )
            for index in range(count)
        )
    invoicing.run(month=FEBRUARY, at=clock.now(), actor=Actor.system("tests"))
    return Invoice.objects.get(municipality_id=utrecht.id)


def test_the_admin_sees_the_number_and_whether_it_sends(people, utrecht):
    client = people("utrecht", "ADMIN")
    shown = utrecht.numbers.get()
    assert shown.display_phone_number in _page(client, "/numbers/")
    assert "In gebruik" in _page(client, "/numbers/")
    until = datetime.now(UTC) + timedelta(hours=1)
    Lane.objects.filter(phone_number_id=shown.phone_number_id).update(
        paused_until=until, paused_reason="Meta 190: token"
    )
    assert "WhatsApp weigerde: Meta 190: token" in _page(client, "/numbers/")


def test_both_see_what_meta_says_of_a_number(people, support, utrecht, clock):
    told = {
        "name": {"verified_name": "Gemeente Utrecht"},
        "quality": {"quality": "RED"},
        "limit": {"messaging_limit": "TIER_2K"},
        "restriction": {
            "restrictions": [{"type": "RESTRICTED_UTILITY_TEMPLATES", "until": "2026-04-01T00:00:00+00:00"}]
        },
    }
    for aspect, values in told.items():
        tell(number=utrecht.numbers.get(), aspect=aspect, values=values, at=clock.now())
    for client, path in ((people("utrecht", "ADMIN"), "/numbers/"), (support, "/municipalities/utrecht/")):
        page = _page(client, path)
        assert all(word in page for word in ("Gemeente Utrecht", "Slecht", "2.000")), path
        assert path != "/numbers/" or "categorie Utility versturen, tot 1 apr 2026 02:00" in page


def test_the_admin_sees_templates_with_what_meta_said(people, approved):
    page = _page(people("utrecht", "ADMIN"), "/templates/")
    assert page.count("Goedgekeurd") == 1
    with schema_context("utrecht"):
        assert page.count("Concept") == Template.objects.filter(status="DRAFT").count()


def test_the_admin_sees_users_with_their_roles(people):
    people("utrecht", "AGENT")
    page = _page(people("utrecht", "ADMIN"), "/users/")
    assert "agent@utrecht.example" in page
    assert "Medewerker" in page
    assert "delft" not in page


def test_support_sees_stage_number_and_todays_traffic(support, utrecht, delft, clock):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        Message.objects.filter(direction="INBOUND").update(created_at=clock.now())
    page = " ".join(_page(support, "/municipalities/").split())
    assert 'Utrecht</a></th> <td><span class="nl-data-badge tone-good">Live</span></td> <td>+3197010034400</td>' in page
    assert '<td class="number">1</td><td class="number">0</td>' in page


def test_traffic_of_yesterday_is_not_todays(support, utrecht, clock):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
        midnight = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)  # of Amsterdam
        Message.objects.update(created_at=midnight - timedelta(microseconds=1))
    before = _page(support, "/municipalities/utrecht/")
    with schema_context("utrecht"):
        Message.objects.update(created_at=midnight)
    after = _page(support, "/municipalities/utrecht/")
    assert "<dt>Berichten in</dt><dd>0</dd>" in before
    assert "<dt>Berichten in</dt><dd>1</dd>" in after


def test_the_list_takes_as_many_queries_for_many_municipalities_as_for_two(support):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            _page(support, "/municipalities/")
        return len(captured)

    two = queries()
    template = Municipality.objects.get(schema_name="utrecht")
    for index in range(5):
        name = f"plaats{chr(97 + index)}"
        made = Municipality.objects.create(
            schema_name=name, name=name, cbs_code=f"GM9{index:03}", stage="LIVE", created_at=template.created_at
        )
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {name}")
            cursor.execute(f"CREATE TABLE {name}.messaging_message (LIKE utrecht.messaging_message)")
        Number.objects.create(
            municipality=made,
            phone_number_id=f"99999{index}",
            waba_id="99999",
            display_phone_number=f"+3197019{index:05}",
            pseudonym_key_encrypted=b"",
            opened_at=template.created_at,
        )
    assert queries() == two <= 12


def test_support_sees_one_municipality_more_closely(support, utrecht, clock):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, at=clock.now() - timedelta(hours=3), text="niet voor support"))
    page = _page(support, "/municipalities/utrecht/")
    assert "GM0344" in page
    assert "1, de langste 3 uur" in page
    assert DeclaredPurpose.objects.filter(municipality=utrecht).count() == 5
    assert "Toerisme" in page
    assert "niet voor support" not in page
    assert "Piet" not in page


@pytest.mark.parametrize("name", ["nergens", "public", "quarantine", "pg-catalog"])
def test_a_municipality_that_is_none_is_not_found(support, name):
    assert support.get(f"/municipalities/{name}/").status_code == 404


def test_finance_sees_the_latest_month(finance, drafted):
    page = _page(finance, "/invoices/")
    assert "Facturen, februari 2026" in page
    # 3 of 0.045 is 0.135, rounded 0.14; 130 of 0.06 is 7.80; and 150.00 for the platform
    assert "€ 157,94" in page
    assert "Er zijn geen facturen van deze maand" in _page(finance, "/invoices/?month=2025-12")
    assert "Facturen, februari 2026" in _page(finance, "/invoices/?month=onzin")


def test_without_invoices_finance_is_told_so(finance):
    assert "Er zijn nog geen facturen" in _page(finance, "/invoices/")


def test_an_invoice_shows_its_lines_and_how_they_add_up(finance, drafted):
    page = _page(finance, f"/invoices/{drafted.id}/")
    assert "€ 0,045" in page
    for cents in (drafted.net_cents, drafted.vat_cents, drafted.total_cents):
        assert f"€ {cents // 100},{cents % 100:02}" in page


def test_a_line_shows_each_conversation_that_it_counts(finance, drafted):
    position = drafted.lines.get(category="UTILITY").position
    first = _page(finance, f"/invoices/{drafted.id}/lines/{position}/")
    second = _page(finance, f"/invoices/{drafted.id}/lines/{position}/?page=2")
    assert (first.count("vervolg_op_uw_vraag"), second.count("vervolg_op_uw_vraag")) == (
        1 + 100,
        30,
    )  # by day, one by one
    assert "3 feb 2026 10:00" in first
    assert finance.get(f"/invoices/{drafted.id}/lines/99/").status_code == 404


def test_the_csv_counts_to_the_same_cent(finance, drafted):
    answer = finance.get(f"/invoices/{drafted.id}.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Utrecht-2026-02.csv"
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    assert len(rows) == 3 + 130 + 1
    lines = {row["line"]: row for row in rows}
    assert sum(Decimal(row["line_net_eur"]) for row in lines.values()) * 100 == drafted.net_cents
    for line in lines.values():
        counted = sum(row["line"] == line["line"] and row["kind"] == "CONVERSATIONS" for row in rows)
        assert counted in (int(line["line_quantity"]), 0)
    assert rows[0]["conversation_opened_at"] == "2026-02-03T10:00:00+01:00"


def test_finance_sees_nobodys_identity(finance, drafted, utrecht):
    with schema_context("utrecht"):
        meta.receive(utrecht, meta.message(utrecht, text="geheim"))
        contact = Contact.objects.get()
        hidden = [str(contact.id), "31697000001", "Piet", "geheim", str(Thread.objects.get().id)]
    position = drafted.lines.get(category="SERVICE").position
    for path in ("", f"lines/{position}/"):
        page = _page(finance, f"/invoices/{drafted.id}/{path}")
        assert not [word for word in hidden if word in page]
    assert (2).to_bytes(32, "big").hex() not in _page(finance, f"/invoices/{drafted.id}.csv")
