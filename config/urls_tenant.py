"""Addresses of a municipality's host."""

from django.urls import URLPattern, URLResolver, include, path

from api.documents import mounted
from api.doors import TENANT
from web import (
    administration,
    desk,
    drafting,
    election_pages,
    listening,
    media,
    people,
    sign_on,
    teams,
    template_pages,
    uncertain,
    usage_pages,
    workspace,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *mounted(door=TENANT),
    path("", include("web.urls")),
    path("inbox/", workspace.inbox, name="inbox"),
    path("threads/<uuid:thread_id>/", workspace.thread, name="thread"),
    path("threads/<uuid:thread_id>/typing/", workspace.typing, name="typing"),
    path("threads/<uuid:thread_id>/media/<uuid:medium_id>/", media.original, name="medium"),
    path("threads/<uuid:thread_id>/media/<uuid:medium_id>/thumbnail/", media.thumbnail, name="medium-thumbnail"),
    path("threads/<uuid:thread_id>/media/<uuid:medium_id>/again/", media.ask_again, name="medium-again"),
    path("threads/<uuid:thread_id>/reply/", workspace.reply, name="reply"),
    path("threads/<uuid:thread_id>/template/<uuid:template_id>/", workspace.send_template, name="send-template"),
    path("threads/<uuid:thread_id>/consent/", workspace.record_consent, name="consent"),
    path("threads/<uuid:thread_id>/take/", desk.take, name="take-thread"),
    path("threads/<uuid:thread_id>/assign/", desk.assign, name="assign-thread"),
    path("threads/<uuid:thread_id>/snooze/", desk.snooze, name="snooze-thread"),
    path("threads/<uuid:thread_id>/note/", desk.note, name="note-thread"),
    path("threads/<uuid:thread_id>/case/", desk.case, name="thread-case"),
    path("threads/<uuid:thread_id>/close/", workspace.close_thread, name="close-thread"),
    path("threads/<uuid:thread_id>/uncertain/<uuid:message_id>/", uncertain.choose, name="uncertain"),
    path("unreached/", workspace.unreached, name="unreached"),
    path("live/inbox/", listening.inbox, name="live-inbox"),
    path("live/threads/<uuid:thread_id>/", listening.thread, name="live-thread"),
    path("numbers/", administration.numbers, name="numbers"),
    path("templates/", template_pages.templates, name="templates"),
    path("templates/sync/", template_pages.sync, name="sync-templates"),
    path("templates/new/", drafting.new, name="new-template"),
    path("templates/<uuid:template_id>/edit/", drafting.edit, name="edit-template"),
    path("templates/<uuid:template_id>/review/", drafting.ask_review, name="ask-draft-review"),
    path("templates/<uuid:template_id>/submit/", drafting.submit, name="submit-template"),
    path("templates/<uuid:template_id>/", template_pages.template, name="template"),
    path("templates/<uuid:template_id>/purpose/", template_pages.assign_purpose, name="assign-purpose"),
    path("teams/", teams.overview, name="teams"),
    path("teams/rule/", teams.rule, name="team-rule"),
    path("teams/<uuid:team_id>/", teams.team, name="team"),
    path("teams/<uuid:team_id>/dissolve/", teams.dissolve, name="dissolve-team"),
    path("threads/<uuid:thread_id>/team/", teams.hand_over, name="hand-to-team"),
    path("elections/", election_pages.elections_page, name="elections"),
    path("elections/<uuid:period_id>/lift/", election_pages.lift, name="lift-election"),
    path("users/rules/", people.rules, name="sign-in-rules"),
    path("usage/", usage_pages.own_usage, name="own-usage"),
    path("invoices/", usage_pages.own_invoices, name="own-invoices"),
    path("invoices/<uuid:invoice_id>/", usage_pages.own_invoice, name="own-invoice"),
    path("invoices/<uuid:invoice_id>.csv", usage_pages.own_invoice_csv, name="own-invoice-csv"),
    path("invoices/<uuid:invoice_id>/lines/<int:position>/", usage_pages.own_line, name="own-invoice-line"),
    path("single-sign-on/", sign_on.settings, name="sign-on"),
    path("sign-in/provider/", sign_on.begin, name="sign-on-begin"),
    path("sign-in/provider/back/", sign_on.come_back, name="sign-on-back"),
    path("account/connect/", sign_on.connect, name="sign-on-connect"),
]

handler403 = "web.home.forbidden"
handler404 = "web.home.not_found"
handler500 = "web.home.server_error"
