"""Addresses of the BSP's API, below /api/v1."""

from django.urls import path

from api.bsp import views

urlpatterns = [
    path("municipalities", views.Municipalities.as_view()),
    path("municipalities/<uuid:municipality_id>", views.OneMunicipality.as_view()),
    path("usage", views.Usage.as_view()),
    path("invoices", views.Invoices.as_view()),
    path("invoices/<uuid:invoice_id>", views.OneInvoice.as_view()),
]
