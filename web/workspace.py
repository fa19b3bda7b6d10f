"""The agent's pages: the inbox, one thread, and what an agent does in it. One domain call a view."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission
from messaging import consent, noticing, opening, reading, replying, threads, troubled
from messaging.consent import NotConsented
from messaging.models import Consent, Template, Thread
from messaging.templates import sending
from messaging.templates.filling import TemplateUnusable
from tenants import clock
from web.access import PageRequest, is_fragment, permissions, requires
from web.template_form import TemplateForm
from web.words import CONSENT_REFUSALS, REFUSALS, REFUSED
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent
from whatsapp.texts import text_of


@require_safe
@requires(Permission.READ_THREADS)
def inbox(request: PageRequest) -> HttpResponse:
    """Show the open threads: those that wait, longest first, or all, by last message."""
    order, page = inbox_page(request)
    shown = reading.inbox(order=order, page=page, at=clock.now())
    template = "web/inbox_threads.html" if is_fragment(request) else "web/inbox.html"
    return render(request, template, {"inbox": shown})


@require_safe
@requires(Permission.READ_THREADS)
def thread(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Show one thread; htmx gets its messages alone. Whoever may answer it has read it then.

    The trail knows who opened it before the page leaves; a page that brings itself up to date is no new opening.
    """
    shown = _show(request, thread_id, fragment=is_fragment(request))
    if request.method == "GET" and not is_fragment(request):
        opening.record_reading(thread_id=thread_id, actor=request.user.actor(), at=clock.now())
    if request.method == "GET" and Permission.ANSWER_THREADS in permissions(request) and not _before(request):
        noticing.mark_read(thread_id=thread_id, at=clock.now())
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
    refused = _refusal(
        lambda: replying.reply(thread_id=thread_id, text=text, actor=request.user.actor(), at=clock.now())
    )
    if refused is None:
        return redirect(reverse("thread", args=[thread_id]) + "#last")
    return _show(request, thread_id, refused=refused, text=text)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ANSWER_THREADS)
def send_template(request: PageRequest, thread_id: UUID, template_id: UUID) -> HttpResponse:
    """Show a template's fields, then how the citizen will see it, and send it once that was seen."""
    view = _thread(request, thread_id)
    template = next((each for each in view.templates if each.id == template_id), None)
    if template is None:
        return _show(request, thread_id, refused=_unsendable(template_id))
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
    if request.method != "POST":
        return render(request, "web/close_thread.html", {"view": _thread(request, thread_id)})
    try:
        threads.close(thread_id=thread_id, actor=request.user.actor(), at=clock.now())
    except Thread.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The conversation is closed."))
    return redirect("inbox")


def _unsendable(template_id: UUID) -> Promise:
    """Return why a template is not offered any more.  Raises Http404: there is none, or that is not why."""
    found = Template.objects.filter(id=template_id).first()
    code = sending.refusal(template=found, at=clock.now()) if found is not None else None
    if code is None:
        raise Http404
    return REFUSALS.get(code, REFUSED)


def _show(
    request: PageRequest,
    thread_id: UUID,
    *,
    fragment: bool = False,
    refused: Promise | str | None = None,
    text: str = "",
) -> HttpResponse:
    context = {"view": _thread(request, thread_id), "refused": refused, "text": text}
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
    except (NotConsented, TemplateUnusable) as error:
        return REFUSALS.get(error.code, REFUSED)
    except (LimitExceeded, InvalidContent) as error:
        return text_of(error, language=get_language() or "nl")
    except (Thread.DoesNotExist, Template.DoesNotExist):
        raise Http404 from None
    return None


def inbox_page(request: HttpRequest) -> tuple[reading.Order, int]:
    """Return which part of the inbox is asked for."""
    order = reading.Order.LATEST if request.GET.get("order") == reading.Order.LATEST else reading.Order.WAITING
    page = request.GET.get("page", "1")
    return order, int(page) if page.isdecimal() and len(page) < 7 else 1


def _before(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("before", ""))
    except ValueError:
        return None
