"""The documents of what was issued: the e-invoice passes the published rules, and it, the PDF and the ledger agree."""

import csv
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from smtplib import SMTPServerDisconnected
from xml.etree import ElementTree

import pypdfium2
import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from rules import broken

from audit.record import Actor
from billing.crediting import credit
from billing.documents import mailing
from billing.documents.bundling import TooLong, bundle
from billing.documents.content import NotIssued, Paper, PaperLine, PaperVat, read
from billing.documents.keeping import Kind, document, make, make_missing
from billing.documents.pdf import make_pdf
from billing.documents.ubl import make_ubl
from billing.invoicing import run
from billing.issuing import approve, finalise
from billing.models import Invoice, InvoiceDocument, InvoiceMail
from billing.parties import Profile, save_profile

OCTOBER = date(2026, 10, 1)
IN_OCTOBER = datetime(2026, 10, 10, 8, 0, tzinfo=UTC)
AT = datetime(2026, 11, 8, 9, 0, tzinfo=UTC)
PREPARER, SECOND = Actor("public", "1", "Farid Finance"), Actor("public", "2", "Tineke Toezicht")
SELLER = {
    "NAME": "Voorbeeld & Zonen B.V.",
    "KVK": "12345678",
    "BTW": "NL001234567B01",
    "IBAN": "NL91 ABNA 0417 1643 00",
    "ADDRESS": "Kerkstraat 1; 3511 AB Utrecht",
    "EMAIL": "facturen@bsp.example",
}
PROFILE = Profile(
    legal_name="Gemeente Utrecht",
    oin="00000001001299992000",
    street="Stadsplateau 1",
    postcode="3521 AZ",
    city="Utrecht",
    order_reference="INK-2026-17",
    cost_centre="4410",
    email="crediteuren@utrecht.example",
)
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"


@pytest.fixture
def issued(standard_card, utrecht, deliver, settings) -> tuple[Invoice, Invoice]:
    """Return Utrecht's October of 151.14 + 31.74, and a credit note of its first line, both final."""
    settings.SELLER, settings.SENDS_MAIL = SELLER, True
    deliver(utrecht, 11, category="utility", day=IN_OCTOBER)
    deliver(utrecht, 3, category="marketing", day=IN_OCTOBER)
    run(month=OCTOBER, at=AT, actor=PREPARER, review=True)
    save_profile(municipality_id=utrecht.id, profile=PROFILE, valid_from=OCTOBER, actor=PREPARER, at=AT)
    invoice = Invoice.objects.get(municipality_id=utrecht.id)
    final = issue(invoice)
    note = credit(invoice_id=final.id, positions=[1], reason="Storing \x0bop 10 oktober <b>", actor=PREPARER, at=AT)
    return final, issue(note)


def issue(invoice: Invoice) -> Invoice:
    approve(invoice_id=invoice.id, actor=SECOND, at=AT)
    return finalise(invoice_id=invoice.id, actor=SECOND, at=AT)


def text_of(pdf: bytes) -> str:
    read = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in read).split())


def amounts(ubl: bytes) -> dict[str, str]:
    root = ElementTree.fromstring(ubl)
    names = ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableAmount")
    (sums,) = [each for each in root if each.tag.endswith("LegalMonetaryTotal")]
    (tax,) = [each for each in root if each.tag.endswith("TaxTotal")]
    return {name: sums.find(_CBC + name).text for name in names} | {"Tax": tax.find(f"{_CBC}TaxAmount").text}


class TestDocuments:
    def test_invoice_and_credit_note_pass_the_rules_and_say_what_the_ledger_says(self, issued):
        for final, words in zip(issued, ("Factuur", "Creditnota"), strict=True):
            ubl, pdf = (document(invoice_id=final.id, kind=kind, at=AT) for kind in (Kind.UBL, Kind.PDF))
            assert broken(ubl.content) == []
            net, vat, total = (
                f"{Decimal(cents) / 100:.2f}" for cents in (final.net_cents, final.vat_cents, final.total_cents)
            )
            assert amounts(ubl.content) == {
                "LineExtensionAmount": net,
                "TaxExclusiveAmount": net,
                "TaxInclusiveAmount": total,
                "PayableAmount": total,
                "Tax": vat,
            }
            text = text_of(pdf.content)
            said = [f"{words} {final.number}", *(f"€ {each.replace('.', ',')}" for each in (net, vat, total))]
            said += ["Gemeente Utrecht", "Stadsplateau 1", "3521 AZ Utrecht", "OIN 00000001001299992000", "INK-2026-17"]
            said += ["Voorbeeld & Zonen B.V.", "Kerkstraat 1", "3511 AB Utrecht", "KvK-nummer 12345678", "21%", "4410"]
            said += ["NL001234567B01", "8 november 2026", "1 oktober 2026 tot en met 31 oktober 2026", "1 van 1"]
            said += [line.description for line in final.lines.all()]
            assert [each for each in said if each not in text] == []
            opened = pypdfium2.PdfDocument(pdf.content)
            (attached,) = [opened.get_attachment(place) for place in range(opened.count_attachments())]
            assert opened.is_tagged()
            assert (attached.get_name(), bytes(attached.get_data())) == (ubl.name, ubl.content)
            assert (ubl.name, pdf.name) == (f"{final.number}.xml", f"{final.number}.pdf")
        assert "Te betalen uiterlijk 8 december 2026" in text_of(
            document(invoice_id=issued[0].id, kind=Kind.PDF, at=AT).content
        )
        assert "Creditering van factuur F2026-00001 van 8 november 2026 Reden Storing op 10 oktober <b>" in text

    def test_they_are_made_once_and_come_to_the_same_byte_for_byte(self, issued):
        assert (make_missing(at=AT), make_missing(at=AT)) == (2, 0)
        for row in InvoiceDocument.objects.filter(kind="PDF"):
            paper = read(invoice_id=row.invoice_id)
            again = make_pdf(paper=paper, ubl=make_ubl(paper=paper))
            assert (bytes(row.content), row.sha256) == (again, sha256(again).hexdigest())
            make(invoice_id=row.invoice_id, at=AT + timedelta(days=1))
        assert set(InvoiceDocument.objects.values_list("made_at", flat=True)) == {AT}
        assert InvoiceDocument.objects.count() == 4
        with pytest.raises(IntegrityError, match="billing_invoicedocument"), transaction.atomic():
            InvoiceDocument.objects.update(made_at=AT + timedelta(days=1))

    def test_what_has_no_number_has_no_document(self, standard_card, utrecht, deliver):
        deliver(utrecht, 1, day=IN_OCTOBER)
        (draft, *_) = run(month=OCTOBER, at=AT, actor=PREPARER)
        with pytest.raises(NotIssued):
            document(invoice_id=draft.id, kind=Kind.PDF, at=AT)
        assert make_missing(at=AT) == 0

    def test_a_bundle_holds_every_document_and_its_lists_add_up(self, issued):
        with zipfile.ZipFile(BytesIO(bundle(first=OCTOBER, last=date(2026, 12, 1), at=AT))) as archive:
            assert sorted(archive.namelist()) == [
                *("invoices.csv", "lines.csv", "pdf/C2026-00001.pdf", "pdf/F2026-00001.pdf"),
                *("ubl/C2026-00001.xml", "ubl/F2026-00001.xml"),
            ]
            rows = list(csv.DictReader(archive.read("invoices.csv").decode().splitlines()))
            lines = list(csv.DictReader(archive.read("lines.csv").decode().splitlines()))
            for row in rows:
                own = sum(Decimal(line["net_eur"]) for line in lines if line["number"] == row["number"])
                assert own == Decimal(row["net_eur"])
                assert row["ubl_sha256"] == sha256(archive.read(f"ubl/{row['number']}.xml")).hexdigest()
                assert row["pdf_sha256"] == sha256(archive.read(f"pdf/{row['number']}.pdf")).hexdigest()
        first, last = date(2026, 9, 1), date(2026, 9, 1)
        assert len(zipfile.ZipFile(BytesIO(bundle(first=first, last=last, at=AT))).namelist()) == 2
        for wrong in (date(2026, 8, 1), date(2026, 12, 1)):
            with pytest.raises(TooLong):
                bundle(first=first, last=wrong, at=AT)


def paper(*lines: PaperLine, **changes: object) -> Paper:
    """Return a paper whose totals follow from its lines."""
    rates = sorted({line.vat_rate for line in lines})
    vat = []
    for rate in rates:
        net = sum(line.net_cents for line in lines if line.vat_rate == rate)
        vat.append(PaperVat(rate, net, int((Decimal(net) * rate).quantize(Decimal(1)))))
    net, tax = sum(line.net_cents for line in lines), sum(each.vat_cents for each in vat)
    seller = {"name": "B.V.", "kvk": "12345678", "vat_number": "NL001234567B01", "iban": "NL91ABNA0417164300"}
    address = {"street": "Kade 1", "postcode": "1234 AB", "city": "Delft", "country": "NL"}
    buyer = {"name": "Delft", "legal_name": "Gemeente Delft", "kvk": "27364265", "oin": "", "vat_number": ""}
    made = Paper(
        number="F2026-00007",
        is_credit=False,
        issue_date=date(2026, 11, 8),
        due_date=date(2026, 12, 8),
        first_day=OCTOBER,
        last_day=date(2026, 10, 31),
        seller=seller | address,
        buyer=buyer | address | {"order_reference": "45"},
        credited=None,
        reason="",
        lines=lines,
        vat=tuple(vat),
        net_cents=net,
        vat_cents=tax,
        total_cents=net + tax,
        mark="0123456789ab",
    )
    return replace(made, **changes)


def line(position: int, quantity: int, price: str, cents: int, rate: str = "0.21") -> PaperLine:
    return PaperLine(position, f"Regel {position} met é & <teken>", quantity, Decimal(price), cents, Decimal(rate))


class TestEveryShape:
    """What a bill can come to: discount, tiers, corrections that owe back, two rates, nothing at all."""

    @pytest.mark.parametrize(
        "shape",
        [
            paper(line(1, 100, "0", 0), line(2, 12345, "0.062500", 77156), line(3, -1, "38.578125", -3858)),
            paper(line(1, -3, "0.149500", -45), line(2, 1, "150.00", 15000)),
            paper(line(1, -7, "125.00", -87500)),  # more taken back than billed
            paper(line(1, 1, "100.00", 10000), line(2, -1, "40.00", -4000, "0.19")),
            paper(line(1, 1, "150.00", 15000, "0")),
            paper(line(1, 0, "0", 0)),
            paper(
                line(1, -1, "12.34", -1234),
                is_credit=True,
                due_date=None,
                credited=("F2026-00001", OCTOBER),
                reason="x",
            ),
        ],
        ids=["discount", "correction", "owed-back", "two-rates", "no-vat", "nothing", "credit-of-a-discount"],
    )
    def test_it_passes_the_rules_and_goes_on_paper(self, shape):
        ubl = make_ubl(paper=shape)
        assert broken(ubl) == []
        text = text_of(make_pdf(paper=shape, ubl=ubl))
        assert f"{abs(shape.total_cents) % 100:02d}" in text
        assert all(line.description in text for line in shape.lines)

    def test_a_long_one_goes_over_pages_and_each_has_its_head(self):
        shape = paper(*(line(place, place, "1.00", place * 100) for place in range(1, 81)))
        ubl = make_ubl(paper=shape)
        assert broken(ubl) == []
        pages = pypdfium2.PdfDocument(make_pdf(paper=shape, ubl=ubl))
        assert len(pages) > 1
        assert all("Omschrijving" in page.get_textpage().get_text_range() for page in list(pages)[:-1])

    def test_the_rules_are_looked_at(self):
        shape = paper(line(1, 1, "150.00", 15000))
        assert "BR-CO-15" in broken(make_ubl(paper=replace(shape, total_cents=1)))
        assert "NL-R-001" in broken(make_ubl(paper=replace(shape, is_credit=True, due_date=None)))
        nobody = replace(shape, buyer=shape.buyer | {"order_reference": ""})
        assert "PEPPOL-EN16931-R003" in broken(make_ubl(paper=nobody)) or broken(make_ubl(paper=nobody))


class TestMail:
    def test_it_goes_once_with_both_documents_to_the_address_on_the_invoice(self, issued):
        assert (mailing.send_due(at=AT), mailing.send_due(at=AT)) == (2, 0)
        first, second = mail.outbox
        assert first.to == second.to == ["crediteuren@utrecht.example"]
        assert first.subject == "Factuur F2026-00001 van Voorbeeld & Zonen B.V."
        assert "€ 182,88, te betalen uiterlijk 8 december 2026" in first.body
        assert [name for name, _, _ in first.attachments] == ["F2026-00001.pdf", "F2026-00001.xml"]
        assert second.subject.startswith("Creditnota C2026-00001")
        # Asked for again, twice: one more goes.
        for expected in (True, False):
            assert mailing.queue(invoice=issued[0], actor=PREPARER, at=AT) is expected
        assert mailing.send_due(at=AT) == 1

    def test_what_is_not_taken_is_tried_again_and_given_up_in_the_end(self, issued, monkeypatch):
        def refuses(self):
            raise SMTPServerDisconnected

        InvoiceMail.objects.filter(invoice=issued[1]).delete()
        with monkeypatch.context() as patched:
            patched.setattr(EmailMessage, "send", refuses)
            for attempt in range(1, mailing.MOST_ATTEMPTS + 1):
                assert mailing.send_due(at=AT) == 0
                (row,) = InvoiceMail.objects.all()
                assert (row.attempts, row.state) == (attempt, "QUEUED" if attempt < mailing.MOST_ATTEMPTS else "FAILED")
                InvoiceMail.objects.update(due_at=timezone.now())
        assert mailing.send_due(at=AT) == 0
        assert mailing.queue(invoice=issued[0], actor=PREPARER, at=AT)
        assert mailing.send_due(at=AT) == 1

    def test_who_dies_while_sending_is_waited_for(self, issued):
        InvoiceMail.objects.update(state="SENDING", attempts=1, due_at=timezone.now() + mailing.LEASE)
        assert mailing.send_due(at=AT) == 0
        InvoiceMail.objects.update(due_at=timezone.now())
        assert mailing.send_due(at=AT) == 2

    def test_without_an_address_or_mail_nothing_waits(self, issued, settings):
        settings.SENDS_MAIL = False
        with pytest.raises(mailing.NoAddress):
            mailing.queue(invoice=issued[0], actor=PREPARER, at=AT)
        settings.SENDS_MAIL = True
        issued[0].buyer["email"] = ""
        with pytest.raises(mailing.NoAddress):
            mailing.queue(invoice=issued[0], actor=PREPARER, at=AT)
        assert connection.schema_name == "public"
