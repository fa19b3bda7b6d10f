"""The municipal admin's pages of templates: the list and the last look at Meta's, one with its history, its purpose."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission
from audit.record import record
from messaging.models import Template
from messaging.templates import assigning, requesting, showing, tasks
from tenants import clock
from web.access import PageRequest, is_fragment, permissions, requires


@require_safe
@requires(Permission.READ_TEMPLATES)
def templates(request: PageRequest) -> HttpResponse:
    """Show the municipality's templates, those first that need somebody."""
    at = clock.now()
    page = request.GET.get("page", "1")
    number = int(page) if page.isdecimal() and len(page) < 5 else 1
    shown = showing.templates(municipality=request.tenant, page=number, at=at)
    context = {"shown": shown, "now": at, "may_manage": Permission.MANAGE_TEMPLATES in permissions(request)}
    return render(request, "web/templates.html", context | _looks(shown.accounts))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_TEMPLATES)
def sync(request: PageRequest) -> HttpResponse:
    """Ask for a look at Meta's templates; while it is under way, tell how far it is."""
    if request.method == "POST":
        accounts = showing.accounts(municipality=request.tenant)
        requesting.request_all(waba_ids=[account.waba_id for account in accounts], at=clock.now())
        record(action="template.sync", actor=request.user.actor(), at=clock.now(), subject="templates")
        if not tasks.begin(schema_name=request.tenant.schema_name):
            messages.warning(request, _("The work in the background is away. The look begins when it is back."))
        return redirect("templates")
    if not is_fragment(request):
        return redirect("templates")
    looks = _looks(showing.accounts(municipality=request.tenant))
    answer = render(request, "web/template_looks.html", looks | {"now": clock.now(), "may_manage": True})
    if not looks["is_busy"]:
        answer.headers["HX-Refresh"] = "true"  # the list itself has changed
    return answer


@require_safe
@requires(Permission.READ_TEMPLATES)
def template(request: PageRequest, template_id: UUID) -> HttpResponse:
    """Show one template: how citizens see it, what Meta says of it, and how it became so."""
    return _show(request, template_id)


@require_POST
@requires(Permission.MANAGE_TEMPLATES)
def assign_purpose(request: PageRequest, template_id: UUID) -> HttpResponse:
    """Give a template a declared purpose."""
    purpose = request.POST.get("purpose", "")
    try:
        assigning.assign_purpose(template_id=template_id, purpose=purpose, actor=request.user.actor(), at=clock.now())
    except Template.DoesNotExist:
        raise Http404 from None
    except assigning.PurposeNotDeclared:
        return _show(request, template_id, refused=_("Choose a purpose that your municipality has declared."))
    messages.success(request, _("The template has its purpose."))
    return redirect("template", template_id)


def _show(request: PageRequest, template_id: UUID, *, refused: str = "") -> HttpResponse:
    at = clock.now()
    try:
        shown = showing.template(template_id=template_id, at=at)
    except Template.DoesNotExist:
        raise Http404 from None
    may_manage = Permission.MANAGE_TEMPLATES in permissions(request)
    context = {"shown": shown, "now": at, "may_manage": may_manage, "refused": refused}
    return render(request, "web/template.html", context, status=422 if refused else 200)


def _looks(accounts: tuple[showing.AccountView, ...]) -> dict[str, object]:
    return {"accounts": accounts, "is_busy": any(account.under_way or account.asked for account in accounts)}
