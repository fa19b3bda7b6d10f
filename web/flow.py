"""The pages of the BSP's operators: how messages flow, what could not be applied, and putting that back.

They show counts, reasons and how a payload is built. What citizens wrote stays in their municipality's schema.
"""

import re

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission
from messaging import dead_letters
from messaging.core.models import Replay
from messaging.dead_letters import Letters, NothingToReplay
from messaging.flow import message_flow
from messaging.masking import structure
from messaging.models import InboxEvent
from tenants import clock
from tenants.models import Municipality
from web.access import PageRequest, is_fragment, permissions, requires

MOST_CHARACTERS = 500  # of a reason or field in an address
# What messaging/masking.py says of a value, in the reader's language; Meta's own words stay as they are.
_SIZED = re.compile(r"(text of|object of|list of) (\d+)(?: characters)?")
_SIZES = {
    "text of": gettext_lazy("text of %(number)s characters"),
    "object of": gettext_lazy("object of %(number)s parts"),
    "list of": gettext_lazy("list of %(number)s parts"),
}
_KINDS = {"number": gettext_lazy("a number"), "true or false": gettext_lazy("true or false"), "null": "null"}


@require_safe
@requires(Permission.READ_FLOW)
def flow(request: PageRequest) -> HttpResponse:
    """Show the stream of messages: every municipality, dead letters by reason, what is nobody's and what is unknown."""
    at = clock.now()
    shown = {"flow": message_flow(at=at), "now": at, "may_replay": Permission.REPLAY_EVENTS in permissions(request)}
    return render(request, "web/flow.html", shown)


@require_safe
@requires(Permission.READ_FLOW)
def letters(request: PageRequest, schema_name: str) -> HttpResponse:
    """Show a municipality's dead letters, of a kind, field or reason where one is asked for."""
    municipality, at = _municipality(schema_name), clock.now()
    chosen = _chosen(request)
    found = dead_letters.shown(municipality=municipality, **chosen)
    count = dead_letters.count(letters=_letters(municipality, chosen), at=at)
    shown = {"municipality": municipality, "letters": found, "count": count, "chosen": chosen, "now": at}
    shown["may_replay"] = Permission.REPLAY_EVENTS in permissions(request)
    return render(request, "web/letters.html", shown)


@require_safe
@requires(Permission.READ_FLOW)
def letter(request: PageRequest, schema_name: str, event_id: int) -> HttpResponse:
    """Show how one dead letter is built, with every value masked."""
    municipality = _municipality(schema_name)
    try:
        event = dead_letters.letter(municipality=municipality, event_id=event_id)
    except InboxEvent.DoesNotExist:
        raise Http404 from None
    shown = {"municipality": municipality, "event": event, "lines": _lines(event)}
    shown |= {"now": clock.now(), "may_replay": Permission.REPLAY_EVENTS in permissions(request)}
    return render(request, "web/letter.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.REPLAY_EVENTS)
def replay(request: PageRequest) -> HttpResponseBase:
    """Ask whether dead letters are to be put back, and have it done."""
    given = request.POST if request.method == "POST" else request.GET
    schema_name, event_id = given.get("schema", ""), given.get("event", "")
    municipality = _municipality(schema_name) if schema_name else None
    if event_id and (municipality is None or not event_id.isdecimal() or len(event_id) > 18):
        raise Http404
    chosen, at = _chosen(request), clock.now()
    if municipality is None and not any(chosen.values()):
        raise Http404  # all dead letters of everybody at once: that takes the command and its --all
    asked = _letters(municipality, chosen, event_id)
    if request.method == "POST":
        try:
            made = dead_letters.ask(letters=asked, actor=request.user.actor(), at=at)
        except NothingToReplay:
            messages.info(request, _("There is no dead letter of this kind any more: nothing was put back."))
            return redirect("flow")
        return redirect("replay-progress", made.id)
    count = dead_letters.count(letters=asked, at=at)
    shown = {"municipality": municipality, "event_id": event_id, "chosen": chosen, "count": count}
    return render(request, "web/replay.html", shown)


@require_safe
@requires(Permission.READ_FLOW)
def replay_progress(request: PageRequest, replay_id: str) -> HttpResponse:
    """Show how far putting back is; a page that is open asks by itself until it is done."""
    found = Replay.objects.filter(id=replay_id).first()
    if found is None:
        raise Http404
    municipality = Municipality.objects.filter(id=found.municipality_id).first() if found.municipality_id else None
    template = "web/replay_state.html" if is_fragment(request) else "web/replay_progress.html"
    return render(request, template, {"replay": found, "municipality": municipality, "now": clock.now()})


def _municipality(schema_name: str) -> Municipality:
    municipality: Municipality | None = Municipality.objects.filter(schema_name=schema_name[:63]).first()
    if municipality is None:
        raise Http404
    return municipality


def _lines(event: InboxEvent) -> list[tuple[str, str]]:
    return [(path, _in_words(what)) for path, what in structure(payload=event.payload)]


def _in_words(what: str) -> str:
    sized = _SIZED.fullmatch(what)
    if sized is None:
        return str(_KINDS.get(what, what))
    return str(_SIZES[sized[1]]) % {"number": sized[2]}


def _letters(municipality: Municipality | None, chosen: dict[str, str], event_id: str = "") -> Letters:
    event_ids = (int(event_id),) if event_id else None
    kind, field, reason = chosen["kind"], chosen["field"], chosen["reason"]
    return Letters(municipality=municipality, event_ids=event_ids, kind=kind, field=field, reason=reason)


def _chosen(request: HttpRequest) -> dict[str, str]:
    given = request.POST if request.method == "POST" else request.GET
    return {name: given.get(name, "").replace("\0", "")[:MOST_CHARACTERS] for name in ("kind", "field", "reason")}
