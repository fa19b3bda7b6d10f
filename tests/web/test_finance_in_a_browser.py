"""Finance takes a month from review to paid in a real browser; a municipality reads its invoice on its own host."""

import json
import re
import zipfile

import pytest
from playwright.sync_api import expect

from tests.web.stage import WIDE, violations


@pytest.fixture
def context(opened):
    """Return a new browser with nobody signed in."""
    context = opened.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    yield context
    context.close()


def test_finance_takes_a_month_from_review_to_paid(context, played):
    page = played.sign_in(context, "second")
    # What an invoice lacks is said, and filled in.
    page.goto(played.url("second", "/invoices/"))
    page.get_by_role("link", name=re.compile("Alles in controle goedkeuren")).click()
    page.get_by_role("button", name="Alles goedkeuren").click()
    expect(page.get_by_text("Bij 1 lukte het niet")).to_be_visible()
    assert violations(page) == []
    page.goto(played.url("second", "/buyers/"))
    row = page.get_by_role("row", name=re.compile("Delft"))
    expect(row).to_contain_text("Onvolledig")
    row.get_by_role("link").click()
    for label, value in (
        ("Naam van de rechtspersoon", "Gemeente Delft"),
        ("KvK-nummer", "27364265"),
        ("Straat en huisnummer", "Stationsplein 1"),
        ("Postcode", "2611 BV"),
        ("Plaats", "Delft"),
        ("Inkoopnummer", "4500012345"),
    ):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("De gemeente gebruikt geen kostenplaats").check()
    page.get_by_label("Geldt vanaf").fill("2026-01-01")
    page.get_by_role("button", name="Factuurgegevens opslaan").click()
    expect(page.get_by_text("De factuurgegevens zijn opgeslagen.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Delft"))).not_to_contain_text("Onvolledig")
    # Approved and finalised, many at once; the page goes on by itself.
    page.goto(played.url("second", "/invoices/"))
    page.get_by_role("link", name=re.compile("Alles in controle goedkeuren")).click()
    page.get_by_role("button", name="Alles goedkeuren").click()
    expect(page.get_by_text("1 van 1 gedaan")).to_be_visible()
    page.goto(played.url("second", "/invoices/"))
    page.get_by_role("link", name=re.compile("definitief maken")).click()
    page.get_by_role("button", name="Alles definitief maken").click()
    expect(page.get_by_text("1 van 1 gedaan")).to_be_visible()
    page.goto(played.url("second", "/invoices/"))
    row = page.get_by_role("row", name=re.compile("Delft"))
    expect(row).to_contain_text("-00002")
    # A payment is booked, twice by mistake: the second is refused and says why.
    row.get_by_role("link").click()
    owed = page.get_by_text("€").first.inner_text()
    for _ in range(2):
        page.get_by_role("link", name="Betaling boeken").click()
        page.get_by_label("Bedrag in euro").fill("10,00")
        page.get_by_label("Kenmerk op het bankafschrift").fill("afschrift 7")
        page.get_by_role("button", name="Betaling boeken").click()
    expect(page.get_by_role("alert")).to_contain_text("al geboekt")
    page.get_by_role("link", name="Terug naar de factuur").click()
    assert page.get_by_text("€").first.inner_text() != owed
    # Everything is credited; its own maker may not approve it.
    page.get_by_role("link", name="Creditnota maken").click()
    page.get_by_label("Alles wat over is").check()
    page.get_by_label("Waarom").fill("Verkeerde tenaamstelling")
    page.get_by_role("button", name="Creditnota maken").click()
    page.get_by_role("button", name="Goedkeuren").click()
    expect(page.get_by_role("status").filter(has_text="Een ander dan de opsteller")).to_be_visible()
    note = page.url
    page.context.clear_cookies()
    page = played.sign_in(context, "finance")
    page.goto(note)
    page.get_by_role("button", name="Goedkeuren").click()
    page.get_by_role("button", name="Definitief maken").click()
    expect(page.get_by_text(re.compile("Nummer C20"))).to_be_visible()
    # All documents of the months in one file.
    page.goto(played.url("finance", "/invoices/"))
    page.get_by_role("link", name="Documenten downloaden").click()
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Downloaden").click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert [len([name for name in names if name.startswith(folder)]) for folder in ("pdf/F", "pdf/C", "ubl/")] == [
        2,
        2,
        4,
    ]


def test_finance_looks_at_prices_before_they_are_stored(context, played):
    page = played.sign_in(context, "finance")
    page.goto(played.url("finance", "/rate-cards/new/"))
    card = json.loads(page.get_by_label("De kaart").input_value())
    card |= {"valid_from": "2031-01-01", "name": "Tarief 2031", "platform_fee": "175.00", "discount": "0.05"}
    page.get_by_label("De kaart").fill(json.dumps(card | {"valid_from": "2026-01-02"}))
    page.get_by_role("button", name="Bekijk vorige maand").click()
    expect(page.get_by_role("table")).to_contain_text("Utrecht")
    page.get_by_role("button", name="Deze tariefkaart opslaan").click()
    expect(page.get_by_role("alert")).to_contain_text("kies een eerste dag na vandaag")
    assert violations(page) == []
    page.get_by_label("De kaart").fill(json.dumps(card))
    page.get_by_role("button", name="Bekijk vorige maand").click()
    page.get_by_role("button", name="Deze tariefkaart opslaan").click()
    expect(page.get_by_role("heading", name="Tarief 2031")).to_be_visible()


def test_a_municipality_reads_its_own_invoice_and_no_draft(context, played):
    page = played.sign_in(context, "purse")
    page.get_by_role("link", name="Facturen").click()
    page.get_by_role("link", name="F20").click()
    expect(page.get_by_text("INK-2026-17")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Downloaden als CSV").click()
    assert download.value.suggested_filename.startswith("Utrecht-F20")
    for name, begin, suffix in (("Downloaden als PDF", b"%PDF-", ".pdf"), ("E-factuur (UBL)", b"<?xml", ".xml")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.suggested_filename.endswith(suffix)
        assert download.value.path().read_bytes().startswith(begin)
    page.get_by_role("link", name=re.compile("Conversaties")).first.click()
    expect(page.get_by_role("heading", name="Per dag, doel en template")).to_be_visible()
    draft = played.live.ask("SELECT id FROM public.billing_invoice WHERE number IS NULL OR number ~ '-00002$'")
    for (other,) in draft:
        assert page.goto(played.url("purse", f"/invoices/{other}/")).status == 404
