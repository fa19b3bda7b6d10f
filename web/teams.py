"""The pages of teams: the admin makes them and puts people in, agents hand a thread to one. One domain call a view."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import teams
from accounts.models import Team
from accounts.permissions import Permission
from messaging import reading, seeing
from messaging import teams as handing
from messaging.models import Thread
from tenants import clock
from web.access import PageRequest, requires

NAME_MISSING = gettext_lazy("Give the team a name, of at most 60 characters.")
NAME_TAKEN = gettext_lazy("There is a team of this name already.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_TEAMS)
def overview(request: PageRequest) -> HttpResponse:
    """Show the teams, and make one."""
    refused: Promise | None = None
    name = request.POST.get("name", "")
    if request.method == "POST":
        try:
            team = teams.make(name=name, actor=request.user.actor(), at=clock.now())
        except teams.NameMissing:
            refused = NAME_MISSING
        except teams.NameTaken:
            refused = NAME_TAKEN
        else:
            return redirect("team", team_id=team.id)
    context = {"teams": teams.teams(), "only_own": teams.sees_only_own(), "refused": refused, "name": name}
    return render(request, "web/teams.html", context, status=422 if refused else 200)


@require_POST
@requires(Permission.MANAGE_TEAMS)
def rule(request: PageRequest) -> HttpResponse:
    """Choose whether agents see only the threads of their own teams."""
    given = request.POST.get("only_own", "")
    if given not in {"yes", "no"}:
        return HttpResponse(status=400)  # no form of ours sends this
    teams.set_rule(only_own=given == "yes", actor=request.user.actor(), at=clock.now())
    messages.success(request, _("It was saved."))
    return redirect("teams")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_TEAMS)
def team(request: PageRequest, team_id: UUID) -> HttpResponse:
    """Show one team, name it, and choose who is in it."""
    view = _team(team_id)
    refused: Promise | None = None
    name, chosen = view.team.name, {user.id for user in view.members}
    if request.method == "POST":
        name, chosen = request.POST.get("name", ""), set(_ids(request))
        try:
            teams.change(team_id=team_id, name=name, member_ids=chosen, actor=request.user.actor(), at=clock.now())
        except Team.DoesNotExist:
            raise Http404 from None
        except teams.NameMissing:
            refused = NAME_MISSING
        except teams.NameTaken:
            refused = NAME_TAKEN
        else:
            messages.success(request, _("It was saved."))
            return redirect("teams")
    context = {"view": view, "candidates": teams.candidates(), "chosen": chosen, "name": name, "refused": refused}
    return render(request, "web/team.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MANAGE_TEAMS)
def dissolve(request: PageRequest, team_id: UUID) -> HttpResponse:
    """Ask whether a team may be dissolved, then dissolve it."""
    if request.method != "POST":
        return render(request, "web/dissolve_team.html", {"view": _team(team_id)})
    try:
        handing.dissolve(team_id=team_id, actor=request.user.actor(), at=clock.now())
    except Team.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The team is dissolved."))
    return redirect("teams")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ANSWER_THREADS)
def hand_over(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """Show the teams, and hand the thread to one of them or to none."""
    if request.method == "POST":
        try:
            given = request.POST.get("team", "")
            team_id = UUID(given) if given else None
            handing.hand_over(thread_id=thread_id, team_id=team_id, actor=request.user.actor(), at=clock.now())
        except ValueError:
            return HttpResponse(status=400)  # no form of ours sends this
        except (Thread.DoesNotExist, Team.DoesNotExist):
            raise Http404 from None
        messages.success(request, _("The conversation was handed over."))
        return redirect("thread", thread_id=thread_id) if seeing.may_see(thread_id=thread_id) else redirect("inbox")
    try:
        view = reading.thread(thread_id=thread_id, at=clock.now())
    except Thread.DoesNotExist:
        raise Http404 from None
    context = {"view": view, "teams": teams.teams(), "only_own": teams.sees_only_own()}
    return render(request, "web/hand_to_team.html", context)


def _team(team_id: UUID) -> teams.TeamView:
    found = next((view for view in teams.teams() if view.team.id == team_id), None)
    if found is None:
        raise Http404
    return found


def _ids(request: HttpRequest) -> list[UUID]:
    try:
        return [UUID(given) for given in request.POST.getlist("member")]
    except ValueError:
        return []
