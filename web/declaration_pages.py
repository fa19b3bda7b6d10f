"""The pages of a changing declaration: an admin asks for other purposes, somebody of the BSP approves or rejects."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission
from tenants import clock
from tenants.models import DeclarationChange
from tenants.onboarding import redeclaring
from tenants.onboarding.fields import Field
from web.access import PageRequest, permissions, requires
from web.application_form import Question, questions
from web.onboarding_words import said

DECISIONS = {"approve": True, "reject": False}
CHANGES_SHOWN = 20


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_DECLARATION)
def declaration(request: PageRequest) -> HttpResponse:
    """Show what the municipality declared and what it asked for, and take the wish for other purposes."""
    if request.method != "POST":
        return _declaration(request)
    given = {each.name: request.POST.get(each.name, "") for fields in _fields() for each in fields}
    codes: dict[str, str] = {}
    try:
        redeclaring.ask(municipality=request.tenant, given=given, actor=request.user.actor(), at=clock.now())
    except redeclaring.Unfit as unfit:
        codes = dict(unfit.codes)
        refused = _("It was not asked: look at what is said below.")
    except redeclaring.NothingChanges:
        refused = _("These are the purposes that you declared already.")
    except redeclaring.WaitsAlready:
        refused = _("Another change waits already. Take it back first, or wait for the answer.")
    else:
        messages.success(request, _("Your provider was asked. What you declared before holds until the answer."))
        return redirect("declaration")
    return _declaration(request, given=given, codes=codes, refused=refused)


@require_POST
@requires(Permission.CHANGE_DECLARATION)
def withdraw(request: PageRequest, change_id: UUID) -> HttpResponse:
    """Take a change back that nobody decided on yet."""
    actor, at = request.user.actor(), clock.now()
    try:
        redeclaring.withdraw(change_id=change_id, municipality=request.tenant, actor=actor, at=at)
    except DeclarationChange.DoesNotExist:
        raise Http404 from None
    except redeclaring.AlreadyDecided:
        messages.warning(request, _("It was decided already. Nothing was changed."))
    else:
        messages.success(request, _("The change was taken back."))
    return redirect("declaration")


@require_safe
@requires(Permission.READ_ONBOARDING)
def change(request: PageRequest, change_id: UUID) -> HttpResponse:
    """Show a change with all that was given for it."""
    return _change(request, change_id)


@require_POST
@requires(Permission.DECIDE_ONBOARDING)
def decide(request: PageRequest, change_id: UUID) -> HttpResponse:
    """Approve a change, or reject it with the reason that the municipality reads."""
    reason, approve = request.POST.get("reason", ""), DECISIONS.get(request.POST.get("decision", ""))
    if approve is None:
        return _change(request, change_id, refused=_("Choose whether it is approved or rejected."), reason=reason)
    actor, at = request.user.actor(), clock.now()
    try:
        redeclaring.decide(change_id=change_id, approve=approve, reason=reason, actor=actor, at=at)
    except DeclarationChange.DoesNotExist:
        raise Http404 from None
    except redeclaring.ReasonMissing:
        return _change(request, change_id, refused=_("Say why: the municipality reads it."), reason=reason)
    except redeclaring.ReasonTooLong:
        refused = _("The reason is too long: at most 1,000 characters.")
        return _change(request, change_id, refused=refused, reason=reason)
    except redeclaring.AlreadyDecided:
        messages.warning(request, _("Somebody else decided meanwhile. Nothing was changed."))
    else:
        messages.success(request, _("It was done."))
    return redirect("declaration-change", change_id)


def _fields() -> list[tuple[Field, ...]]:
    return list(redeclaring.questions().values())


def _declaration(
    request: PageRequest,
    *,
    given: dict[str, str] | None = None,
    codes: dict[str, str] | None = None,
    refused: str = "",
) -> HttpResponse:
    municipality = request.tenant
    values = redeclaring.before_it(municipality=municipality) if given is None else given
    found = list(redeclaring.changes(municipality=municipality)[:CHANGES_SHOWN])
    asked: list[tuple[str, list[Question]]] = [
        (said(table="part", code=part, language=get_language()), questions(fields=fields, values=values, codes=codes))
        for part, fields in redeclaring.questions().items()
    ]
    context = {
        "declared": redeclaring.declared(municipality=municipality),
        "changes": found,
        "waiting": next((each for each in found if each.state == redeclaring.State.WAITING), None),
        "asked": asked,
        "refused": refused,
        "is_open": given is not None,
    }
    return render(request, "web/declaration.html", context, status=422 if refused else 200)


def _change(request: PageRequest, change_id: UUID, *, refused: str = "", reason: str = "") -> HttpResponse:
    found = DeclarationChange.objects.select_related("municipality__onboarding").filter(id=change_id).first()
    if found is None:
        raise Http404
    context = {
        "change": found,
        "may_decide": Permission.DECIDE_ONBOARDING in permissions(request),
        "refused": refused,
        "reason": reason,
    }
    return render(request, "web/declaration_change.html", context, status=422 if refused else 200)
