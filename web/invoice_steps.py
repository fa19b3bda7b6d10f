"""What finance does with invoices: approve, send back, finalise one or many, credit, book a payment."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import Permission
from billing import balances, crediting, issuing, paying, reading
from billing.collecting import steps as collecting
from billing.models import Invoice
from billing.months import day_of
from billing.parties import SellerIncomplete
from tenants import clock
from tenants.models import Municipality
from web.access import PageRequest, requires
from web.words import PROFILE_FIELDS

AT_ONCE = 20  # invoices of many that one request takes, so that each answers within a second or two
STEPS: dict[str, Callable[..., Invoice]] = {
    "approve": issuing.approve,
    "send_back": issuing.send_back,
    "finalise": issuing.finalise,
}
BEGINS_IN = {"approve": Invoice.Status.REVIEW, "finalise": Invoice.Status.APPROVED}
REFUSALS = (issuing.WrongState, issuing.SamePerson, issuing.ProfileIncomplete, SellerIncomplete)
CODES: dict[str, type[Exception]] = {each.__name__: each for each in REFUSALS}  # as the page of many carries them on


@require_POST
@requires(Permission.MANAGE_INVOICES)
def step(request: PageRequest, invoice_id: UUID) -> HttpResponseBase:
    """Take one invoice one step on, or back."""
    name = request.POST.get("step", "")
    if name not in STEPS:
        raise Http404
    try:
        STEPS[name](invoice_id=invoice_id, actor=request.user.actor(), at=clock.now())
    except Invoice.DoesNotExist:
        raise Http404 from None
    except REFUSALS as refused:
        messages.error(request, refusal(refused))
    else:
        messages.success(request, DONE[name]())
    return redirect("invoice", invoice_id)


@require_POST
@requires(Permission.MANAGE_INVOICES)
def collect(request: PageRequest, invoice_id: UUID) -> HttpResponseBase:
    """Take up a collection that was stopped."""
    if not Invoice.objects.filter(id=invoice_id).exists():
        raise Http404
    if collecting.resume(invoice_id=invoice_id, actor=request.user.actor(), at=clock.now()):
        messages.success(request, _("Collection by Stripe goes on within a minute."))
    else:
        messages.error(request, _("Its collection is not stopped. Look at its state."))
    return redirect("invoice", invoice_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_INVOICES)
def many(request: PageRequest, step: str) -> HttpResponseBase:
    """Ask, and then take a month's invoices a step on, some at a time; the page asks for the rest by itself."""
    month = _month(request.POST.get("month") or request.GET.get("month"))
    if step not in BEGINS_IN or month is None:
        raise Http404
    waiting = Invoice.objects.filter(period=month, status=BEGINS_IN[step]).order_by("municipality_id", "id")
    context: dict[str, object] = {"step": step, "month": month, "waiting": waiting.count()}
    if request.method != "POST":
        return render(request, "web/invoices_step.html", context)
    done, refused = int(_whole(request.POST.get("done"))), _refused(request.POST.getlist("refused"))
    ids = [each for each in waiting.values_list("id", flat=True) if each not in refused]
    for invoice_id in ids[:AT_ONCE]:
        try:
            STEPS[step](invoice_id=invoice_id, actor=request.user.actor(), at=clock.now())
            done += 1
        except REFUSALS as reason:
            refused[invoice_id] = type(reason).__name__
    left = max(0, len(ids) - AT_ONCE)
    context |= {"done": done, "refused": refused, "left": left, "total": done + len(refused) + left}
    context["reasons"] = _reasons(refused) if not left else ()
    return render(request, "web/invoices_progress.html", context)


def _refused(given: list[str]) -> dict[UUID, str]:
    """Return which invoices an earlier part of this could not take on, and why; what is none of ours is left out."""
    refused = {}
    for each in given:
        text, _code, code = each.partition(" ")
        with suppress(ValueError):
            refused[UUID(text)] = code if code in CODES else issuing.WrongState.__name__
    return refused


def _reasons(refused: dict[UUID, str]) -> list[dict[str, object]]:
    """Return each reason in the reader's language, with the invoices that it kept back, by municipality's name."""
    owners = dict(Invoice.objects.filter(id__in=refused).values_list("id", "municipality_id"))
    municipalities = Municipality.objects.in_bulk(set(owners.values()))
    found: dict[str, list[dict[str, object]]] = {}
    for invoice_id, code in refused.items():
        if invoice_id in owners and owners[invoice_id] in municipalities:
            row = {"invoice_id": invoice_id, "municipality": municipalities[owners[invoice_id]]}
            found.setdefault(code, []).append(row)
    return [
        {
            "code": code,
            "words": _("Billing details lack something. Fill them in first.")
            if code == issuing.ProfileIncomplete.__name__
            else refusal(CODES[code]("")),
            "rows": sorted(rows, key=lambda row: str(row["municipality"])),
        }
        for code, rows in sorted(found.items())
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_INVOICES)
def credit(request: PageRequest, invoice_id: UUID) -> HttpResponseBase:
    """Choose what of an invoice is credited, and why."""
    view = _view(invoice_id)
    context: dict[str, object] = {
        "view": view,
        "left": [line for line in view.lines if not hasattr(line, "credited_by")],
    }
    if request.method == "POST":
        whole = request.POST.get("what") == "all"
        positions = None if whole else [int(_whole(each)) for each in request.POST.getlist("line")]
        reason = request.POST.get("reason", "").strip()
        context |= {"given": request.POST, "chosen": positions or []}
        try:
            note = crediting.credit(
                invoice_id=invoice_id, positions=positions, reason=reason, actor=request.user.actor(), at=clock.now()
            )
        except (issuing.WrongState, crediting.NothingToCredit):
            context["refused"] = _("Choose lines of a finalised invoice that are not credited yet.")
        except ValueError:
            context["refused"] = _("Say why, in a few words: it stands on the credit note.")
        else:
            messages.success(request, _("The credit note is ready for another person to approve."))
            return redirect("invoice", note.id)
    return render(request, "web/invoice_credit.html", context, status=422 if "refused" in context else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_INVOICES)
def payment(request: PageRequest, invoice_id: UUID) -> HttpResponseBase:
    """Book what came in for an invoice or went back, or set what we owe back off against another."""
    view = _view(invoice_id)
    balance = balances.balance_of(invoice=view.invoice)
    today = day_of(moment=clock.now())
    context: dict[str, object] = {"view": view, "balance": balance, "today": today, "given": request.POST}
    if balance.owed_back_cents:
        context["open"] = paying.unpaid(day=today, municipality_id=view.invoice.municipality_id)
    if request.method == "POST":
        is_set_off = request.POST.get("what") == "set_off"
        refused = _set_off(request, invoice_id) if is_set_off else _book(request, invoice_id, today)
        if not refused:
            messages.success(request, _("It is set off.") if is_set_off else _("The payment is booked."))
            return redirect("invoice", invoice_id)
        context["refused"] = refused
    return render(request, "web/invoice_payment.html", context, status=422 if "refused" in context else 200)


def _book(request: PageRequest, invoice_id: UUID, today: date) -> str:
    """Book what the form says; return what is wrong with it, or ''."""
    amount = in_cents(request.POST.get("amount", ""))
    try:
        paid_date = date.fromisoformat(request.POST.get("paid_date", ""))
    except ValueError:
        return _("Fill in the day on which it came in.")
    if not amount:
        return _("Fill in an amount in euros, such as 181,50.")
    if paid_date > today:
        return _("The day has not come yet. Choose today or earlier.")
    try:
        paying.book_payment(
            invoice_id=invoice_id,
            amount_cents=amount,
            paid_date=paid_date,
            reference=request.POST.get("reference", ""),
            actor=request.user.actor(),
            at=clock.now(),
        )
    except paying.MoreThanCameIn:
        return _("No more can go back than came in. Look at what is booked.")
    except paying.BookedAlready:
        return _("This payment is booked already: same amount, day and reference.")
    except issuing.WrongState:
        return _("Only a finalised invoice can be paid.")
    except ValueError:
        return _("Fill in the reference that the bank's statement gives.")
    return ""


def _set_off(request: PageRequest, invoice_id: UUID) -> str:
    """Set off what the form says; return why not, or ''."""
    try:
        against_id = UUID(request.POST.get("against", ""))
        paying.set_off(invoice_id=invoice_id, against_id=against_id, actor=request.user.actor(), at=clock.now())
    except (ValueError, Invoice.DoesNotExist, paying.NothingToSetOff):
        return _("Choose an invoice of this municipality of which something is still owed.")
    except paying.AskedAtStripe:
        return _(
            "Stripe asks for the whole of that invoice, which is more than we owe back. Pay it back by the bank, or"
            " choose an invoice that is covered whole."
        )
    return ""


def refusal(refused: Exception) -> str:
    """Return in the reader's language why a step was not taken, and what to do."""
    if isinstance(refused, issuing.SamePerson):
        return _("Another person must approve an invoice than who prepared it. Ask a colleague.")
    if isinstance(refused, issuing.ProfileIncomplete):
        words = [" / ".join(str(PROFILE_FIELDS[name]) for name in names) for names in refused.missing]
        return _("The municipality's billing details lack: %(fields)s. Fill them in first.") % {
            "fields": ", ".join(words)
        }
    if isinstance(refused, SellerIncomplete):
        return _("Our own details on invoices are not complete. Ask whoever runs the platform to set SELLER_….")
    return _("Somebody took this step already, or it comes too early. Look at its state.")


DONE: dict[str, Callable[[], str]] = {
    "approve": lambda: _("The invoice is approved."),
    "send_back": lambda: _("The approval is taken back."),
    "finalise": lambda: _("The invoice is final and has its number."),
}


def _view(invoice_id: UUID) -> reading.InvoiceView:
    try:
        return reading.invoice(invoice_id=invoice_id)
    except Invoice.DoesNotExist:
        raise Http404 from None


def _month(text: str | None) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _whole(text: str | None) -> str:
    return text if text and text.isdecimal() and len(text) < 7 else "0"


def in_cents(text: str) -> int:
    """Return an amount as people type it, with a comma or a point; 0 when it is none."""
    plain = text.strip().replace("€", "").replace(" ", "")
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return 0
    is_amount = amount.is_finite() and abs(amount) < 10_000_000 and amount == amount.quantize(Decimal("0.01"))
    return int(amount * 100) if is_amount else 0
