"""The invoice on paper: a tagged PDF in Dutch with all that the law asks for, and the e-invoice inside it.

PDF/A-3 (it may hold a file, and stays readable for the seven years that it is kept) and PDF/UA (screen readers).
Source: Wet op de omzetbelasting 1968, art. 35a; business.gov.nl/regulation/invoice-requirements (read 2026-11-22).
"""

import json
from decimal import Decimal
from pathlib import Path

import typst

from billing.documents.content import Paper
from billing.wording import day_nl

_LAYOUT = Path(__file__).parent / "invoice.typ"


def make_pdf(*, paper: Paper, ubl: bytes) -> bytes:
    """Return the document; the same for the same paper, as long as typst is the same."""
    made = typst.compile(
        str(_LAYOUT),
        format="pdf",
        sys_inputs={"invoice": json.dumps(_said(paper)), "ubl": ubl.decode()},
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
    )
    assert isinstance(made, bytes)
    return made


def euros_nl(*, cents: int) -> str:
    """Return an amount as it stands on the paper."""
    whole = _dutch(f"{Decimal(abs(cents)).scaleb(-2):,.2f}")
    return f"{'−' if cents < 0 else ''}€ {whole}"


def _said(paper: Paper) -> dict[str, object]:
    return {
        "number": paper.number,
        "is_credit": paper.is_credit,
        "issue_date": day_nl(paper.issue_date),
        "issued": [paper.issue_date.year, paper.issue_date.month, paper.issue_date.day],
        "due_date": day_nl(paper.due_date) if paper.due_date else "",
        "period": f"{day_nl(paper.first_day)} tot en met {day_nl(paper.last_day)}",
        "seller": paper.seller,
        "buyer": paper.buyer,
        "iban": " ".join(_fours(paper.seller["iban"].replace(" ", ""))),
        "credited": [paper.credited[0], day_nl(paper.credited[1])] if paper.credited else [],
        "reason": paper.reason,
        "lines": [
            {
                "description": line.description,
                "quantity": _whole(line.quantity),
                "price": _price(line.unit_price),
                "rate": _percent(line.vat_rate),
                "net": euros_nl(cents=line.net_cents),
            }
            for line in paper.lines
        ],
        "vat": [
            {
                "rate": _percent(each.rate),
                "net": euros_nl(cents=each.net_cents),
                "vat": euros_nl(cents=each.vat_cents),
            }
            for each in paper.vat
        ],
        "net": euros_nl(cents=paper.net_cents),
        "vat_total": euros_nl(cents=paper.vat_cents),
        "total": euros_nl(cents=paper.total_cents),
        "mark": paper.mark,
        "asks": "pay" if paper.total_cents > 0 or paper.is_credit else "back" if paper.total_cents < 0 else "nothing",
        "back": euros_nl(cents=-paper.total_cents),
    }


def _price(price: Decimal) -> str:
    """Return a price with two decimals, or with as many more as it has."""
    decimals = max(2, -int(price.normalize().as_tuple().exponent))
    return f"€ {_dutch(f'{price:,.{decimals}f}')}"


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f}".replace(".", ",") + "%"


def _whole(count: int) -> str:
    return f"{count:,}".replace(",", ".").replace("-", "−")


def _dutch(text: str) -> str:
    return text.translate(str.maketrans(",.", ".,"))


def _fours(text: str) -> list[str]:
    return [text[place : place + 4] for place in range(0, len(text), 4)]
