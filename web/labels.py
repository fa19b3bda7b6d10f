"""The pages of labels and canned replies: an admin makes labels, agents put them on; supervisors write replies."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import Permission
from messaging.desk import canned, labelling
from messaging.models import CannedReply, Label
from tenants import clock
from web.access import PageRequest, requires
from web.desk import act
from web.desk_words import CANNED_REFUSALS, COLOURS, LABEL_REFUSALS


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_LABELS)
def labels(request: PageRequest) -> HttpResponse:
    """Show the labels, and make one."""
    refused: Promise | None = None
    given = {name: request.POST.get(name, "") for name in ("name", "colour")}
    if request.method == "POST":
        try:
            labelling.make(**given, actor=request.user.actor(), at=clock.now())
        except (labelling.BadLabel, labelling.LabelNameTaken, labelling.TooManyLabels) as error:
            refused = LABEL_REFUSALS[type(error).__name__]
        else:
            messages.success(request, _("It was saved."))
            return redirect("labels")
    context = {"labels": labelling.overview(), "colours": COLOURS.items(), "given": given, "refused": refused}
    return render(request, "web/labels.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_LABELS)
def label(request: PageRequest, label_id: UUID) -> HttpResponse:
    """Change one label, or remove it once it was asked whether."""
    view = next((each for each in labelling.overview() if each.label.id == label_id), None)
    if view is None:
        raise Http404
    given = {"name": view.label.name, "colour": view.label.colour}
    refused: Promise | None = None
    if request.method == "POST":
        actor, at = request.user.actor(), clock.now()
        given = {name: request.POST.get(name, "") for name in given}
        try:
            if request.POST.get("step") == "remove":
                labelling.remove(label_id=label_id, actor=actor, at=at)
            else:
                labelling.change(label_id=label_id, **given, actor=actor, at=at)
        except (labelling.BadLabel, labelling.LabelNameTaken) as error:
            refused = LABEL_REFUSALS[type(error).__name__]
        except Label.DoesNotExist:
            raise Http404 from None
        else:
            messages.success(request, _("It was saved."))
            return redirect("labels")
    context = {"view": view, "colours": COLOURS.items(), "given": given, "refused": refused}
    return render(request, "web/label.html", context, status=422 if refused else 200)


@require_POST
@requires(Permission.ANSWER_THREADS)
def put_on(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Give a thread the labels that were ticked."""
    try:
        ids = [UUID(each) for each in request.POST.getlist("label")]
    except ValueError:
        return HttpResponse(status=400)  # no form of ours sends this
    actor = request.user.actor()
    return act(
        request,
        thread_id,
        lambda at: labelling.put_on(thread_id=thread_id, label_ids=ids, actor=actor, at=at),
    )


@require_http_methods(["GET", "HEAD"])
@requires(Permission.MANAGE_CANNED)
def canned_replies(request: PageRequest) -> HttpResponse:
    """Show the canned replies."""
    return render(request, "web/canned.html", {"replies": canned.replies()})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_CANNED)
def new_canned(request: PageRequest) -> HttpResponse:
    """Write a canned reply."""
    return _written(request, CannedReply(text=""))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_CANNED)
def canned_reply(request: PageRequest, reply_id: UUID) -> HttpResponse:
    """Write a canned reply anew, or remove it once it was asked whether."""
    reply = CannedReply.objects.filter(id=reply_id).first()
    if reply is None:
        raise Http404
    if request.POST.get("step") == "remove":
        try:
            canned.remove(reply_id=reply_id, actor=request.user.actor(), at=clock.now())
        except CannedReply.DoesNotExist:
            raise Http404 from None
        messages.success(request, _("The reply is removed."))
        return redirect("canned")
    return _written(request, reply, reply_id)


def _written(request: PageRequest, reply: CannedReply, reply_id: UUID | None = None) -> HttpResponse:
    """Show the form of a reply, and keep what was written."""
    given = canned.Written(reply.shortcut, reply.title, reply.text, reply.is_safe_route)
    refused: Promise | None = None
    if request.method == "POST":
        text = {name: request.POST.get(name, "") for name in ("shortcut", "title", "text")}
        given = canned.Written(**text, is_safe_route=request.POST.get("safe") == "yes")
        actor, at = request.user.actor(), clock.now()
        try:
            if reply_id is None:
                canned.make(written=given, actor=actor, at=at)
            else:
                canned.change(reply_id=reply_id, written=given, actor=actor, at=at)
        except canned.BadReply as error:
            refused = CANNED_REFUSALS[error.code]
        except CannedReply.DoesNotExist:
            raise Http404 from None
        else:
            messages.success(request, _("It was saved."))
            return redirect("canned")
    context = {"given": given, "reply_id": reply_id, "refused": refused, "places": canned.PLACEHOLDERS}
    return render(request, "web/canned_reply.html", context, status=422 if refused else 200)
