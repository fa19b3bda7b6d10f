"""What finance does with invoices, prices and buyers, asked as a browser asks; what is refused says what to do."""

import ast
import json
import zipfile
from datetime import UTC, date, datetime
from html import unescape
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from audit.record import Actor
from billing import crediting, invoicing
from billing.models import Adjustment, BillingProfile, Collection, Invoice, InvoiceLine, InvoiceMail, Payment, RateCard
from billing.parties import Profile, save_profile
from billing.prices import load_card
from config.local.folders import ROOT
from tenants.models import Municipality
from tenants.onboarding.models import ApplicationVersion, Onboarding
from web.price_words import REFUSALS

STANDARD_CARD = ROOT / "billing" / "rate_cards" / "standard-2026.json"
OCTOBER = date(2026, 10, 1)
AT = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
OTHER = Actor("public", "1", "Farid Finance")


@pytest.fixture
def finance(people, clock):
    """Return a browser of the BSP's finance, on 6 November."""
    clock.set(AT)
    return people("public", "BSP_FINANCE")


@pytest.fixture
def reviewed(utrecht, delft, clock) -> Invoice:
    """Return Utrecht's October in review, prepared by a colleague; its buyer is known, Delft's is not."""
    clock.set(AT)
    load_card(text=STANDARD_CARD.read_text(), actor=OTHER, at=AT)
    invoicing.run(month=OCTOBER, at=AT, actor=OTHER, review=True)
    profile = Profile(
        legal_name="Gemeente Utrecht",
        kvk="30280353",
        street="Stadsplateau 1",
        postcode="3521 AZ",
        city="Utrecht",
        order_reference="INK-1",
        has_no_cost_centre=True,
    )
    save_profile(municipality_id=utrecht.id, profile=profile, valid_from=OCTOBER, actor=OTHER, at=AT)
    return Invoice.objects.get(municipality_id=utrecht.id)


def said(client, path, **form) -> str:
    answer = client.post(path, form, follow=True)
    return answer.content.decode()


class TestSteps:
    def test_an_invoice_goes_from_review_to_final(self, finance, reviewed):
        path = f"/invoices/{reviewed.id}/step/"
        assert "De factuur is goedgekeurd." in said(finance, path, step="approve")
        assert "heeft haar nummer" in said(finance, path, step="finalise")
        reviewed.refresh_from_db()
        assert (reviewed.number, reviewed.approved_by_name) == ("F2026-00001", reviewed.approved_by_name)
        assert finance.post(path, {"step": "delete"}).status_code == 404

    def test_what_lacks_of_a_buyer_is_said_by_name(self, finance, reviewed, delft):
        other = Invoice.objects.get(municipality_id=delft.id)
        page = said(finance, f"/invoices/{other.id}/step/", step="approve")
        assert "ontbreekt: Naam van de rechtspersoon, KvK-nummer / OIN, Straat en huisnummer" in page

    def test_many_go_on_and_those_that_cannot_stay(self, finance, reviewed):
        asked = finance.get("/invoices/many/approve/?month=2026-10").content.decode()
        assert "2 facturen zijn in controle" in asked
        page = said(finance, "/invoices/many/approve/", month="2026-10")
        assert "1 van 2 gedaan" in page
        assert "Bij 1 lukte het niet" in page
        # Which it was, why, and where it is mended.
        assert "In de factuurgegevens ontbreekt iets" in page
        assert 'href="/buyers/delft/"' in page
        # A later part carries on what an earlier one refused, and takes nothing else from the form.
        of_delft = Invoice.objects.get(status="REVIEW")
        page = said(
            finance,
            "/invoices/many/approve/",
            month="2026-10",
            done="1",
            refused=[f"{of_delft.id} SamePerson", "x y", f"{reviewed.id}<b> z"],
        )
        assert "Een ander dan de opsteller" in page
        assert "1 van 2 gedaan" in page
        assert sorted(Invoice.objects.values_list("status", flat=True)) == ["APPROVED", "REVIEW"]

    def test_a_credit_note_and_a_payment_say_what_is_wrong(self, finance, reviewed):
        for step in ("approve", "finalise"):
            said(finance, f"/invoices/{reviewed.id}/step/", step=step)
        path = f"/invoices/{reviewed.id}/payment/"
        form = {"amount": "100,00", "paid_date": "2026-11-05", "reference": "afschrift 1"}
        assert "een bedrag in euro" in said(finance, path, **form | {"amount": "veel"})
        assert "Die dag is er nog niet" in said(finance, path, **form | {"paid_date": "2026-12-01"})
        assert "De betaling is geboekt." in said(finance, path, **form)
        assert "al geboekt" in said(finance, path, **form)
        assert Payment.objects.get().amount_cents == 10000
        path = f"/invoices/{reviewed.id}/credit/"
        assert "Kies regels" in said(finance, path, what="lines", reason="x")
        assert "staat klaar" in said(finance, path, what="all", reason="Dubbel")
        assert Invoice.objects.get(kind="CREDIT_NOTE").total_cents == reviewed.total_cents

    def test_what_is_final_is_given_as_documents_and_mailed(self, finance, reviewed, people, settings):
        settings.SELLER = settings.SELLER | {"KVK": "12345678", "BTW": "NL001234567B01", "ADDRESS": "Kade 1; 1234 AB X"}
        path = f"/invoices/{reviewed.id}"
        assert finance.get(f"{path}.pdf").status_code == 404
        for step in ("approve", "finalise"):
            said(finance, f"{path}/step/", step=step)
        for form, begin in (("pdf", b"%PDF-"), ("xml", b"<?xml")):
            given = finance.get(f"{path}.{form}")
            assert given.content.startswith(begin)
            assert given.headers["Content-Disposition"] == f'attachment; filename="F2026-00001.{form}"'
            own, other = people("utrecht", "FINANCE"), people("delft", "FINANCE")
            assert own.get(f"{path}.{form}").content == given.content
            assert other.get(f"{path}.{form}").status_code == 404
        bundle = finance.get("/invoices/documents/?from=2026-10&until=2026-10")
        assert "pdf/F2026-00001.pdf" in zipfile.ZipFile(BytesIO(bundle.content)).namelist()
        assert finance.get("/invoices/documents/?from=2026-10&until=2026-09").status_code == 422
        actions = list(Entry.objects.values_list("action", flat=True))
        assert actions.count("invoice.export") == 3
        assert "geen e-mailadres" in said(finance, f"{path}/mail/")
        settings.SENDS_MAIL = True
        assert "geen e-mailadres" in said(finance, f"{path}/mail/")

    def test_what_is_owed_is_listed_by_age_and_as_csv(self, finance, reviewed, clock):
        for step in ("approve", "finalise"):
            said(finance, f"/invoices/{reviewed.id}/step/", step=step)
        clock.set(datetime(2026, 12, 26, 9, 0, tzinfo=UTC))  # due on 6 December
        page = finance.get("/unpaid/").content.decode()
        assert "F2026-00001" in page
        rows = finance.get("/unpaid/?form=csv").content.decode().splitlines()
        assert rows[1].startswith("F2026-00001,Utrecht,2026-11-06,2026-12-06,20,181.50,181.50")

    def test_what_was_paid_and_credited_goes_back_or_is_set_off(self, finance, reviewed, clock):
        for step in ("approve", "finalise"):
            said(finance, f"/invoices/{reviewed.id}/step/", step=step)
        path = f"/invoices/{reviewed.id}/payment/"
        said(finance, path, amount="181,50", paid_date="2026-11-05", reference="afschrift 1")
        note = crediting.credit(invoice_id=reviewed.id, positions=None, reason="Dubbel", actor=OTHER, at=AT)
        for step in ("approve", "finalise"):
            said(finance, f"/invoices/{note.id}/step/", step=step)
        clock.set(datetime(2026, 12, 13, 9, 0, tzinfo=UTC))
        invoicing.run(month=date(2026, 11, 1), at=clock.now(), actor=OTHER, review=True)
        assert "uiterlijk 15 december 2026 uitgereikt" in finance.get("/invoices/?month=2026-11").content.decode()
        november = Invoice.objects.get(period=date(2026, 11, 1), municipality_id=reviewed.municipality_id)
        for step in ("approve", "finalise"):
            said(finance, f"/invoices/{november.id}/step/", step=step)
        november.refresh_from_db()
        page = finance.get("/unpaid/").content.decode()
        # What we owe back is said above the list of what is owed to us, and leads to it.
        assert page.index("Wij moeten samen € 181,50 terugbetalen") < page.index("unpaid-caption")
        assert page.index('href="#back"') < page.index('id="back"') < page.index("back-caption")
        assert f'href="{path}"' in page
        page = finance.get(path).content.decode()
        assert 'value="-181,50"' in page
        assert november.number in page
        assert "Kies een factuur van deze gemeente" in said(finance, path, what="set_off", against=str(reviewed.id))
        assert "niet meer terug dan" in said(
            finance, path, amount="-181,51", paid_date="2026-12-12", reference="terugbetaald"
        )
        assert "Het is verrekend." in said(finance, path, what="set_off", against=str(november.id))
        assert "Kies een factuur van deze gemeente" in said(finance, path, what="set_off", against=str(november.id))
        november.refresh_from_db()
        assert november.status == "PAID"
        # What stopped on its way is in one place, in words.
        row = {"step": "STOPPED", "trouble": "REFUSED number_taken", "due_at": AT}
        Collection.objects.create(invoice=november, **row)
        said_by = {"address": "a@b.example", "recorded_at": AT, "recorded_by_schema": "public"}
        for mailed in ({"state": "SENT", "sent_at": AT}, {"state": "FAILED"}):
            InvoiceMail.objects.create(invoice=note, due_at=AT, **mailed, **said_by)
        page = finance.get("/unpaid/").content.decode()
        assert f"{november.number}, Utrecht</a>: Stripe weigert" in page
        assert "C2026-00001, Utrecht</a>: Deze kon niet worden gemaild" in page
        assert Entry.objects.filter(action="invoice.set_off").count() == 1

    def test_lists_ask_the_database_as_often_for_many_as_for_few(self, finance, reviewed):
        pages = ("/invoices/", "/invoices/month.csv", "/unpaid/", "/invoices/many/approve/?month=2026-10")

        def asked() -> list[int]:
            counts = []
            for page in pages:
                with CaptureQueriesContext(connection) as queries:
                    assert finance.get(page).status_code == 200
                counts.append(len(queries))
            return counts

        few = asked()
        for place in range(30):
            made = Municipality.objects.bulk_create(
                [
                    Municipality(
                        id=uuid4(),
                        schema_name=f"gemeente{place}",
                        name=f"Gemeente {place}",
                        cbs_code=f"GM{7000 + place}",
                        stage="LIVE",
                        created_at=AT,
                    )
                ]
            )
            copied = Invoice.objects.get(id=reviewed.id)
            copied.id, copied.municipality_id, copied.status = uuid4(), made[0].id, "DRAFT"
            copied.prepared_by_id = ""
            copied.save(force_insert=True)
            for line in InvoiceLine.objects.filter(invoice=reviewed):
                line.pk, line.invoice = None, copied
                line.save(force_insert=True)
        assert asked() == few


class TestPrices:
    def test_a_card_is_looked_at_before_it_is_stored_and_begins_after_today(self, finance, reviewed):
        text = json.dumps(json.loads(STANDARD_CARD.read_text()) | {"valid_from": "2026-12-01", "platform_fee": "160"})
        looked = said(finance, "/rate-cards/new/", text=text, step="look")
        assert "Wat oktober 2026 zou zijn geweest" in looked
        assert RateCard.objects.count() == 1
        past = text.replace("2026-12-01", "2026-11-06")
        assert "kies een eerste dag na vandaag" in said(finance, "/rate-cards/new/", text=past, step="store")
        assert "De tariefkaart is opgeslagen" in said(finance, "/rate-cards/new/", text=text, step="store")
        assert RateCard.objects.count() == 2
        assert "is niet bruikbaar" in said(finance, "/rate-cards/new/", text="{", step="look")
        wrong = json.dumps(json.loads(text) | {"platform_fee": "veel"})
        page = unescape(said(finance, "/rate-cards/new/", text=wrong, step="look"))
        assert 'platform_fee moet een bedrag van nul of meer zijn, zoals "0.0625"' in page

    def test_every_reason_to_refuse_a_card_is_said_in_the_readers_language(self):
        raised = set()
        for name in ("card_files", "prices", "cards"):
            for node in ast.walk(ast.parse((ROOT / "billing" / f"{name}.py").read_text())):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                    called = getattr(node.exc.func, "id", "")
                    if called in ("BadRateCard", "UsedRateCard", "NoRate", "NoRateCard"):
                        raised.add(ast.literal_eval(node.exc.args[0]))
        assert raised == set(REFUSALS)


class TestBuyers:
    FORM = {
        "legal_name": "Gemeente Delft",
        "kvk": "2736 4265",
        "street": "Stationsplein 1",
        "postcode": "2611bv",
        "city": "Delft",
        "order_reference": "45",
        "country": "nl",
        "payment_days": "30",
        "valid_from": "2026-11-01",
    }

    def test_details_are_stored_as_they_are_written_officially(self, finance, delft):
        assert "De factuurgegevens zijn opgeslagen." in said(finance, "/buyers/delft/", **self.FORM)
        row = BillingProfile.objects.get(municipality_id=delft.id)
        assert (row.kvk, row.postcode, row.country) == ("27364265", "2611 BV", "NL")
        # Whether there is a cost centre is said, either way, and never both.
        for said_of, lacks in (({"has_no_cost_centre": "yes"}, False), ({"cost_centre": "4410"}, False), ({}, True)):
            said(finance, "/buyers/delft/", **self.FORM | said_of)
            row = BillingProfile.objects.filter(municipality_id=delft.id).latest("id")
            assert (row.cost_centre, row.has_no_cost_centre) == (
                said_of.get("cost_centre", ""),
                "has_no_cost_centre" in said_of,
            )
            page = finance.get("/buyers/delft/").content.decode()
            assert ("Kostenplaats / dat er geen is" in page) is lacks
            assert ('value="yes" checked' in page) is row.has_no_cost_centre

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"kvk": "123"}, "KvK-nummer klopt niet"),
            ({"oin": "12345678901234567890"}, "OIN klopt niet"),
            ({"legal_name": ""}, "naam van de rechtspersoon"),
            ({"payment_days": "90"}, "betaaltermijn is 1 tot 60"),
            ({"valid_from": ""}, "vanaf welke dag"),
            ({"city": "x" * 200}, "Plaats is te lang"),
            ({"cost_centre": "4410", "has_no_cost_centre": "yes"}, "Vul een kostenplaats in, of vink aan"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_said_and_nothing_is_lost(self, finance, delft, change, words):
        page = said(finance, "/buyers/delft/", **self.FORM | change)
        assert words in page
        assert "Stationsplein 1" in page
        assert not BillingProfile.objects.filter(municipality_id=delft.id).exists()

    def test_the_application_fills_the_form_the_first_time(self, finance, delft):
        onboarding, _ = Onboarding.objects.get_or_create(
            municipality_id=delft.id,
            defaults={
                "cbs_code": delft.cbs_code,
                "name": "Delft",
                "stage": "LIVE",
                "stage_since": AT,
                "created_at": AT,
            },
        )
        answers = {"legal_entity": "Gemeente Delft", "kvk_number": "27364265", "order_reference": "INK-99"}
        answers |= {"visiting_address": "Stationsplein 1", "visiting_postcode": "2611 BV", "visiting_city": "Delft"}
        answers |= {"has_no_cost_centre": "yes"}
        ApplicationVersion.objects.create(
            onboarding=onboarding,
            part="ORGANISATION",
            version=1,
            values=answers,
            at=AT,
            by_schema="public",
            by_id="x",
            by_name="A",
        )
        page = finance.get("/buyers/delft/").content.decode()
        assert "op haar aanvraag ingevuld" in page
        assert all(f'value="{value}"' in page for value in answers.values())
        assert 'value="yes" checked' in page
        assert not BillingProfile.objects.filter(municipality_id=delft.id).exists()


class TestByHand:
    def test_a_correction_is_booked_and_taken_back(self, finance, utrecht):
        form = {"municipality": "utrecht", "amount": "-25,00", "description": "Storing", "reason": "Afgesproken"}
        assert "Vul een bedrag" in said(finance, "/adjustments/", **form | {"amount": "0"})
        assert "De correctie is geboekt." in said(finance, "/adjustments/", **form)
        booked = Adjustment.objects.get()
        assert (booked.net_cents, booked.run) == (-2500, date(2026, 11, 1))
        assert "De correctie is teruggeboekt." in said(finance, f"/adjustments/{booked.id}/back/")
        assert "al teruggeboekt" in said(finance, f"/adjustments/{booked.id}/back/")
        assert [row.net_cents for row in Adjustment.objects.order_by("id")] == [-2500, 2500]
        assert Entry.objects.filter(action="invoice.adjust").count() == 2


class TestOfAMunicipality:
    def test_its_finance_sees_what_is_final_and_its_own_alone(self, people, finance, reviewed, delft):
        path = f"/invoices/{reviewed.id}/"
        own = people("utrecht", "FINANCE")
        assert own.get(path).status_code == 404
        for step in ("approve", "finalise"):
            said(finance, f"/invoices/{reviewed.id}/step/", step=step)
        assert "F2026-00001" in own.get("/invoices/").content.decode()
        assert "INK-1" in own.get(path).content.decode()
        assert own.get(f"/invoices/{reviewed.id}.csv").status_code == 200
        theirs = people("delft", "FINANCE")
        for each in (path, f"/invoices/{reviewed.id}.csv", f"{path}lines/1/"):
            assert theirs.get(each).status_code == 404
        assert people("utrecht", "AGENT").get("/invoices/").status_code == 403
        assert own.get("/usage/?month=2026-10").status_code == 200
