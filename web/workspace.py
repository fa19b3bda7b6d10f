"""The agent's page of one thread, and what an agent does in it. One domain call a view."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission
from messaging import consent, lists, noticing, opening, presence, reading, replying, revealing, threads, troubled
from messaging.consent import NotConsented
from messaging.desk import assigning, canned, drafting, labelling, noting
from messaging.models import Consent, Message, Template, Thread, ThreadNote
from messaging.templates import sending
from messaging.templates.filling import TemplateUnusable
from tenants import clock
from web import revealed
from web.access import PageRequest, is_fragment, permissions, requires
from web.composed import Composed
from web.desk_words import EMOJI, SAFE_ROUTE, SNOOZES
from web.inbox import id_in
from web.template_form import TemplateForm
from web.words import CLOSE_REASONS, CONSENT_REFUSALS, REFUSALS, REFUSED
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent
from whatsapp.texts import text_of


@require_safe
@requires(Permission.READ_THREADS)
def thread(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Show one thread; htmx gets its messages alone. Whoever may answer it has read it then.

    The trail knows who opened it before the page leaves; a page that brings itself up to date is no new opening.
    """
    shown = show(request, thread_id, fragment=is_fragment(request))
    if request.method == "GET" and not is_fragment(request):
        opening.record_reading(thread_id=thread_id, actor=request.user.actor(), at=clock.now())
    if request.method == "GET" and Permission.ANSWER_THREADS in permissions(request) and _is_latest(request):
        noticing.mark_read(thread_id=thread_id, at=clock.now())
    if request.method == "GET":
        noting.mark_seen(thread_id=thread_id, user_id=request.user.id, at=clock.now())
    return shown


@require_POST
@requires(Permission.ANSWER_THREADS)
def typing(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Have the citizen see that an answer is being typed, and colleagues by whom."""
    try:
        noticing.show_typing(thread_id=thread_id, at=clock.now())
    except Thread.DoesNotExist:
        raise Http404 from None
    presence.type_in(thread_id=thread_id, user_id=request.user.id)
    return HttpResponse(status=204)


@require_POST
@requires(Permission.REVEAL_NUMBERS)
def reveal(request: PageRequest, thread_id: UUID, message_id: UUID) -> HttpResponse:
    """Show one message with its numbers, in this window until it is loaded again."""
    try:
        found = revealing.reveal(thread_id=thread_id, message_id=message_id, actor=request.user.actor(), at=clock.now())
    except Message.DoesNotExist:
        raise Http404 from None
    return show(request, thread_id, fragment=is_fragment(request), shown_now={found.id: found.text})


@require_POST
@requires(Permission.REVEAL_NUMBERS)
def reveal_note(request: PageRequest, thread_id: UUID, note_id: UUID) -> HttpResponse:
    """Show one internal note with its numbers, as `reveal` does a message."""
    try:
        found = revealing.reveal_note(thread_id=thread_id, note_id=note_id, actor=request.user.actor(), at=clock.now())
    except ThreadNote.DoesNotExist:
        raise Http404 from None
    return show(request, thread_id, fragment=is_fragment(request), shown_now={found.id: found.text})


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
        refused = refusal(
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
        refused = refusal(form.text)
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
    composed: Composed | None = None,
    note: str = "",
    shown_now: Mapping[UUID, str] = reading.NOTHING,
) -> HttpResponse:
    """Show a thread, with what was refused and what was being written. Raises Http404: there is no such thread.

    shown_now: the messages or notes that were just asked for in full, beside those that the window shows so already.
    """
    in_full = revealed.revealed_in(request, thread_id=thread_id)
    in_full |= {id_: revealing.mark_of(text=text) for id_, text in shown_now.items()}
    view = _thread(request, thread_id, in_full=in_full)
    known = {
        "naam": view.thread.contact.profile_name,
        "medewerker": request.user.name,
        "gemeente": request.tenant.name,
        "zaaknummer": view.thread.case_number,
    }
    replies = canned.ready(values=known) if not fragment or view.hides else ()
    safe = next((reply.text for reply in replies if reply.is_safe_route), str(SAFE_ROUTE))
    context: dict[str, object] = {"view": view, "me": request.user.id, "safe_route": safe}
    context["revealed"] = revealed.token(request, thread_id=thread_id, revealed=in_full)
    if not fragment:
        writing, saved_at = _writing(request, view, composed, replies, safe)
        context |= {"refused": refused, "writing": writing, "saved_at": saved_at, "note": note, "once": uuid4()}
        context |= {"answerers": assigning.answerers(), "snoozes": SNOOZES.items(), "labels": labelling.labels()}
        context |= {"replies": replies, "emoji": EMOJI, "quoted": _quoted(view, writing.answers)}
        context["others"] = reading.others(of=view.thread)
        context["waiting"] = lists.waiting(viewer_id=request.user.id, but=thread_id, at=view.at)
    template = "web/thread_messages.html" if fragment else "web/thread.html"
    return render(request, template, context, status=422 if refused else 200)


def _writing(
    request: PageRequest,
    view: reading.ThreadView,
    composed: Composed | None,
    replies: tuple[canned.Ready, ...],
    safe: str,
) -> tuple[Composed, datetime | None]:
    """Return what stands in the form, and since when it is kept: what was refused, chosen or failed, or the draft."""
    if composed is not None:
        return composed, None
    answers, chosen = id_in(request, "answers"), request.GET.get("canned", "")
    if chosen:
        text = safe if chosen == "safe" else next((each.text for each in replies if str(each.id) == chosen), "")
        return Composed(text=text, answers=answers), None
    again = id_in(request, "again")
    failed = next((each for each in view.messages if each.message.id == again and each.may_be_written_again), None)
    if failed is not None:
        return Composed(text=failed.text, answers=answers), None
    draft = drafting.kept(thread_id=view.thread.id, user_id=request.user.id)
    return Composed(text=draft.text if draft else "", answers=answers), draft.saved_at if draft else None


def _quoted(view: reading.ThreadView, answers: UUID | None) -> reading.ShownMessage | None:
    found = (each for each in view.messages if each.message.id == answers and each.message.wamid)
    return next(found, None)


def _thread(
    request: PageRequest, thread_id: UUID, *, in_full: Mapping[UUID, str] = reading.NOTHING
) -> reading.ThreadView:
    try:
        return reading.thread(
            thread_id=thread_id,
            before=id_in(request, "before"),
            until=id_in(request, "until"),
            revealed=in_full,
            at=clock.now(),
        )
    except Thread.DoesNotExist:
        raise Http404 from None


def refusal(send: Callable[[], object]) -> Promise | str | None:
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


def _is_latest(request: PageRequest) -> bool:
    return id_in(request, "before") is None and id_in(request, "until") is None
