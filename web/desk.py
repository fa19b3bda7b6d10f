"""What agents do together with a thread: take it, hand it over, put it aside, write a note, link a case."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import Permission
from messaging import presence, replying
from messaging.desk import assigning, noting, snoozing
from messaging.models import Thread
from messaging.reading import names_of
from tenants import clock
from web.access import PageRequest, requires
from web.desk_words import DESK_REFUSALS, SNOOZES
from web.words import REFUSALS
from web.workspace import show

MORNING = time(9)


@require_POST
@requires(Permission.ANSWER_THREADS)
def take(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Give the thread to who asks, if nobody has it."""
    return act(request, thread_id, lambda at: assigning.take(thread_id=thread_id, actor=request.user.actor(), at=at))


@require_POST
@requires(Permission.ANSWER_THREADS)
def assign(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Give the thread to a colleague, or back to nobody."""
    given = request.POST.get("to", "")
    try:
        to = UUID(given) if given else None
    except ValueError:
        return HttpResponse(status=400)  # no form of ours sends this
    return act(
        request, thread_id, lambda at: assigning.assign(thread_id=thread_id, to=to, actor=request.user.actor(), at=at)
    )


@require_POST
@requires(Permission.ANSWER_THREADS)
def snooze(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Put the thread aside until one of a few moments, or take it up again."""
    chosen = request.POST.get("until", "")
    actor = request.user.actor()
    if not chosen:
        return act(request, thread_id, lambda at: snoozing.wake(thread_id=thread_id, actor=actor, at=at))
    if chosen not in SNOOZES:
        return HttpResponse(status=400)
    return act(
        request,
        thread_id,
        lambda at: snoozing.snooze(thread_id=thread_id, until=moment(chosen=chosen, at=at), actor=actor, at=at),
        done=_("The conversation is put aside. It comes back at its time, or when the citizen writes."),
    )


@require_POST
@requires(Permission.ANSWER_THREADS)
def note(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Write an internal note."""
    text = request.POST.get("note", "").replace("\r\n", "\n")
    return act(
        request,
        thread_id,
        lambda at: noting.write(thread_id=thread_id, text=text, actor=request.user.actor(), at=at),
        note=text,
    )


@require_POST
@requires(Permission.ANSWER_THREADS)
def case(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Write down the case that the thread belongs to."""
    number = request.POST.get("case", "")
    return act(
        request,
        thread_id,
        lambda at: noting.link_case(thread_id=thread_id, number=number, actor=request.user.actor(), at=at),
    )


@require_POST
@requires(Permission.READ_THREADS)
def present(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Note that whoever asks has the thread open, or has just left it; show who else is there."""
    if request.POST.get("doing") == "gone":
        presence.leave(thread_id=thread_id, user_id=request.user.id)
        return HttpResponse(status=204)
    if not Thread.objects.filter(id=thread_id).exists():
        raise Http404
    presence.look(thread_id=thread_id, user_id=request.user.id)
    found = presence.others(thread_id=thread_id, user_id=request.user.id)
    names = names_of({each.user_id for each in found})
    there = [(names[each.user_id], each.is_typing) for each in found if each.user_id in names]
    return render(request, "web/presence.html", {"there": there})


def moment(*, chosen: str, at: datetime) -> datetime:
    """Return the moment that a choice of `SNOOZES` means: hours from now, or a morning in Amsterdam."""
    if chosen.endswith("h"):
        return at + timedelta(hours=int(chosen.removesuffix("h")))
    today = timezone.localdate(at)
    days = 1 if chosen == "tomorrow" else 7 - today.weekday()  # the next Monday
    return timezone.make_aware(datetime.combine(today + timedelta(days=days), MORNING))


def act(
    request: PageRequest, thread_id: UUID, act: Callable[[datetime], object], *, done: str = "", note: str = ""
) -> HttpResponse:
    """Do one thing, and show the thread; what was refused is said there."""
    refused: Promise | str
    try:
        act(clock.now())
    except Thread.DoesNotExist:
        raise Http404 from None
    except replying.ThreadClosed:
        refused = REFUSALS["thread_closed"]
    except assigning.TakenMeanwhile:
        refused = DESK_REFUSALS["taken"]
    except assigning.NoAnswerer:
        refused = DESK_REFUSALS["no_answerer"]
    except (noting.BadNote, noting.BadCaseNumber, snoozing.BadMoment) as error:
        refused = DESK_REFUSALS[type(error).__name__]
    else:
        if done:
            messages.success(request, done)
        return redirect(reverse("thread", args=[thread_id]) + "#last")
    return show(request, thread_id, refused=refused, note=note)
