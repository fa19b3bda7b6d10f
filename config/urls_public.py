"""Addresses of the console's host."""

from django.urls import URLPattern, URLResolver, include, path

from api.documents import mounted
from api.doors import BSP
from web import (
    adjustment_pages,
    buyer_pages,
    console,
    draft_reviews,
    election_pages,
    entering,
    finance,
    flow,
    invoice_steps,
    price_pages,
    usage_pages,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *mounted(door=BSP),
    path("", include("web.urls")),
    path("overview/", console.overview_page, name="overview"),
    path("municipalities/", console.municipalities, name="municipalities"),
    path("municipalities/<slug:schema_name>/", console.municipality, name="municipality"),
    path("municipalities/<slug:schema_name>/enter/", entering.ask, name="enter"),
    path("entries/", entering.entries, name="entering"),
    path("entries/<uuid:entry_id>/hand-over/", entering.hand_over, name="hand-over"),
    path("entries/<uuid:entry_id>/end/", entering.end, name="end-own-entry"),
    path("troubles/", console.troubles, name="troubles"),
    path("drafts/", draft_reviews.drafts, name="drafts"),
    path("drafts/<uuid:review_id>/", draft_reviews.draft, name="draft-review"),
    path("elections/", election_pages.elections_page, name="elections"),
    path("elections/<uuid:period_id>/lift/", election_pages.lift, name="lift-election"),
    path("flow/", flow.flow, name="flow"),
    path("flow/dead/<slug:schema_name>/", flow.letters, name="letters"),
    path("flow/dead/<slug:schema_name>/<int:event_id>/", flow.letter, name="letter"),
    path("flow/replay/", flow.replay, name="replay"),
    path("flow/replays/<uuid:replay_id>/", flow.replay_progress, name="replay-progress"),
    path("invoices/", finance.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", finance.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>.csv", finance.invoice_csv, name="invoice-csv"),
    path("invoices/<uuid:invoice_id>/lines/<int:position>/", finance.line, name="invoice-line"),
    path("invoices/month.csv", finance.month_csv, name="invoices-csv"),
    path("invoices/many/<slug:step>/", invoice_steps.many, name="invoices-step"),
    path("invoices/<uuid:invoice_id>/step/", invoice_steps.step, name="invoice-step"),
    path("invoices/<uuid:invoice_id>/credit/", invoice_steps.credit, name="invoice-credit"),
    path("invoices/<uuid:invoice_id>/payment/", invoice_steps.payment, name="invoice-payment"),
    path("month-so-far/", usage_pages.month_so_far, name="month-so-far"),
    path("adjustments/", adjustment_pages.adjustments, name="adjustments"),
    path("adjustments/<int:adjustment_id>/back/", adjustment_pages.take_back, name="adjustment-back"),
    path("margin/", usage_pages.margin, name="margin"),
    path("unpaid/", usage_pages.unpaid, name="unpaid"),
    path("rate-cards/", price_pages.rate_cards, name="rate-cards"),
    path("rate-cards/new/", price_pages.new_rate_card, name="rate-card-new"),
    path("buyers/", buyer_pages.buyers, name="buyers"),
    path("buyers/<slug:schema_name>/", buyer_pages.buyer, name="buyer"),
]

handler403 = "web.home.forbidden"
handler404 = "web.home.not_found"
handler500 = "web.home.server_error"
