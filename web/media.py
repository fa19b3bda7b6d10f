"""The files in a thread: shown or saved by who may see it, and asked for again when they did not come."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission
from messaging.media import answering, showing
from messaging.models import Medium
from tenants import clock
from web.access import PageRequest, requires


@require_safe
@requires(Permission.READ_THREADS)
def original(request: PageRequest, thread_id: UUID, medium_id: UUID) -> HttpResponseBase:
    """Answer with a file, as a download where it may not be shown or is asked for so."""
    medium = _medium(thread_id, medium_id)
    try:
        return answering.original(
            request=request,
            medium=medium,
            actor=request.user.actor(),
            at=clock.now(),
            as_download="download" in request.GET,
        )
    except showing.NotThere:
        raise Http404 from None
    except showing.StorageAway:
        return _away()


@require_safe
@requires(Permission.READ_THREADS)
def thumbnail(request: PageRequest, thread_id: UUID, medium_id: UUID) -> HttpResponseBase:
    """Answer with the small picture of a picture."""
    medium = _medium(thread_id, medium_id)
    try:
        return answering.thumbnail(request=request, medium=medium, actor=request.user.actor(), at=clock.now())
    except showing.NotThere:
        raise Http404 from None
    except showing.StorageAway:
        return _away()


@require_POST
@requires(Permission.ANSWER_THREADS)
def ask_again(request: PageRequest, thread_id: UUID, medium_id: UUID) -> HttpResponse:
    """Have a file that did not come asked for once more."""
    medium = _medium(thread_id, medium_id)
    try:
        showing.ask_again(medium_id=medium.id, actor=request.user.actor(), at=clock.now())
    except showing.CannotBeAskedFor:
        messages.error(request, _("This file cannot be asked for again."))
    return redirect(reverse("thread", args=[thread_id]) + f"#medium-{medium.id}")


def _medium(thread_id: UUID, medium_id: UUID) -> Medium:
    """Return a medium of a message in this thread; there is no other way to one.  Raises Http404."""
    medium = Medium.objects.filter(id=medium_id, messages__thread_id=thread_id).first()
    if medium is None:
        raise Http404
    return medium


def _away() -> HttpResponse:
    text = _("This file cannot be reached now. Try again in a few minutes.")
    return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers={"Retry-After": "60"})
