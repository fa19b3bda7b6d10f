"""The agent's pages: the inbox, one thread, and what an agent does in it. One domain call a view."""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission
from messaging import consent, lists, noticing, opening, reading, replying, threads, troubled
from messaging.consent import NotConsented
from messaging.desk import assigning, noting
from messaging.models import Consent, Template, Thread
from messaging.templates import sending
from messaging.templates.filling import TemplateUnusable
from tenants import clock
from web.access import PageRequest, is_fragment, permissions, requires
from web.template_form import TemplateForm
from web.words import CLOSE_REASONS, CONSENT_REFUSALS, REFUSALS, REFUSED, SNOOZES
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent
from whatsapp.texts import text_of


@require_safe
@requires(Permission.READ_THREADS)
def inbox(request: PageRequest) -> HttpResponse:
    """Show one of the lists of threads; without a choice those that wait, longest first."""
    shown = lists.inbox(**list_asked_for(request), at=clock.now())
    template = "web/inbox_threads.html" if is_fragment(request) else "web/inbox.html"
    return render(request, template, {"inbox": shown})


@require_safe
@requires(Permission.READ_THREADS)
def thread(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Show one thread; htmx gets its messages alone. Whoever may answer it has read it then.

    The trail knows who opened it before the page leaves; a page that brings itself up to date is no new opening.
    """
    shown = show(request, thread_id, fragment=is_fragment(request))
    if request.method == "GET" and not is_fragment(request):
        opening.record_reading(thread_id=thread_id, actor=request.user.actor(), at=clock.now())
    if request.method == "GET" and Permission.ANSWER_THREADS in permissions(request) and not _before(request):
        noticing.mark_read(thread_id=thread_id, at=clock.now())
    if request.method == "GET":
        noting.mark_seen(thread_id=thread_id, user_id=request.user.id, at=clock.now())
    return shown


@require_POST
@requires(Permission.ANSWER_THREADS)
def typing(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Have the citizen see that an answer is being typed."""
    try:
        noticing.show_typing(thread_id=thread_id, at=clock.now())
    except Thread.DoesNotExist:
        raise Http404 from None
    return HttpResponse(status=204)


@require_POST
@requires(Permission.ANSWER_THREADS)
def reply(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Send a free-form reply."""
    text = request.POST.get("text", "").replace("\r\n", "\n").strip()
    answerer = _answerer(request)
    if answerer is None:
        return HttpResponse(status=400)  # no form of ours sends this
    refused = _refusal(
        lambda: replying.reply(
            thread_id=thread_id, text=text, actor=request.user.actor(), at=clock.now(), answerer=answerer
        )
    )
    if refused is None:
        return redirect(reverse("thread", args=[thread_id]) + "#last")
    return show(request, thread_id, refused=refused, text=text)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ANSWER_THREADS)
def send_template(request: PageRequest, thread_id: UUID, template_id: UUID) -> HttpResponse:
    """Show a template's fields, then how the citizen will see it, and send it once that was seen."""
    view = _thread(request, thread_id)
    template = next((each for each in view.templates if each.id == template_id), None)
    if template is None:
        return show(request, thread_id, refused=_unsendable(template_id))
    form = TemplateForm(template=template, given=request.POST)
    refused: Promise | str | None = None
    step = request.POST.get("step", "")
    if step == "send":
        refused = _refusal(
            lambda: replying.send_template(
                thread_id=thread_id,
                template_id=template_id,
                values=form.filling(),
                actor=request.user.actor(),
                at=clock.now(),
            )
        )
        if refused is None:
            return redirect(reverse("thread", args=[thread_id]) + "#last")
    elif step == "preview" and not form.is_complete():
        refused = REFUSALS["template_parameters_differ"]
    elif step == "preview":
        refused = _refusal(form.text)
    context = {
        "view": view,
        "template": template,
        "form": form,
        "refused": refused,
        "preview": form.text() if step == "preview" and refused is None else "",
    }
    return render(request, "web/send_template.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ANSWER_THREADS)
def record_consent(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Show what the citizen said about being written to first, and record what they say now."""
    view = _thread(request, thread_id)
    given = {name: request.POST.get(name, "").strip() for name in ("word", "how", "evidence")}
    refused: Promise | None = None
    if request.method == "POST":
        note = {"OPT_IN": consent.record_opt_in, "OPT_OUT": consent.record_opt_out}.get(given["word"])
        if note is None or len(given["how"]) > consent.MOST_HOW or len(given["evidence"]) > consent.MOST_EVIDENCE:
            return HttpResponse(status=400)  # no form of ours sends this
        try:
            note(
                contact=view.thread.contact,
                at=clock.now(),
                source=Consent.Source.RECORDED,
                how=given["how"],
                evidence=given["evidence"],
                actor=request.user.actor(),
            )
        except consent.InvalidConsent as error:
            refused = CONSENT_REFUSALS[error.code]
        else:
            messages.success(request, _("It was recorded."))
            return redirect("consent", thread_id=thread_id)
    history = consent.history(contact=view.thread.contact)
    context = {"view": view, "given": given, "refused": refused, "history": history}
    return render(request, "web/consent.html", context, status=422 if refused else 200)


@require_safe
@requires(Permission.READ_THREADS)
def unreached(request: PageRequest) -> HttpResponse:
    """Show what is wrong with the numbers, and which citizens wait for an answer that cannot leave."""
    at = clock.now()
    return render(request, "web/unreached.html", {"found": troubled.unreachable(at=at), "at": at})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ANSWER_THREADS)
def close_thread(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Ask whether a thread may be closed, then close it."""
    reason = request.POST.get("reason", "")
    if request.method != "POST" or reason not in Thread.CloseReason.values:
        context = {"view": _thread(request, thread_id), "reasons": CLOSE_REASONS.items()}
        context["missing"] = request.method == "POST"
        return render(request, "web/close_thread.html", context, status=422 if request.method == "POST" else 200)
    try:
        threads.close(thread_id=thread_id, actor=request.user.actor(), at=clock.now(), reason=reason)
    except Thread.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The conversation is closed."))
    return redirect("inbox")


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


def _unsendable(template_id: UUID) -> Promise:
    """Return why a template is not offered any more.  Raises Http404: there is none, or that is not why."""
    found = Template.objects.filter(id=template_id).first()
    code = sending.refusal(template=found, at=clock.now()) if found is not None else None
    if code is None:
        raise Http404
    return REFUSALS.get(code, REFUSED)


def show(
    request: PageRequest,
    thread_id: UUID,
    *,
    fragment: bool = False,
    refused: Promise | str | None = None,
    text: str = "",
    note: str = "",
) -> HttpResponse:
    """Show a thread, with what was refused and what was being written. Raises Http404: there is no such thread."""
    context: dict[str, object] = {"view": _thread(request, thread_id), "me": request.user.id}
    if not fragment:
        context |= {"refused": refused, "text": text, "note": note, "once": uuid4()}
        context |= {"answerers": assigning.answerers(), "snoozes": SNOOZES.items()}
    template = "web/thread_messages.html" if fragment else "web/thread.html"
    return render(request, template, context, status=422 if refused else 200)


def _thread(request: HttpRequest, thread_id: UUID) -> reading.ThreadView:
    try:
        return reading.thread(thread_id=thread_id, before=_before(request), at=clock.now())
    except Thread.DoesNotExist:
        raise Http404 from None


def _refusal(send: Callable[[], object]) -> Promise | str | None:
    """Send; return why it was refused, or None when it was taken.  Raises Http404: there is no such thread."""
    try:
        send()
    except replying.WindowClosed:
        return REFUSALS["window_closed"]
    except replying.ThreadClosed:
        return REFUSALS["thread_closed"]
    except replying.AnsweredMeanwhile:
        return REFUSALS["answered_meanwhile"]
    except (NotConsented, TemplateUnusable) as error:
        return REFUSALS.get(error.code, REFUSED)
    except (LimitExceeded, InvalidContent) as error:
        return text_of(error, language=get_language() or "nl")
    except (Thread.DoesNotExist, Template.DoesNotExist):
        raise Http404 from None
    return None


class ListAskedFor(TypedDict):
    """Which part of which list an address asks for."""

    choice: lists.Choice
    viewer_id: UUID
    after: lists.Key | None


def list_asked_for(request: PageRequest) -> ListAskedFor:
    """Return which part of which list is asked for; what is none is the list of those that wait."""
    asked = request.GET.get("list", "")
    choice = lists.Choice(asked) if asked in set(lists.Choice) else lists.Choice.WAITING
    return {"choice": choice, "viewer_id": request.user.id, "after": lists.Key.parse(request.GET.get("after", ""))}


def _before(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("before", ""))
    except ValueError:
        return None
