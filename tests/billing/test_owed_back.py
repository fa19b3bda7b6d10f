"""What came in and what was credited together: who is paid, what we owe back, and how it goes back."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from audit.record import Actor
from billing.adjusting import adjust
from billing.balances import balance_of
from billing.crediting import credit
from billing.invoicing import run
from billing.issuing import approve, finalise
from billing.models import Collection, Invoice, Payment
from billing.parties import Profile, save_profile
from billing.paying import AskedAtStripe, MoreThanCameIn, NothingToSetOff, book_payment, owed_back, set_off, unpaid

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
AT = datetime(2026, 12, 8, 9, 0, tzinfo=UTC)
PREPARER, SECOND = Actor("public", "1", "Farid Finance"), Actor("public", "2", "Tineke Toezicht")
SELLER = {"NAME": "BSP", "KVK": "12345678", "BTW": "NL001234567B01", "IBAN": "NL91ABNA0417164300"}


@pytest.fixture(autouse=True)
def sold_by(settings, standard_card, utrecht, delft):
    settings.SELLER = SELLER | {"ADDRESS": "Kade 1; 1234 AB Delft"}
    for each in (utrecht, delft):
        profile = Profile(each.name, "30280353", "", "", "Kade 1", "1234 AB", each.name, order_reference="45")
        profile = replace(profile, has_no_cost_centre=True)
        save_profile(municipality_id=each.id, profile=profile, valid_from=OCTOBER, actor=PREPARER, at=AT)


def issue(invoice: Invoice) -> Invoice:
    approve(invoice_id=invoice.id, actor=SECOND, at=AT)
    return finalise(invoice_id=invoice.id, actor=SECOND, at=AT)


def issued(municipality, month: date) -> Invoice:
    run(month=month, at=AT, actor=PREPARER, review=True)
    return issue(Invoice.objects.get(municipality_id=municipality.id, period=month))


def pay(invoice: Invoice, cents: int, reference: str = "afschrift 1") -> Payment:
    return book_payment(
        invoice_id=invoice.id, amount_cents=cents, paid_date=AT.date(), reference=reference, actor=PREPARER, at=AT
    )


def take_off(invoice: Invoice, positions: list[int] | None) -> Invoice:
    return issue(credit(invoice_id=invoice.id, positions=positions, reason="Storing", actor=PREPARER, at=AT))


def state(invoice: Invoice) -> tuple[str, int]:
    invoice.refresh_from_db()
    return invoice.status, balance_of(invoice=invoice).open_cents


def test_what_was_credited_after_it_was_paid_is_set_off_and_the_rest_goes_back(utrecht, deliver):
    # October: 11 x 0.0625 = 0.6875 -> 0.69, and 150.00: 150.69 + 31.64 (31.6449) = 182.33, paid and then credited.
    # November: 150.00 + 31.50 = 181.50. Set off: 181.50; 182.33 - 181.50 = 0.83 goes back by the bank.
    deliver(utrecht, 11, day=datetime(2026, 10, 10, 8, 0, tzinfo=UTC))
    october, november = issued(utrecht, OCTOBER), issued(utrecht, NOVEMBER)
    pay(october, 18233)
    assert state(october) == ("PAID", 0)
    take_off(october, None)
    assert state(october) == ("CREDITED", -18233)
    assert [(found.number, balance.owed_back_cents) for found, balance in owed_back()] == [(october.number, 18233)]
    told = {"actor": PREPARER, "at": AT}
    assert set_off(invoice_id=october.id, against_id=november.id, **told) == 18150
    assert (state(october), state(november)) == (("CREDITED", -83), ("PAID", 0))
    assert sorted(
        Payment.objects.filter(reference__startswith="verrekend").values_list("reference", "amount_cents")
    ) == [
        (f"verrekend met {october.number}", 18150),
        (f"verrekend met {november.number}", -18150),
    ]
    with pytest.raises(NothingToSetOff):
        set_off(invoice_id=october.id, against_id=november.id, **told)
    pay(october, -83, "terugbetaald")
    assert (state(october), owed_back()) == (("CREDITED", 0), [])
    with pytest.raises(MoreThanCameIn):
        pay(october, -1, "nog eens")


def test_an_invoice_is_paid_by_money_and_notes_together(utrecht, deliver):
    # 182.33, of which 0.83 comes in and the platform's 150.00 + 31.50 is credited: nothing is owed any more.
    deliver(utrecht, 11, day=datetime(2026, 10, 10, 8, 0, tzinfo=UTC))
    october = issued(utrecht, OCTOBER)
    pay(october, 83)
    assert state(october) == ("FINALISED", 18150)
    take_off(october, [2])
    assert state(october) == ("PAID", 0)
    assert unpaid(day=AT.date()) == []


def test_what_comes_to_nothing_is_paid_at_once_and_what_owes_back_when_it_went_back(utrecht, delft):
    # Both 150.00; Utrecht is given 150.00, Delft 200.00: -50.00 - 10.50 = -60.50.
    for municipality, cents in ((utrecht, -15000), (delft, -20000)):
        said = {"run": OCTOBER, "month": OCTOBER, "description": "Storing", "reason": "afgesproken"}
        adjust(municipality_id=municipality.id, net_cents=cents, actor=PREPARER, at=AT, **said)
    nothing, back = issued(utrecht, OCTOBER), issued(delft, OCTOBER)
    assert (state(nothing), state(back)) == (("PAID", 0), ("FINALISED", -6050))
    assert [found.id for found, _ in owed_back()] == [back.id]
    with pytest.raises(MoreThanCameIn):
        pay(back, -6051)
    pay(back, -6050)
    assert state(back) == ("PAID", 0)


def test_nothing_is_set_off_with_another_municipality_or_in_part_with_what_stripe_asks_for(utrecht, delft):
    october, november = issued(utrecht, OCTOBER), issued(utrecht, NOVEMBER)
    other = issue(Invoice.objects.get(municipality_id=delft.id, period=NOVEMBER))
    pay(october, 20000)  # 18.50 too much
    told = {"invoice_id": october.id, "actor": PREPARER, "at": AT}
    with pytest.raises(NothingToSetOff):
        set_off(against_id=other.id, **told)
    row = Collection.objects.create(
        invoice=november, step="DONE", stripe_id="in_1", stripe_status="open", due_at=timezone.now()
    )
    with pytest.raises(AskedAtStripe):
        set_off(against_id=november.id, **told)
    assert (state(october), state(november)) == (("PAID", -1850), ("FINALISED", 18150))
    pay(november, 16300)
    assert set_off(against_id=november.id, **told) == 1850  # covers what is left
    assert (state(november), row.invoice_id) == (("PAID", 0), november.id)
