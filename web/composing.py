"""What an agent sends from a thread, and what they were writing there: replies, drafts. One domain call a view."""

from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.views.decorators.http import require_POST

from accounts.permissions import Permission
from messaging import replying
from messaging.attaching import Attach, CannotAttach, upload
from messaging.desk import drafting
from messaging.media.uploading import UnfitUpload, store_upload
from messaging.models import Medium, Message, Thread
from tenants import clock
from web.access import PageRequest, requires
from web.composed import BadMixture, Composed, NoForm
from web.desk_words import COMPOSE_REFUSALS
from web.workspace import refusal, show
from whatsapp.outgoing import Content


@require_POST
@requires(Permission.ANSWER_THREADS)
def reply(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Send a free-form reply: a text, a file with or without one, or a question with choices."""
    answerer = _answerer(request)
    try:
        composed = Composed.read(request)
        about = _about(thread_id, composed)
    except NoForm:
        return HttpResponse(status=400)
    if answerer is None:
        return HttpResponse(status=400)

    def send() -> None:
        replying.reply_with(
            thread_id=thread_id,
            content=_content(request, thread_id, composed, answerer),
            actor=request.user.actor(),
            at=clock.now(),
            reply_to_wamid=about.wamid if about else None,
            answerer=answerer,
        )

    refused: Promise | str | None
    try:
        refused = refusal(send)
    except (BadMixture, UnfitUpload, CannotAttach) as error:
        refused = COMPOSE_REFUSALS[error.code]
    if refused is None:
        return redirect(reverse("thread", args=[thread_id]) + "#last")
    return show(request, thread_id, refused=refused, composed=composed)


@require_POST
@requires(Permission.ANSWER_THREADS)
def draft(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Keep what is being written."""
    text = request.POST.get("text", "").replace("\r\n", "\n")
    try:
        drafting.keep(thread_id=thread_id, user_id=request.user.id, text=text, at=clock.now())
    except Thread.DoesNotExist:
        raise Http404 from None
    return HttpResponse(status=204)


def _content(request: PageRequest, thread_id: UUID, composed: Composed, answerer: replying.Answerer) -> Content:
    """Return what is to be sent; a file is stored and made known to Meta, unless this very form was sent before.

    Raises BadMixture, UnfitUpload, CannotAttach. LimitExceeded and InvalidContent come when it is queued.
    """
    if composed.file is None or composed.file.file is None:
        return composed.content()
    if composed.has_choices:
        raise BadMixture("file_and_choices")
    if Message.objects.filter(id=answerer.once).exists():
        return composed.content()  # `reply_with` returns the message that is there
    try:
        thread = Thread.objects.get(id=thread_id)
    except Thread.DoesNotExist:
        raise Http404 from None
    medium: Medium = store_upload(
        content=composed.file.file,
        filename=composed.file.name or "",
        declared_type=composed.file.content_type or "",
        actor=request.user.actor(),
        at=clock.now(),
    )
    attach = Attach(medium_id=medium.id, caption=composed.text or None)
    return upload(attach=attach, kind=None, phone_number_id=thread.phone_number_id, at=clock.now())


def _about(thread_id: UUID, composed: Composed) -> Message | None:
    """Return the message that is answered.  Raises NoForm: it is not of this thread, or WhatsApp does not know it."""
    if composed.answers is None:
        return None
    found = Message.objects.filter(id=composed.answers, thread_id=thread_id, wamid__isnull=False).first()
    if found is None:
        raise NoForm
    return found


def _answerer(request: PageRequest) -> replying.Answerer | None:
    """Return who answers by the form of a thread's page, or None when it is not that form."""
    try:
        once = UUID(request.POST.get("once", ""))
        seen_until = datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        return None
    if seen_until.tzinfo is None:
        return None
    return replying.Answerer(user_id=request.user.id, once=once, seen_until=seen_until)
