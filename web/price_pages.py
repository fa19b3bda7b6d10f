"""Rate cards as finance reads and changes them: for the future only, with a look at what last month would have been."""

import json
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission
from billing.card_files import BadRateCard, as_file, parse_card
from billing.cards import Card, NoRate, NoRateCard
from billing.models import RateCard
from billing.overview import preview
from billing.prices import UsedRateCard, all_cards, schedule_card
from tenants import clock
from tenants.models import Municipality
from web.access import PageRequest, requires
from web.price_words import refusal


@require_safe
@requires(Permission.READ_INVOICES)
def rate_cards(request: PageRequest) -> HttpResponse:
    """Show every rate card, the latest first, with whose it is."""
    names = dict(Municipality.objects.values_list("id", "name"))
    rows = RateCard.objects.prefetch_related("rates").order_by("-valid_from", "municipality_id")
    shown = [
        {
            "row": row,
            "municipality": names.get(row.municipality_id, "") if row.municipality_id else "",
            "terms": row.as_terms(),
            "rates": sorted(row.rates.all(), key=lambda rate: (rate.category, rate.from_quantity)),
        }
        for row in rows
    ]
    return render(request, "web/rate_cards.html", {"cards": shown})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_INVOICES)
def new_rate_card(request: PageRequest) -> HttpResponseBase:
    """Write the next rate card, beginning with the one that holds now; look at what it would have made; store it."""
    schema = request.POST.get("municipality", request.GET.get("municipality", ""))
    municipality_id = _municipality_id(schema)
    municipalities = Municipality.objects.exclude(schema_name="public").order_by("name")
    context: dict[str, object] = {"municipalities": municipalities, "schema": schema}
    if request.method != "POST":
        return render(request, "web/rate_card_new.html", context | {"text": _begin_with(municipality_id)})
    text = request.POST.get("text", "")
    context["text"] = text
    try:
        name, card = parse_card(text=text)
        if request.POST.get("step") == "store":
            schedule_card(text=text, actor=request.user.actor(), at=clock.now(), municipality_id=municipality_id)
            messages.success(request, _("The rate card is stored and holds from its first day on."))
            return redirect("rate-cards")
        context["month"], context["rows"] = preview(card=_owned(card, municipality_id), at=clock.now())
        context["name"], context["card"] = name, card
    except (BadRateCard, UsedRateCard, NoRate, NoRateCard) as refused:
        context["refused"] = refusal(refused)
    return render(request, "web/rate_card_new.html", context, status=422 if "refused" in context else 200)


def _municipality_id(schema: str) -> UUID | None:
    if not schema:
        return None
    found = Municipality.objects.exclude(schema_name="public").filter(schema_name=schema)
    municipality_id: UUID | None = found.values_list("id", flat=True).first()
    if municipality_id is None:
        raise Http404
    return municipality_id


def _owned(card: Card, municipality_id: UUID | None) -> Card:
    return Card(
        valid_from=card.valid_from,
        valid_until=card.valid_until,
        municipality_id=municipality_id,
        vat_rate=card.vat_rate,
        platform_fee=card.platform_fee,
        prices=card.prices,
        tiers=card.tiers,
        terms=card.terms,
    )


def _begin_with(municipality_id: UUID | None) -> str:
    """Return the text of the last card of theirs, else of the last standard one, without its days."""
    cards = all_cards()
    of = [card for card in cards if card.municipality_id == municipality_id] or [
        card for card in cards if card.municipality_id is None
    ]
    if not of:
        return ""
    row = RateCard.objects.get(municipality_id=of[-1].municipality_id, valid_from=of[-1].valid_from)
    content = json.loads(as_file(name=row.name, card=of[-1]))
    content.pop("valid_until", None)
    return json.dumps(content | {"valid_from": ""}, indent=2, ensure_ascii=False)
