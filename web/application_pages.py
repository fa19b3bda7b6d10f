"""Filling in an application: what both sides share, and the municipality's own pages, over its link without an account.

The secret of a link stands behind the `#` of its address and is handed over in a form; from then on the browser's
session names the link, which is looked up anew with each request, so that an ended one ends at once.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.record import Actor
from tenants import clock
from tenants.models import ApplicationLink
from tenants.onboarding import links
from tenants.onboarding.application import ChangedMeanwhile, Closed, Mistakes, load, save
from tenants.onboarding.fields import FIELDS, Unfit, field_of
from tenants.onboarding.models import COPY_BYTES, Part
from tenants.onboarding.showing import application_view
from tenants.onboarding.signing import NoPdf, make_pdf, take_signed_copy
from tenants.stages import Stage
from web.application_form import show_part
from web.onboarding_words import said

SESSION_KEY = "application_link"
MOST_ATTEMPTS, ATTEMPTS_SECONDS = 10, 15 * 60
ANSWER_LETTERS = 5000
LINK_OVER = gettext_lazy("This link does not work, or no longer. Ask the BSP for a new one.")
Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, ApplicationLink, Rest], HttpResponse]


def over_link(view: View[Rest]) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """Let only who came over a link that is still good to a page."""

    @wraps(view)
    def checked(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        kept = request.session.get(SESSION_KEY)
        link = links.find_link(link_id=UUID(kept), at=clock.now()) if isinstance(kept, str) else None
        if link is None:
            if request.session.pop(SESSION_KEY, None) is not None:  # it ended while they were filling in
                messages.error(request, LINK_OVER)
            return redirect("application")
        response = view(request, link, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return checked


@require_http_methods(["GET", "HEAD", "POST"])
def application(request: HttpRequest) -> HttpResponse:
    """Take the secret of a link, which a script reads from behind the `#`, or a person types."""
    refused = ""
    if request.method == "POST":
        if _too_often(request):
            refused = _("Too many attempts. Try again in a quarter of an hour.")
        else:
            link = links.open_link(secret=request.POST.get("secret", "")[:200].strip(), at=clock.now())
            if link is not None:
                request.session.cycle_key()
                request.session[SESSION_KEY] = str(link.id)
                return redirect("application-fill")
            refused = str(LINK_OVER)
    answer = render(request, "web/application_door.html", {"refused": refused})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_safe
@over_link
def overview(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Show the municipality what is asked, what is missing, and the copy to sign."""
    at = clock.now()
    shown = {"link": link, "view": application_view(onboarding=link.onboarding, at=at), "parts": list(Part)}
    shown |= {"now": at, "is_open": link.onboarding.stage == Stage.APPLIED}
    return render(request, "web/application_overview.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@over_link
def part(request: HttpRequest, link: ApplicationLink, part: str) -> HttpResponse:
    """Show a part, and keep what the municipality fills in."""
    actor = links.actor_of(link=link)
    names = ("application-fill", "application-part")
    return fill_in(request, onboarding_id=link.onboarding_id, part=part, actor=actor, names=names)


@require_POST
@over_link
def check(request: HttpRequest, link: ApplicationLink, part: str, name: str) -> HttpResponse:
    """Say what is wrong with an answer while it is typed; nothing is kept."""
    return check_answer(request, part=part, name=name)


@require_safe
@over_link
def pdf(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Give the application as a PDF to sign."""
    found = load(onboarding_id=link.onboarding_id)
    content = make_pdf(application=found, at=clock.now())
    return pdf_answer(content=content, name=f"aanvraag-{found.onboarding.cbs_code}.pdf")


@require_POST
@over_link
def sign(request: HttpRequest, link: ApplicationLink) -> HttpResponse:
    """Take the signed copy; it is not given back here."""
    try:
        take_signed_copy(
            onboarding_id=link.onboarding_id,
            content=file_of(request),
            actor=links.actor_of(link=link),
            at=clock.now(),
        )
    except NoPdf as wrong:
        messages.error(request, _refusal(wrong.code))
    except Closed:
        messages.error(request, _refusal("closed"))
    else:
        messages.success(request, _("The signed copy was kept."))
    return redirect("application-fill")


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Forget the link in this browser."""
    request.session.pop(SESSION_KEY, None)
    return redirect("application")


def fill_in(
    request: HttpRequest, *, onboarding_id: UUID, part: str, actor: Actor, names: tuple[str, str]
) -> HttpResponse:
    """Show a part as a form and keep it, for either side. names: of the addresses of the overview and of a part."""
    wanted = _part(part)
    if request.method != "POST":
        return _show(request, onboarding_id, wanted, names)
    given = {field.name: request.POST.get(field.name, "") for field in FIELDS[wanted]}
    said_seen = request.POST.get("seen", "")
    seen = int(said_seen) if said_seen.isascii() and said_seen.isdigit() and len(said_seen) < 9 else 0
    try:
        save(onboarding_id=onboarding_id, part=wanted, seen=seen, given=given, actor=actor, at=clock.now())
    except Mistakes as wrong:
        return _show(request, onboarding_id, wanted, names, given=given, codes=wrong.codes, seen=seen, status=422)
    except ChangedMeanwhile as changed:
        return _show(request, onboarding_id, wanted, names, given=given, theirs=changed.found, status=409)
    except Closed:
        return _show(request, onboarding_id, wanted, names, given=given, refused=_refusal("closed"), status=409)
    messages.success(request, _("What you filled in was kept."))
    parts = list(Part)
    following = parts.index(wanted) + 1
    address = [] if names[0] == "application-fill" else [onboarding_id]
    if request.POST.get("then") == "next" and following < len(parts):
        return redirect(names[1], *address, parts[following].lower())
    return redirect(names[0], *address)


def check_answer(request: HttpRequest, *, part: str, name: str) -> HttpResponse:
    """Return the words for what is wrong with one answer, or nothing."""
    asked = field_of(part=_part(part), name=name)
    if asked is None:
        raise Http404
    code = ""
    try:
        asked.read(request.POST.get(name, "")[:ANSWER_LETTERS])
    except Unfit as unfit:
        code = unfit.code
    words = said(table="mistake", code=code, language=get_language()) if code else ""
    return HttpResponse(words, content_type="text/plain; charset=utf-8")


def pdf_answer(*, content: bytes, name: str) -> HttpResponse:
    """Return a PDF to keep, never to open within a page."""
    answer = HttpResponse(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def file_of(request: HttpRequest) -> bytes:
    """Return the file that was uploaded: one byte more than is allowed at most, so that its size is judged."""
    found = request.FILES.get("copy")
    return found.read(COPY_BYTES + 1) if found is not None and not isinstance(found, list) else b""


def _show(
    request: HttpRequest,
    onboarding_id: UUID,
    part: Part,
    names: tuple[str, str],
    *,
    refused: str = "",
    status: int = 200,
    **more: object,
) -> HttpResponse:
    found = load(onboarding_id=onboarding_id)
    is_ours = names[0] == "onboarding"
    shown = {
        "application": found,
        "form": show_part(application=found, part=part, **more),  # type: ignore[arg-type]
        "is_ours": is_ours,
        "refused": refused,
        "is_open": found.onboarding.stage == Stage.APPLIED,
        "is_last": part is list(Part)[-1],
    }
    return render(request, "web/application_part.html", shown, status=status)


def _part(word: str) -> Part:
    if word.upper() not in Part.values or word != word.lower():
        raise Http404
    return Part(word.upper())


def _refusal(code: str) -> str:
    return said(table="refusal", code=code, language=get_language())


def _too_often(request: HttpRequest) -> bool:
    """Count an attempt of this address; return whether it was one too many."""
    key = f"application-link:{request.META.get('REMOTE_ADDR', '')}"
    attempts = int(cache.get(key, 0)) + 1
    cache.set(key, attempts, ATTEMPTS_SECONDS)
    return attempts > MOST_ATTEMPTS
