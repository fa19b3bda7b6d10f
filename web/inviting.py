"""Inviting people: one by a form, or many by a list that is checked as a whole and shown before anything is sent."""

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import invitations, inviting_many
from accounts.permissions import Permission
from accounts.roles import roles_here
from tenants import clock
from web.access import PageRequest, requires

LONGEST_LIST = 256 * 1024  # bytes


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_USERS)
def invite(request: PageRequest) -> HttpResponse:
    """Show the form, and invite one person."""
    if request.method != "POST":
        return _form(request, given={}, chosen=[], wrong=[])
    given = {name: request.POST.get(name, "").strip() for name in ("email", "name")}
    chosen = request.POST.getlist("role")
    person, wrong = inviting_many.check(given={**given, "roles": " ".join(chosen)})
    if not wrong:
        try:
            invited = invitations.invite(
                email=person.email,
                name=person.name,
                roles=person.roles,
                actor=request.user.actor(),
                language=get_language() or "nl",
                at=clock.now(),
            )
        except invitations.AlreadyThere:
            wrong = [inviting_many.THERE]
        else:
            messages.success(request, _("The invitation is under way."))
            return redirect("user", invited.user_id)
    return _form(request, given=given, chosen=chosen, wrong=wrong)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_USERS)
def invite_many(request: PageRequest) -> HttpResponse:
    """Take a list, show who would be invited or what is wrong, and then invite everyone on it, or nobody."""
    if request.method != "POST":
        return render(request, "web/invite_many.html", {"codes": roles_here()})
    text, refused = _text(request)
    read = inviting_many.read(text=text) if not refused else None
    if read is not None and not read.problems and request.POST.get("step") == "send":
        try:
            actor, language = request.user.actor(), get_language() or "nl"
            invited = inviting_many.invite_all(people=read.people, actor=actor, language=language, at=clock.now())
        except invitations.AlreadyThere:
            read = inviting_many.read(text=text)  # which names the line
        else:
            count = len(invited)
            said = ngettext("%(count)s invitation is under way.", "%(count)s invitations are under way.", count)
            messages.success(request, said % {"count": count})
            return redirect("users")
    shown = {"codes": roles_here(), "text": text, "read": read, "refused": refused}
    is_wrong = read is None or bool(read.problems)
    return render(request, "web/invite_many.html", shown, status=422 if is_wrong else 200)


def _form(request: PageRequest, *, given: dict[str, str], chosen: list[str], wrong: list[Promise]) -> HttpResponse:
    roles = [(code, code in chosen) for code, _word in roles_here()]
    shown = {"given": given, "roles": roles, "wrong": wrong}
    return render(request, "web/invite.html", shown, status=422 if wrong else 200)


def _text(request: PageRequest) -> tuple[str, str]:
    """Return the list as it was given, by a file or in the field, and why it cannot be read."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        text = request.POST.get("text", "")
        return text, "" if len(text) <= LONGEST_LIST else _("The list is too long.")
    if (file.size or 0) > LONGEST_LIST:
        return "", _("The list is too long.")
    data = file.read()
    for encoding in ("utf-8-sig", "cp1252"):  # the second is what spreadsheets in Dutch town halls save
        try:
            return data.decode(encoding).replace("\x00", ""), ""
        except UnicodeDecodeError:
            continue
    return "", _("This file is no text.")
