"""The inbox: one of its lists, who else looks at what stands there, and who waits while somebody is in a thread."""

from typing import TypedDict
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts import teams
from accounts.permissions import Permission
from messaging import lists, presence, seeing
from messaging.desk import labelling
from messaging.reading import names_of
from tenants import clock
from web.access import PageRequest, is_fragment, requires

There = tuple[tuple[str, bool], ...]  # names, and whether they are typing


@require_safe
@requires(Permission.READ_THREADS)
def inbox(request: PageRequest) -> HttpResponse:
    """Show one of the lists of threads; without a choice those that wait, longest first."""
    shown = lists.inbox(**list_asked_for(request), at=clock.now())
    there = _there(request, [row.thread.id for row in shown.rows])
    limits = {"label": shown.label_id, "team": shown.team_id}
    narrowed = "".join(f"&{urlencode({name: id_})}" for name, id_ in limits.items() if id_ is not None)
    context = {"inbox": shown, "narrowed": narrowed}
    context["rows"] = [(row, there.get(row.thread.id, ())) for row in shown.rows]
    if is_fragment(request):
        return render(request, "web/inbox_threads.html", context)
    return render(request, "web/inbox.html", context | {"labels": labelling.labels(), "teams": teams.choices()})


@require_POST
@requires(Permission.READ_THREADS)
def present(request: PageRequest) -> HttpResponse:
    """Show who else has the threads of a list open; those that whoever asks may not see are nobody's."""
    try:
        asked = [UUID(each) for each in request.POST.getlist("thread")[: lists.THREADS_A_PAGE]]
    except ValueError:
        return HttpResponse(status=400)  # no form of ours sends this
    seen = seeing.visible(thread_ids=asked)
    there = _there(request, [each for each in asked if each in seen])
    threads = [(each, there.get(each, ())) for each in asked if each in seen]
    return render(request, "web/inbox_present.html", {"threads": threads})


@require_safe
@requires(Permission.READ_THREADS)
def waiting(request: PageRequest) -> HttpResponse:
    """Show how many citizens wait, beside the thread that is open, and which one to go to next."""
    found = lists.waiting(viewer_id=request.user.id, but=id_in(request, "but"), at=clock.now())
    return render(request, "web/waiting.html", {"waiting": found})


def _there(request: PageRequest, thread_ids: list[UUID]) -> dict[UUID, There]:
    found = presence.others_in(thread_ids=thread_ids, user_id=request.user.id)
    names = names_of({each.user_id for there in found.values() for each in there})
    return {
        id_: tuple((names[each.user_id], each.is_typing) for each in there if each.user_id in names)
        for id_, there in found.items()
    }


class ListAskedFor(TypedDict):
    """Which part of which list an address asks for."""

    choice: lists.Choice
    label_id: UUID | None
    team_id: UUID | None
    viewer_id: UUID
    after: lists.Key | None


def list_asked_for(request: PageRequest) -> ListAskedFor:
    """Return which part of which list is asked for; what is none is the list of those that wait."""
    asked = request.GET.get("list", "")
    choice = lists.Choice(asked) if asked in set(lists.Choice) else lists.Choice.WAITING
    return {
        "choice": choice,
        "label_id": id_in(request, "label"),
        "team_id": id_in(request, "team"),
        "viewer_id": request.user.id,
        "after": lists.Key.parse(request.GET.get("after", "")),
    }


def id_in(request: PageRequest, name: str) -> UUID | None:
    """Return the id that an address names, or None when it names none."""
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None
