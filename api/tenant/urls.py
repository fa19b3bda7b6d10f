"""Addresses of a municipality's API, below /api/v1."""

from django.urls import path

from api.tenant import attention, consents, media, uncertain, views

urlpatterns = [
    path("messages", views.Messages.as_view()),
    path("messages/<uuid:message_id>", views.OneMessage.as_view()),
    path("messages/<uuid:message_id>/_choose", uncertain.Choose.as_view()),
    path("uncertain-messages", uncertain.UncertainMessages.as_view()),
    path("media", media.Media.as_view()),
    path("media/<uuid:medium_id>", media.OneMedium.as_view()),
    path("media/<uuid:medium_id>/content", media.MediumContent.as_view()),
    path("consents", consents.Consents.as_view()),
    path("consents/_search", consents.ConsentSearch.as_view()),
    path("threads", views.Threads.as_view()),
    path("threads/_search", views.ThreadSearch.as_view()),
    path("threads/<uuid:thread_id>", views.OneThread.as_view()),
    path("threads/<uuid:thread_id>/_read", attention.MarkRead.as_view()),
    path("threads/<uuid:thread_id>/_typing", attention.ShowTyping.as_view()),
    path("threads/<uuid:thread_id>/messages", views.ThreadMessages.as_view()),
    path("templates", views.Templates.as_view()),
    path("templates/<uuid:template_id>", views.OneTemplate.as_view()),
    path("usage", views.Usage.as_view()),
]
