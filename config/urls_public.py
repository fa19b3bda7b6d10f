"""Addresses of the console's host."""

from django.urls import URLPattern, URLResolver, include, path

from api.documents import mounted
from api.doors import BSP
from web import console, finance, flow

urlpatterns: list[URLPattern | URLResolver] = [
    *mounted(door=BSP),
    path("", include("web.urls")),
    path("municipalities/", console.municipalities, name="municipalities"),
    path("municipalities/<slug:schema_name>/", console.municipality, name="municipality"),
    path("troubles/", console.troubles, name="troubles"),
    path("flow/", flow.flow, name="flow"),
    path("flow/dead/<slug:schema_name>/", flow.letters, name="letters"),
    path("flow/dead/<slug:schema_name>/<int:event_id>/", flow.letter, name="letter"),
    path("flow/replay/", flow.replay, name="replay"),
    path("flow/replays/<uuid:replay_id>/", flow.replay_progress, name="replay-progress"),
    path("invoices/", finance.invoices, name="invoices"),
    path("invoices/<uuid:invoice_id>/", finance.invoice, name="invoice"),
    path("invoices/<uuid:invoice_id>.csv", finance.invoice_csv, name="invoice-csv"),
    path("invoices/<uuid:invoice_id>/lines/<int:position>/", finance.line, name="invoice-line"),
]

handler403 = "web.home.forbidden"
handler404 = "web.home.not_found"
handler500 = "web.home.server_error"
