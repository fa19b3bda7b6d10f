"""The PDF of an invoice, looked at by another than who made it: it stays readable, and a screen reader reads it."""

from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest
from pdf_rules import faults
from test_documents import OCTOBER, line, paper

from billing.documents.pdf import make_pdf
from billing.documents.ubl import make_ubl

SHORT = paper(line(1, 12345, "0.062500", 77156), line(2, 1, "150.00", 15000))
SHAPES = {
    "invoice": SHORT,
    "over-pages": paper(*(line(place, place, "1.00", place * 100) for place in range(1, 81))),
    "credit-note": replace(SHORT, is_credit=True, due_date=None, credited=("F2026-00001", OCTOBER), reason="Storing"),
    "owed-back": paper(line(1, -7, "125.00", -87500)),
    "two-rates": paper(line(1, 1, "100.00", 10000), line(2, 1, "40.00", 4000, "0.09")),
}


def made(shape) -> bytes:
    return make_pdf(paper=shape, ubl=make_ubl(paper=shape))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_document_has_what_the_standards_ask(shape):
    assert faults(made(shape)) == []


def test_what_is_taken_away_is_missed():
    content = made(SHORT)

    def without(change) -> str:
        with pikepdf.open(BytesIO(content)) as pdf:
            change(pdf)
            written = BytesIO()
            pdf.save(written)
        return " ".join(faults(written.getvalue()))

    def no_scope(pdf: pikepdf.Pdf) -> None:
        for each in pdf.objects:
            if isinstance(each, pikepdf.Dictionary) and each.get("/S") == pikepdf.Name.TH:
                del each["/A"]

    def no_font(pdf: pikepdf.Pdf) -> None:
        for each in pdf.objects:
            if isinstance(each, pikepdf.Dictionary) and each.get("/Type") == pikepdf.Name.FontDescriptor:
                for name in ("/FontFile", "/FontFile2", "/FontFile3"):
                    if name in each:
                        del each[name]

    def paint(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].contents_add(b"q 0 0 10 10 re f Q")

    def other_relation(pdf: pikepdf.Pdf) -> None:
        pdf.Root.AF[0].AFRelationship = pikepdf.Name.Unspecified

    assert "no language" in without(lambda pdf: pdf.Root.__delitem__("/Lang"))
    assert "pdfaid:part is None" in without(lambda pdf: pdf.Root.__delitem__("/Metadata"))
    assert "no profile" in without(lambda pdf: pdf.Root.__delitem__("/OutputIntents"))
    assert "no structure" in without(lambda pdf: pdf.Root.__delitem__("/StructTreeRoot"))
    assert "head of a table" in without(no_scope)
    assert "is not inside" in without(no_font)
    assert "f paints" in without(paint)
    assert "in another form" in without(other_relation)
