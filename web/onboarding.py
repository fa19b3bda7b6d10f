"""The BSP's pages of the road to live: the register, one onboarding with all that is missing, links, copies, moves."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_tenants.utils import schema_context

from accounts import posting
from accounts.permissions import Permission
from tenants import clock
from tenants.editions import current_register
from tenants.models import Onboarding
from tenants.onboarding import links, redeclaring
from tenants.onboarding.application import Closed, NotInRegister, OnboardingExists, begin, load
from tenants.onboarding.models import Part
from tenants.onboarding.moves import MoveRefused, move
from tenants.onboarding.showing import console_view, found_in_register, waiting
from tenants.onboarding.signing import NoPdf, make_pdf, read_copy, take_signed_copy
from tenants.stages import Stage
from web.access import PageRequest, permissions, requires
from web.application_pages import check_answer, file_of, fill_in, pdf_answer
from web.onboarding_words import said

# Who decides is not who fills in (Permission.DECIDE_ONBOARDING); the other moves are those of who does the work.
DECISIONS = frozenset({Stage.APPROVED, Stage.REJECTED, Stage.SUSPENDED, Stage.OFFBOARDED})
WORK = frozenset({Stage.DECLARED, Stage.APPLIED, Stage.GOVERNMENT_APPROVAL_PENDING, Stage.REGISTERED, Stage.LIVE})
SEARCH_LETTERS = 100
ASKED_AGAIN = frozenset({"no_reason", "reason_too_long", "no_data_until"})


@require_safe
@requires(Permission.READ_ONBOARDING)
def onboardings(request: PageRequest) -> HttpResponse:
    """Show who is on the road, longest waiting first, and search the register for who is to begin."""
    asked = request.GET.get("q", "").replace("\0", "").strip()[:SEARCH_LETTERS]
    register = current_register()
    shown = {
        "register": register,
        "asked": asked,
        "found": found_in_register(register=register, words=asked) if asked else [],
        "onboardings": waiting(),
        "changes": list(redeclaring.waiting()),
        "now": clock.now(),
        "may_onboard": Permission.ONBOARD in permissions(request),
    }
    return render(request, "web/onboardings.html", shown)


@require_POST
@requires(Permission.ONBOARD)
def begin_onboarding(request: PageRequest) -> HttpResponse:
    """Begin the onboarding of one municipality of the register; who is on the road already is shown."""
    try:
        made = begin(cbs_code=request.POST.get("cbs_code", "")[:6], actor=request.user.actor(), at=clock.now())
    except NotInRegister:
        raise Http404 from None
    except OnboardingExists as exists:
        messages.info(request, _("This municipality has an onboarding already. Here it is."))
        return redirect("onboarding", exists.onboarding.id)
    messages.success(
        request, _("The onboarding has begun. Fill in the application, or make a link for the municipality.")
    )
    return redirect("onboarding", made.id)


@require_safe
@requires(Permission.READ_ONBOARDING)
def onboarding(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Show one onboarding: where it is, what stands in the way, and all that was done."""
    return _show(request, onboarding_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ONBOARD)
def part(request: PageRequest, onboarding_id: UUID, part: str) -> HttpResponse:
    """Show a part of the application, and keep what is filled in."""
    _onboarding(onboarding_id)
    return fill_in(
        request,
        onboarding_id=onboarding_id,
        part=part,
        actor=request.user.actor(),
        names=("onboarding", "onboarding-part"),
    )


@require_POST
@requires(Permission.ONBOARD)
def check(request: PageRequest, part: str, name: str) -> HttpResponse:
    """Say what is wrong with an answer while it is typed; nothing is kept."""
    return check_answer(request, part=part, name=name)


@require_safe
@requires(Permission.READ_ONBOARDING)
def application_pdf(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Give the application as a PDF to sign."""
    application = load(onboarding_id=_onboarding(onboarding_id).id)
    name = f"aanvraag-{application.onboarding.cbs_code}.pdf"
    return pdf_answer(content=make_pdf(application=application, at=clock.now()), name=name)


@require_POST
@requires(Permission.ONBOARD)
def sign(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Take the signed copy."""
    _onboarding(onboarding_id)
    try:
        take_signed_copy(
            onboarding_id=onboarding_id, content=file_of(request), actor=request.user.actor(), at=clock.now()
        )
    except NoPdf as wrong:
        messages.error(request, _said(wrong.code))
    except Closed:
        messages.error(request, _said("closed"))
    else:
        messages.success(request, _("The signed copy was kept."))
    return redirect("onboarding", onboarding_id)


@require_safe
@requires(Permission.READ_ONBOARDING)
def signed_pdf(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Give the signed copy to who may see it; the trail knows who did."""
    found = _onboarding(onboarding_id)
    copy = found.signed_copies.order_by("id").last()
    if copy is None:
        raise Http404
    content = read_copy(copy=copy, actor=request.user.actor(), at=clock.now())
    return pdf_answer(content=content, name=f"ondertekend-{found.cbs_code}.pdf")


@require_POST
@requires(Permission.ONBOARD)
def make_link(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Make a link for the municipality; this answer alone shows it."""
    found = _onboarding(onboarding_id)
    try:
        made = links.make_link(
            onboarding=found, name=request.POST.get("name", ""), actor=request.user.actor(), at=clock.now()
        )
    except links.NameMissing:
        messages.error(request, _said("name"))
        return redirect("onboarding", onboarding_id)
    address = f"{request.build_absolute_uri('/application/')}#{made.secret}"
    return _show(request, onboarding_id, made={"address": address, "link": made.link}, status=201)


@require_POST
@requires(Permission.ONBOARD)
def end_link(request: PageRequest, onboarding_id: UUID, link_id: UUID) -> HttpResponse:
    """End a link at once."""
    found = _onboarding(onboarding_id)
    if links.revoke_link(onboarding=found, link_id=link_id, actor=request.user.actor(), at=clock.now()):
        messages.success(request, _("The link no longer works."))
    else:
        messages.info(request, _("The link had ended already."))
    return redirect("onboarding", onboarding_id)


@require_POST
@requires(Permission.ONBOARD)
def go_on(request: PageRequest, onboarding_id: UUID) -> HttpResponse:
    """Move on to a stage that the work itself leads to."""
    return _move(request, onboarding_id, WORK)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.DECIDE_ONBOARDING)
def decide(request: PageRequest, onboarding_id: UUID, to: str) -> HttpResponse:
    """Ask whether a decision is meant, with its reason, and make it."""
    found = _onboarding(onboarding_id)
    resumes = found.stage == Stage.SUSPENDED and to == Stage.LIVE
    if to not in DECISIONS and not resumes:
        raise Http404
    if request.method == "POST":
        return _move(request, onboarding_id, DECISIONS | ({Stage.LIVE} if resumes else set()), to=to)
    return _confirm(request, found, to)


def _move(request: PageRequest, onboarding_id: UUID, allowed: frozenset[Stage], *, to: str = "") -> HttpResponse:
    found, to = _onboarding(onboarding_id), to or request.POST.get("to", "")
    # Resuming is a decision, although it leads to a stage of the work.
    if to not in allowed or (allowed is WORK and found.stage == Stage.SUSPENDED):
        raise Http404
    try:
        move(
            onboarding_id=onboarding_id,
            seen=request.POST.get("seen", ""),
            to=Stage(to),
            actor=request.user.actor(),
            at=clock.now(),
            reason=request.POST.get("reason", "")[:2000],
            data_until=_day(request.POST.get("data_until", "")),
        )
    except MoveRefused as refused:
        if refused.code in ASKED_AGAIN:
            return _confirm(request, found, to, refused=_said(refused.code))
        messages.error(request, _said(refused.code))
    else:
        messages.success(request, _("It was done."))
    return redirect("onboarding", onboarding_id)


def _confirm(request: PageRequest, found: Onboarding, to: str, *, refused: str = "") -> HttpResponse:
    shown = {"onboarding": found, "to": to, "refused": refused, "reason": request.POST.get("reason", "")[:2000]}
    shown |= {"wants_reason": to in (Stage.REJECTED, Stage.SUSPENDED, Stage.OFFBOARDED)}
    shown |= {"ends": to == Stage.OFFBOARDED, "data_until": request.POST.get("data_until", "")[:10]}
    if found.municipality is not None:
        with schema_context(found.municipality.schema_name):
            shown |= {"tells_nobody": not posting.admins().exists()}
    return render(request, "web/onboarding_decide.html", shown, status=422 if refused else 200)


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said.strip())
    except ValueError:
        return None


def _show(request: PageRequest, onboarding_id: UUID, *, made: Any = None, status: int = 200) -> HttpResponse:
    at = clock.now()
    allowed = permissions(request)
    shown = {
        "view": console_view(onboarding=_onboarding(onboarding_id), at=at),
        "now": at,
        "parts": list(Part),
        "made": made,
        "may_onboard": Permission.ONBOARD in allowed,
        "may_decide": Permission.DECIDE_ONBOARDING in allowed,
        "decisions": DECISIONS,
    }
    return render(request, "web/onboarding.html", shown, status=status)


def _onboarding(onboarding_id: UUID) -> Onboarding:
    found = Onboarding.objects.select_related("municipality").filter(id=onboarding_id).first()
    if found is None:
        raise Http404
    return found


def _said(code: str) -> str:
    return said(table="refusal", code=code, language=get_language())
