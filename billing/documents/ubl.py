"""The e-invoice: UBL 2.1 in the profile Peppol BIS Billing 3, with what Dutch public bodies need (NL-R rules).

Pure: the same paper gives the same bytes. Elements stand in the order that the schema gives. It is valid by
construction of what `approve` asked for; the tests hold it against the published rules.
Source: docs.peppol.eu/poacc/billing/3.0, read 2026-11.
"""

from decimal import Decimal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from billing.documents.content import Paper, PaperLine

CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
INVOICE_TYPE, CREDIT_NOTE_TYPE = "380", "381"  # UNTDID 1001
SEPA_CREDIT_TRANSFER = "58"  # UNTDID 4461
UNIT = "C62"  # UN/ECE Rec. 20: one
KVK, OIN = "0106", "0190"  # ISO 6523, as Peppol lists them
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"


def make_ubl(*, paper: Paper) -> bytes:
    """Return the e-invoice, or e-credit note, as UTF-8."""
    kind = "CreditNote" if paper.is_credit else "Invoice"
    root = Element(
        kind,
        {
            "xmlns": f"{_UBL}{kind}-2",
            "xmlns:cac": f"{_UBL}CommonAggregateComponents-2",
            "xmlns:cbc": f"{_UBL}CommonBasicComponents-2",
        },
    )
    _head(root, paper)
    _seller(SubElement(SubElement(root, "cac:AccountingSupplierParty"), "cac:Party"), paper)
    _buyer(SubElement(SubElement(root, "cac:AccountingCustomerParty"), "cac:Party"), paper)
    _payment(root, paper)
    _totals(root, paper)
    for line in paper.lines:
        _line(root, line, is_credit=paper.is_credit)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _head(root: Element, paper: Paper) -> None:
    _put(root, "CustomizationID", CUSTOMIZATION)
    _put(root, "ProfileID", PROFILE)
    _put(root, "ID", paper.number)
    _put(root, "IssueDate", paper.issue_date.isoformat())
    if paper.is_credit:
        _put(root, "CreditNoteTypeCode", CREDIT_NOTE_TYPE)
    else:
        if paper.due_date is not None:
            _put(root, "DueDate", paper.due_date.isoformat())
        _put(root, "InvoiceTypeCode", INVOICE_TYPE)
    if paper.reason:
        _put(root, "Note", paper.reason)
    _put(root, "DocumentCurrencyCode", "EUR")
    if cost_centre := paper.buyer.get("cost_centre"):
        _put(root, "AccountingCost", cost_centre)
    period = SubElement(root, "cac:InvoicePeriod")
    _put(period, "StartDate", paper.first_day.isoformat())
    _put(period, "EndDate", paper.last_day.isoformat())
    _put(SubElement(root, "cac:OrderReference"), "ID", paper.buyer["order_reference"])
    if paper.credited is not None:
        reference = SubElement(SubElement(root, "cac:BillingReference"), "cac:InvoiceDocumentReference")
        _put(reference, "ID", paper.credited[0])
        _put(reference, "IssueDate", paper.credited[1].isoformat())


def _seller(party: Element, paper: Paper) -> None:
    seller = paper.seller
    _put(party, "EndpointID", seller["kvk"], schemeID=KVK)
    _put(SubElement(party, "cac:PartyName"), "Name", seller["name"])
    _address(party, seller)
    _tax_scheme(party, seller["vat_number"])
    legal = SubElement(party, "cac:PartyLegalEntity")
    _put(legal, "RegistrationName", seller["name"])
    _put(legal, "CompanyID", seller["kvk"], schemeID=KVK)
    if seller.get("email"):
        _put(SubElement(party, "cac:Contact"), "ElectronicMail", seller["email"])


def _buyer(party: Element, paper: Paper) -> None:
    buyer = paper.buyer
    scheme, own_id = (OIN, buyer["oin"]) if buyer.get("oin") else (KVK, buyer["kvk"])
    _put(party, "EndpointID", own_id, schemeID=scheme)
    _put(SubElement(party, "cac:PartyName"), "Name", buyer.get("name") or buyer["legal_name"])
    _address(party, buyer)
    if buyer.get("vat_number"):
        _tax_scheme(party, buyer["vat_number"])
    legal = SubElement(party, "cac:PartyLegalEntity")
    _put(legal, "RegistrationName", buyer["legal_name"])
    _put(legal, "CompanyID", own_id, schemeID=scheme)


def _address(party: Element, said: dict[str, str]) -> None:
    address = SubElement(party, "cac:PostalAddress")
    _put(address, "StreetName", said["street"])
    _put(address, "CityName", said["city"])
    _put(address, "PostalZone", said["postcode"])
    _put(SubElement(address, "cac:Country"), "IdentificationCode", said.get("country") or "NL")


def _tax_scheme(party: Element, vat_number: str) -> None:
    scheme = SubElement(party, "cac:PartyTaxScheme")
    _put(scheme, "CompanyID", vat_number.replace(" ", "").replace(".", ""))
    _put(SubElement(scheme, "cac:TaxScheme"), "ID", "VAT")


def _payment(root: Element, paper: Paper) -> None:
    means = SubElement(root, "cac:PaymentMeans")
    _put(means, "PaymentMeansCode", SEPA_CREDIT_TRANSFER, name="SEPA credit transfer")
    _put(means, "PaymentID", paper.number)
    account = SubElement(means, "cac:PayeeFinancialAccount")
    _put(account, "ID", paper.seller["iban"].replace(" ", ""))
    _put(account, "Name", paper.seller["name"])


def _totals(root: Element, paper: Paper) -> None:
    total = SubElement(root, "cac:TaxTotal")
    _amount(total, "TaxAmount", paper.vat_cents)
    for each in paper.vat:
        of_rate = SubElement(total, "cac:TaxSubtotal")
        _amount(of_rate, "TaxableAmount", each.net_cents)
        _amount(of_rate, "TaxAmount", each.vat_cents)
        _tax_category(of_rate, "cac:TaxCategory", each.rate)
    sums = SubElement(root, "cac:LegalMonetaryTotal")
    _amount(sums, "LineExtensionAmount", paper.net_cents)
    _amount(sums, "TaxExclusiveAmount", paper.net_cents)
    _amount(sums, "TaxInclusiveAmount", paper.total_cents)
    _amount(sums, "PayableAmount", paper.total_cents)


def _line(root: Element, line: PaperLine, *, is_credit: bool) -> None:
    element = SubElement(root, "cac:CreditNoteLine" if is_credit else "cac:InvoiceLine")
    _put(element, "ID", str(line.position))
    _put(element, "CreditedQuantity" if is_credit else "InvoicedQuantity", str(line.quantity), unitCode=UNIT)
    _amount(element, "LineExtensionAmount", line.net_cents)
    item = SubElement(element, "cac:Item")
    _put(item, "Name", line.description)
    _tax_category(item, "cac:ClassifiedTaxCategory", line.vat_rate)
    _put(SubElement(element, "cac:Price"), "PriceAmount", f"{line.unit_price:f}", currencyID="EUR")


def _tax_category(parent: Element, name: str, rate: Decimal) -> None:
    category = SubElement(parent, name)
    _put(category, "ID", "S" if rate else "Z")  # UNTDID 5305: standard rate, zero rate
    _put(category, "Percent", f"{rate * 100:.2f}")
    _put(SubElement(category, "cac:TaxScheme"), "ID", "VAT")


def _amount(parent: Element, name: str, cents: int) -> None:
    _put(parent, name, f"{Decimal(cents).scaleb(-2):.2f}", currencyID="EUR")


def _put(parent: Element, tag: str, text: str, /, **attributes: str) -> None:
    SubElement(parent, f"cbc:{tag}", attributes).text = text
