"""The people of a municipality, for its admin, and the BSP's staff, for its operator: the same pages on both hosts."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts import invitations, people, reading, strength
from accounts.models import User
from accounts.permissions import Permission
from accounts.roles import UnknownRole, roles_here
from audit.record import record
from tenants import clock
from web.access import PageRequest, permissions, requires


@require_safe
@requires(Permission.READ_USERS)
def users(request: PageRequest) -> HttpResponse:
    """Show who may sign in here, as what, and how they are protected."""
    shown = {"users": reading.users(), "for_all": strength.is_for_all(), "manages": _manages(request)}
    return render(request, "web/users.html", shown)


@require_safe
@requires(Permission.READ_USERS)
def user(request: PageRequest, user_id: UUID) -> HttpResponse:
    """Show one user, and what can be done."""
    return _show(request, user_id)


@require_GET
@requires(Permission.READ_USERS)
def export(request: PageRequest) -> HttpResponse:
    """Give the access review as CSV. That it was taken is in the trail."""
    text = "".join(reading.review())
    details = {"users": text.count("\n") - 1}
    record(action="users.export", actor=request.user.actor(), at=clock.now(), subject="users", details=details)
    day = f"{clock.now():%Y-%m-%d}"
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="users-{request.tenant.schema_name}-{day}.csv"'
    return answer


@require_POST
@requires(Permission.MANAGE_USERS)
def roles(request: PageRequest, user_id: UUID) -> HttpResponse:
    """Give somebody exactly the roles that are ticked."""
    _find(user_id)
    chosen = request.POST.getlist("role")
    try:
        changed = people.change_roles(user_id=user_id, roles=chosen, actor=request.user.actor(), at=clock.now())
    except UnknownRole:
        return _show(request, user_id, refused=_("Choose at least one role; who should have none is blocked."))
    except people.LastAdmin:
        return _show(request, user_id, refused=_last_admin())
    if changed:
        messages.success(request, _("The roles were changed."))
    return redirect("user", user_id)


@require_POST
@requires(Permission.MANAGE_USERS)
def invitation(request: PageRequest, user_id: UUID) -> HttpResponse:
    """Have somebody's invitation sent again, or count no longer."""
    _find(user_id)
    actor, at = request.user.actor(), clock.now()
    try:
        if request.POST.get("act") == "revoke":
            invitations.revoke(user_id=user_id, actor=actor, at=at)
            messages.success(request, _("The invitation was withdrawn; its link works no longer."))
        else:
            language = get_language() or "nl"
            invitations.invite_again(user_id=user_id, actor=actor, language=language, at=at)
            messages.success(request, _("A new invitation is under way; the link from before works no longer."))
    except invitations.NotInvited:
        messages.error(request, _("There is no invitation that this can be done with any more."))
    return redirect("user", user_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_USERS)
def access(request: PageRequest, user_id: UUID) -> HttpResponse:
    """Ask whether somebody is to be blocked, and do it; or let who is blocked in again."""
    view = _find(user_id)
    actor, at = request.user.actor(), clock.now()
    if request.method != "POST":
        return render(request, "web/user_block.html", {"view": view})
    if request.POST.get("act") == "unblock":
        people.reactivate(user_id=user_id, actor=actor, at=at)
        messages.success(request, _("This user can sign in again."))
        return redirect("user", user_id)
    try:
        people.deactivate(user_id=user_id, actor=actor, at=at)
    except people.Oneself:
        return _show(request, user_id, refused=_("You cannot block yourself: ask another administrator."))
    except people.LastAdmin:
        return _show(request, user_id, refused=_last_admin())
    messages.success(request, _("This user was blocked; their sessions have ended."))
    return redirect("user", user_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_USERS)
def second_step(request: PageRequest, user_id: UUID) -> HttpResponse:
    """Ask whether somebody's second step is to be taken away, and do it."""
    view = _find(user_id)
    if request.method != "POST":
        return render(request, "web/user_second_step.html", {"view": view})
    language = get_language() or "nl"
    try:
        people.reset_second_step(user_id=user_id, actor=request.user.actor(), language=language, at=clock.now())
    except people.Oneself:
        return _show(request, user_id, refused=_("Your own second step is changed under My account."))
    messages.success(request, _("The second step was removed; their sessions have ended, and a mail is under way."))
    return redirect("user", user_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_USERS)
def rules(request: PageRequest) -> HttpResponse:
    """Show and take whether everyone in the municipality needs a second step."""
    if request.method != "POST":
        without = [view for view in reading.users() if view.state == "ACTIVE" and not view.steps]
        return render(request, "web/sign_in_rules.html", {"for_all": strength.is_for_all(), "without": len(without)})
    required = request.POST.get("for_all") == "yes"
    with transaction.atomic():
        if strength.choose_for_all(required=required):
            details = {"second_step_for_all": required}
            actor, at = request.user.actor(), clock.now()
            record(action="sign_in_rules.change", actor=actor, at=at, subject="sign-in rules", details=details)
    messages.success(request, _("The rules were saved. They count from now on, also for who is signed in."))
    return redirect("users")


def _show(request: PageRequest, user_id: UUID, *, refused: str = "") -> HttpResponse:
    view = _find(user_id)
    shown = {
        "view": view,
        "roles": [(code, code in view.roles) for code, _word in roles_here()],
        "is_oneself": view.user.pk == request.user.pk,
        "manages": _manages(request),
        "refused": refused,
    }
    return render(request, "web/user.html", shown, status=409 if refused else 200)


def _find(user_id: UUID) -> reading.UserView:
    try:
        return reading.user(user_id=user_id)
    except User.DoesNotExist:
        raise Http404 from None


def _last_admin() -> str:
    return _("Nobody who manages people would be left. Make somebody else an administrator first.")


def _manages(request: PageRequest) -> bool:
    return Permission.MANAGE_USERS in permissions(request)
